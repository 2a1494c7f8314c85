// Package hinomigate asks the gate of a Hinomi on the same machine whether something may go ahead (docs/gate.md), over its Unix
// socket (docs/format/gate-socket.md). One file, nothing but the standard library.
//
//	gate, err := hinomigate.Open("/run/hinomi/gate", 50*time.Millisecond, "withdrawal BTC 0.01", "/var/lib/exchange/gate.spool")
//	answer := gate.Decide(hinomigate.Request{RequestID: "W1", Action: "withdrawal", Account: "u1", Asset: "BTC", Amount: "0.5"})
//	if answer.Allowed() { ... }
//
// In doubt the answer is hold. When nobody answers within the time, or what comes is no answer, the fail table decides: lines of
// "action asset at-most", * fits any, the first that fits; nothing fits: hold. What it decided is written to the spool before it is
// returned (no spool, or one that cannot be written: hold), and told to the gate when it is back.
//
// One at a time for each Gate; make one for each goroutine.
package hinomigate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	ask, answered, check, checked, report, reported = 1, 2, 3, 4, 5, 6

	askMax, bodyMax = 64, 1 << 20
)

var decisions = []string{"allow", "hold", "deny"}

var errNoAnswer = errors.New("nobody answered, or what came was no answer")

// Request is what is asked. Amount is a decimal, exactly as written; At and Expiry are ns since 1970, 0: none. Payload, the bytes
// that will be signed, may be missing.
type Request struct {
	RequestID, Action, Account, Asset, Amount, Wallet, Destination, Nonce string
	At, Expiry                                                            int64
	Payload                                                               []byte
}

// Answer is what may be done. Alone: nobody answered and the fail table decided, Row is its line. Refused: the request itself is
// wrong, the reasons say why, and the decision is hold.
type Answer struct {
	Decision, Row, ID, Incident, PolicyVersion, Token string
	At, TokenExpiry                                   int64
	Shadow, Refused, Alone                            bool
	ReasonsEn, ReasonsJa                              []string
}

// Allowed is the only thing that lets anything pass.
func (a Answer) Allowed() bool { return a.Decision == "allow" }

func block(to, data []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(to, uint32(len(data))), data...)
}

// Canonical gives the bytes of docs/gate.md.
func Canonical(r Request) []byte {
	var to []byte
	for _, text := range []string{r.RequestID, r.Action, r.Account, r.Asset, r.Amount, r.Wallet, r.Destination,
		strconv.FormatInt(r.At, 10), r.Nonce, strconv.FormatInt(r.Expiry, 10)} {
		to = block(to, []byte(text))
	}
	if len(r.Payload) > 0 {
		to = block(to, r.Payload)
	}
	return to
}

// ---- reading

type reader struct {
	data   []byte
	failed bool
}

func (r *reader) take(count uint64) []byte {
	if r.failed || count > uint64(len(r.data)) {
		r.failed = true
		return make([]byte, 8)
	}
	part := r.data[:count]
	r.data = r.data[count:]
	return part
}

func (r *reader) byte() byte   { return r.take(1)[0] }
func (r *reader) int64() int64 { return int64(binary.LittleEndian.Uint64(r.take(8))) }
func (r *reader) block() []byte {
	part := r.take(uint64(binary.LittleEndian.Uint32(r.take(4))))
	if r.failed {
		return nil
	}
	return part
}
func (r *reader) text() string { return strings.ToValidUTF8(string(r.block()), "\uFFFD") }
func (r *reader) whole() bool  { return !r.failed && len(r.data) == 0 }

func readAnswer(data []byte) (Answer, error) {
	r := reader{data: data}
	kind, shadow := r.byte(), r.byte() != 0
	a := Answer{Decision: "hold", Shadow: shadow, Refused: kind == 255, At: r.int64(), TokenExpiry: r.int64()}
	if kind != 255 {
		if int(kind) >= len(decisions) {
			return Answer{}, errNoAnswer
		}
		a.Decision = decisions[kind]
	}
	a.ID, a.Row, a.Incident, a.PolicyVersion, a.Token = r.text(), r.text(), r.text(), r.text(), r.text()
	for n := r.byte(); n > 0 && !r.failed; n-- {
		a.ReasonsEn = append(a.ReasonsEn, r.text())
		a.ReasonsJa = append(a.ReasonsJa, r.text())
	}
	if !r.whole() {
		return Answer{}, errNoAnswer
	}
	return a, nil
}

