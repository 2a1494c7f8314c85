#!/usr/bin/env python3
"""What a search will cost is told before it runs: rows and bytes within a factor of 2 of what it then comes to
(processor time is left to bench/estimate.py), over the API as on the command line, and asking changes nothing."""
import json
import pathlib
import random
import re
import tempfile

from harness import Checks, Server, run

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-estimate-"))
DAYS, ROWS = 12, 60_000
SMALL = {"rows": 1000, "matched": 200, "bytes": 16384}
SEARCHES = [
    "* | stats count",
    "* | stats count by host.name",
    "* | stats dc(user.name) p95(network.bytes) by source.ip",
    "event.action=login | stats count by user.name | sort -count | head 10",
    "event.action=login user.name=user0007 | stats count",
    "needle | stats count",
    "user.name=only-once | stats count by host.name",
    "user.name=nobody-at-all | stats count",
    "source.ip=10.0.0.0/12 | stats count",
    "network.bytes>9000 | stats sum(network.bytes)",
    "message=\"*took 77 ms*\" | stats count",
    "* | head 5",
    "event.action=logout | head 300",
    "* | sort 0 -network.bytes | table source.ip network.bytes",
    "* | rex field=message \"took (?<ms>[0-9]+) ms\" | stats avg(ms) by host.name",
    "* | eval big=if('network.bytes'>5000,1,0) | timechart span=1h sum(big)",
    "earliest=\"01/05/2026:00:00:00\" latest=\"01/06/2026:00:00:00\" | stats count by event.action",
    "earliest=\"01/05/2026:06:00:00\" latest=\"01/05/2026:12:00:00\" event.action=login | stats count",
    "event.action=login [search event.action=logout network.bytes>9900 | fields user.name] | stats count",
    "event.action=login | join user.name [search event.action=logout | stats count as n by user.name] | stats count",
    "event.action=buy | append [search event.action=sell | stats count] | stats count",
    "event.action=buy | dedup user.name | stats count",
    "event.action=buy | transaction user.name maxspan=1h | stats count",
    "event.action=buy | streamstats window=5 avg(network.bytes) as m | stats max(m)",
    "| tstats count where event.action=buy by _time span=1d",
    "NOT event.action=buy NOT event.action=sell | top 5 user.name",
]


def generate():
    draw = random.Random(11)
    with open(tmp / "events.jsonl", "w") as file:
        for i in range(ROWS):
            second = i * DAYS * 86400 // ROWS
            day, rest = divmod(second, 86400)
            spent = draw.randrange(200)
            event = {"@timestamp": f"2026-01-{day + 1:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z",
                     "host.name": f"host-{draw.randrange(20):02}", "event.action": draw.choice(("login", "logout", "buy", "sell")),
                     "user.name": "only-once" if i == 31_415 else f"user{int(draw.paretovariate(1)) % 3000:04}",
                     "source.ip": f"10.{draw.randrange(64)}.{draw.randrange(16)}.{draw.randrange(1, 255)}",
                     "network.bytes": draw.randrange(10_000),
                     "message": f"request {draw.getrandbits(32):08x} took {spent} ms" + (" needle" if i % 15_000 == 77 else "")}
            file.write(json.dumps(event) + "\n")


def explained(spl, *more):
    """{what: (said, real)}"""
    status, _, err = run("search", "--dir", tmp / "data", "--explain", "--format", "csv", *more, spl)
    checks.equal(f"runs: {spl}", status, 0)
    return {m[1]: (int(m[2]), int(m[3])) for m in re.finditer(r"^(rows|matched|bytes) +(\d+) +(\d+)$", err, re.M)}


def within_two(said, real, small):
    return max(said, real) <= small or max(said, real) <= 2 * min(said, real)


def on_the_command_line():
    for spl in SEARCHES:
        numbers = explained(spl)
        checks.equal(f"all of it is said: {spl}", sorted(numbers), ["bytes", "matched", "rows"])
        for what in ("rows", "bytes"):
            said, real = numbers[what]
            checks.check(f"{what} of {spl}", within_two(said, real, SMALL[what]), f"said {said}, real {real}")
    said, real = explained("* | stats count by host.name")["matched"]
    checks.equal("a search of everything matches everything", (said, real), (ROWS, ROWS))


def alone():
    status, out, _ = run("search", "--dir", tmp / "data", "--estimate", "--format", "json", "* | stats count by source.ip")
    estimate = json.loads(out)
    checks.equal("status", status, 0)
    checks.equal("blocks", estimate["blocks_read"], estimate["blocks"])
    checks.check("a block for each day at least", estimate["blocks"] >= DAYS, estimate)
    checks.check("it takes some time", estimate["cpu_us"] > 0 and estimate["estimate_cpu_us"] > 0, estimate)
    checks.equal("and little memory", estimate["may_spill"], False)
    status, out, _ = run("search", "--dir", tmp / "data", "--memory", "2MiB", "--estimate", "--format", "json", "* | sort 0 message")
    checks.equal("much for little memory goes to a file", json.loads(out)["may_spill"], True)
    status, _, err = run("search", "--dir", tmp / "data", "--estimate", "* | stat count")
    checks.check("what is wrong is said here, too", status == 1 and "stats" in err, err)
    status, out, _ = run("search", "--dir", tmp / "data", "--estimate", "--format", "json", "* | stats count by host.name | outputlookup hosts.csv")
    checks.equal("a search that writes", status, 0)
    checks.check("writes nothing", not list((tmp / "data").glob("lookups/*")), list((tmp / "data").iterdir()))


def over_the_api():
    server = Server().start()
    server.sign_in()
    token = server.token("hec")
    events = [{"event.action": "login" if i % 4 else "logout", "n": i} for i in range(4000)]
    status, _, _ = server.hec(token, events)
    checks.equal("sent", status, 200)
    for _ in range(100):
        if server.query("* | stats count")["rows"] == [[4000]]:
            break
    status, estimate, _ = server.request("POST", "/v1/search/estimate", {"query": "* | stats count", "from": "0", "to": "2200-01-01T00:00:00Z"})
    checks.equal("answered", status, 200)
    checks.check("rows in memory count", 2000 <= estimate["rows_matched"] <= 8000, estimate)
    status, body, _ = server.request("POST", "/v1/search/estimate", {"query": "* | stat count"})
    checks.equal("wrong text", (status, body["error"]["suggestion"]), (400, "stats"))
    checks.equal("no text", server.request("POST", "/v1/search/estimate", {})[0], 400)
    status, trail, _ = server.request("GET", "/v1/audit?action=search.estimate")
    checks.equal("the trail has them", [row["result"] for row in trail["rows"]][-1], "ok")
    server.close()


generate()
status, _, err = run("import", "--dir", tmp / "data", tmp / "events.jsonl")
checks.check("imported", status == 0, err)
on_the_command_line()
alone()
over_the_api()
checks.finish()
