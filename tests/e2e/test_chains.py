#!/usr/bin/env python3
"""Ten withdrawals that a stolen account approved for itself, among two hundred thousand events of three sources that call the person by different
names (HINOMI_FULL=1: ten million): all found, and nothing besides. The events are held back here and there, and many persons do two of the
three steps, or all of them in another order, or too slowly, or for another wallet."""
import json
import os
import random
import tempfile
from pathlib import Path

from harness import Checks, run

checks = Checks()
COUNT = 10_000_000 if os.environ.get("HINOMI_FULL") == "1" else 200_000
RULES = """title: vpn
name: vpn
logsource: {product: ecs}
detection: {s: {event.dataset: vpn.session, event.action: connected}, condition: s}
---
title: admin
name: admin
logsource: {product: ecs}
detection: {s: {event.dataset: ad.audit, winlog.event_id: 4728}, condition: s}
---
title: approval
name: approval
logsource: {product: ecs}
detection: {s: {event.dataset: wallet.approval, event.action: approved}, condition: s}
---
title: chain
level: critical
correlation:
  type: temporal_ordered
  rules: [vpn, admin, approval]
  aliases:
    person: {vpn: vpn.login, admin: winlog.event_data.TargetUserName, approval: approver.id}
    site: {vpn: vpn.gateway, admin: winlog.computer_name, approval: approval.site}
  group-by: [person, site]
  timespan: 30m
"""
START = 1767225600
pick = random.Random(11)


def vpn(person, site):
    return {"event": {"dataset": "vpn.session", "action": "connected"}, "vpn": {"login": person, "gateway": site}}


def admin(person, site):
    return {"event": {"dataset": "ad.audit"}, "winlog": {"event_id": 4728, "computer_name": site, "event_data": {"TargetUserName": person}}}


def approval(person, site):
    return {"event": {"dataset": "wallet.approval", "action": "approved"}, "approver": {"id": person}, "approval": {"site": site}}


def noise(i):
    """Of every source, also with what the rules look for, but never all three of one person, and of other actions."""
    person, site = f"n{i % 50000}", f"s{i % 7}"
    return (vpn(person, site) if i % 5 == 0 and i % 3 != 0 else admin(person, site) if i % 11 == 0 and i % 3 == 0 else
            {"event": {"dataset": "vpn.session", "action": "closed"}, "vpn": {"login": person, "gateway": site}})


def near_misses(n, time):
    """Every one of them lacks one thing."""
    a, b = f"s{n % 7}", f"s{(n + 1) % 7}"
    return [(time, vpn(f"order{n}", a)), (time + 60, approval(f"order{n}", a)), (time + 120, admin(f"order{n}", a)),
            (time, vpn(f"slow{n}", a)), (time + 600, admin(f"slow{n}", a)), (time + 1801, approval(f"slow{n}", a)),
            (time, vpn(f"site{n}", a)), (time + 60, admin(f"site{n}", b)), (time + 120, approval(f"site{n}", a)),
            (time, vpn(f"two{n}", a)), (time + 60, admin(f"two{n}", a)),
            (time, vpn(f"mix{n}", a)), (time + 60, admin(f"mix{n}", a)), (time + 120, approval(f"other{n}", a))]


def planted():
    events, wanted = [], []
    for n in range(200):
        events += near_misses(n, START + pick.uniform(0, COUNT / 100 - 2000))
    for n in range(10):
        person, site, time = f"thief{n}", f"s{n % 7}", START + pick.uniform(0, COUNT / 100 - 2000)
        steps = sorted(pick.uniform(0, 1799) for _ in range(3))
        events += [(time + at, make(person, site)) for at, make in zip(steps, (vpn, admin, approval))]
        wanted.append((person, site))
    # some come late, up to an hour
    return sorted((time + (pick.uniform(0, 3600) if pick.random() < 0.2 else 0), time, event) for time, event in
                  ((t, json.dumps(e)) for t, e in events)), sorted(wanted)


def stamp(seconds):
    whole = int(seconds) - START
    return f"2026-01-{1 + whole // 86400:02}T{whole // 3600 % 24:02}:{whole // 60 % 60:02}:{whole % 60:02}.{int(seconds % 1 * 1000):03}Z"


def write(path):
    rest, wanted = planted()
    at = 0
    with open(path, "w") as out:
        for i in range(COUNT):
            time = START + i / 100
            while at < len(rest) and rest[at][0] <= time:
                out.write(f'{{"@timestamp":"{stamp(rest[at][1])}",{rest[at][2][1:]}\n')
                at += 1
            out.write(f'{{"@timestamp":"{stamp(time)}",{json.dumps(noise(i))[1:]}\n')
        for _, time, event in rest[at:]:
            out.write(f'{{"@timestamp":"{stamp(time)}",{event[1:]}\n')
    return wanted


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    (folder / "rules.yml").write_text(RULES)
    wanted = write(folder / "events.jsonl")
    status, out, err = run("replay", "--rules", folder / "rules.yml", folder / "events.jsonl", timeout=3000)
    checks.equal("done", status, 0)
    found = [json.loads(line) for line in out.splitlines()]
    checks.equal("all ten, and nothing besides", sorted(tuple(f["hinomi"]["entity"]) for f in found if "follows" not in f["hinomi"]), wanted)
    checks.equal("nothing else is told", len(found), 10)
    checks.check("each names its three events", all(f["hinomi"]["events"] == 3 for f in found), out[:600])
checks.finish()