// ---- the fail table

type row struct {
	action, asset, line string
	most                *big.Int
}

// units gives a plain decimal of 1 to 38 digits in units of 10^-38; nil when it is none.
func units(text string) *big.Int {
	digits, points := 0, 0
	for _, c := range []byte(text) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.':
			points++
		default:
			return nil
		}
	}
	if digits < 1 || digits > 38 || points > 1 {
		return nil
	}
	whole, part, _ := strings.Cut(text, ".")
	n, ok := new(big.Int).SetString("0"+whole+part+strings.Repeat("0", 38-len(part)), 10)
	if !ok {
		return nil
	}
	return n
}

func readTable(text string) ([]row, error) {
	var rows []row
	for number, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) != 3 || units(words[2]) == nil {
			return nil, fmt.Errorf("line %d of the fail table is not: action asset at-most", number+1)
		}
		rows = append(rows, row{words[0], words[1], words[0] + " " + words[1] + " at most " + words[2], units(words[2])})
	}
	return rows, nil
}

// Gate is one connection, opened when it is needed.
type Gate struct {
	path, spool string
	timeout     time.Duration
	rows        []row
	conn        net.Conn
}

// Open only reads the fail table; the error names its wrong line. spool "": none.
func Open(path string, timeout time.Duration, failTable, spool string) (*Gate, error) {
	rows, err := readTable(failTable)
	if err != nil {
		return nil, err
	}
	return &Gate{path: path, spool: spool, timeout: timeout, rows: rows}, nil
}

// Close ends the connection; the next question opens another.
func (g *Gate) Close() {
	if g.conn != nil {
		g.conn.Close()
	}
	g.conn = nil
}

// ---- asking

// Decide asks for one.
func (g *Gate) Decide(request Request) Answer { return g.DecideMany([]Request{request})[0] }

// DecideMany asks for up to 64 at once: durable together, and much cheaper.
func (g *Gate) DecideMany(requests []Request) []Answer {
	answers, err := g.askMany(requests)
	if err != nil {
		g.Close()
		answers = make([]Answer, len(requests))
		for i, request := range requests {
			answers[i] = g.alone(request)
		}
	}
	return answers
}

func (g *Gate) askMany(requests []Request) ([]Answer, error) {
	if len(requests) < 1 || len(requests) > askMax {
		return nil, errNoAnswer
	}
	var body []byte
	for _, request := range requests {
		body = block(body, Canonical(request))
	}
	if g.conn == nil {
		if err := g.connect(); err != nil {
			return nil, err
		}
		g.Report()
	}
	got, err := g.ask(ask, answered, len(requests), body)
	if err != nil {
		return nil, err
	}
	r, answers := reader{data: got}, make([]Answer, len(requests))
	for i := range answers {
		if answers[i], err = readAnswer(r.block()); err != nil {
			return nil, err
		}
	}
	if !r.whole() {
		return nil, errNoAnswer
	}
	return answers, nil
}

// Check is for whoever signs, just before signing. An error: nobody answers, then do not sign.
func (g *Gate) Check(token string, request Request) (bool, error) {
	got, err := g.ask(check, checked, 1, block(block(nil, Canonical(request)), []byte(token)))
	if err != nil {
		g.Close()
		return false, err
	}
	return len(got) > 0 && got[0] == 1, nil
}

// ---- the socket

func (g *Gate) connect() error {
	conn, err := net.DialTimeout("unix", g.path, g.timeout)
	if err == nil {
		g.conn = conn
	}
	return err
}

