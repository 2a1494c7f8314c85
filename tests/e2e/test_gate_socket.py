#!/usr/bin/env python3
"""The gate over its Unix socket: the same answers as over HTTP, the clients in C, Python and JavaScript, what wrong frames get, and what callers do while nobody
answers."""
import json
import os
import pathlib
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from harness import ROOT, Checks, Server, run, wait_for

sys.path.insert(0, str(ROOT / "clients/python"))
import hinomi_gate  # noqa: E402

checks = Checks()
POLICY = """version: "7"
mode: enforce
rows:
  - {name: small, when: request.amount <= 1, effect: allow}
  - {name: none, when: request.asset = "NO", effect: deny, reason: {en: not this asset, ja: この資産は不可}}
  - {name: large, effect: hold, reason: {en: "{request.amount} is much", ja: "{request.amount} は多い"}}
"""


class World:
    def __init__(self):
        self.server = Server()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-gate-"))
        policy = pathlib.Path(self.server.dir) / "policy.yaml"
        policy.write_text(POLICY)
        self.path = str(self.folder / "socket")
        with self.server.config.open("a") as config:
            config.write(f"gate_policy: {policy}\ngate_socket: {self.path}\n")
        self.server.start()
        self.server.sign_in()
        self.token = self.server.token("gate")

    def http(self, body):
        return self.server.request("POST", "/v1/gate/decide", body, headers={"Authorization": f"Bearer {self.token}"})

    def gate(self, **more):
        return hinomi_gate.Gate(self.path, timeout=5, **more)

    def close(self):
        self.server.close()
        shutil.rmtree(self.folder)


def request(number, amount="0.5", **more):
    return {"request_id": str(number), "action": "withdrawal", "account": "u1", "asset": "BTC", "amount": amount, "wallet": "w", "destination": "d", **more}


def same_answers(world):
    """What one way decided, the other finds: the canonical bytes are the same."""
    with world.gate() as gate:
        for number, amount, asset, want in ((1, "0.50", "BTC", "allow"), (2, "5", "BTC", "hold"), (3, "5", "NO", "deny"), (4, "1e-3", "BTC", "allow")):
            ours = gate.decide(**request(number, amount, asset=asset))
            checks.equal(f"socket {number}", (ours.decision, ours.policy_version, ours.alone), (want, "7", False))
            status, theirs, _ = world.http(request(number, amount, asset=asset))
            checks.equal(f"http {number}", (status, theirs["id"], theirs["decision"], theirs["token"] or ""), (200, ours.id, want, ours.token))
        checks.equal("reasons", (ours.reasons_en, gate.decide(**request(2, "5")).reasons_ja), ((), ("5 は多い",)))
        allowed = gate.decide(**request(5))
        checks.equal("a good token", gate.check(allowed.token, **request(5, at=allowed.at)), True)
        checks.equal("another amount", gate.check(allowed.token, **request(5, "0.6", at=allowed.at)), False)
        conflict = gate.decide(**request(1, "0.7"))
        checks.equal("the same id for another request", (conflict.refused, conflict.decision, conflict.row), (True, "hold", "conflict"))
        wrong = gate.decide_many([request(6), request(7, "a lot"), request(8, action=""), request(9, "2")])
        checks.equal("one wrong one among others", [(a.decision, a.refused) for a in wrong],
                     [("allow", False), ("hold", True), ("hold", True), ("hold", False)])
        checks.check("why", "38 digits" in wrong[1].reasons_en[0] and "action is missing" in wrong[2].reasons_en[0], wrong)


def many(world):
    """Sixty-four in a frame, several callers at once; each is answered for what it asked."""
    bad = []

    def ask(name):
        generator = random.Random(name)
        with world.gate() as gate:
            for frame in range(20):
                asked = [request(f"{name}-{frame}-{i}", generator.choice(["0.1", "3"])) for i in range(64)]
                for one, answer in zip(asked, gate.decide_many(asked)):
                    if answer.decision != ("allow" if one["amount"] == "0.1" else "hold"):
                        bad.append((one, answer))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    checks.equal("7,680 of six callers", bad[:3], [])
    checks.equal("more than a frame has", {a.alone for a in world.gate().decide_many([request(i) for i in range(65)])}, {True})


