#!/usr/bin/env python3
"""From an event to a ringing phone: a real server, a rule, an incident, a page, a webhook on this machine; and how long the second contact
takes when the first is dead. `bench/wake.py [--rounds N]`"""
import argparse
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from harness import Server, wait_for  # noqa: E402
from test_waking import RULE, Gateway, config, press, put_contacts, save_plan, sign_in, theft  # noqa: E402


def spread(values):
    values = sorted(values)
    at = lambda share: values[min(len(values) - 1, int(share * len(values)))] * 1000
    return f"median {at(0.5):.0f} ms, p99 {at(0.99):.0f} ms, worst {values[-1] * 1000:.0f} ms"


def rounds(gateway, server, count, prefix, path):
    took = []
    for number in range(count):
        wallet, began = f"{prefix}-{number}", time.monotonic()
        theft(server, wallet)
        mine = lambda: [one for one in gateway.pages_about(wallet) if one["path"] == path]
        while not mine():
            time.sleep(0.002)
        took.append(mine()[0]["at"] - began)
        press(server, mine()[0]["reply_token"])
    return took


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=100)
    count = parser.parse_args().rounds
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
        save_plan(server)
        rounds(gateway, server, 3, "warm", "/push")
        print(f"event to phone, {count} incidents: {spread(rounds(gateway, server, count, 'a', '/push'))}")
        gateway.broken.add("/push")
        print(f"the same, the first contact answers 500, the second takes it: {spread(rounds(gateway, server, count, 'b', '/phone'))}")
    finally:
        server.close()


if __name__ == "__main__":
    main()
