#!/usr/bin/env python3
"""Live searches: every event that passes, once, in order, soon; wrong searches, rights, slow and vanished readers, the server's stop."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness

WRONG = [  # search, what the sentence names, where it is
    ("action=x | stats count", "stats", (11, 22)),
    ("action=x | eval a=1 | sort - a", "sort", (22, 30)),
    ("action=x | head 10", "head", (11, 18)),
    ("action=x | dedup user", "dedup", None),
    ("action=x | streamstats count", "streamstats", None),
    ("action=x | accum n", "accum", None),
    ("action=x | transaction user", "transaction", None),
    ("action=x | bin bins=5 n", "bin", None),
    ("action=x | fillnull", "fillnull", None),
    ("action=x | outputlookup t.csv", "outputlookup", None),
    ("action=x | collect index=y", "collect", None),
    ("action=x | table user | outputcsv t", "outputcsv", None),
    ("action=x | append [search y]", "append", None),
    ("[search action=y | fields user]", "search", (1, 17)),
    ("action=x | where n > [search y | return $n]", "where", None),
    ("| makeresults", "makeresults", (2, 13)),
    ("| inputlookup t", "inputlookup", None),
    ("| tstats count", "tstats", None),
    ("action=x earliest=-5m", "earliest", None),
    ("action=x | nosuch", "nosuch", (11, 17)),
    ("action=x | eval a=", "an expression is missing", (18, 18)),
    ("`nomacro`", "nomacro", None),
]


class Tail:
    """A live search and its records, read by a thread of its own unless told not to."""

    def __init__(self, server, spl, read=True, headers=None, receive_bytes=None):
        self.socket = socket.create_connection(("127.0.0.1", server.api_port), timeout=30)
        if receive_bytes:
            self.socket.close()
            self.socket = socket.socket()
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
            self.socket.settimeout(30)
            self.socket.connect(("127.0.0.1", server.api_port))
        self.connection = http.client.HTTPConnection("127.0.0.1")
        self.connection.sock = self.socket
        self.connection.request("GET", "/v1/search/tail?q=" + urllib.parse.quote(spl),
                                headers={"Cookie": server.cookie} if headers is None else headers)
        self.answer = self.connection.getresponse()
        self.status, self.records = self.answer.status, []
        self.error = json.loads(self.answer.read())["error"] if self.status != 200 else None
        if not self.error:
            self.record()
            if read:
                self.follow()

    def record(self):
        line = self.answer.readline()
        self.records += [json.loads(line)] if line else []
        return bool(line)

    def follow(self):
        def work():
            try:
                while self.record():
                    pass
            except (OSError, ValueError, AttributeError):
                pass
        self.thread = threading.Thread(target=work, daemon=True)
        self.thread.start()

    def events(self):
        return [r["event"] for r in self.records if "event" in r]

    def skipped(self):
        return sum(r["skipped"]["events"] for r in self.records if "skipped" in r)

    def wait(self, count, seconds=20):
        until = time.monotonic() + seconds
        while len(self.events()) + self.skipped() < count and time.monotonic() < until:
            time.sleep(0.01)
        return len(self.events())

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.answer.close()
        self.connection.close()


def threads(server):
    names = []
    for task in pathlib.Path(f"/proc/{server.process.pid}/task").iterdir():
        try:
            names.append((task / "comm").read_text().strip())
        except OSError:  # it has just ended
            pass
    return names


def no_tails(server, seconds=5):
    until = time.monotonic() + seconds
    while threads(server).count("tail") and time.monotonic() < until:
        time.sleep(0.02)
    return threads(server).count("tail") == 0


def check_events(checks, server, hec):
    tail = Tail(server, 'action=pay | where amount > 10 | eval twice=amount*2 | rename user AS who | fields who twice n hinomi.seq')
    everything = Tail(server, "index=*")
    checks.equal("a live search begins", tail.status, 200)
    checks.check("the first record says when", "time" in tail.records[0].get("start", {}))
    events = [{"action": "pay" if i % 2 else "look", "amount": i % 40, "user": f"u{i % 7}", "n": i} for i in range(4000)]
    for at in range(0, len(events), 250):
        checks.equal("events are taken", server.hec(hec, events[at:at + 250])[0], 200)
    want = [e for e in events if e["action"] == "pay" and e["amount"] > 10]
    checks.equal("all that pass come", tail.wait(len(want)), len(want))
    checks.equal("with what the commands made, in order", [(e["who"], e["twice"], e["n"]) for e in tail.events()], [(e["user"], e["amount"] * 2, e["n"]) for e in want])
    seqs = [e["hinomi.seq"] for e in tail.events()]
    checks.check("in order of hinomi.seq", seqs == sorted(set(seqs)))
    checks.equal("beside it another one has all", everything.wait(len(events)), len(events))
    stored = {e["hinomi.seq"]: e for e in harness_rows(server, "index=*", len(events))}
    live = {e["hinomi.seq"]: e for e in everything.events()}
    checks.check("events look as in search results", stored == live, next(((live[s], stored.get(s)) for s in live if live[s] != stored.get(s)), ""))
    tail.close()
    everything.close()
    checks.check("a reader that goes ends its search", no_tails(server))


def harness_rows(server, spl, count):
    """A finished search's rows as the export has them."""
    status, body, _ = server.request("POST", "/v1/search", {"query": spl, "from": "0", "to": "2200-01-01T00:00:00Z"})
    while server.request("GET", f"/v1/search/{body['id']}?limit=1")[1]["state"] == "running":
        time.sleep(0.02)
    rows = server.request("GET", f"/v1/search/{body['id']}/export?format=json")[1]
    assert len(rows) == count, (len(rows), count)
    return rows