def raw(world, data, shut=True):
    """What a frame of these bytes gets: (kind, body) of the answer, or None."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
        one.settimeout(10)
        one.connect(world.path)
        one.sendall(data)
        if shut:
            one.shutdown(socket.SHUT_WR)
        got = b""
        try:
            while part := one.recv(65536):
                got += part
        except ConnectionResetError:
            pass
    return (got[4], got[12:]) if got else None


def frame(kind, count, body, length=None):
    return struct.pack("<4sBBHI", b"HGS1", kind, 0, count, len(body) if length is None else length) + body


def wrong_frames(world):
    block = lambda data: struct.pack("<I", len(data)) + data
    one = block(hinomi_gate.canonical(request("raw")))
    cases = {"no frame at all": b"GET / HTTP/1.1\r\n\r\n", "an unknown kind": frame(99, 1, one), "no requests": frame(1, 0, b""),
             "too many": frame(1, 65, one * 65), "fewer than said": frame(1, 2, one), "more than said": frame(1, 1, one + b"x"),
             "a length past the end": frame(1, 1, struct.pack("<I", 1 << 30) + b"xx"), "too long": frame(1, 1, b"", 1 << 24),
             "half a check": frame(3, 1, one), "a report without a decision": frame(5, 1, one)}
    for name, data in cases.items():
        answer = raw(world, data)
        checks.check(name, answer and answer[0] == 7 and len(answer[1]) > 10, answer)
    checks.equal("half a frame gets nothing", raw(world, frame(1, 1, one)[:-3]), None)
    nine = block(b"".join(block(b"x") for _ in range(9)))
    answer = raw(world, frame(1, 1, nine))
    checks.check("nine fields are a wrong request, not a wrong frame", answer and answer[0] == 2 and b"ten fields" in answer[1], answer)
    generator = random.Random(3)
    for _ in range(300):
        data = bytearray(frame(generator.choice([1, 3, 5]), generator.randrange(3), one * generator.randrange(3)))
        for _ in range(generator.randrange(6)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        raw(world, bytes(data))
    checks.equal("it still answers", world.gate().decide(**request("after")).decision, "allow")


def connections(world):
    """One more than there is room for is told so; when one goes another may come."""
    held = []
    for _ in range(64):
        one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        one.connect(world.path)
        held.append(one)
    answer = raw(world, b"", shut=False)
    checks.check("65 connections", answer and answer[0] == 7 and b"as many connections" in answer[1], answer)
    for one in held:
        one.close()
    checks.check("places are free again", wait_for(lambda: world.gate().decide(**request("free")).decision == "allow"))


def c_client(world):
    """hinomi gate is made with the client in C."""
    file = world.folder / "request.json"
    for number, amount, want in ((100, "0.25", (0, "allow")), (101, "25", (1, "hold"))):
        file.write_text(json.dumps(request(number, amount)))
        status, out, err = run("gate", "decide", "--socket", world.path, file)
        checks.equal(f"hinomi gate decide {amount}", (status, json.loads(out)["decision"], err), (*want, ""))
        checks.equal("the other way round", world.gate().decide(**request(number, amount)).id, json.loads(out)["id"])
    status, out, err = run("gate", "decide", "--socket", "/nowhere", file)
    checks.check("nobody there", status == 1 and "no gate answers" in err, err)
    status, out, err = run("gate", "bench", "--socket", world.path, "--seconds", "1", "--connections", "2", "--batch", "8")
    checks.check("bench", status == 0 and "p99.9" in out and "hold 0" in out, out + err)


C_PROGRAM = """
#include "hinomi_gate.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* program SOCKET SPOOL TABLE: a line "id action asset amount" in, "decision alone row" out */
int main(int argc, char **argv)
{
    char line[2048], id[512], action[512], asset[512], amount[512];
    struct hinomi_gate *gate = argc < 4 ? NULL : hinomi_gate_open(argv[1], 3000, argv[3], strcmp(argv[2], "-") ? argv[2] : NULL);
    if (!gate)
        return argc < 4 ? 9 : (int)hinomi_gate_table_error(argv[3]);
    while (fgets(line, sizeof(line), stdin) && sscanf(line, "%511s %511s %511s %511s", id, action, asset, amount) == 4) {
        struct hinomi_gate_request request = {.request_id = id, .action = action, .account = "u1", .asset = asset, .amount = amount};
        struct hinomi_gate_answer answer;
        hinomi_gate_decide(gate, &request, &answer);
        printf("%d %d %s\\n", (int)answer.decision, answer.alone, answer.row);
        fflush(stdout);
    }
    printf("left %ld\\n", hinomi_gate_report(gate));
    hinomi_gate_close(gate);
    return 0;
}
"""
TABLE = "# what may pass alone\nwithdrawal BTC 0.01\nwithdrawal ETH 00.5\n\nlogin * 0\nwithdrawal * 0\n"
ALONE = [("withdrawal", "BTC", "0.01", "allow"), ("withdrawal", "BTC", "0.010000000000000001", "hold"), ("withdrawal", "BTC", "0.009999", "allow"),
         ("withdrawal", "BTC", "1e-9", "hold"), ("withdrawal", "ETH", ".5", "allow"), ("withdrawal", "ETH", "0.50", "allow"),
         ("withdrawal", "ETH", "10", "hold"), ("withdrawal", "XRP", "0", "allow"), ("withdrawal", "XRP", "0.1", "hold"),
         ("withdrawal", "BTC", "-1", "hold"), ("order", "BTC", "0.001", "hold"), ("withdrawal", "BTC", "000000.01000", "allow")]


class CClient:
    def __init__(self, folder):
        self.program = folder / "client"
        (folder / "client.c").write_text(C_PROGRAM)
        client = ROOT / "clients/c"
        subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-g", "-fsanitize=address,undefined", f"-I{client}",
                        folder / "client.c", client / "hinomi_gate.c", "-o", self.program], check=True)

    def ask(self, path, spool, table, rows):
        lines = "".join(f"{n} {action} {asset} {amount}\n" for n, (action, asset, amount, *_) in enumerate(rows, 5000))
        done = subprocess.run([self.program, path, spool, table], input=lines, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout.splitlines(), done.stderr

    def decisions(self, path, spool, table, rows):
        status, lines, err = self.ask(path, spool, table, rows)
        assert status == 0 and not err, (status, err)
        return [hinomi_gate.DECISIONS[int(line.split()[0])] for line in lines[:-1]], lines[-1]


JS_PROGRAM = """
import { Gate, readTable } from "%s";
import readline from "node:readline";
const [path, spool, table] = process.argv.slice(2);
try { readTable(table); } catch (error) { process.exit(Number(/line (\\d+) /.exec(error.message)[1])); }
const gate = new Gate(path, { timeout: 3000, failTable: table, spool: spool === "-" ? null : spool });
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [id, action, asset, amount] = line.split(" ");
  const answer = await gate.decide({ request_id: id, action, account: "u1", asset, amount });
  console.log(["allow", "hold", "deny"].indexOf(answer.decision), answer.alone ? 1 : 0, answer.row);
  if (answer.token && (await gate.check(answer.token, { request_id: id, action, account: "u1", asset, amount, at: answer.at })) !== true) console.log("bad token");
  if (answer.token && (await gate.check(answer.token, { request_id: id, action, account: "u2", asset, amount, at: answer.at })) !== false) console.log("good token");
}
console.log("left " + (await gate.report()));
try { await gate.decide({ request_id: "x", action: "y", amount: 0.1 }); console.log("took a number"); } catch (error) { if (!(error instanceof TypeError)) throw error; }
gate.close();
"""


class JsClient:
    def __init__(self, folder):
        self.program = folder / "client.mjs"
        self.program.write_text(JS_PROGRAM % (ROOT / "clients/javascript/hinomi_gate.mjs"))

    def ask(self, path, spool, table, rows):
        lines = "".join(f"{n} {action} {asset} {amount}\n" for n, (action, asset, amount, *_) in enumerate(rows, 7000))
        done = subprocess.run(["node", self.program, path, spool, table], input=lines, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout.splitlines(), done.stderr

    decisions = CClient.decisions


GO_PROGRAM = """
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"

	"example.invalid/client/hinomigate"
)

