#!/usr/bin/env python3
"""Random Sigma rules on random events: the program, with all rules at once, against sigma_naive.py, rule by rule.

  tests/fuzz/fuzz_sigma_plan.py [--pairs N] [--seed S]   ends with N passed, N failed

Each round has a seed of its own and is a set of rules and of events; a pair is a rule and an event. Every round asks all rules of all
events; some also ask with the rules shuffled over files, with the events one to a file (a batch each), and some rules alone."""
import argparse
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import harness
from sigma_naive import CODINGS, Number, Rule

RULES, EVENTS = 120, 250
FIELDS = ["F0", "F1", "F2", "Deep.Leaf", "Deep.Er.Leaf", "Empty"]
# No digits and no letters of hexadecimal numbers: keywords look into what the program adds to an event, too.
PIECES = ["q", "Q", "k", "K", "\u212a", "s", "\u017f", "w", "Zq", "zq", "ws", "\u0436", "\u0416", "\u00c9", "\u00e9", "\u03a3", "\u03c3", "\u03c2",
          "\\", " ", "-", "/", "\u2013", "*", "?", "qwz", "-zq", " /k", "\uff31", "\uff51", "\u9280\u884c"]
NUMBERS = ["0", "1", "2", "7", "10", "-1", "1.0", "1.5", "7.50", "123456789012345678901", "-0.25"]
ADDRESSES = ["10.1.2.3", "10.200.0.1", "192.168.7.7", "2001:db8::1", "2001:db8:ffff::1"]
NETWORKS = ["10.0.0.0/8", "10.1.2.3/32", "192.168.0.0/16", "2001:db8::/32", "2001:db8::/64", "0.0.0.0/0"]
TIMES = ["2026-03-01T10:20:30Z", "2025-12-29T23:59:00Z", "2021-01-01T00:00:00Z", "2024-02-29T10:01:59Z"]
PATTERNS = ["q.*w", "^q", "zq$", "[qk]w*s", "(q|z)q", "qwz", "ws|wq", "q.z", "^.{2}$", "[^q]\u0436", "\u00e9?q", "q\u0416", "\u9280.$", "\\\\", "^\\s*$", "zq.+k", "Q[^k]?z"]


def text(rng, most=4):
    return "".join(rng.choice(PIECES) for _ in range(rng.randrange(most + 1)))


def number(rng):
    return Number(rng.choice(NUMBERS))


# ---- events ----

def value(rng):
    kind = rng.randrange(12)
    if kind < 7:
        return text(rng)
    return [number(rng), rng.choice(NUMBERS), None, rng.choice([True, False]), rng.choice(ADDRESSES), rng.choice(TIMES)][rng.randrange(6)]


def event(rng):
    out = {f: [value(rng) for _ in range(rng.randrange(1, 4))] if rng.random() < 0.15 else value(rng)
            for f in FIELDS if rng.random() < 0.7 and f != "Empty"}
    if rng.random() < 0.5:
        out["When"] = rng.choice([rng.choice(TIMES), text(rng)])  # no numbers: they would be seconds
    return out


# ---- rules ----

def wanted(rng, mods):
    if "re" in mods:
        return rng.choice(PATTERNS)
    if "cidr" in mods:
        return rng.choice(NETWORKS)
    if "fieldref" in mods:
        return rng.choice(FIELDS)
    if mods & {"lt", "lte", "gt", "gte"}:
        return number(rng)
    if mods & {"minute", "hour", "day", "week", "month", "year"}:
        lists = {"minute": "0 1 10 20 29 53 59", "hour": "0 1 10 20", "day": "1 10 20 29", "week": "1 2 10 29 53", "month": "1 2 10 12", "year": "2024 2026"}
        return Number(rng.choice(next(lists[m] for m in lists if m in mods).split()))
    if mods & CODINGS:
        return re.sub(r"[\\]*([*?])", r"\\\1", text(rng, 2)) or "q"
    if mods & {"contains", "startswith", "endswith", "windash", "cased"}:
        return text(rng) if rng.random() < 0.95 else number(rng)
    return rng.choice([text(rng), text(rng), text(rng, 2), number(rng), rng.choice(NUMBERS), None])


