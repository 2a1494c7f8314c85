#!/usr/bin/env python3
"""Every vector of sigma_vectors.py: all rules at once over all events, then each rule by itself; both must find exactly what the
specification says, and a rule must not find anything in the events of others that it does not find alone."""
import json
import pathlib
import tempfile

from harness import Checks, run
from sigma_vectors import GROUPS

checks = Checks()


def rule(number, searches, condition):
    indented = "".join(f"  {line}\n" for line in searches.split("\n"))
    return (f"title: vector {number}\nid: {number:08}-0000-4000-8000-000000000000\nlogsource: {{product: test, category: test}}\n"
            f"detection:\n{indented}  condition: {condition}\n")


def found(rules, *events):
    """Which records of which file each rule found."""
    status, out, err = run("detect", "--rules", rules, "--ignore-logsource", "--format", "jsonl", *events)
    hits = {}
    for line in map(json.loads, out.splitlines()):
        key = (line["rule"]["id"], pathlib.Path(line["log"]["file"]["path"]).name)
        hits.setdefault(key, []).append(line["hinomi"]["record"])
    return status, hits, err


def write(folder):
    """A rule and a file of events for each vector."""
    (folder / "rules").mkdir()
    (folder / "events").mkdir()
    vectors = []
    for group, entries in GROUPS.items():
        for what, searches, condition, yes, no in entries:
            number = len(vectors)
            (folder / f"rules/{number}.yml").write_text(rule(number, searches, condition))
            (folder / f"events/{number}.jsonl").write_text("".join(json.dumps(e, ensure_ascii=False) + "\n" for e in yes + no))
            vectors.append((f"{group}: {what}", yes, no))
    return vectors


def check_all(folder):
    vectors = write(folder)
    _, listed, _ = run("rules", "check", "--format", "jsonl", "--ignore-logsource", folder / "rules")
    reasons = {r["rule"]["id"]: r for r in map(json.loads, listed.splitlines())}
    status, together, err = found(folder / "rules", folder / "events")
    checks.check("all rules at once run", status == 0, err[-500:])
    for number, (what, yes, no) in enumerate(vectors):
        name = f"{number:08}-0000-4000-8000-000000000000"
        got = together.get((name, f"{number}.jsonl"), [])
        wrong = [(yes + no)[i] for i in set(got) ^ set(range(len(yes)))]
        checks.check(what, got == list(range(len(yes))), f"wrong about {wrong}; {reasons.get(name)}")
    for number, (what, _, _) in enumerate(vectors):
        name = f"{number:08}-0000-4000-8000-000000000000"
        _, alone, _ = found(folder / f"rules/{number}.yml", folder / "events")
        checks.check(f"{what}, alone, over all events", alone == {k: v for k, v in together.items() if k[0] == name})
    print(f"{len(vectors)} vectors")


with tempfile.TemporaryDirectory() as place:
    check_all(pathlib.Path(place))
checks.finish()