func main() {
	spool := os.Args[2]
	if spool == "-" {
		spool = ""
	}
	gate, err := hinomigate.Open(os.Args[1], 3*time.Second, os.Args[3], spool)
	if err != nil {
		var line int
		fmt.Sscanf(err.Error(), "line %d ", &line)
		os.Exit(line)
	}
	number := map[string]int{"allow": 0, "hold": 1, "deny": 2}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Fields(lines.Text())
		request := hinomigate.Request{RequestID: words[0], Action: words[1], Account: "u1", Asset: words[2], Amount: words[3]}
		answer := gate.Decide(request)
		alone := 0
		if answer.Alone {
			alone = 1
		}
		fmt.Println(number[answer.Decision], alone, answer.Row)
		if answer.Token != "" {
			request.At = answer.At
			if good, err := gate.Check(answer.Token, request); !good || err != nil {
				fmt.Println("bad token")
			}
			request.Account = "u2"
			if good, err := gate.Check(answer.Token, request); good || err != nil {
				fmt.Println("good token")
			}
		}
	}
	fmt.Println("left", gate.Report())
	gate.Close()
}
"""


class GoClient:
    name, tool, first = "Go", "go", 11000

    def __init__(self, folder):
        self.program, source = folder / "goclient", folder / "go"
        (source / "hinomigate").mkdir(parents=True)
        shutil.copy(ROOT / "clients/go/hinomi_gate.go", source / "hinomigate")
        (source / "go.mod").write_text("module example.invalid/client\n\ngo 1.19\n")
        (source / "main.go").write_text(GO_PROGRAM)
        for command in (["vet", "./..."], ["build", "-o", self.program, "."]):
            subprocess.run(["go", *command], cwd=source, check=True, env={**os.environ, "GOFLAGS": "-mod=mod", "GOPROXY": "off", "CGO_ENABLED": "0"})

    def run(self, args, lines):
        return subprocess.run([self.program, *args], input=lines, capture_output=True, text=True, timeout=60)

    def ask(self, path, spool, table, rows):
        done = self.run([path, spool, table], "".join(f"{n} {action} {asset} {amount}\n" for n, (action, asset, amount, *_) in enumerate(rows, self.first)))
        return done.returncode, done.stdout.splitlines(), done.stderr

    decisions = CClient.decisions


JAVA_PROGRAM = """
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.List;

