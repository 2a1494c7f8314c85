#!/usr/bin/env python3
"""Joins, windows, captures and many groups beside other engines; see bench/README.md.

  analysis.py --write FOLDER                 the SQL of each peer as FOLDER/analysis-PEER.json, for a runner
                                             of peers that fills {field} for its dialect
  analysis.py --build build --store STORE [--runs N] [PEER=RESULT.json ...]
                                             CPU ms of ours, warm, in one open process, beside the peers' best
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

QUERIES = json.load(open(pathlib.Path(__file__).with_name("analysis.json"), encoding="utf8"))["queries"]
PEERS = ("duckdb", "chdb")


def write(folder):
    for peer in PEERS:
        listed = [{"id": q["id"], "class": q["what"], "compare": "none", "sql": q[peer]} for q in QUERIES if peer in q]
        path = os.path.join(folder, f"analysis-{peer}.json")
        json.dump({"queries": listed}, open(path, "w", encoding="utf8"))
        print(path)


def ours(build, store, runs):
    """Best CPU ms of each question; None where it failed."""
    times = {}
    for query in QUERIES:
        with tempfile.TemporaryFile("w+") as spl:
            spl.write(query["spl"] + "\n")
            spl.seek(0)
            done = subprocess.run([os.path.join(build, "bench/search_bench"), store, str(runs)], stdin=spl,
                                  capture_output=True, text=True, env=dict(os.environ, HINOMI_BENCH_THREADS="1"))
        times[query["id"]] = float(done.stdout.split()[1]) if done.returncode == 0 else None
        if done.returncode:
            print(query["id"], done.stderr.strip())
    return times


def peer_times(path):
    """Best warm CPU ms by id, of a result of run_peers.py."""
    found = {}

    def walk(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if isinstance(value, dict) and "warm_cpu_s" in value:
                    found[key] = value["warm_cpu_s"] * 1000
                else:
                    walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(json.load(open(path, encoding="utf8")))
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", metavar="FOLDER")
    parser.add_argument("--build", default="build")
    parser.add_argument("--store")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("peers", nargs="*", metavar="PEER=RESULT.json")
    args = parser.parse_args()
    if args.write:
        return write(args.write)
    if not args.store:
        parser.error("--store STORE is needed: the folder store of a data folder")
    peers = {name: peer_times(path) for name, path in (p.split("=", 1) for p in args.peers)}
    times = ours(args.build, args.store, args.runs)
    print("| | ours, CPU ms | goal | " + " | ".join(peers) + " |\n|---|--:|--:|" + "--:|" * len(peers))
    for query in QUERIES:
        mine = times[query["id"]]
        goal = f"{query['goal_ms']} ms" if "goal_ms" in query else f"{query['goal']}x"
        beside = [f"{t[query['id']]:.0f} ({mine / t[query['id']]:.2f}x)" if mine and query["id"] in t else "" for t in peers.values()]
        print(f"| {query['what']} | {'failed' if mine is None else format(mine, '.0f')} | {goal} | " + " | ".join(beside) + " |")


if __name__ == "__main__":
    main()
