#!/usr/bin/env python3
"""Runs the tests and ends with one line: N passed, N failed, N skipped.

  tests/check.py --build DIR [--unit | --full] [--only WORD]

Each part prints lines of its own; what counts is its closing line ("N passed, N failed[, N skipped]")
or, for cmocka programs, their TAP output.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PLAIN = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?")
NODE = re.compile(r"^# (pass|fail|skipped) (\d+)", re.M)


class Total:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, name, passed, failed, skipped, seconds, output):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        print(f"{'FAIL' if failed else 'ok':4}  {name:32} {passed:5} passed {failed:3} failed {skipped:3} skipped  {seconds:6.1f} s", flush=True)
        if failed:
            print("\n".join("      " + line for line in output.splitlines()[-60:]), flush=True)


def run(command, env=None, timeout=1500):
    start = time.monotonic()
    try:
        result = subprocess.run(command, cwd=ROOT, env={**os.environ, **(env or {})}, capture_output=True,
                                text=True, errors="replace", timeout=timeout)
        return result.returncode, result.stdout + result.stderr, time.monotonic() - start
    except subprocess.TimeoutExpired as late:
        out = (late.stdout or b"").decode(errors="replace") + f"\ntimed out after {timeout} s"
        return 124, out, time.monotonic() - start


def cmocka(total, program):
    code, output, seconds = run([str(program)], {"CMOCKA_MESSAGE_OUTPUT": "TAP"}, 600)
    passed = len(re.findall(r"^\s*ok \d+ - (?!.*# SKIP)", output, flags=re.M))
    skipped = len(re.findall(r"^\s*(?:not )?ok \d+.*# SKIP", output, flags=re.M))
    failed = len(re.findall(r"^\s*not ok \d+(?!.*# SKIP)", output, flags=re.M))
    if code and not failed:
        failed = 1
        output += f"\nexit status {code}"
    total.add(program.name, passed, failed, skipped, seconds, output)


def replay(total, program):
    corpus = ROOT / "tests/fuzz/corpus" / program.name
    code, output, seconds = run([str(program), str(corpus)], timeout=300)
    total.add(program.name, int(code == 0), int(code != 0), 0, seconds, output)


def plain(total, name, command, env=None, timeout=1500):
    code, output, seconds = run(command, env, timeout)
    found = PLAIN.findall(output)
    node = dict(NODE.findall(output))
    if found:
        passed, failed, skipped = (int(n or 0) for n in found[-1])
    elif node:
        passed, failed, skipped = (int(node.get(k, 0)) for k in ("pass", "fail", "skipped"))
    else:
        passed, failed, skipped = 0, 1, 0
        output += f"\nno closing line; exit status {code}"
    if code and not failed:
        failed = 1
        output += f"\nexit status {code}"
    total.add(name, passed, failed, skipped, seconds, output)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--unit", action="store_true", help="unit tests and corpora only (sanitizer builds)")
    parser.add_argument("--full", action="store_true", help="the long campaigns as well")
    parser.add_argument("--only", default="", help="parts whose name has this word")
    args = parser.parse_args()
    build = (ROOT / args.build).resolve()
    os.environ["HINOMI_FULL"] = "1" if args.full else ""
    total = Total()
    want = lambda name: args.only in name
    for program in sorted(p for p in (build / "tests").iterdir() if not p.name.startswith("fuzz_") and not p.suffix):
        if program.is_file() and os.access(program, os.X_OK) and want(program.name):
            cmocka(total, program)
    for program in sorted((build / "tests").glob("fuzz_*")):
        if program.is_file() and os.access(program, os.X_OK) and want(program.name):
            replay(total, program)
    if not args.unit:
        env = {"HINOMI": str(build / "hinomi")}
        if want("shape"):
            plain(total, "shape", [sys.executable, "tests/shape/shape.py"])
        if (ROOT / "tests/golden/run.py").exists() and want("golden"):
            plain(total, "golden", [sys.executable, "tests/golden/run.py"], env)
        if want("reference"):
            plain(total, "reference", [sys.executable, "tests/golden/reference.py"], env)
        for test in sorted((ROOT / "tests/e2e").glob("test_*.py")) + sorted((ROOT / "tests/fault").glob("test_*.py")):
            if want(test.stem):
                plain(total, test.stem, [sys.executable, str(test)], env, 7200 if args.full else 1200)
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return total.failed > 0 or total.passed == 0


if __name__ == "__main__":
    sys.exit(main())