public class Client {
    public static void main(String[] args) throws Exception {
        HinomiGate gate = null;
        try {
            gate = new HinomiGate(Path.of(args[0]), 3000, args[2], args[1].equals("-") ? null : Path.of(args[1]));
        } catch (IllegalArgumentException wrong) {
            System.exit(Integer.parseInt(wrong.getMessage().split(" ")[1]));
        }
        var lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = lines.readLine()) != null;) {
            String[] words = line.split(" ");
            var request = new HinomiGate.Request(words[0], words[1]).account("u1").asset(words[2]).amount(words[3]);
            var answer = gate.decide(request);
            System.out.println(List.of("allow", "hold", "deny").indexOf(answer.decision()) + " " + (answer.alone() ? 1 : 0) + " " + answer.row());
            if (!answer.token().isEmpty()) {
                if (!gate.check(answer.token(), request.at(answer.at())))
                    System.out.println("bad token");
                if (gate.check(answer.token(), request.account("u2")))
                    System.out.println("good token");
            }
        }
        System.out.println("left " + gate.report());
        gate.close();
    }
}
"""


class JavaClient(GoClient):
    name, tool, first = "Java", "javac", 13000

    def __init__(self, folder):
        self.classes = folder / "java"
        self.classes.mkdir()
        (self.classes / "Client.java").write_text(JAVA_PROGRAM)
        subprocess.run(["javac", "-Xlint:all", "-Werror", "-encoding", "UTF-8", "-d", self.classes, ROOT / "clients/java/HinomiGate.java", self.classes / "Client.java"], check=True)

    def run(self, args, lines):
        return subprocess.run(["java", "-XX:+UseSerialGC", "-cp", self.classes, "Client", *args], input=lines, capture_output=True, text=True, timeout=60)


def other_clients(world):
    """Those whose tools are here: the common cases, alone and when the gate is back."""
    nowhere = str(world.folder / "nowhere")
    wants = [want for *_, want in ALONE]
    for kind in (GoClient, JavaClient):
        if not shutil.which(kind.tool):
            checks.skip(f"the client in {kind.name}", f"{kind.tool} is not here")
            continue
        client, spool = kind(world.folder), world.folder / f"spool.{kind.tool}"
        got, left = client.decisions(nowhere, spool, TABLE, ALONE)
        checks.equal(f"the table in {kind.name}", (got, left), (wants, f"left {len(ALONE)}"))
        checks.equal(f"{kind.name}: the spool is the owner's", spool.stat().st_mode & 0o777, 0o600)
        checks.equal(f"{kind.name}: no spool", set(client.decisions(nowhere, "-", TABLE, ALONE)[0]), {"hold"})
        checks.equal(f"{kind.name}: a spool that cannot be written", set(client.decisions(nowhere, "/nowhere/spool", TABLE, ALONE)[0]), {"hold"})
        checks.equal(f"{kind.name}: no table", set(client.decisions(nowhere, "-", "", ALONE)[0]), {"hold"})
        for table, line in (("withdrawal BTC", 1), ("withdrawal BTC 1\nwithdrawal BTC x\n", 2), ("a b 1 2", 1), ("a b 1.2.3", 1)):
            checks.equal(f"{kind.name}: a wrong table {table!r}", client.ask(nowhere, "-", table, [])[0], line)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
            silent.bind(str(world.folder / f"silent.{kind.tool}"))
            silent.listen()
            begun = time.monotonic()
            got, _ = client.decisions(silent.getsockname(), "-", TABLE, ALONE[:1])
            checks.check(f"{kind.name}: a gate that says nothing is waited for, and no longer", got == ["hold"] and 3 <= time.monotonic() - begun < 10, got)
        with spool.open("ab") as file:
            file.write(b"\x50\0\0\0torn")
        got, left = client.decisions(world.path, spool, TABLE, [("withdrawal", "BTC", "0.5"), ("withdrawal", "NO", "5"), ("withdrawal", "BTC", "9")])
        checks.equal(f"{kind.name} asks and tells", (got, left, spool.exists()), (["allow", "deny", "hold"], "left 0", False))
        ids = f"hinomi.gate.request_id>={kind.first} hinomi.gate.request_id<{kind.first + len(ALONE)}"
        count = lambda: {row[0]: row[1] for row in world.server.query(f"search index=gate event.action=caller_* {ids} | stats count by event.action")["rows"]}
        want = {"caller_allow": wants.count("allow"), "caller_hold": wants.count("hold")}
        checks.equal(f"{kind.name}: in the stream, each once", wait_for(lambda: count() == want) and count(), want)


def alone(world, client):
    """Every client, the same table, nobody there: the same answers; what they decided is told later and stands in the gate's stream, once."""
    nowhere, spool = str(world.folder / "nowhere"), world.folder / "spool"
    wants = [want for *_, want in ALONE]
    got, left = client.decisions(nowhere, spool, TABLE, ALONE)
    checks.equal("the table in C", (got, left), (wants, f"left {len(ALONE)}"))
    checks.equal("the spool is the owner's", spool.stat().st_mode & 0o777, 0o600)
    mine = hinomi_gate.Gate(nowhere, timeout=0.2, fail_table=TABLE, spool=str(world.folder / "spool.py"))
    checks.equal("the table in Python", [mine.decide(request_id=f"p{n}", action=a, account="u1", asset=s, amount=m).decision for n, (a, s, m, _) in enumerate(ALONE)], wants)
    none, _ = client.decisions(nowhere, "-", TABLE, ALONE)
    checks.equal("no spool: nothing passes", set(none), {"hold"})
    none, _ = client.decisions(nowhere, "/nowhere/spool", TABLE, ALONE)
    checks.equal("a spool that cannot be written: nothing passes", set(none), {"hold"})
    js = JsClient(world.folder)
    got, left = js.decisions(nowhere, world.folder / "spool.js", TABLE, ALONE)
    checks.equal("the table in JavaScript", (got, left), (wants, f"left {len(ALONE)}"))
    checks.equal("no spool in JavaScript", set(js.decisions(nowhere, "-", TABLE, ALONE)[0]), {"hold"})
    checks.equal("no table", set(client.decisions(nowhere, world.folder / "s2", "", ALONE)[0]), {"hold"})
    for table, line in (("withdrawal BTC", 1), ("withdrawal BTC 1\nwithdrawal BTC x\n", 2), ("a b 1 2", 1), ("a b 1.2.3", 1)):
        checks.equal(f"a wrong table {table!r}", (client.ask(nowhere, "-", table, [])[0], js.ask(nowhere, "-", table, [])[0]), (line, line))
        try:
            hinomi_gate.read_table(table)
            checks.check("Python takes it", False, table)
        except ValueError as error:
            checks.check("its line", f"line {line} " in str(error), error)
    copy = world.folder / "again"
    shutil.copy(spool, copy)
    with spool.open("ab") as file:
        file.write(b"\x50\0\0\0torn")
    told, left = client.decisions(world.path, spool, TABLE, [("withdrawal", "BTC", "0.5")])
    checks.equal("told when it is back", (told, left, spool.exists()), (["allow"], "left 0", False))
    client.decisions(world.path, copy, TABLE, [("withdrawal", "BTC", "0.5")])
    with world.gate(spool=str(world.folder / "spool.py")) as gate:
        checks.equal("Python tells it, too", (gate.decide(**request("back")).decision, (world.folder / "spool.py").exists()), ("allow", False))
    got, left = js.decisions(world.path, world.folder / "spool.js", TABLE, [("withdrawal", "BTC", "0.5"), ("withdrawal", "NO", "5"), ("withdrawal", "BTC", "9")])
    checks.equal("JavaScript asks and tells", (got, left, (world.folder / "spool.js").exists()), (["allow", "deny", "hold"], "left 0", False))
    count = lambda: {row[0]: row[1] for row in world.server.query('search index=gate event.action=caller_* | stats count by event.action')["rows"]}
    want = {"caller_allow": 3 * wants.count("allow"), "caller_hold": 3 * wants.count("hold")}
    checks.equal("in the stream, each once", wait_for(lambda: count() == want) and count(), want)