MODIFIERS = [[], [], [], ["contains"], ["contains"], ["startswith"], ["endswith"], ["re"], ["re", "startswith"], ["re", "endswith"], ["re", "i"], ["re", "m"], ["re", "i", "s"],
             ["cidr"], ["lt"], ["lte"], ["gt"], ["gte"], ["fieldref"], ["fieldref", "contains"], ["fieldref", "startswith"],
             ["windash"], ["windash", "contains"], ["base64"], ["base64", "contains"], ["base64offset", "contains"],
             ["wide", "base64offset", "contains"], ["utf16", "base64", "contains"], ["utf16be", "contains"], ["wide", "contains"],
             ["minute"], ["hour"], ["day"], ["week"], ["month"], ["year"]]


def item(rng):
    """A key and what it wants."""
    if rng.random() < 0.05:
        return rng.choice(FIELDS) + "|exists", rng.choice([True, False])
    mods = list(rng.choice(MODIFIERS))
    if rng.random() < 0.15 and not set(mods) & {"re", "cidr", "lt", "lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year"}:
        mods.append("cased")
    if rng.random() < 0.08:
        mods.append("neq")
    many = rng.random() < 0.4
    if many and rng.random() < 0.25:
        mods.append("all")
    times = set(mods) & {"minute", "hour", "day", "week", "month", "year"}
    key = "|".join(["When" if times else rng.choice(FIELDS), *mods])
    count = rng.choice([2, 3, 4, 30]) if many else 1
    values = [wanted(rng, set(mods)) for _ in range(count)]
    return key, values if many else values[0]


def keyword(rng):
    return text(rng, 2) + "q" + text(rng, 2)  # which nothing has that the program adds to an event


def search(rng):
    kind = rng.randrange(12)
    if kind == 0:
        return [keyword(rng) for _ in range(rng.randrange(1, 4))]
    if kind == 1:
        return {"|all": [keyword(rng) for _ in range(rng.randrange(1, 3))]}
    if kind == 2:
        return {"|re": rng.choice(PATTERNS)}
    if kind == 3:
        return [dict(item(rng) for _ in range(rng.randrange(1, 3))) for _ in range(rng.randrange(1, 4))]
    return dict(item(rng) for _ in range(rng.randrange(1, 4)))


def condition(rng, names, depth=0):
    kind = rng.randrange(8 if depth < 3 else 3)
    if kind < 2:
        return rng.choice(names)
    if kind == 2:
        return rng.choice(["1 of them", "all of them", "any of them", "1 of sel*", "all of sel*", "any of filter*", "1 of *_a", "1 of *"])
    if kind == 3:
        return "not " + condition(rng, names, depth + 1)
    if kind == 4:
        return "(" + condition(rng, names, depth + 1) + ")"
    return condition(rng, names, depth + 1) + rng.choice([" and ", " or ", " and not "]) + condition(rng, names, depth + 1)


def detection(rng):
    names = ["sel_a", "filter_a"] + rng.sample(["sel_b", "sel", "filter", "_hidden", "other"], rng.randrange(3))
    out = {name: search(rng) for name in names}
    out["condition"] = [condition(rng, names) for _ in range(2)] if rng.random() < 0.1 else condition(rng, names)
    return out


# ---- writing them down ----

def to_json(data):
    if isinstance(data, Number):
        return data.text
    if isinstance(data, dict):
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{to_json(v)}" for k, v in data.items()) + "}"
    if isinstance(data, list):
        return "[" + ",".join(map(to_json, data)) + "]"
    return json.dumps(data, ensure_ascii=False)


