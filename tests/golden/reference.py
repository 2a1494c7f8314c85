#!/usr/bin/env python3
"""The reference of the search language: each command, statistics function and eval function says what it is and
has an example, the examples give what they say, and the pages made from them are not old.

  tests/golden/reference.py [--bin build/hinomi]

Closes with "N passed, N failed"; exit status 0 when none failed.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

import run

ROOT = pathlib.Path(__file__).resolve().parents[2]
KINDS = {"command": "commands", "stats": "stats", "eval": "functions"}


def missing(reference):
    """What a descriptor does not say."""
    for kind, key in KINDS.items():
        for entry in reference[key]:
            if not entry.get("runs", True):
                continue
            for part in ("syntax", "summary", "examples"):
                if not entry[part]:
                    yield f"{kind} {entry['name']} has no {part}"
            for option in entry.get("options", []):
                if not option["summary"]:
                    yield f"{kind} {entry['name']}: the option {option['name']} has no summary"


def unknown(reference, cases):
    """An example of something that is not there."""
    for case in cases:
        kind, _, names = case["title"].partition(": ")[0].partition(" ")
        known = {entry["name"] for entry in reference[KINDS[kind]]}
        for name in names.split(","):
            if name.strip() not in known:
                yield f"an example shows {kind} {name.strip()}, which is not there"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.environ.get("HINOMI", str(ROOT / "build/hinomi")))
    args = parser.parse_args()
    reference = json.loads(subprocess.run([args.bin, "help", "search", "--json"], capture_output=True, check=True).stdout)
    cases = [case for path in sorted((ROOT / "docs/reference/examples").rglob("*.test")) for case in run.cases_of(path)]
    problems = list(missing(reference)) + list(unknown(reference, cases))
    passed = sum(len(reference[key]) for key in KINDS.values())
    for case in cases:
        problem = run.check(args.bin, case)
        passed += problem is None
        if problem:
            problems.append(f"{case['title']}\n  {problem}")
    pages = subprocess.run([sys.executable, str(ROOT / "tools/make_reference.py"), "--bin", args.bin, "--check"],
                           capture_output=True, text=True)
    problems += pages.stdout.splitlines() + pages.stderr.splitlines()
    pages = subprocess.run([sys.executable, str(ROOT / "tools/make_decoders_page.py"), "--bin", args.bin, "--check"],
                           capture_output=True, text=True)
    problems += pages.stdout.splitlines() + pages.stderr.splitlines()
    for problem in problems:
        print("FAIL", problem)
    print(f"{passed} passed, {len(problems)} failed")
    return len(problems) > 0


if __name__ == "__main__":
    sys.exit(main())
