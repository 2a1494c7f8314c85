#!/usr/bin/env python3
"""Searches that ask for too much end within their memory and time, with the right answer or an error that says what to do."""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness
import worst_searches

MEMORY = 256 << 20
RSS_MAX = MEMORY * 1.1
TIME_LIMIT_S = 20
ADVICE = ("narrow", "state a limit", "widen", "at most", "more than", "deep", "keep", "joined", "simpler", "took longer", "no table", "longer than")


def make_store(folder):
    rng = random.Random(7)
    body = "a" * 4000 + "!"
    with open(folder / "events.jsonl", "w") as file:
        for n in range(worst_searches.EVENTS):
            event = {"@timestamp": 1717200000 + n * 30, "id": n, "n": n % 10, "user": f"user{rng.randrange(50)}", "host.name": f"h{n % 5}", "word": f"w{n * 7919 % 1000003:07}x",
                     "tags": ["a", "b", "c"], "js": json.dumps({"a": {"b": n % 100}, "l": [1, 2, 3]}), "list": "1,2,3,4,5,6,7,8"}
            if n % 100 == 0:
                event["body"] = body
            file.write(json.dumps(event) + "\n")
    status, _, told = harness.run("import", "--dir", folder / "data", folder / "events.jsonl")
    assert status == 0, told


class Ended:
    def __init__(self, folder, spl, limit_s=TIME_LIMIT_S):
        with open(folder / "out", "wb") as out, open(folder / "err", "wb") as err:
            start = time.monotonic()
            child = subprocess.Popen([harness.HINOMI, "search", "--dir", folder / "data", "--format", "jsonl", "--time-limit", f"{limit_s}s", spl],
                                     stdin=subprocess.DEVNULL, stdout=out, stderr=err, env={**os.environ, "TMPDIR": str(folder)})
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = status
        self.status = os.waitstatus_to_exitcode(status)
        self.rss = used.ru_maxrss << 10
        self.cpu = used.ru_utime + used.ru_stime
        self.wall = time.monotonic() - start
        self.told = (folder / "err").read_text(errors="replace")
        self.out = folder / "out"

    def rows(self):
        with open(self.out, "rb") as file:
            first = file.readline()
            count = (1 if first else 0) + sum(1 for _ in file)
        only = json.loads(first) if count == 1 else {}
        return only["count"] if list(only) == ["count"] else count


def judge(checks, name, expect, ended):
    checks.check(f"{name}: ends", ended.status in (0, 1), f"exit {ended.status} {ended.told[-300:]}")
    checks.check(f"{name}: memory", ended.rss <= RSS_MAX, f"{ended.rss / 2**20:.0f} MiB")
    checks.check(f"{name}: time", ended.cpu <= 2 * TIME_LIMIT_S + 2, f"{ended.cpu:.1f} s")
    if ended.status == 1:
        checks.check(f"{name}: says what to do", any(word in ended.told for word in ADVICE) and "out of memory" not in ended.told, ended.told[-300:])
    if isinstance(expect, int):
        checks.check(f"{name}: answer", ended.status == 0 and ended.rows() == expect, f"exit {ended.status}: {ended.rows()} rows, not {expect}; {ended.told[-200:]}")
    elif expect:
        checks.check(f"{name}: error", ended.status == 1 and expect in ended.told, ended.told[-300:])


def main():
    checks = harness.Checks()
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    with tempfile.TemporaryDirectory(prefix="hinomi-worst-") as name:
        folder = pathlib.Path(name)
        make_store(folder)
        for title, spl, expect in worst_searches.WORST:
            if only not in title:
                continue
            ended = Ended(folder, spl)
            if os.environ.get("HINOMI_VERBOSE"):
                print(f"{ended.status} {ended.cpu:6.1f} s {ended.wall:6.1f} s {ended.rss / 2**20:5.0f} MiB  {title}: {ended.told.strip()[:150]}", flush=True)
            judge(checks, title, expect, ended)
    checks.finish()


if __name__ == "__main__":
    main()
