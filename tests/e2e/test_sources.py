#!/usr/bin/env python3
"""What is known of who sends: a heartbeat that fails is a finding and its return is told, over a restart, too; clocks and zones are measured
per sender; a stamp without a year gets the right one on both sides of New Year."""
import datetime
import json
import pathlib
import socket
import tempfile

from harness import Checks, Server, run, wait_for

checks = Checks()
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as tcp:
        return tcp.getsockname()[1]


SKEWED_PORT = free_port()
CONFIG = f"""
collect:
  - {{kind: syslog, name: skewed, port: {SKEWED_PORT}, clock_skew: correct}}
time_zone: Asia/Tokyo
heartbeats:
  - {{source: syslog, sender: 127.0.0.21, every: 3s}}
  - {{source: syslog, host: db-1, every: 4s}}
  - {{source: syslog, sender: 127.0.0.29, every: never}}
"""


def stamp(hours=0, minutes=0):
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours, minutes=minutes)
    return now.strftime("%b ") + f"{now.day:2d}" + now.strftime(" %H:%M:%S")


def send(server, address, host, when, count=8, port=None):
    with socket.create_connection(("127.0.0.1", port or server.syslog_port), timeout=30, source_address=(address, 0)) as tcp:
        for n in range(count):
            tcp.sendall(f"<86>{stamp(*when)} {host} sshd[{n}]: Accepted password for sato from 192.0.2.{n} port 40000 ssh2\n".encode())


def sources(server):
    status, got, _ = server.request("GET", "/v1/sources")
    checks.check("it is told", status == 200, got)
    return got


def sender(server, address, host=None):
    found = [s for s in sources(server)["senders"] if s["sender"] == address and (host is None or s["host"] == host)]
    return found[0] if found else None


def findings(server):
    rows = server.query('event.dataset=hinomi.finding rule.id=hinomi-source-silent | table message')["rows"]
    return [row[0] for row in rows]


def clocks(server):
    for address, when in (("127.0.0.11", (9, 0)), ("127.0.0.12", (0, 0)), ("127.0.0.13", (-5, 0)), ("127.0.0.14", (0, 7))):
        send(server, address, "h" + address[-2:], when)
    wait_for(lambda: sender(server, "127.0.0.14") and sender(server, "127.0.0.14")["events"] == 8)
    for address, zone, skew in (("127.0.0.11", "+09:00", 0), ("127.0.0.12", None, 0), ("127.0.0.13", "-05:00", 0), ("127.0.0.14", None, 420)):
        clock = sender(server, address)["clock"]
        checks.equal(f"{address}: zone", clock["zone"], zone)
        checks.check(f"{address}: skew", abs(clock["skew_s"] - skew) < 60, clock)


def corrected(server):
    for turn in (1, 2):
        send(server, "127.0.0.15", "h15", (0, 7), port=SKEWED_PORT)
        wait_for(lambda: sender(server, "127.0.0.15") and sender(server, "127.0.0.15")["events"] == 8 * turn)
    clock = sender(server, "127.0.0.15")["clock"]
    checks.check("measured as before", abs(clock["skew_s"] - 420) < 60, clock)
    rows = server.query("hinomi.source=skewed | eval ahead=_time-_indextime | table ahead hinomi.sent_time")["rows"]
    near = [row for row in rows if abs(float(row[0])) < 60]
    checks.equal("as many as came after it was known", len(near), 8)
    checks.check("with what the sender said", all(row[1] for row in near), near)


def heartbeats(server):
    send(server, "127.0.0.21", "beating", (0, 0))
    wait_for(lambda: any("127.0.0.21" in text for text in findings(server)))
    checks.equal("silent", sender(server, "127.0.0.21", "beating")["state"], "silent")
    wait_for(lambda: any("db-1" in text and "never heard" in text for text in findings(server)))
    send(server, "127.0.0.21", "beating", (0, 0))
    wait_for(lambda: any("127.0.0.21" in text and "heard again" in text for text in findings(server)))
    send(server, "127.0.0.29", "free", (0, 0))
    wait_for(lambda: sender(server, "127.0.0.29") and sender(server, "127.0.0.29")["events"] == 8)
    checks.equal("nobody waits", sender(server, "127.0.0.29")["state"], "not_awaited")
    incidents = server.request("GET", "/v1/incidents")[1]["incidents"]
    checks.check("it is an incident", incidents != [], incidents)


def books(server):
    got = sources(server)
    syslog = [s for s in got["sources"] if s["name"] == "syslog"][0]
    checks.equal("received", syslog["received"], syslog["stored"])
    checks.equal("lost", syslog["lost"], {"kernel": 0, "queue": 0, "parse": 0})
    checks.check("delay", 0 < syslog["delay_p50_ms"] <= syslog["delay_p99_ms"] < 60000, syslog)
    checks.equal("understood", syslog["share"], 1)
    checks.check("state", all(s["state"] in ("learning", "as_usual", "silent", "not_awaited") for s in got["senders"]), got)
    page = server.request("GET", "/v1/sources?limit=2&offset=1")[1]
    checks.equal("a page", [(s["sender"], s["host"]) for s in page["senders"]], [(s["sender"], s["host"]) for s in got["senders"][1:3]])
    checks.equal("its next", page["next_offset"], 3)


def year(received, line, want):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "one.log"
        path.write_text(line + "\n")
        out = run("decode", "--received", received, str(path))[1]
        event = json.loads(out.splitlines()[0])
        checks.equal(f"{line[:20]} received {received}", event["@timestamp"], want)


def new_year():
    text = "jump-1 sshd[7]: Accepted password for sato from 192.0.2.9 port 40001 ssh2"
    year("2026-01-01T00:00:05Z", f"<86>Dec 31 23:59:58 {text}", "2025-12-31T23:59:58Z")
    year("2025-12-31T23:59:50Z", f"<86>Jan  1 00:00:03 {text}", "2026-01-01T00:00:03Z")
    year("2024-02-29T12:00:00Z", f"<86>Feb 29 11:59:58 {text}", "2024-02-29T11:59:58Z")


def main():
    new_year()
    server = Server(config=CONFIG)
    try:
        server.start()
        server.sign_in()
        clocks(server)
        corrected(server)
        heartbeats(server)
        books(server)
        before = {(s["sender"], s["host"]): s["events"] for s in sources(server)["senders"]}
        server.stop()
        server.start()
        server.sign_in()
        after = {(s["sender"], s["host"]): s["events"] for s in sources(server)["senders"]}
        checks.equal("nothing is forgotten over a restart", after, before)
        server.kill()
        server.start()
        server.sign_in()
        after = {(s["sender"], s["host"]): s["events"] for s in sources(server)["senders"]}
        checks.equal("nor over a kill", after, before)
        send(server, "127.0.0.12", "h12", (0, 0))
        wait_for(lambda: sender(server, "127.0.0.12")["events"] == 16)
    finally:
        server.close()
    checks.finish()


main()
