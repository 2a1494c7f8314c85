#!/usr/bin/env python3
"""Runs the tests and ends with one line: N passed, N failed, N skipped.

  tests/check.py --build DIR [--unit | --full] [--only WORD]

Two parts run at a time: those that mostly wait for a clock (WAITING), and beside them all others, one after another.
Each part prints lines of its own; what counts is its closing line ("N passed, N failed[, N skipped]")
or, for cmocka programs, their TAP output.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[1]
PLAIN = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?")
# Less than a tenth of their time is the processor's: they leave it to what runs beside them.
WAITING = {"test_actions", "test_blind", "test_browser_response", "test_channels", "test_demo_night", "test_file_tail", "test_http_heartbeat", "test_http_poll",
           "test_kafka", "test_keep", "test_poll_large", "test_rule_swap", "test_schedule", "test_sources", "test_waking", "test_waking_chaos", "test_watch"}
NODE = re.compile(r"^# (pass|fail|skipped) (\d+)", re.M)


class Total:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.lock = threading.Lock()

    def add(self, name, passed, failed, skipped, seconds, output):
        text = f"{'FAIL' if failed else 'ok':4}  {name:32} {passed:5} passed {failed:3} failed {skipped:3} skipped  {seconds:6.1f} s"
        if failed:
            text += "".join("\n      " + line for line in output.splitlines()[-60:])
        with self.lock:
            self.passed += passed
            self.failed += failed
            self.skipped += skipped
            print(text, flush=True)


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


def parts(total, build, args):
    """What is to be run: (name, how), in order."""
    env = {"HINOMI": str(build / "hinomi")}
    programs = [p for p in sorted((build / "tests").iterdir()) if p.is_file() and not p.suffix and os.access(p, os.X_OK)]
    found = [(p.name, lambda p=p: cmocka(total, p)) for p in programs if not p.name.startswith("fuzz_")]
    found += [(p.name, lambda p=p: replay(total, p)) for p in programs if p.name.startswith("fuzz_")]
    if not args.unit:
        found.append(("shape", lambda: plain(total, "shape", [sys.executable, "tests/shape/shape.py"])))
        found.append(("golden", lambda: plain(total, "golden", [sys.executable, "tests/golden/run.py"], env)))
        found.append(("reference", lambda: plain(total, "reference", [sys.executable, "tests/golden/reference.py"], env)))
        for test in sorted((ROOT / "tests/e2e").glob("test_*.py")) + sorted((ROOT / "tests/fault").glob("test_*.py")):
            found.append((test.stem, lambda t=test: plain(total, t.stem, [sys.executable, str(t)], env, 7200 if args.full else 1200)))
    return [(name, how) for name, how in found if args.only in name]


def run_all(total, todo):
    for name, how in todo:
        try:
            how()
        except Exception:  # of this file: no part may be missing quietly
            total.add(name, 0, 1, 0, 0.0, traceback.format_exc())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--unit", action="store_true", help="unit tests and corpora only (sanitizer builds)")
    parser.add_argument("--full", action="store_true", help="the long campaigns as well")
    parser.add_argument("--only", default="", help="parts whose name has this word")
    args = parser.parse_args()
    os.environ["HINOMI_FULL"] = "1" if args.full else ""
    total = Total()
    todo = parts(total, (ROOT / args.build).resolve(), args)
    waiting = threading.Thread(target=run_all, args=(total, [part for part in todo if part[0] in WAITING]))
    waiting.start()
    run_all(total, [part for part in todo if part[0] not in WAITING])
    waiting.join()
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return total.failed > 0 or total.passed == 0


if __name__ == "__main__":
    sys.exit(main())
