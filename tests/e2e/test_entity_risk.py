#!/usr/bin/env python3
"""Risk adds up on entities over rules: the same totals and findings in files, after an import, in a running server that is killed in the
middle, and in a second run; by hand where they pass the threshold. Low findings open no incident; their sum does."""
import datetime
import json
import pathlib
import shutil
import tempfile

from harness import Checks, Server, run, wait_for

checks = Checks()
TACTICS = ["discovery", "execution", "persistence", "credential-access", "lateral-movement"]


def rule(name, level, tactic, more=""):
    return f"""title: {name}
id: risk-{name}
logsource: {{product: ecs}}
detection:
  s: {{event.action: {name}}}
  condition: s
level: {level}
tags: [attack.{tactic}, attack.t1059]
{more}"""


RULES = {f"low{i}": rule(f"low{i}", "low", TACTICS[i % 3]) for i in range(12)}
RULES["own"] = rule("own", "informational", "impact", "hinomi: {risk: 30}\n")
RULES["quiet"] = rule("quiet", "high", "collection", "hinomi: {risk: 0}\n")
RULES["total"] = """title: total
id: risk-total
level: high
hinomi:
  risk: {half_life: 7d, over: 100, tactics: 3, quiet: 24h, of: [user]}
"""


def event(day, minute, action, user):
    return {"@timestamp": f"2026-03-{day:02}T{minute // 60:02}:{minute % 60:02}:00Z", "event": {"action": action}, "user": {"name": user}, "host": {"name": "shared"}}


def events():
    """amy: 10 rules of 10 points are 100, the eleventh passes it. ben: the same rule a hundred times. cho: 8 low and, a half-life later, 5 low
    and the one of 30: 80/2 + 50 + 30 = 120 with those that are new. dan: one tactic."""
    for i in range(10):
        yield event(1, i, f"low{i}", "amy")
    for i in range(100):
        yield event(1, 10 + i, "low0", "ben")
    for i in range(8):
        yield event(1, 200 + i, f"low{i}", "cho")
    for i in range(0, 12, 3):
        yield event(1, 300 + i, f"low{i}", "dan")
    yield event(2, 0, "quiet", "dan")
    yield event(2, 1, "low10", "amy")
    yield event(2, 2, "low11", "amy")
    for i in range(8, 12):
        yield event(8, 200 + i, f"low{i}", "cho")
    yield event(8, 230, "own", "cho")
    yield event(8, 1, "low0", "late")
    yield event(1, 2, "low1", "late")


def by_hand(ages, fresh):
    """Points of rules of 10 that are so many minutes old, and of others, with a half-life of seven days."""
    return f"{sum(10 * 0.5 ** (age / 10080) for age in ages) + fresh:.1f}"


AMY = f"amy has {by_hand([1441 - i for i in range(10)], 10)} points"
CHO = f"cho has {by_hand([10080 + 30 - i for i in range(8)] + [30 - i for i in range(8, 12)], 30)} points"


def check_detect(folder):
    ask = ("detect", "--rules", folder / "rules", folder / "events.jsonl")
    status, out, err = run(*ask)
    checks.equal("detect", (status, err[-300:] if status else ""), (0, ""))
    found = [json.loads(line) for line in out.splitlines()]
    checks.equal("who passes the threshold, with which event", [(f["user"], f["hinomi"]["record"]) for f in found if f["rule"]["id"] == "risk-total"],
                 [("amy", 123), ("cho", 129)])
    checks.equal("a second run finds the same", run(*ask)[1], out)


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")[:19] + "+00:00").timestamp()


def stored(server):
    page = server.query("index=findings rule.id=risk-total | table event.id message @timestamp hinomi.evidence | sort event.id")
    return page["rows"]


def serve(folder, name, killed):
    """All events over HEC; killed after each of the parts when that is asked for."""
    place = folder / name
    (place / "data/content/rules").mkdir(parents=True)
    for file in (folder / "rules").iterdir():
        shutil.copy(file, place / "data/content/rules")
    server = Server(str(place)).start()
    try:
        server.sign_in()
        token = server.token()
        lines = list(events())
        parts = [lines[:60], lines[60:125], lines[125:]] if killed else [lines]
        sent = 0
        for number, part in enumerate(parts):
            status, _, _ = server.hec(token, part, key=f"part {number}")
            checks.equal("taken", status, 200)
            sent += len(part)
            if killed:
                server.kill()
                server.start()
                server.sign_in()
            wait_for(lambda: server.query("NOT index=findings | stats count")["rows"][0][0] == sent)
        rows = wait_for(lambda: len(stored(server)) == 2 and stored(server))
        status, risk, _ = server.request("GET", "/v1/entities/risk?limit=10")
        checks.equal("the API answers", status, 200)
        mine = [r for r in (risk or {}).get("rules", []) if r["rule"] == "risk-total"]
        for entity in (e for r in mine for e in r["entities"]):
            want = sum(p["points_of_rule"] * 0.5 ** ((when(risk["now"]) - when(p["last"])) / (7 * 86400)) for p in entity["parts"])
            checks.check(f"{entity['value']}: the total is that of its parts, by now", abs(float(entity["points"]) - want) < 0.001, (entity, want))
        status, one, _ = server.request("GET", "/v1/entities/risk?type=user&value=ben")
        found = [e for r in one["rules"] if r["rule"] == "risk-total" for e in r["entities"]]
        checks.equal("ben's parts", [(p["findings"], p["points_of_rule"], p["tactics"]) for e in found for p in e["parts"]], [(100, 10, ["discovery"])])
        status, incidents, _ = server.request("GET", "/v1/incidents")
        titles = sorted((i["title"] if isinstance(i["title"], str) else i["title"]["en"], i["severity"]) for i in incidents["incidents"])
        return rows, mine, titles
    finally:
        server.close()


def steady(rules):
    """What depends neither on the clock (totals decay while the test runs) nor on the numbers that events got."""
    return [[(e["type"], e["value"], e["tactics"], e["newest"], e["told"],
              sorted((p["rule"], p["findings"], p["last"]) for p in e["parts"])) for e in sorted(r["entities"], key=lambda e: e["value"])] for r in rules]


def main():
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        (folder / "rules").mkdir()
        for name, text in RULES.items():
            (folder / f"rules/{name}.yml").write_text(text)
        (folder / "events.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events()))
        check_detect(folder)
        rows, risk, titles = serve(folder, "whole", False)
        again, risk_again, titles_again = serve(folder, "killed", True)
        strip = [[r[1], r[2]] for r in rows]
        checks.equal("the same findings after three deaths", sorted([r[1], r[2]] for r in again), sorted(strip))
        checks.equal("two of them", len(strip), 2)
        texts = " ".join(sorted(r[0] for r in strip))
        checks.check("with the points of the hand", AMY in texts and CHO in texts and "[impact]" in texts, (AMY, CHO, texts))
        checks.equal("the same totals after three deaths", steady(risk_again), steady(risk))
        checks.equal("incidents: the high one with its own rule and the sums, no low ones", titles_again, titles)
        checks.equal("low findings open none", [t for t in titles if t[0].startswith("low")], [])
        checks.check("their sum does", any(t[0] == "total" or t[1] == "high" for t in titles), titles)
        points = {e["value"]: e["points"] for r in risk for e in r["entities"]}
        checks.check("totals are those of the findings", points and float(points["cho"]) <= 120 and float(points["ben"]) <= 10, points)
    checks.finish()


main()
