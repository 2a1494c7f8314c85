#!/usr/bin/env python3
"""What is known of who sends: a heartbeat that fails is a finding and its return is told, over a restart, too; clocks and zones are measured
per sender; a stamp without a year gets the right one on both sides of New Year."""
import datetime
import json
import pathlib
import re
import socket
import tempfile

from harness import ROOT, Checks, Server, run, wait_for

checks = Checks()
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as tcp:
        return tcp.getsockname()[1]


SKEWED_PORT, WEST_PORT = free_port(), free_port()
CONFIG = f"""
collect:
  - {{kind: syslog, name: skewed, port: {SKEWED_PORT}, clock_skew: correct}}
  - {{kind: syslog, name: west, port: {WEST_PORT}, time_zone: Etc/GMT+5}}
time_zone: Asia/Tokyo
heartbeats:
  - {{source: syslog, sender: 127.0.0.21, every: 3s}}
  - {{source: syslog, host: db-1, every: 4s}}
  - {{source: syslog, sender: 127.0.0.29, every: never}}
"""


RULES = {
    "windows": "{product: windows, service: security}\ndetection: {s: {EventID: 4625}, condition: s}",
    "ssh": "{product: linux, service: sshd}\ndetection: {s: {user.name: root}, condition: s}",
    "wheel": "{product: ecs}\ndetection: {s: {wheel.turns: 7}, condition: s}",
}


def add_rules(server):
    folder = pathlib.Path(server.dir, "data/content/rules")
    folder.mkdir(parents=True)
    for name, text in RULES.items():
        (folder / f"{name}.yml").write_text(f"title: {name}\nid: {name}\nstatus: test\nlevel: low\nlogsource: {text}\n")


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


def overridden(server):
    """Whose zone is said: its stamps are read in it, and its clock is right."""
    send(server, "127.0.0.13", "h13", (-5, 0), port=WEST_PORT)
    west = lambda: [s for s in sources(server)["senders"] if s["source"] == "west"]
    wait_for(lambda: west() and west()[0]["events"] == 8)
    clock = west()[0]["clock"]
    checks.check("a zone that is said is no skew", clock["zone"] is None and abs(clock["skew_s"]) < 60, clock)
    rows = server.query("hinomi.source=west | eval ahead=_time-_indextime | table ahead")["rows"]
    checks.check("and the time is right", len(rows) == 8 and all(abs(float(row[0])) < 60 for row in rows), rows)


def corrected(server):
    for turn in (1, 2):
        send(server, "127.0.0.15", "h15", (0, 7), port=SKEWED_PORT)
        wait_for(lambda: sender(server, "127.0.0.15") and sender(server, "127.0.0.15")["events"] == 8 * turn)
    clock = sender(server, "127.0.0.15")["clock"]
    checks.check("measured as before", abs(clock["skew_s"] - 420) < 60, clock)
    rows = server.query("hinomi.source=skewed | eval ahead=_time-_indextime | sort 0 hinomi.seq | table ahead hinomi.sent_time")["rows"]
    near = [abs(float(row[0])) < 60 for row in rows]
    # Known after three events: the rest of the first eight is corrected when it came in a batch of its own.
    checks.equal("what came before it was known is as it was", near[:3], [False] * 3)
    checks.equal("all that came after it was known", near[8:], [True] * 8)
    checks.equal("with what the sender said", [bool(row[1]) for row in rows], near)


def times(server):
    rows = server.query("hinomi.source=skewed log.source.address=127.0.0.15 | table event.id _time hinomi.sent_time hinomi.decoder")["rows"]
    return {row[0]: row[1:] for row in rows}


def prepare_redecode(server):
    before = times(server)
    checks.equal("one decoder took them", len({row[2] for row in before.values()}), 1)
    folder = pathlib.Path(server.dir, "data/content/decoders")
    folder.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "content/decoders/linux-auth.yaml").read_text()
    (folder / "linux-auth.yaml").write_text(re.sub(r"(?m)^version: \d+$", "version: 99", text))
    return before


def redecoded(server, before):
    """A newer version of the decoder takes them when they are read: the corrected time is not the sender's again."""
    after = times(server)
    checks.check("decoded again", len(after) == 16 and all(row[2] == "sshd@99" for row in after.values()), after)
    checks.equal("the corrected time stays", {k: row[:2] for k, row in after.items()}, {k: row[:2] for k, row in before.items()})


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