def check_streams(checks, server):
    """Events of several streams and days, which lie apart in memory, come in one order."""
    tokens = [server.token(stream=name) for name in ("one", "two", "_inside")]
    both, one, inside = Tail(server, "*"), Tail(server, "index=one"), Tail(server, "index=_inside")
    days = [1e9 * 0 + time.time() - 86400 * d for d in range(3)]
    for i in range(30):
        body = "".join(json.dumps({"event": {"n": i * 10 + k}, "time": days[(i + k) % 3]}) for k in range(10)).encode()
        checks.equal("taken", server.hec(tokens[i % 3], body)[0], 200)
    checks.equal("without internal streams", both.wait(200), 200)
    checks.equal("one stream", one.wait(100), 100)
    checks.equal("an internal stream that is asked for", inside.wait(100), 100)
    for tail in (both, one, inside):
        seqs = [e["hinomi.seq"] for e in tail.events()]
        checks.check("in order of hinomi.seq over streams and days", seqs == sorted(seqs) and len(set(seqs)) == len(seqs))
        tail.close()


def check_wrong(checks, server):
    for spl, word, place in WRONG:
        tail = Tail(server, spl)
        writes = "outputlookup" in spl or "collect" in spl
        checks.equal(f"{spl}: status", tail.status, 403 if writes else 400)
        if tail.error:
            checks.check(f"{spl}: names {word}", word in tail.error["message"], tail.error["message"])
            if place:
                checks.equal(f"{spl}: place", (tail.error.get("start"), tail.error.get("end")), place)
        tail.close()
    for spl in ("action=x | table user n", "x | bin span=5 n", "x | fillnull value=0 n", 'x | regex user="u"', "x | spath | makemv user | mvexpand user",
                'x | rex field=user "(?<l>.)" | replace a WITH b IN l | convert num(n) | strcat user n both | foreach n [eval <<FIELD>>=1]'):
        tail = Tail(server, spl)
        checks.equal(f"{spl}: runs", tail.status, 200)
        tail.close()
    status, body, _ = server.request("GET", "/v1/search/tail")
    checks.equal("without a search", (status, body["error"]["code"]), (400, "bad_request"))
    checks.equal("HEAD", server.request("HEAD", "/v1/search/tail?q=x")[0], 200)
    checks.check("nothing is left of them", no_tails(server))


def check_rights(checks, server, hec):
    checks.equal("nobody", Tail(server, "x", headers={}).status, 401)
    checks.equal("a token for taking in", Tail(server, "x", headers={"Authorization": f"Bearer {hec}"}).status, 403)
    viewer = server.token("api", role="viewer", name="watcher")
    tail = Tail(server, "n=77", headers={"Authorization": f"Bearer {viewer}"})
    checks.equal("a viewer's token", tail.status, 200)
    server.hec(hec, [{"n": 77}])
    checks.equal("sees events", tail.wait(1), 1)
    rows = server.request("GET", "/v1/audit?action=search.tail")[1]["rows"]
    checks.check("the audit trail has it", any(r["object"] == "n=77" and r["actor"] == "watcher" for r in rows), rows[:1])
    number = next(t["id"] for t in server.request("GET", "/v1/tokens")[1]["tokens"] if t["name"] == "watcher")
    server.request("DELETE", f"/v1/tokens/{number}")
    tail.thread.join(15)  # asked again every ten seconds
    checks.equal("a revoked token's search ends", tail.records[-1].get("end", {}).get("code"), "sign_in")
    checks.check("it said that it was alive or ended at once", not tail.thread.is_alive())


