#!/usr/bin/env python3
"""Random searches of random events, asked in ways that must give the same rows.

  tests/fuzz/fuzz_search.py [--queries N] [--seed S] [--large] [--check WORD]   ends with N passed, N failed

Each query has a seed of its own (the first is S, the next S+1 ...), so `--queries 1 --seed S` asks it again. The checks:

  naive      the usual plan = the plan without shortcuts (src/search/naive.h)
  threads    one reading thread = four
  file       the store, of several segments and a journal = a table file of the same events
  memory     4 to 32 MiB = 2 GiB, or the error that says that memory is out
  head       the first rows of an answer = what head gives
  parts      TRUE, FALSE and NULL of a condition add up to all rows, and so do NOT of terms
  split      the counts of a range cut in pieces add up to that of the whole
"""
import argparse
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "tests/fuzz")]
import harness
import spl_maker

ASK = pathlib.Path(harness.HINOMI).resolve().parent / "tests/ask/search_ask"
MEMORY_OUT = ("the search needs more than", "memory")


class Asker:
    """search_ask with a store and a file of the same events."""

    def __init__(self, folder):
        self.folder = folder
        self.start(folder / "events.jsonl")

    def start(self, file):
        store = self.folder / "data/store"
        self.process = subprocess.Popen([ASK, store, file if file.exists() else "-", self.folder / "tables", self.folder / "tail.jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="surrogateescape")

    def ask(self, spl, where="store", plan="fast", threads=1, memory=0, start=0, end=0, raw=False):
        assert "\n" not in spl
        try:
            self.process.stdin.write(f"{where} {plan} {threads} {memory} {start} {end}\t{spl}\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
            return line if raw else json.loads(line)
        except (ValueError, BrokenPipeError):
            self.process.kill()
            told = self.process.stderr.read()[-2000:]
            self.start(self.folder / "events.jsonl")
            return {"error": f"CRASH: {told}"}


def same_value(a, b):
    """Numbers but for the last digits of doubles; whether 200 and "200" that are one value are shown as number or text is left open."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same_value, a, b))
    if isinstance(a, str) != isinstance(b, str):
        return str(a) == str(b)
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b or (isinstance(a, float) or isinstance(b, float)) and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
    return a == b


def same_rows(a, b):
    return len(a) == len(b) and all(x.keys() == y.keys() and all(same_value(x[k], y[k]) for k in x) for x, y in zip(a, b))


def first_difference(a, b):
    for i, (x, y) in enumerate(zip(a, b)):
        if not same_rows([x], [y]):
            keys = [k for k in {**x, **y} if k not in x or k not in y or not same_value(x[k], y[k])]
            return f"row {i}: " + "; ".join(f"{k}: {str(x.get(k))[:200]!r} and {str(y.get(k))[:200]!r}" for k in keys[:4])
    return f"{len(a)} and {len(b)} rows"


class Fuzz:
    def __init__(self, rows, folder, spread):
        self.rows = rows
        self.ties = rows > 10000
        self.folder = pathlib.Path(folder)
        self.asked = self.some = self.failed = self.passed = self.limited = 0
        self.spread = spread
        self.make_store()
        self.asker = Asker(self.folder)
        self.total = self.count("*")
        answer = self.asker.ask("*", raw=True)
        rows = json.loads(answer, parse_float=spl_maker.Number, parse_int=spl_maker.Number)["rows"]
        assert len(rows) == self.total == self.rows
        self.asker.process.kill()
        (self.folder / "events.jsonl").write_text("".join(spl_maker.line(row) + "\n" for row in rows))
        self.asker = Asker(self.folder)

    def make_store(self):
        """Three imports that overlap in time; the last events are in no segment, but in the store's memory."""
        rng = random.Random(1)
        events = [spl_maker.event(rng, i, self.spread, self.ties) for i in range(self.rows)]
        (self.folder / "tables").mkdir()
        (self.folder / "tables/teams.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in spl_maker.TABLE))
        cuts = [events[0::2][:self.rows // 4], events[1::2], events[0::2][self.rows // 4:-20]]
        for i, part in enumerate(cuts):
            file = self.folder / f"part{i}.jsonl"
            file.write_text("".join(spl_maker.line(e) + "\n" for e in part))
            status, _, told = harness.run("import", "--dir", self.folder / "data", file)
            assert status == 0, told
        tail = [{("tail_s" if k == "@timestamp" else k): v for k, v in e.items()} for e in events[0::2][-20:]]
        (self.folder / "tail.jsonl").write_text("".join(spl_maker.line(e) + "\n" for e in tail))

    def count(self, terms, **more):
        answer = self.asker.ask(f"{terms} | stats count", **more)
        return answer["rows"][0]["count"] if "rows" in answer else answer

    def report(self, seed, check, spl, detail):
        self.failed += 1
        print(f"FAIL {check} seed {seed}: {spl}\n     {detail}", flush=True)

    def compare(self, seed, check, spl, one, other, lenient=False):
        lenient |= self.ties  # all columns of many rows
        crashed = any("CRASH" in a.get("error", "") for a in (one, other))
        if not crashed and lenient and any(word in other.get("error", "") for word in MEMORY_OUT):
            self.limited += 1
            self.passed += 1
        elif crashed or one.get("error") != other.get("error"):
            self.report(seed, check, spl, f"{one.get('error', 'rows')} and {other.get('error', 'rows')}")
        elif "rows" in one and not same_rows(one["rows"], other["rows"]):
            self.report(seed, check, spl, first_difference(one["rows"], other["rows"]))
        else:
            self.passed += 1

    def one(self, seed, checks):
        maker = spl_maker.Maker(seed, self.rows, self.ties)
        spl = maker.query()
        self.asked += 1
        answer = self.asker.ask(spl)
        self.some += bool(answer.get("rows"))
        ask = self.asker.ask
        if "naive" in checks:
            self.compare(seed, "naive", spl, answer, ask(spl, plan="naive"))
        if "threads" in checks:
            self.compare(seed, "threads", spl, answer, ask(spl, threads=4))
        if "file" in checks:
            self.compare(seed, "file", spl, answer, ask(spl, where="file"))
        if "memory" in checks:
            self.compare(seed, "memory", spl, answer, ask(spl, memory=maker.rng.choice([4, 8, 16, 32]) << 20), lenient=True)
        if "head" in checks and "rows" in answer:
            n = maker.rng.choice([1, 3, 40])
            self.compare(seed, "head", f"{spl} | head {n}", {"rows": answer["rows"][:n]}, ask(f"{spl} | head {n}"))
        if "parts" in checks:
            self.parts(seed, maker)
        if "split" in checks:
            self.split(seed, maker)

    def add_up(self, seed, check, spl, counts, whole):
        if not all(isinstance(n, int) for n in [*counts, whole]) or sum(counts) != whole:
            self.report(seed, check, spl, f"{counts} and {whole}")
        else:
            self.passed += 1

    def parts(self, seed, maker):
        maker.reset()
        terms = maker.term()
        self.add_up(seed, "parts", terms, [self.count(terms), self.count(f"NOT ({terms})")], self.total)
        bool_ = maker.place("B", 3)
        counts = [self.count(f"* | where {test}") for test in (bool_, f"NOT ({bool_})", f"isnull({bool_})")]
        self.add_up(seed, "parts", bool_, counts, self.total)
        by_eval = [self.count(f'* | eval z=case({bool_},"t",NOT ({bool_}),"f",true(),"n") | search z={z}') for z in "tfn"]
        self.add_up(seed, "parts", f"where and eval {bool_}", [by_eval == counts], 1)

    def split(self, seed, maker):
        maker.reset()
        terms, r = maker.terms(), maker.rng
        if "[search" in terms:  # it looks at the range as well
            return
        end = spl_maker.START_S + self.rows * self.spread
        cuts = sorted(r.randrange(spl_maker.START_S, end) for _ in range(3))
        edges = [1, *cuts, end * 2]
        self.add_up(seed, "split", f"{terms} at {cuts}", [self.count(terms, start=a, end=b) for a, b in zip(edges, edges[1:])], self.count(terms))


CHECKS = ["naive", "threads", "file", "memory", "head", "parts", "split"]


def campaign(queries, seed, large, checks=CHECKS):
    """(passed, failed); prints what differs and a summary."""
    rows, spread = (40000, 7) if large else (400, 601)
    with tempfile.TemporaryDirectory(prefix="hinomi-fuzz-") as folder:
        fuzz = Fuzz(rows, folder, spread)
        for n in range(seed, seed + queries):
            fuzz.one(n, checks)
        fuzz.asker.process.kill()
    print(f"{fuzz.asked} queries of {rows} events, seeds {seed} to {seed + queries - 1}: {fuzz.some} gave rows, {fuzz.passed + fuzz.failed} comparisons, "
          f"{fuzz.limited} ended by the memory limit, {fuzz.failed} differed")
    return fuzz.passed, fuzz.failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--large", action="store_true", help="40,000 events instead of 400")
    parser.add_argument("--check", default="", help="only checks with this word")
    args = parser.parse_args()
    passed, failed = campaign(args.queries, args.seed, args.large, [c for c in CHECKS if args.check in c])
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
