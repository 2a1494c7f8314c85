"""Asks the gate of a Hinomi on the same machine whether something may go ahead (docs/gate.md), over its Unix socket
(docs/format/gate-socket.md). One file, nothing but the standard library.

    gate = Gate("/run/hinomi/gate", timeout=0.05, fail_table="withdrawal BTC 0.01", spool="/var/lib/exchange/gate.spool")
    answer = gate.decide(request_id="W1", action="withdrawal", account="u1", asset="BTC", amount="0.5", wallet="hot-1", destination="bc1q...")
    if answer.allowed: ...

In doubt the answer is hold. When nobody answers within the time, or what comes is no answer, the fail table decides: lines of
"action asset at-most", * fits any, the first that fits; nothing fits: hold. What it decided is written to the spool before it is
returned (no spool, or one that cannot be written: hold), and told to the gate when it is back.

One at a time for each Gate; make one for each thread."""
import dataclasses
import os
import re
import socket
import struct
import time

FIELDS = ("request_id", "action", "account", "asset", "amount", "wallet", "destination", "at", "nonce", "expiry")
ASK, ANSWER, CHECK, CHECKED, REPORT, REPORTED = range(1, 7)
DECISIONS = ("allow", "hold", "deny")
ASK_MAX, BODY_MAX = 64, 1 << 20


class NoAnswer(Exception):
    """Nobody answered, or what came was no answer."""


@dataclasses.dataclass
class Answer:
    decision: str = "hold"
    row: str = ""
    id: str = ""
    incident: str = ""
    policy_version: str = ""
    token: str = ""
    at: int = 0              # ns since 1970, as in the canonical bytes
    token_expiry: int = 0
    shadow: bool = False     # would not have been allowed, but the gate only watches
    refused: bool = False    # the request itself is wrong: reasons say why; decision is hold
    alone: bool = False      # nobody answered: the fail table decided; row is its line
    reasons_en: tuple = ()
    reasons_ja: tuple = ()

    @property
    def allowed(self):
        return self.decision == "allow"


def _block(data):
    return struct.pack("<I", len(data)) + data


def canonical(request):
    """The bytes of docs/gate.md; at and expiry are ns since 1970, payload (which may be missing) is bytes."""
    unknown = set(request) - set(FIELDS) - {"payload"}
    if unknown:
        raise ValueError(f"a request has no {', '.join(sorted(unknown))}; it has {', '.join(FIELDS)}, payload")
    payload = request.get("payload") or b""
    text = lambda name: str(request.get(name) or (0 if name in ("at", "expiry") else ""))
    return b"".join(_block(text(name).encode()) for name in FIELDS) + (_block(bytes(payload)) if payload else b"")


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise NoAnswer("the answer ends too early")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def block(self):
        return self.take(self.number("<I"))

    def text(self):
        return self.block().decode("utf-8", "replace")

    def done(self):
        return self.at == len(self.data)


def _answer(data):
    reader = _Reader(data)
    kind, shadow = reader.number("<B"), bool(reader.number("<B"))
    at, expiry = reader.number("<q"), reader.number("<q")
    if kind > 2 and kind != 255:
        raise NoAnswer("an unknown decision")
    answer = Answer("hold" if kind == 255 else DECISIONS[kind], shadow=shadow, at=at, token_expiry=expiry, refused=kind == 255)
    answer.id, answer.row, answer.incident, answer.policy_version, answer.token = (reader.text() for _ in range(5))
    pairs = [(reader.text(), reader.text()) for _ in range(reader.number("<B"))]
    answer.reasons_en, answer.reasons_ja = tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)
    if not reader.done():
        raise NoAnswer("an answer is longer than it says")
    return answer


_DECIMAL = re.compile(r"[0-9]*\.?[0-9]*")


def _units(text):
    """(digits before the point, digits behind it), or None when it is no plain decimal of at most 38 digits."""
    digits = sum(c.isdigit() for c in text)
    if not _DECIMAL.fullmatch(text) or not 1 <= digits <= 38:
        return None
    whole, _, part = text.partition(".")
    return int(whole or "0"), part.ljust(38, "0")


