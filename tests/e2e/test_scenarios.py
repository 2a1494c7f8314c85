#!/usr/bin/env python3
"""Scenarios of our own (tests/scenarios), several seeds each, in order and with every event up to two minutes late: what has to be
found is found in time and at least as severe, what is ordinary raises nothing high, and before the attack nothing is critical.

    test_scenarios.py [NAME...] [--seeds N] [--keep DIR]"""
import argparse
import datetime
import importlib
import json
import pathlib
import sys
import tempfile

from harness import ROOT, Checks, run

sys.path.insert(0, str(ROOT / "tests/scenarios"))
from world import RANK  # noqa: E402

checks = Checks()
NOISE_A_DAY = 1.0


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def is_found(want, findings):
    for finding in findings:
        about = finding["hinomi"]
        if about.get("catalogue") == want["id"] and RANK.get(about["severity"], 0) >= RANK[want["severity"]] and \
                want["from"] - datetime.timedelta(hours=1) <= when(finding["@timestamp"]) <= want["until"] and \
                (want["entity"] in about["entity"] or want["event"] in about["evidence"]):
            return True
    return False


def check(name, world, findings, late):
    for want in world.wanted:
        if late and want["until"] - want["from"] < datetime.timedelta(seconds=60):
            want = {**want, "until": want["until"] + datetime.timedelta(seconds=late)}
        seen = [(f["@timestamp"], f["hinomi"]["severity"], f["hinomi"]["entity"]) for f in findings if f["hinomi"].get("catalogue") == want["id"]]
        checks.check(f"{name}: {want['id']} in time", is_found(want, findings), (want, seen[:4]))
    calm, attack = set(world.calm), set(world.attack)
    loud = [f for f in findings if RANK.get(f["hinomi"]["severity"], 0) >= 3 and calm & set(f["hinomi"]["evidence"])]
    checks.equal(f"{name}: nothing loud about what is ordinary", [(f["@timestamp"], f["hinomi"].get("catalogue"), f["message"]) for f in loud], [])
    first = min(want["from"] for want in world.wanted) - datetime.timedelta(milliseconds=1)  # events say milliseconds
    early = [f for f in findings if f["hinomi"]["severity"] == "critical" and when(f["@timestamp"]) < first]
    checks.equal(f"{name}: nothing critical before the attack", [(f["@timestamp"], f["hinomi"].get("catalogue"), f["message"]) for f in early], [])
    named = {want["entity"] for want in world.wanted}
    noise = [f for f in findings if RANK.get(f["hinomi"]["severity"], 0) >= 2 and not attack & set(f["hinomi"]["evidence"]) and not named & set(f["hinomi"]["entity"])]
    checks.check(f"{name}: at most {NOISE_A_DAY} findings of medium and up a day outside the attack", len(noise) <= NOISE_A_DAY * world.days, [(f["hinomi"].get("catalogue"), f["message"]) for f in noise[:5]])


def play(folder, scenario, seed, late):
    name = f"{scenario.__name__} {seed}" + (f", up to {late} s late" if late else "")
    world = scenario(seed)
    path = pathlib.Path(folder, f"{scenario.__name__}-{seed}-{late}.jsonl")
    world.write(path, late)
    status, out, err = run("replay", "--rules", str(ROOT / "content/rules"), "--format", "jsonl", str(path))
    checks.equal(f"{name}: replay", (status, err), (0, ""))
    findings = [row for row in map(json.loads, out.splitlines()) if "finding" in row["hinomi"] and "action" not in row["hinomi"]]
    check(name, world, findings, late)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--keep")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for module in sorted(path.stem for path in (ROOT / "tests/scenarios").glob("*.py") if path.stem != "world"):
            for scenario in importlib.import_module(module).SCENARIOS:
                if given.names and scenario.__name__ not in given.names:
                    continue
                for seed in range(1, given.seeds + 1):
                    play(given.keep or folder, scenario, seed, 0)
                play(given.keep or folder, scenario, 1, 110)


main()
checks.finish()