def send_lines(server, address, lines, port=None):
    with socket.create_connection(("127.0.0.1", port or server.syslog_port), timeout=30, source_address=(address, 0)) as tcp:
        tcp.sendall("".join(line + "\n" for line in lines).encode())


def relayed_clocks(server):
    """Three hosts behind one relay: each clock is its own."""
    hosts = {"fast": (0, 7), "right": (0, 0), "slow": (0, -11)}
    for turn in (1, 2, 3):
        lines = [f"<86>{stamp(*when)} {host} sshd[{turn}]: Accepted password for sato from 192.0.2.9 port 40000 ssh2"
                 for _ in range(4) for host, when in hosts.items()]
        send_lines(server, "127.0.0.16", lines, SKEWED_PORT)
        wait_for(lambda: sender(server, "127.0.0.16", "slow") and sender(server, "127.0.0.16", "slow")["events"] >= 4 * turn - 1)
    for host, (_, minutes) in hosts.items():
        clock = sender(server, "127.0.0.16", host)["clock"]
        checks.check(f"{host}: its own clock", clock and abs(clock["skew_s"] - minutes * 60) < 60, clock)
    relay = [s for s in sources(server)["senders"] if s["sender"] == "127.0.0.16" and not s["relayed"]][0]
    checks.equal("the relay itself has none", relay["clock"], None)
    rows = server.query("hinomi.source=skewed hinomi.sent_time=* host.name IN (fast, slow) | eval ahead=_time-_indextime | table host ahead")["rows"]
    checks.check("corrected by host", {row[0] for row in rows} == {"fast", "slow"}, rows)
    checks.check("to the true time", all(abs(float(row[1])) < 60 for row in rows), rows)


def numbered(n, host):
    return f"<13>1 {datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.%fZ')} {host} app 7 - [meta sequenceId=\"{n}\"] message {n}"


def gaps(server):
    send_lines(server, "127.0.0.31", [numbered(n, "counted") for n in [*range(1, 50), 51, 50, *range(55, 80)]])
    wait_for(lambda: sender(server, "127.0.0.31") and sender(server, "127.0.0.31")["events"] == 76)
    channel = lambda n: json.dumps({"@timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat(), "host": {"name": "dc-1"},
                                    "winlog": {"channel": "Security", "event_id": "4624", "record_id": n, "computer_name": "dc-1",
                                               "provider_name": "Microsoft-Windows-Security-Auditing"},
                                    "event": {"code": "4624", "kind": "event", "provider": "Microsoft-Windows-Security-Auditing"}})
    send_lines(server, "127.0.0.32", [channel(n) for n in [*range(1000, 1300), *range(1310, 1320)]])
    wait_for(lambda: sender(server, "127.0.0.32") and sender(server, "127.0.0.32")["events"] == 310)
    wait_for(lambda: sender(server, "127.0.0.32")["gaps"]["gaps"] == 1, seconds=120)
    wait_for(lambda: sender(server, "127.0.0.31")["gaps"]["gaps"] == 1, seconds=120)
    got = sender(server, "127.0.0.31")["gaps"]
    checks.equal("syslog: three are missing, the overtaken one is not", [got[k] for k in ("missing", "last_from", "last_to", "again")], [3, 52, 54, 0])
    got = sender(server, "127.0.0.32")["gaps"]
    checks.equal("Windows: ten are missing", [got[k] for k in ("missing", "last_from", "last_to")], [10, 1300, 1309])
    wait_for(lambda: len(server.query("event.dataset=hinomi.gap | table message")["rows"]) == 2)
    rows = server.query("event.dataset=hinomi.gap | sort hinomi.gap.missing | table hinomi.gap.numbers hinomi.gap.missing hinomi.gap.sender hinomi.stream")["rows"]
    checks.equal("as events", [[str(v) for v in row] for row in rows],
                 [["syslog sequenceId", "3", "127.0.0.31", "main"], ["winlog Security", "10", "127.0.0.32", "main"]])
    rows = server.query("event.dataset=hinomi.finding rule.id=hinomi-records-missing | table message")["rows"]
    checks.check("a hole in the log of a domain controller is a finding", len(rows) == 1 and "1300 to 1309" in rows[0][0], rows)
    inputs = [s for s in sources(server)["sources"] if s["name"] == "syslog"][0]
    checks.equal("its input has both", inputs["gaps"]["missing"], 13)


