#!/usr/bin/env python3
"""How long searches take to parse: those of a file (JSON lines with "spl"), random ones, and long ones.

  bench/parse.py [--build build] [FILE]
"""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/fuzz"))
import spl_maker


def measure(name, program, searches):
    lines = "".join(" ".join(spl.split("\n")) + "\n" for spl in searches)
    done = subprocess.run([program], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    print(f"{name:8} {done.stdout.decode().strip()}")


def long_searches():
    """Close to 64 KiB each."""
    yield "* | eval x=" + "+".join(["1"] * 32000)
    yield "status IN (" + ",".join(str(n) for n in range(9000)) + ")"
    yield " OR ".join(f"user=u{n}" for n in range(4000))
    yield "*" + " | head 5" * 7000
    yield "* | eval " + ", ".join(f"a{n}=if(b{n}>1,\"x\",\"y\")" for n in range(2000))
    yield "* | stats " + " ".join(f"sum(f{n}) as g{n}" for n in range(2500))
    yield "* | eval x=\"" + "a" * 65000 + "\""
    yield "* | rename " + ", ".join(f"a{n} as b{n}" for n in range(3000))
    yield "* | eval x=" + "(" * 100 + "1" + ")" * 100
    yield "* | eval x=case(" + ",".join(f"n={n},\"v{n}\"" for n in range(500)) + ")"
    yield "search a | append [search b | append [search c | append [search d | append [search e]]]]"
    yield "* " + "x" * 60000 + "*"
    yield "* | eval x=" + ".".join(["a"] * 30000)
    yield "* | fields " + " ".join(f"f{n}" for n in range(8000))
    yield "* | unknown " + "y" * 60000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("file", nargs="?")
    args = parser.parse_args()
    program = pathlib.Path(args.build) / "bench/parse_bench"
    if args.file:
        measure("file", program, [json.loads(line)["spl"] for line in open(args.file, encoding="utf8")])
    measure("random", program, [spl_maker.Maker(seed, 400).query() for seed in range(10000)])
    measure("long", program, list(long_searches()))


main()