def read_table(text):
    """The rows of a fail table: (action, asset, at most, line). ValueError names the wrong line."""
    rows = []
    for number, line in enumerate((text or "").splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 3 or _units(words[2]) is None:
            raise ValueError(f"line {number} of the fail table is not: action asset at-most")
        rows.append((*words, f"{words[0]} {words[1]} at most {words[2]}"))
    return rows


class Gate:
    def __init__(self, path, timeout=0.05, fail_table=None, spool=None):
        self.path, self.timeout, self.rows, self.spool = path, timeout, read_table(fail_table), spool
        self.socket = None

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- asking

    def decide(self, **request):
        return self.decide_many([request])[0]

    def decide_many(self, requests):
        """Up to 64 at once: durable together, and much cheaper."""
        bodies = [canonical(request) for request in requests]
        try:
            if not 1 <= len(bodies) <= ASK_MAX:
                raise NoAnswer("a frame has 1 to 64 requests")
            if not self.socket:
                self._connect()
                self.report()
            reader = _Reader(self._ask(ASK, ANSWER, len(bodies), b"".join(map(_block, bodies))))
            answers = [_answer(reader.block()) for _ in bodies]
            if not reader.done():
                raise NoAnswer("more came than was asked")
            return answers
        except (OSError, NoAnswer):
            self.close()
            return [self._alone(request, body) for request, body in zip(requests, bodies)]

    def check(self, token, **request):
        """For whoever signs, just before signing: True, False, or None when nobody answers: then do not sign."""
        try:
            return self._ask(CHECK, CHECKED, 1, _block(canonical(request)) + _block(token.encode()))[:1] == b"\1"
        except (OSError, NoAnswer):
            self.close()
            return None

    # ---- the socket

    def _connect(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(self.timeout)
        try:
            self.socket.connect(self.path)
        except OSError:
            self.close()
            raise

    def _receive(self, count, until):
        data = b""
        while len(data) < count:
            left = until - time.monotonic()
            if left <= 0:
                raise NoAnswer("no answer in time")
            self.socket.settimeout(left)
            part = self.socket.recv(count - len(data))
            if not part:
                raise NoAnswer("the connection ended")
            data += part
        return data

    def _once(self, frame, kind, count, until):
        self.socket.settimeout(max(0.001, until - time.monotonic()))
        self.socket.sendall(frame)
        magic, got, _, told, length = struct.unpack("<4sBBHI", self._receive(12, until))
        if magic != b"HGS1" or got != kind or told != count or length > 16 * BODY_MAX:
            raise NoAnswer("what came is no answer to this")
        return self._receive(length, until)

    def _ask(self, kind, answer, count, body):
        """A connection that the other side closed meanwhile is opened anew once: what is asked twice is answered once."""
        until = time.monotonic() + self.timeout
        frame = struct.pack("<4sBBHI", b"HGS1", kind, 0, count, len(body)) + body
        if len(body) > BODY_MAX:
            raise NoAnswer("the frame is too long")
        if self.socket:
            try:
                return self._once(frame, answer, count, until)
            except (OSError, NoAnswer):
                self.close()
        self._connect()
        return self._once(frame, answer, count, until)

    # ---- alone

    def _alone(self, request, body):
        row = next((r for r in self.rows if r[0] in ("*", request.get("action")) and r[1] in ("*", request.get("asset"))), None)
        amount = _units(str(request.get("amount") or ""))
        passes = bool(row and request.get("request_id") and amount is not None and amount <= _units(row[2]))
        answer = Answer("allow" if passes else "hold", row[3] if row else "nothing fits", at=time.time_ns(), alone=True)
        answer.reasons_en = ("The gate does not answer; the table of the caller lets this amount pass." if passes
                             else "The gate does not answer; the table of the caller holds this.",)
        answer.reasons_ja = ("ゲートが応答しないため、呼び出し側の表によりこの金額は通過します。" if passes
                             else "ゲートが応答しないため、呼び出し側の表により保留します。",)
        if self._keep(body, answer) or not passes:
            return answer
        return Answer("hold", "no spool", at=answer.at, alone=True,
                      reasons_en=("The gate does not answer, and what is let pass alone cannot be written down.",),
                      reasons_ja=("ゲートが応答せず、単独での判断を記録できないため保留します。",))

    def _keep(self, body, answer):
        """A report as it goes onto the socket, with its length in front."""
        if not self.spool:
            return False
        report = _block(body) + struct.pack("<Bq", DECISIONS.index(answer.decision), answer.at) + _block(answer.row.encode())
        try:
            file = os.open(self.spool, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            end, data = os.lseek(file, 0, os.SEEK_END), _block(report)
            try:
                whole = os.write(file, data) == len(data)
                os.fdatasync(file)
            except OSError:
                whole = False
            if not whole:
                os.ftruncate(file, end)
            return whole
        except OSError:
            return False
        finally:
            os.close(file)

    def report(self):
        """Tells what was decided alone; how many are still to be told. The gate keeps a report once, however often it is told."""
        if not self.spool or not os.path.exists(self.spool):
            return 0
        with open(self.spool, "rb") as file:
            reader = _Reader(file.read())
        reports = []
        try:
            while not reader.done():
                reports.append(reader.block())
        except NoAnswer:
            pass  # torn at the end: never returned to anybody
        try:
            while reports:
                some = reports[:ASK_MAX]
                self._ask(REPORT, REPORTED, len(some), b"".join(some))
                reports = reports[ASK_MAX:]
        except (OSError, NoAnswer):
            self.close()
            return len(reports)
        os.unlink(self.spool)
        return 0
