#!/usr/bin/env python3
"""The console's figures on a small store, beside events that arrive; bench/console.py has the real ones.

What a noisy machine cannot change is asked for as it stands: the size of scripts, no shift, a heap that does not grow with what a
live tail has shown. Times are asked for at several times their goal and printed."""
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import console  # noqa: E402  it puts tests/e2e on the path
import harness  # noqa: E402

EVENTS, RATE, TAIL_S = 60_000, 2000, 15
SLACK = 4
EXACT = {"script_bytes", "shift"}


def main():
    checks = harness.Checks()
    if not shutil.which("chromium") or not (harness.ROOT / "tests/browser/node_modules").exists():
        checks.skip("figures", "Chromium or playwright-core is not installed")
        return checks.finish()
    found = console.measure(EVENTS, RATE, TAIL_S)
    for key, what, unit, goal, less, divisor in console.GOALS:
        value, slack = found[key] / divisor, 1 if key in EXACT else SLACK
        print(f"{what}: {value:.2f} {unit} (goal {goal})")
        checks.check(what, value <= goal * slack if less else value >= goal / slack, f"{value}")
    checks.check("interactions were measured", found["interactions"] >= 30, f"{found['interactions']}")
    grown = found["heap_ended"] - found["heap_begun"]
    checks.check("the heap does not grow with what a live tail has shown", grown < 8e6, f"{found['heap_begun']} to {found['heap_ended']}")
    checks.check("events came meanwhile", found["came"] > RATE * TAIL_S / 2, f"{found['came']}")
    return checks.finish()


if __name__ == "__main__":
    main()