func (g *Gate) once(frame []byte, kind byte, count int, until time.Time) ([]byte, error) {
	if err := g.conn.SetDeadline(until); err != nil {
		return nil, err
	}
	if _, err := g.conn.Write(frame); err != nil {
		return nil, err
	}
	head := make([]byte, 12)
	if _, err := io.ReadFull(g.conn, head); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(head[8:])
	if string(head[:4]) != "HGS1" || head[4] != kind || int(binary.LittleEndian.Uint16(head[6:])) != count || length > 16*bodyMax {
		return nil, errNoAnswer
	}
	body := make([]byte, length)
	_, err := io.ReadFull(g.conn, body)
	return body, err
}

// A connection that the other side closed meanwhile is opened anew once: what is asked twice is answered once.
func (g *Gate) ask(kind, answer byte, count int, body []byte) ([]byte, error) {
	until := time.Now().Add(g.timeout)
	if len(body) > bodyMax {
		return nil, errNoAnswer
	}
	frame := binary.LittleEndian.AppendUint16(append([]byte("HGS1"), kind, 0), uint16(count))
	frame = block(frame, body)
	if g.conn != nil {
		if got, err := g.once(frame, answer, count, until); err == nil {
			return got, nil
		}
		g.Close()
	}
	if err := g.connect(); err != nil {
		return nil, err
	}
	return g.once(frame, answer, count, until)
}

// ---- alone

func (g *Gate) alone(request Request) Answer {
	a := Answer{Decision: "hold", Row: "nothing fits", At: time.Now().UnixNano(), Alone: true,
		ReasonsEn: []string{"The gate does not answer; the table of the caller holds this."},
		ReasonsJa: []string{"ゲートが応答しないため、呼び出し側の表により保留します。"}}
	amount := units(request.Amount)
	for _, row := range g.rows {
		if (row.action != "*" && row.action != request.Action) || (row.asset != "*" && row.asset != request.Asset) {
			continue
		}
		a.Row = row.line
		if request.RequestID != "" && amount != nil && amount.Cmp(row.most) <= 0 {
			a.Decision = "allow"
			a.ReasonsEn = []string{"The gate does not answer; the table of the caller lets this amount pass."}
			a.ReasonsJa = []string{"ゲートが応答しないため、呼び出し側の表によりこの金額は通過します。"}
		}
		break
	}
	if g.keep(request, a) == nil || a.Decision == "hold" {
		return a
	}
	return Answer{Decision: "hold", Row: "no spool", At: a.At, Alone: true,
		ReasonsEn: []string{"The gate does not answer, and what is let pass alone cannot be written down."},
		ReasonsJa: []string{"ゲートが応答せず、単独での判断を記録できないため保留します。"}}
}

// A report as it goes onto the socket, with its length in front.
func (g *Gate) keep(request Request, a Answer) error {
	if g.spool == "" {
		return errNoAnswer
	}
	decision := byte(1)
	if a.Allowed() {
		decision = 0
	}
	one := append(block(nil, Canonical(request)), decision)
	one = block(binary.LittleEndian.AppendUint64(one, uint64(a.At)), []byte(a.Row))
	file, err := os.OpenFile(g.spool, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err = file.Write(block(nil, one)); err == nil {
		err = file.Sync()
	}
	if err != nil {
		_ = file.Truncate(end)
	}
	return err
}

// Report tells what was decided alone; how many are still to be told. The gate keeps a report once, however often it is told.
func (g *Gate) Report() int {
	if g.spool == "" {
		return 0
	}
	data, err := os.ReadFile(g.spool)
	if err != nil {
		return 0
	}
	var reports [][]byte
	for r := (reader{data: data}); len(r.data) > 0; {
		one := r.block()
		if r.failed {
			break // torn at the end: never returned to anybody
		}
		reports = append(reports, one)
	}
	for len(reports) > 0 {
		some := reports
		if len(some) > askMax {
			some = some[:askMax]
		}
		var body []byte
		for _, one := range some {
			body = append(body, one...)
		}
		if _, err := g.ask(report, reported, len(some), body); err != nil {
			g.Close()
			return len(reports)
		}
		reports = reports[len(some):]
	}
	_ = os.Remove(g.spool)
	return 0
}
