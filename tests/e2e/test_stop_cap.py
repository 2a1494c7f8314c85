#!/usr/bin/env python3
"""A rule that finds too much: it stops fifty accounts within an hour and no more, people are told of that once, and a restart
forgets none of it."""
import pathlib
import time

from gated import Gated
from harness import Checks, wait_for

checks = Checks()
POLICY = 'version: "1"\nmode: enforce\nrows:\n  - {name: stopped, when: stop_share < 1, effect: hold, reason: {en: e, ja: j}}\n  - {name: fine, effect: allow, reason: {en: e, ja: j}}\n'
RULE = """title: Everything is suspicious
id: 0f1d3c0e-8f5c-4b8e-9d0d-0d5d3f7a1c42
logsource: {product: ecs}
detection: {s: {event.dataset: test.flood}, condition: s}
level: high
hinomi: {catalogue: T-9, entities: {user: user.id}, response: {hold: {account: user.id}}, explain: {en: "{user.id} did it", ja: "{user.id}"}}
"""


def main():
    gated = Gated(POLICY)
    server = gated.server
    rules = pathlib.Path(server.dir) / "data/content/rules"
    rules.mkdir(parents=True, exist_ok=True)
    (rules / "flood.yml").write_text(RULE)
    server.stop()
    server.start()
    server.sign_in()
    token = server.token("hec")

    def flood(names):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        server.hec(token, [{"@timestamp": stamp, "event": {"id": f"e-{name}", "dataset": "test.flood"}, "user": {"id": name}} for name in names])

    stops = lambda: [s for s in server.request("GET", "/v1/gate/stops")[1]["stops"] if s["scope"] == "account"]
    found = lambda: [f for f in server.request("GET", "/v1/findings?limit=500")[1]["findings"]]
    caps = lambda: [f for f in found() if "too many accounts" in str(f)]
    flood(f"u{i}" for i in range(30))
    checks.check("thirty are stopped", wait_for(lambda: len(stops()) == 30), len(stops()))
    checks.equal("nobody is told of a cap", caps(), [])
    flood(f"v{i}" for i in range(45))
    checks.check("people are told", wait_for(caps), found()[:2])
    checks.check("every finding is told of", wait_for(lambda: sum("did it" in str(f) for f in found()) == 75), len(found()))
    checks.equal("fifty are stopped and no more", len(stops()), 50)
    told = caps()
    hour = int(time.time()) // 3600
    checks.check("once", len(told) == 1 or int(time.time()) // 3600 > hour, told)
    incidents = [i for i in server.request("GET", "/v1/incidents?state=open")[1]["incidents"] if i["severity"] == "critical"]
    checks.check("as an incident that pages", len(incidents) >= 1, incidents)
    checks.equal("the fifty-first is not held", gated.ask("w1", account="v44")[1]["decision"], "allow")
    checks.equal("the first is", gated.ask("w2", account="u0")[1]["decision"], "hold")
    server.kill()
    server.start()
    server.cookie = None
    server.sign_in()
    flood(f"w{i}" for i in range(10))
    checks.check("after a crash, too", wait_for(lambda: sum("did it" in str(f) for f in found()) == 85), len(found()))
    checks.equal("no further one", len(stops()), 50)
    server.request("POST", "/v1/gate/stops", {"scope": "account", "target": "by-hand", "reason": "people may"})
    checks.equal("people stop as many as they want", len(stops()), 51)
    server.close()


main()
checks.finish()
