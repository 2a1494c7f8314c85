#!/usr/bin/env python3
"""What the console costs a person's time, in headless Chromium against a real server.

    python3 bench/console.py [--events 10000000] [--rate 5000] [--tail 3600] [--json]

A store with so many events; then, while events come in at the rate: the first screen from a cold cache, its scripts, the first
rows of searches over all events, scrolling a result of a million rows, interaction to next paint, idle work, and the heap over
so many seconds of live tail.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))
import harness  # noqa: E402

BATCH = 500
GOALS = [  # key, what, unit, goal, whether less is better, divisor
    ("usable_ms", "first screen usable, cold cache", "ms", 700, True, 1),
    ("script_bytes", "its scripts, gzipped", "KB", 250, True, 1000),
    ("first_rows_ms", "first rows of a search over all events", "ms", 300, True, 1),
    ("frames_per_s", "scrolling a million rows", "frames/s", 50, False, 1),
    ("interaction_p95_ms", "interaction to next paint, p95", "ms", 100, True, 1),
    ("idle_longest_task_ms", "longest task while idle", "ms", 100, True, 1),
    ("shift", "layout shift of the first screen", "", 0.1, True, 1),
]


def line(i, now):
    return '{"@timestamp":"%s","message":"withdrawal %d asked for","n":%d,"user":{"name":"u%d"},"event":{"dataset":"bench.%d","outcome":"%s"}}\n' % (
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)), i, i, i % 997, i % 7, "failure" if i % 5 else "success")


def fill(folder, events):
    """Events of the last three days, by hinomi import."""
    path, now = pathlib.Path(folder) / "events.jsonl", time.time()
    with open(path, "w", encoding="utf-8") as out:
        for i in range(events):
            out.write(line(i, now - 3 * 86400 * (1 - i / events)))
    subprocess.run([harness.HINOMI, "import", "--dir", folder + "/data", str(path)], check=True, stdout=subprocess.DEVNULL)
    path.unlink()


class Sender(threading.Thread):
    """Events over HEC at a rate, until it is stopped."""

    def __init__(self, server, token, rate):
        super().__init__(daemon=True)
        self.server, self.token, self.rate, self.sent, self.ends = server, token, rate, 0, False

    def run(self):
        begun = time.monotonic()
        while not self.ends:
            body = "".join('{"event":{"message":"order %d placed","n":%d,"user":{"name":"u%d"},"event":{"dataset":"exchange.order"}}}\n' % (i, i, i % 97)
                           for i in range(self.sent, self.sent + BATCH)).encode()
            status, _, _ = self.server.hec(self.token, body)
            assert status == 200, status
            self.sent += BATCH
            time.sleep(max(0, begun + self.sent / self.rate - time.monotonic()))


def measure(events, rate, tail):
    with tempfile.TemporaryDirectory(prefix="hinomi-console-") as folder:
        fill(folder, events)
        server = harness.Server(folder).start(wait=120)
        try:
            server.sign_in()
            sender = Sender(server, server.token(), rate)
            sender.start()
            env = {**os.environ, "HINOMI_URL": f"http://127.0.0.1:{server.api_port}/", "HINOMI_USER": "admin", "HINOMI_PASSWORD": harness.PASSWORD, "HINOMI_TAIL_S": str(tail)}
            done = subprocess.run(["node", "figures.mjs"], cwd=ROOT / "tests/browser", env=env, capture_output=True, text=True, timeout=tail + 900)
            sender.ends = True
            sender.join()
            if done.returncode != 0:
                raise RuntimeError(done.stderr[-3000:])
            return {**json.loads(done.stdout.splitlines()[-1]), "events": events, "rate": rate, "came": sender.sent}
        finally:
            server.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--rate", type=int, default=5000, help="events a second that come meanwhile")
    parser.add_argument("--tail", type=int, default=3600, help="seconds of live tail")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = measure(args.events, args.rate, args.tail)
    if args.json:
        print(json.dumps(found))
        return
    print(f"{args.events:,} events stored, {args.rate:,} more a second")
    for key, what, unit, goal, less, divisor in GOALS:
        value = found[key] / divisor
        met = value <= goal if less else value >= goal
        print(f"{what:42} {value:10.2f} {unit:9} {'<=' if less else '>='} {goal:<6} {'met' if met else 'MISSED'}")
    print(f"heap after {found['tail_s']} s of live tail: {found['heap_begun'] / 1e6:.1f} MB, then {found['heap_ended'] / 1e6:.1f} MB ({found['tail']!r})")
    print(f"{found['interactions']} interactions, the slowest {found['interaction_worst_ms']:.0f} ms; slowest first rows {found['first_rows_worst_ms']:.0f} ms; {found['scrolled']!r}")


if __name__ == "__main__":
    main()
