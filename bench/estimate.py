#!/usr/bin/env python3
"""What searches cost beside what was said before; see bench/README.md.

  estimate.py --dir DIR [--hinomi build/hinomi] [--runs N] [--only WORD] [--verbose]

Right is within a factor of 2, for bytes and for processor time. A run whose processor time was disturbed by
the machine's other work is not told from a wrong estimate, so the best of N runs counts: the one where said
and real are closest."""
import argparse
import json
import pathlib
import re
import subprocess
import sys

LIST = json.load(open(pathlib.Path(__file__).with_name("estimate.json"), encoding="utf8"))
SMALL = {"bytes": 65536, "cpu s": 0.005, "rows": 1000}  # both below: right


def ask(hinomi, directory, span, spl):
    """{what: (said, real)}"""
    bounds = LIST["ranges"].get(span)
    words = ["--from", bounds[0], "--to", bounds[1]] if bounds else []
    done = subprocess.run([hinomi, "search", "--dir", directory, "--explain", "--format", "csv", *words, spl], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{spl}: {done.stderr}")
    return {m[1]: (float(m[2]), float(m[3])) for m in re.finditer(r"^(blocks|rows|matched|bytes|cpu s) +([\d.]+) +([\d.]+)$", done.stderr, re.M)}


def apart(what, pair):
    """How many times one is the other, 1 when both are small."""
    said, real = pair
    small = SMALL.get(what, 0)
    if max(said, real) <= small:
        return 1.0
    return max(said, real) / max(min(said, real), small / 10, 1e-9)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", required=True)
    parser.add_argument("--hinomi", default="build/hinomi")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--verbose", action="store_true", help="every search, not only the wrong ones")
    args = parser.parse_args()
    right = {"bytes": 0, "cpu s": 0, "rows": 0}
    asked = [s for s in LIST["searches"] if args.only in s[1]]
    print("| search | rows | bytes | CPU s | said/real |\n|---|--:|--:|--:|---|")
    for span, spl in asked:
        runs = [ask(args.hinomi, args.dir, span, spl) for _ in range(args.runs)]
        best = min(runs, key=lambda run: apart("cpu s", run["cpu s"]))
        off = {what: apart(what, best[what]) for what in right}
        for what in right:
            right[what] += off[what] <= 2
        if args.verbose or max(off.values()) > 2:
            pairs = [f"{best[w][0]:g} / {best[w][1]:g}" for w in ("rows", "bytes", "cpu s")]
            worst = ", ".join(f"{w} {o:.1f}x" for w, o in off.items() if o > 2)
            shown = spl.replace("|", "\\|")
            print(f"| {span} `{shown}` | {' | '.join(pairs)} | {worst} |", flush=True)
    print("\nwithin a factor of 2: " + ", ".join(f"{what} {n} of {len(asked)}" for what, n in right.items()))


if __name__ == "__main__":
    main()
