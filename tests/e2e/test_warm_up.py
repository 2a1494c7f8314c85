#!/usr/bin/env python3
"""Rules that must know what is usual learn it from what is stored when they are enabled."""
import datetime
import pathlib
import random
import re

from harness import Checks, Server, wait_for

checks = Checks()
NOW = datetime.datetime.now(datetime.timezone.utc)

NEW = """title: new pair
id: 00000000-0000-4000-8000-000000000001
logsource: {product: ecs}
detection:
  selection: {kind: login}
  condition: selection
level: low
hinomi:
  new: {key: [user.name, host.name], learn: 7d}
"""


def stamp(days):
    return (NOW - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def login(user, host, days=0.0):
    return {"@timestamp": stamp(days), "kind": "login", "user": {"name": user}, "host": {"name": host}}



def count(server):
    return int(server.query('event.dataset=hinomi.finding (index=* OR index=_*) rule.id="00000000-0000-4000-8000-000000000001" | stats count')["rows"][0][0])


pick = random.Random(3)
known = {(f"u{pick.randrange(40)}", f"h{pick.randrange(40)}") for _ in range(300)}
server = Server()
try:
    server.start()
    server.sign_in()
    token = server.token()
    history = [login(*pick.choice(sorted(known)), days=pick.uniform(1, 364)) for _ in range(6000)] + [login(*pair, days=30) for pair in known]
    for at in range(0, len(history), 500):
        checks.equal("history", server.hec(token, history[at:at + 500])[0], 200)
    checks.equal("stored", wait_for(lambda: int(server.query("kind=login | stats count")["rows"][0][0]) == len(history), 30), True)
    own = pathlib.Path(server.dir, "data/content/rules")
    own.mkdir(parents=True)
    (own / "new.yml").write_text(NEW)
    checks.check("the rule is there", wait_for(lambda: any(r["title"] == "new pair" for r in server.request("GET", "/v1/rules")[1]["rules"]), 20))
    said = lambda: re.findall(r"1 rules learned from (\d+) stored events", pathlib.Path(server.dir, "stderr").read_text())
    told = wait_for(lambda: [n for n in map(int, said()) if n], 20)  # of nothing: the product's own, when the server started
    checks.equal("it learned from all of them", told, [len(history)])
    unknown = [(f"u{100 + n}", "h1") for n in range(25)] + [("u1", f"h{100 + n}") for n in range(25)]
    live = [login(*pair) for pair in sorted(known)] + [login(*pair) for pair in unknown]
    pick.shuffle(live)
    server.hec(token, live)
    checks.equal("all new pairs are found at once", wait_for(lambda: count(server) >= len(unknown) and count(server), 20), len(unknown))
    checks.equal("history itself gives no findings, nor does what is known", count(server), len(unknown))
    checks.equal("what it learned from was not offered", wait_for(lambda: next(r for r in server.request("GET", "/v1/rules")[1]["rules"] if r["title"] == "new pair")["ledger"]["matched"] == len(live), 10), True)
    server.stop()
    before = pathlib.Path(server.dir, "stderr").read_text().count("rules learned from")
    server.start()
    server.sign_in()
    server.hec(token, [login(*pair) for pair in unknown] + [login("u999", "h999")])
    checks.equal("after a restart it knows, and does not learn again", (wait_for(lambda: count(server) == len(unknown) + 1, 20), pathlib.Path(server.dir, "stderr").read_text().count("rules learned from")), (True, before))
finally:
    server.close()
checks.finish()
