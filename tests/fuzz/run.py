#!/usr/bin/env python3
"""Runs every libFuzzer target of a build for some seconds each; seeds are tests/fuzz/corpus/TARGET.

What is found is written to tests/fuzz/found/ with the line that runs it again. Closes with N passed, N failed.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build-fuzz")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    found = ROOT / "tests/fuzz/found"
    found.mkdir(exist_ok=True)
    passed = failed = 0
    for target in sorted((ROOT / args.build / "tests").glob("fuzz_*")):
        if not target.is_file() or target.suffix or args.only not in target.name:
            continue
        with tempfile.TemporaryDirectory() as grown:
            done = subprocess.run([str(target), grown, str(ROOT / "tests/fuzz/corpus" / target.name), f"-max_total_time={args.seconds}",
                                   "-timeout=5", "-rss_limit_mb=1024", "-print_final_stats=1", f"-artifact_prefix={found}/{target.name}-"],
                                  capture_output=True, text=True, errors="replace", cwd=ROOT)
        runs = [line.split(":")[-1].strip() for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        print(f"{'FAIL' if done.returncode else 'ok':4}  {target.name:24} {runs[0] if runs else '?':>12} runs", flush=True)
        if done.returncode:
            failed += 1
            print("\n".join(done.stderr.splitlines()[-25:]))
        else:
            passed += 1
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
