#!/usr/bin/env python3
"""What the gate decided is told: each decision that was answered is one event and one record that comes out the same again, whenever the
server is killed; and a record that was altered is found. SEED=n repeats a run, HINOMI_FULL: 40 kills."""
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "clients/python"))

import hinomi_gate
from gated import Gated
from harness import HINOMI, Checks

checks = Checks()
SEED = int(os.environ.get("SEED", "0")) or random.randrange(1 << 30)
KILLS = 40 if os.environ.get("HINOMI_FULL") else 6

POLICY = """version: "1"
mode: enforce
rows:
  - name: large
    when: request.amount > 100
    effect: hold
    reason: {en: "{request.amount} is large.", ja: "{request.amount} は大きい。"}
  - name: forbidden
    when: request.destination = "thief"
    effect: deny
    reason: {en: "No.", ja: "不可。"}
  - name: otherwise
    effect: allow
"""


def hinomi(*words):
    done = subprocess.run([HINOMI, *words], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def rerun(world, *more):
    return hinomi("gate", "rerun", "--dir", world.server.dir + "/data", *more)


class Caller(threading.Thread):
    """Asks until it is told to stop; whatever was answered by the gate itself is remembered."""

    def __init__(self, path, name):
        super().__init__()
        self.path, self.name_of, self.answers, self.stopping = path, name, {}, False

    def run(self):
        gate, number = hinomi_gate.Gate(self.path, timeout=1), 0
        while not self.stopping and number < 5500:  # a search shows 20,000 rows
            number += 1
            request_id = f"{self.name_of}-{number}"
            amount, to = random.choice([("5", "addr"), ("500", "addr"), ("5", "thief")])
            answer = gate.decide(request_id=request_id, action="withdrawal", account="u1", asset="XEM", amount=amount, destination=to)
            if not answer.alone and answer.row in ("large", "forbidden", "otherwise"):
                self.answers[request_id] = answer.decision
        gate.close()


def told(world):
    """Each event's request and action."""
    spl = "index=gate event.action IN (allow, hold, deny) | stats count by hinomi.gate.request_id event.action"
    status, job, _ = world.server.request("POST", "/v1/search", {"query": spl, "from": "0", "to": "2200-01-01T00:00:00Z"})
    assert status == 201, job
    page = {"state": "running"}
    while page["state"] == "running":
        time.sleep(0.02)
        page = world.server.request("GET", f"/v1/search/{job['id']}?limit=1")[1]
    rows = []
    while len(rows) < page["total"]:
        got = world.server.request("GET", f"/v1/search/{job['id']}?offset={len(rows)}&limit=1000")[1]["rows"]
        assert got, (len(rows), page)
        rows += got
    return [(row[0], row[1]) for row in rows for _ in range(int(row[2]))]


def killed_while_it_decides(world):
    path, rand = f"{world.server.dir}/data/gate/socket", random.Random(SEED)
    callers = [Caller(path, f"c{n}") for n in range(3)]
    for caller in callers:
        caller.start()
    for _ in range(KILLS):
        before = sum(len(c.answers) for c in callers)
        enough = before + rand.randrange(20, 400)
        while sum(len(c.answers) for c in callers) < enough and any(c.is_alive() for c in callers):
            time.sleep(0.01)
        world.server.kill()
        world.server.start()
    for caller in callers:
        caller.stopping = True
    for caller in callers:
        caller.join()
    world.server.sign_in()
    answered = {k: v for c in callers for k, v in c.answers.items()}
    checks.check("enough was asked", len(answered) > 20 * KILLS, len(answered))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not set(answered) <= {row[0] for row in told(world)}:
        time.sleep(0.2)
    rows = told(world)
    events = dict(rows)
    checks.equal("each decision is told once", len(rows), len(events))
    checks.equal("and none is missing or other than it was answered", [k for k, v in answered.items() if events.get(k) != v][:5], [])
    return len(rows)


def come_out_the_same(world, decisions):
    status, text = rerun(world)
    checks.check("every record comes out the same", status == 0 and f"{decisions} decisions made again: 0 differ, 0 cannot" in text, text)
    while not world.state()["healthy"]:
        time.sleep(0.05)
    held = world.ask("mine", amount="700")[1]
    for key in (held["id"], "mine"):
        status, text = rerun(world, key)
        checks.check("one, with what it was made from", status == 0 and '"again":"the same"' in text and "700 is large." in text and "stop_share" in text, text)
    status, text = rerun(world, "nobody")
    checks.check("none of that id", status != 0 and "no decision nobody" in text, text)


def keeps_what_was_not_told(world):
    """Killed right behind its last answers: they are told after the next start."""
    before = len(told(world))
    for number in range(200):
        world.ask(f"burst-{number}")
    world.server.kill()
    world.server.start()
    world.server.sign_in()
    deadline = time.monotonic() + 30
    while len(told(world)) < before + 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    checks.equal("told after the next start", len(told(world)), before + 200)


def altered(world):
    world.server.stop()
    journal = pathlib.Path(world.server.dir, "data/gate/gate.journal")
    good = journal.read_bytes()
    at = good.index(b"700 is large.")
    journal.write_bytes(good[:at] + b"7" + b"01" + good[at + 3:])
    status, text = rerun(world)
    checks.check("an altered record is found", status != 0 and ("damaged" in text or "does not follow" in text), text)
    status, text = hinomi("verify", "--dir", world.server.dir + "/data")
    checks.check("by verify too", status != 0 and "gate journal" in text, text[-600:])
    journal.write_bytes(good)
    policies = list(pathlib.Path(world.server.dir, "data/gate/policies").iterdir())
    checks.equal("one policy is kept", len(policies), 1)
    policy = policies[0].read_text()
    policies[0].write_text(policy.replace("> 100", "> 1000"))
    status, text = rerun(world)
    checks.check("a policy that was altered is not taken", status != 0 and "not what its name says" in text, text[-300:])
    policies[0].write_text(policy)
    checks.equal("as it was", rerun(world)[0], 0)


def main():
    print(f"SEED={SEED}")
    world = Gated(POLICY)
    try:
        decisions = killed_while_it_decides(world)
        come_out_the_same(world, decisions)
        keeps_what_was_not_told(world)
        altered(world)
    finally:
        world.server.close()
    checks.finish()


main()
