#!/usr/bin/env python3
"""How long until the questions of an incident are answered, beside stored events of thirty days (docs/benchmarks.md).

  questions.py [EVENTS [INCIDENTS]]    1,000,000 events; one incident, then INCIDENTS (20) at once
"""
import datetime
import json
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/e2e"))
from harness import Server, wait_for  # noqa: E402

RULE = """title: Trouble
id: 00000000-0000-4000-8000-000000000001
logsource: {product: ecs}
detection: {s: {event.action: trouble}, condition: s}
level: high
hinomi: {entities: {user: user.name, ip: source.ip}}
"""
DAYS, AT_ONCE = 29, 5000


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def event(at, action, user, ip):
    return {"@timestamp": datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat(), "event": {"action": action, "dataset": "app"},
            "user": {"name": user, "id": f"id-{user}"}, "source": {"ip": ip}, "host": {"name": f"host{hash(user) % 50}"}, "message": f"{user} did {action} from {ip}"}


def fill(server, token, count, now):
    dice = random.Random(1)
    for first in range(0, count, AT_ONCE):
        events = []
        for i in range(first, min(first + AT_ONCE, count)):
            who = 0 if dice.random() < 0.02 else dice.randrange(1000)
            events.append(event(now - DAYS * 86400 * (count - i) / count - 60, dice.choice(("login", "logout", "read", "write")), f"user{who}", f"198.51.{who // 250}.{who % 250}"))
        status, got, _ = server.hec(token, events)
        assert status == 200, got


def measure(server, idents):
    def done():
        got = [server.request("GET", f"/v1/incidents/{i}")[1] for i in idents()]
        return got if got and all(g["answers"] and all(a["answered"] or a["state"] not in ("waiting", "late") for a in g["answers"]) for g in got) else None

    got = wait_for(done, 300)
    return sorted(max(instant(a["answered"]) for a in g["answers"] if a["answered"]) - instant(g["opened"]) for g in got), got


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    more = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    server = Server()
    where = pathlib.Path(server.dir, "data/content/rules")
    where.mkdir(parents=True)
    (where / "trouble.yml").write_text(RULE)
    server.start()
    try:
        server.sign_in()
        token, now, began = server.token(), time.time(), time.monotonic()
        fill(server, token, count, now)
        stored = lambda: int(server.query("| tstats count")["rows"][0][0]) >= count
        wait_for(stored, 600)
        print(f"{count} events of {DAYS} days stored after {time.monotonic() - began:.0f} s")
        server.hec(token, [event(time.time(), "trouble", "user0", "198.51.0.0")])
        idents = lambda: [i["id"] for i in server.request("GET", "/v1/incidents?limit=1000")[1]["incidents"]]
        wait_for(idents)
        times, got = measure(server, idents)
        print(f"one incident: {len(got[0]['answers'])} answers {times[-1]:.2f} s after it opened")
        for a in got[0]["answers"]:
            print(f"  {a['ms']:5} ms  {a['state']:10} {a['question']['en']}: {a['answer']['en'][:90]}")
        first = idents()[0]
        server.hec(token, [event(time.time(), "trouble", f"user{i}", f"198.51.0.{i}") for i in range(1, more + 1)])
        wait_for(lambda: len(idents()) == more + 1)
        times, _ = measure(server, lambda: [i for i in idents() if i != first])
        print(f"{more} incidents at once: the first has all answers after {times[0]:.2f} s, half of them after {times[len(times) // 2]:.2f} s, the last after {times[-1]:.2f} s")
    finally:
        server.close()


main()