def readers(server):
    text = "saved_search: nobody_else\nsearch: 'host.name=lonely | stats count'\n"
    below = "saved_search: below\nsearch: 'index=other | append [search host.name=subsearched]'\n"
    for one in (text, below):
        status, got, _ = server.request("PUT", "/v1/knowledge/saved_search", {"text": one})
        checks.check("a saved search", status in (200, 201), (status, got))
    send_lines(server, "127.0.0.33", [f"<13>{stamp()} lonely frobnicator: the wheel turned {n} times" for n in range(20)])
    send_lines(server, "127.0.0.34", [f"<13>{stamp()} unread frobnicator: the wheel turned {n} times" for n in range(20)])
    send_lines(server, "127.0.0.35", [f"<13>{stamp()} subsearched frobnicator: the wheel turned {n} times" for n in range(20)])
    wait_for(lambda: sender(server, "127.0.0.35") and sender(server, "127.0.0.35")["events"] == 20)
    checks.equal("a subsearch reads", sender(server, "127.0.0.35")["readers"]["searches"], 1)
    wait_for(lambda: sender(server, "127.0.0.33") and sender(server, "127.0.0.34") and sender(server, "127.0.0.34")["events"] == 20)
    lonely, unread, ssh, windows = (sender(server, f"127.0.0.{n}") for n in (33, 34, 12, 32))
    checks.equal("one search reads it", [lonely["readers"]["searches"], lonely["read_by_nobody"]], [1, False])
    checks.equal("nobody reads the other", [unread["readers"]["searches"], unread["readers"]["rules"], unread["read_by_nobody"]], [0, 0, True])
    def rules_of(address):
        return sorted(r["title"] for r in server.request("GET", f"/v1/sources/readers?source=syslog&sender={address}")[1]["readers"]
                      if r["kind"] == "rules" and not r["everything"])
    # Rules of ours over ECS may read them as well; of the two that were written for it, each is read by its own.
    of_ssh, of_windows = rules_of("127.0.0.12"), rules_of("127.0.0.32")
    checks.equal("rules of ssh", ["ssh" in of_ssh, "windows" in of_ssh], [True, False])
    checks.equal("rules of Windows", ["ssh" in of_windows, "windows" in of_windows], [False, True])
    ours = set(re.findall(r"(?m)^title: (.*)$", "\n".join(path.read_text() for path in (ROOT / "content/rules").glob("*.yml"))))
    checks.equal("and nobody else's", [title for title in of_ssh + of_windows if title not in ours], ["ssh", "windows"])
    checks.equal("as counted", [ssh["readers"]["rules"], windows["readers"]["rules"]], [len(of_ssh), len(of_windows)])
    got = server.request("GET", "/v1/sources/readers?source=syslog&sender=127.0.0.33")[1]
    checks.equal("by name", [(r["kind"], r["id"]) for r in got["readers"] if r["kind"] == "searches"], [("searches", "nobody_else")])
    checks.equal("who is not there", server.request("GET", "/v1/sources/readers?source=syslog&sender=nobody")[0], 404)


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
    year("2024-03-01T00:00:10Z", f"<86>Feb 29 23:59:58 {text}", "2024-02-29T23:59:58Z")
    year("2025-01-05T00:00:00Z", f"<86>Feb 29 12:00:00 {text}", "2024-02-29T12:00:00Z")
    year("2026-01-01T00:10:00Z", f"<86>Jan  1 00:17:00 {text}", "2026-01-01T00:17:00Z")
    year("2025-12-31T15:00:05Z", f"<86>Jan  1 00:00:03 {text}", "2026-01-01T00:00:03Z")
    year("2026-06-01T00:00:00Z", f"<86>Dec 31 23:00:00 {text}", "2025-12-31T23:00:00Z")


def main():
    new_year()
    server = Server(config=CONFIG)
    add_rules(server)
    try:
        server.start()
        server.sign_in()
        clocks(server)
        overridden(server)
        corrected(server)
        relayed_clocks(server)
        heartbeats(server)
        gaps(server)
        readers(server)
        books(server)
        before = {(s["sender"], s["host"]): s["events"] for s in sources(server)["senders"]}
        decoded_before = prepare_redecode(server)
        server.stop()
        server.start()
        server.sign_in()
        redecoded(server, decoded_before)
        clock = sender(server, "127.0.0.15")["clock"]
        checks.check("nor its clock", clock and abs(clock["skew_s"] - 420) < 60, clock)
        checks.equal("nor who reads it", sender(server, "127.0.0.34")["read_by_nobody"], True)
        checks.equal("nor what is missing", sender(server, "127.0.0.32")["gaps"]["missing"], 10)
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