def event_line(flat):
    nested = {}
    for name, v in flat.items():
        *folders, leaf = name.split(".")
        at = nested
        for folder in folders:
            at = at.setdefault(folder, {})
        at[leaf] = v
    return to_json(nested)


def rule_document(number, what):
    return to_json({"title": f"rule {number}", "id": str(number), "logsource": {"product": "any"}, "detection": what})


def detect(folder, rules, files):
    """Which (rule, file, record) match."""
    done = subprocess.run([harness.HINOMI, "detect", "--rules", rules, "--ignore-logsource", "--format", "jsonl", *files], cwd=folder,
                          capture_output=True, text=True, timeout=600)
    if done.returncode or done.stderr:
        raise SystemExit(f"{folder}: {done.stderr}")  # a rule that is not active is said there
    found = []
    for line in done.stdout.splitlines():
        hit = json.loads(line)
        found.append((int(hit["rule"]["id"]), hit["log"]["file"]["path"], hit["hinomi"]["record"]))
    if len(set(found)) != len(found):
        raise SystemExit(f"{folder}: a match is given twice")
    return set(found)


class Round:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.rules = [detection(self.rng) for _ in range(RULES)]
        self.events = [event(self.rng) for _ in range(EVENTS)]
        naive = [Rule(r) for r in self.rules]
        self.expected = {(r, e) for r, rule in enumerate(naive) for e, one in enumerate(self.events) if rule.matches(one)}

    def write_rules(self, folder, numbers):
        pathlib.Path(folder).mkdir(exist_ok=True)
        files = max(1, len(numbers) // 40)
        for i in range(files):
            pathlib.Path(folder, f"{i}.yml").write_text("\n---\n".join(rule_document(n, self.rules[n]) for n in numbers[i::files]))

    def differs(self, how, numbers, got):
        """Says the first difference, and how many there are."""
        expected = {(r, e) for r, e in self.expected if r in numbers}
        wrong = sorted(got ^ expected)
        for r, e in wrong[:1]:
            print(f"  {how}: {'too much' if (r, e) in got else 'missing'}:\n    {to_json(self.rules[r])}\n    {event_line(self.events[e])}")
        return len(wrong)

    def ask(self, folder, long):
        every = list(range(RULES))
        pathlib.Path(folder, "e.jsonl").write_text("".join(event_line(e) + "\n" for e in self.events))
        self.write_rules(folder + "/all", every)
        wrong = self.differs("together", every, {(r, e) for r, _, e in detect(folder, "all", ["e.jsonl"])})
        if not long or wrong:
            return wrong
        shuffled = self.rng.sample(every, RULES)
        self.write_rules(folder + "/shuffled", shuffled)
        pathlib.Path(folder, "single").mkdir()
        for i, one in enumerate(self.events):
            pathlib.Path(folder, "single", f"{i}.jsonl").write_text(event_line(one) + "\n")
        files = [f"single/{i}.jsonl" for i in self.rng.sample(range(EVENTS), EVENTS)]
        wrong += self.differs("shuffled, events singly", every, {(r, int(f[7:-6])) for r, f, _ in detect(folder, "shuffled", files)})
        for number in self.rng.sample(every, 3):
            self.write_rules(folder + f"/alone{number}", [number])
            wrong += self.differs("alone", [number], {(r, e) for r, _, e in detect(folder, f"alone{number}", ["e.jsonl"])})
        return wrong


def campaign(pairs, seed):
    """How many pairs agreed, and how many did not."""
    passed = failed = 0
    while passed + failed < pairs:
        one = Round(seed)
        with tempfile.TemporaryDirectory(prefix="fuzz_sigma") as folder:
            wrong = one.ask(folder, long=seed % 3 == 0)
        if wrong:
            print(f"seed {seed}: {wrong} pairs differ")
        failed += wrong
        passed += RULES * EVENTS - wrong
        seed += 1
    return passed, failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=200000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    passed, failed = campaign(args.pairs, args.seed)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)
