#!/usr/bin/env python3
"""What rules remember: memory of 100,000 groups of each kind of correlation and of ten million first-seen keys, by their own account and as
the process grows, and the CPU time of a checkpoint and of a start with it. See bench/README.md.

  bench/state.py [--build DIR] [--groups N] [--keys N]"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
BASES = "---\n".join(f"title: {n}\nname: {n}\nlogsource: {{product: test}}\ndetection: {{s: {{E: {n}}}, condition: s}}\n" for n in "abcd")
ANY = "logsource: {product: test}\ndetection: {s: {U: '*'}, condition: s}\n"
NEVER = 1000  # no count reaches it: everything is kept and nothing found


def correlation(kind, condition):
    return (f"{BASES}---\ntitle: {kind}\ncorrelation: {{type: {kind}, rules: [a, b, c, d], group-by: [U], timespan: 1d"
            + (f", condition: {json.dumps(condition)}" if condition else "") + "}\n")


KINDS = {
    **{kind: correlation(kind, {"gte": NEVER}) for kind in ("event_count",)},
    **{kind: correlation(kind, {"field": "V", "gte": NEVER}) for kind in ("value_count", "value_sum", "value_avg", "value_max", "value_median")},
    "value_min": correlation("value_min", {"field": "V", "lt": 0}),
    "value_percentile": correlation("value_percentile", {"field": "V", "percentile": 95, "gte": NEVER}),
    "temporal": correlation("temporal", {"gte": 5}),
    "temporal_ordered": correlation("temporal_ordered", {"gte": 5}),
    "ratio": f"title: ratio\n{ANY}hinomi: {{ratio: {{key: U, of: 'E = \"x\"', gte: 0.5, within: 1d}}}}\n",
    "beacon": f"title: beacon\n{ANY}hinomi: {{beacon: {{key: U, intervals: 100, within: 1d}}}}\n",
    "risk": f"{BASES}---\ntitle: risk\nhinomi: {{risk: {{key: U, rules: {{a: 1, b: 1, c: 1, d: 1}}, half_life: 1d, threshold: 1000}}}}\n",
    "absent": f"title: absent\n{ANY}hinomi: {{absent: {{event: 'E = \"x\"', key: U, within: 1d}}}}\n",
}
NEW = f"title: new\n{ANY}hinomi: {{new: {{key: U, learn: 1d}}}}\n"


def measure(build, folder, rules, groups, events):
    (folder / "rules.yml").write_text(rules)
    done = subprocess.run([build / "bench/state_bench", folder / "rules.yml", str(groups), str(events)], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def row(name, groups, events, figures):
    print(f"| {name} | {groups:,} | {events} | {figures['own_mb']:.1f} | {figures['resident_mb']:.1f} | {figures['evicted']:,} | "
          f"{figures['us_an_event']:.2f} | {figures['saved_mb']:.1f} | {figures['save_s']:.2f} | {figures['load_s']:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--groups", type=int, default=100000)
    parser.add_argument("--keys", type=int, default=10000000)
    args = parser.parse_args()
    build = pathlib.Path(args.build).resolve()
    print("| rule | keys | events of each | MB by its account | MB resident | forgotten | µs of CPU an event | MB saved | s to save | s to load |\n"
          "|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="hinomi-state-") as folder:
        for name, rules in KINDS.items():
            for events in (1, 4):
                row(name, args.groups, events, measure(build, pathlib.Path(folder), rules, args.groups, events))
        row("new", args.keys, 1, measure(build, pathlib.Path(folder), NEW, args.keys, 1))


main()