def check_slow(checks, server, hec):
    """A reader that does not read for a while: others go on, it is told what it missed, and goes on too."""
    slow = Tail(server, "kind=bulk OR kind=last", read=False, receive_bytes=4096)
    quick = Tail(server, "kind=bulk | fields n")
    count, text = 12000, "x" * 1500
    for at in range(0, count, 500):
        checks.equal("taken beside a slow reader", server.hec(hec, [{"kind": "bulk", "n": n, "text": text} for n in range(at, at + 500)])[0], 200)
    checks.equal("a quick reader has all", quick.wait(count), count)
    slow.follow()
    time.sleep(1)
    server.hec(hec, [{"kind": "last", "n": count}])
    slow.wait(count + 1)
    checks.check("a slow reader is told how many it missed", slow.skipped() > 0 and slow.events(), (slow.skipped(), len(slow.events())))
    checks.equal("all are accounted for", len(slow.events()) + slow.skipped(), count + 1)
    checks.check("it goes on", slow.events() and slow.events()[-1]["kind"] == "last")
    missed, at = [], 0
    for record in slow.records:  # what is skipped stands where it was skipped
        if "event" in record:
            at = record["event"]["n"] + 1
        elif "skipped" in record:
            missed.append((at, record["skipped"]["events"]))
    numbers = {e["n"] for e in slow.events()}
    checks.check("the gaps are where they are said to be", all(all(n not in numbers for n in range(a, a + k)) for a, k in missed))
    slow.close()
    quick.close()


def check_many(checks, server, hec):
    checks.check("none is left of others", no_tails(server))  # a place is free once the server has seen its reader go
    tails = [Tail(server, f"n>={i} kind=many") for i in range(16)]
    checks.equal("sixteen run at once", {t.status for t in tails}, {200})
    over = Tail(server, "x")
    checks.equal("one more does not", (over.status, over.error["code"] if over.error else None), (413, "limit"))
    server.hec(hec, [{"kind": "many", "n": n} for n in range(16)])
    checks.equal("each has its own", [t.wait(16 - i) for i, t in enumerate(tails)], [16 - i for i in range(16)])
    for tail in tails:
        tail.close()
    checks.check("all end", no_tails(server))
    again = Tail(server, "x")
    checks.equal("there is room again", again.status, 200)
    again.close()
    checks.check("and it ends", no_tails(server))


def check_command(checks, server, hec):
    """hinomi search --tail."""
    token = server.token("api", role="viewer")
    url = f"http://127.0.0.1:{server.api_port}/"
    path = pathlib.Path(server.dir, "token")
    path.write_text(token + "\n")
    process = subprocess.Popen([harness.HINOMI, "search", "--tail", "--url", url, "--token-file", str(path), "kind=cli | table n"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until = time.monotonic() + 10
    while "tail" not in threads(server) and time.monotonic() < until:
        time.sleep(0.02)
    server.hec(hec, [{"kind": "cli", "n": n} for n in range(5)])
    lines = [json.loads(process.stdout.readline()) for _ in range(5)]
    checks.equal("the command prints events as they come", lines, [{"n": n} for n in range(5)])
    process.send_signal(signal.SIGINT)
    checks.equal("until it is interrupted", process.wait(5), 0)
    environment = {"HINOMI_TOKEN": token}
    status, out, err = harness.run("search", "--tail", "--url", url, "x | stats count", env=environment)
    checks.check("a wrong search is said", status == 1 and "stats" in err and not out, (status, out, err))
    status, _, err = harness.run("search", "--tail", "--url", url, "x", env={"HINOMI_TOKEN": ""})
    checks.check("a wrong token is said", status == 1 and "sign in" in err, (status, err))
    checks.equal("without a URL", harness.run("search", "--tail", "x")[0], 2)
    status, _, err = harness.run("search", "--tail", "--url", "http://127.0.0.1:1", "x", env=environment)
    checks.check("nobody there", status == 1 and err, err)


def check_soon(checks, server, hec):
    tail = Tail(server, "kind=soon")
    times = []
    for n in range(40):
        begin = time.monotonic()
        server.hec(hec, [{"kind": "soon", "n": n}])
        tail.wait(n + 1)
        times.append(time.monotonic() - begin)
    checks.check("soon", sorted(times)[-2] < 0.5, f"{max(times):.3f} s")
    tail.close()


def main():
    signal.alarm(300)  # a line that never comes
    checks = harness.Checks()
    server = harness.Server().start()
    server.sign_in()
    hec = server.token()
    check_events(checks, server, hec)
    check_streams(checks, server)
    check_wrong(checks, server)
    check_soon(checks, server, hec)
    check_slow(checks, server, hec)
    check_many(checks, server, hec)
    check_command(checks, server, hec)
    check_rights(checks, server, hec)
    last = Tail(server, "x")
    begin = time.monotonic()
    checks.equal("the server stops with a reader there", server.stop(), 0)
    checks.check("at once", time.monotonic() - begin < 5)
    last.thread.join(5)
    checks.equal("and says so", last.records[-1].get("end", {}).get("code"), "stopping")
    server.close()
    checks.finish()


if __name__ == "__main__":
    main()
