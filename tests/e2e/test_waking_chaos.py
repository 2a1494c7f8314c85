#!/usr/bin/env python3
"""One thing breaks at a random moment between a theft and the second person's call: a channel that refuses or hangs, the program killed,
stopped for a while, or killed twice. The first and the second person are called all the same, each message under
one key, and nobody else. HINOMI_FULL: 60 rounds; WAKING_SEED=n repeats a run."""
import os
import pathlib
import random
import signal
import threading
import time

from harness import Checks, Server, wait_for
from test_waking import RULE, Gateway, config, press, put_contacts, save_plan, sign_in, theft

checks = Checks()
SEED = int(os.environ.get("WAKING_SEED", time.time_ns() % 1000000))
ROUNDS = 60 if os.environ.get("HINOMI_FULL") else 8
FAULTS = ["refuses", "hangs", "killed", "stopped", "killed twice"]


def restart(server, moment):
    time.sleep(moment)
    server.kill()
    server.start()


def break_it(fault, gateway, server, moment, rand):
    """In a thread of its own, beside the theft."""
    if fault in ("refuses", "hangs"):
        time.sleep(moment)
        (gateway.broken if fault == "refuses" else gateway.hanging).add("/push")
    elif fault == "stopped":
        time.sleep(moment)
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(rand.uniform(0.2, 6))
        server.process.send_signal(signal.SIGCONT)
    else:
        restart(server, moment)
        if fault == "killed twice":
            restart(server, rand.uniform(0, 1))


def one_round(number, gateway, server, rand):
    fault, moment = FAULTS[number % len(FAULTS)], rand.choice([0, rand.uniform(0, 0.05), rand.uniform(0, 6)])
    wallet, before, name = f"hot-{number}", len(gateway.got), f"seed {SEED}, round {number}: {fault} after {moment:.3f} s"
    breaking = threading.Thread(target=break_it, args=(fault, gateway, server, moment, rand))
    theft(server, wallet)  # acknowledged: it is in the journal
    began = time.monotonic()
    breaking.start()
    mine = lambda: gateway.pages_about(wallet, before)
    both = wait_for(lambda: {one["person"] for one in mine()} >= {"sato", "suzuki"}, 60)
    took = time.monotonic() - began
    breaking.join()
    gateway.broken.clear()
    gateway.hanging.clear()
    checks.check(f"{name}: both are called", both, mine())
    checks.check(f"{name}: in time", took < 5 + 25, took)
    keys = {}
    for one in mine():
        keys.setdefault(one["reply_token"], set()).add(one["key"])
    checks.check(f"{name}: one key a message", all(len(some) == 1 for some in keys.values()), keys)
    checks.check(f"{name}: nobody else", {one["person"] for one in mine()} <= {"sato", "suzuki"}, mine())
    if mine():
        token = mine()[0]["reply_token"]
        answered = wait_for(lambda: press(server, token)[0] in (200, 409), 20)
        checks.check(f"{name}: and one answers", answered)


def main():
    rand = random.Random(SEED)
    gateway, server = Gateway(), Server()
    server.config.write_text(server.config.read_text() + config(gateway))
    rules = pathlib.Path(server.dir) / "data/content/rules"
    rules.mkdir(parents=True)
    (rules / "money.yml").write_text(RULE)
    server.start()
    try:
        sign_in(server)
        put_contacts(server, "sato", "push", "phone")
        put_contacts(server, "suzuki", "other")
        save_plan(server, second="5s")
        for number in range(ROUNDS):
            one_round(number, gateway, server, rand)
    finally:
        server.process.send_signal(signal.SIGCONT)
        server.close()
    checks.finish()


main()