def killed(world, client):
    """The server goes while it is asked: nothing is allowed but what the table says, and what was allowed by it is told."""
    spool, stop, seen = str(world.folder / "spool.kill"), threading.Event(), []

    def ask():
        gate, number = hinomi_gate.Gate(world.path, timeout=0.3, fail_table="withdrawal BTC 0.01", spool=spool), 0
        while not stop.is_set():
            number += 1
            amount = ("0.01", "0.9", "7")[number % 3]
            answer = gate.decide(**request(f"kill-{number}", amount))
            seen.append((amount, answer.decision, answer.alone, answer.refused))
        gate.close()

    thread = threading.Thread(target=ask)
    thread.start()
    wait_for(lambda: len(seen) > 200)
    world.server.kill()
    wait_for(lambda: sum(s[2] for s in seen) > 30)
    world.server.start()
    at = len(seen)
    wait_for(lambda: any(not s[2] and s[1] == "allow" for s in seen[at:]))
    stop.set()
    thread.join()
    wrong = [s for s in seen if s[3] or (s[2] and (s[1] == "allow") != (s[0] == "0.01")) or (s[0] == "7" and s[1] != "hold")]
    checks.equal("what was answered while it was gone", wrong[:3], [])
    checks.check("some alone, some not", {s[2] for s in seen} == {True, False}, len(seen))
    with world.gate(spool=spool) as gate:
        gate.decide(**request("last"))
    said = sum(s[2] for s in seen)
    world.server.sign_in()
    count = lambda: world.server.query('search index=gate event.action=caller_* hinomi.gate.request_id=kill-* | stats count')["rows"][0][0]
    checks.equal("each is told", wait_for(lambda: count() == said) and count(), said)
    checks.check("the socket of the dead server was replaced", pathlib.Path(world.path).is_socket())


def places(world):
    """Where the socket may be."""
    for text, said in ((f"gate_socket: {world.folder}/{'x' * 120}\n", "too long"), (f"gate_socket: {world.folder}/file\n", "is no socket"),
                       (f"gate_socket: {world.path}\n", "another gate answers")):
        (world.folder / "file").write_text("mine")
        other = Server(config=text)
        try:
            other.start(wait=10)
            checks.check(said, False, "it started")
        except RuntimeError as error:
            checks.check(said, said in str(error), error)
        other.close()
    checks.equal("what stood there is still there", (world.folder / "file").read_text(), "mine")
    off = Server(config="gate_socket: 'off'\n")
    off.start()
    checks.check("off", not (pathlib.Path(off.dir) / "data/gate/socket").exists())
    off.close()


def main():
    world = World()
    try:
        client = CClient(world.folder)
        for part in (same_answers, many, wrong_frames, connections, c_client, places):
            part(world)
        alone(world, client)
        other_clients(world)
        killed(world, client)
    finally:
        world.close()
    checks.finish()


main()
