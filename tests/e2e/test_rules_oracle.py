#!/usr/bin/env python3
"""Rules that remember, against tests/e2e/rules_oracle.py: random rules over random events, in order, out of order and held back.

HINOMI_FULL=1 runs a hundred times as many. HINOMI_SEED=N begins with another seed."""
import dataclasses
import datetime
import json
import os
import random
import resource
import tempfile
from pathlib import Path

import rules_oracle as oracle
from harness import Checks, run

checks = Checks()
FULL = os.environ.get("HINOMI_FULL") == "1"
SEED = int(os.environ.get("HINOMI_SEED", "1"))
START = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
NAMES = ["a", "b", "c", "d"]
BASES = "---\n".join(f"title: {n}\nname: {n}\nlogsource: {{product: test}}\ndetection: {{s: {{E: {n}}}, condition: s}}\n" for n in NAMES)
HOUR, DAY = 3600, 86400


def stamp(seconds):
    return (START + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text):
    moment = datetime.datetime.strptime(text.split(".")[0].rstrip("Z"), "%Y-%m-%dT%H:%M:%S")
    return int((moment.replace(tzinfo=datetime.timezone.utc) - START).total_seconds())


def engine(folder, rules, events):
    """(title, entity, time, what it takes back or follows) of every finding; events in the order of arrival."""
    (folder / "rules.yml").write_text(rules)
    lines = [json.dumps({"@timestamp": stamp(e.time), "E": e.rule, "U": e.group, "V": e.value}) for e in events]
    (folder / "events.jsonl").write_text("\n".join(lines) + "\n")
    status, out, err = run("replay", "--rules", folder / "rules.yml", "--ignore-logsource", folder / "events.jsonl")
    if status != 0:
        raise RuntimeError(err)
    return [json.loads(line) for line in out.splitlines()]


def first_ones(lines, title):
    """Those that say something new."""
    return sorted((line["hinomi"]["entity"][0], seconds_of(line["@timestamp"])) for line in lines
                  if line["rule"]["title"] == title and "follows" not in line["hinomi"] and "retracts" not in line["hinomi"])


# ---- random rules

def random_condition(dice, kind, rules):
    least = {"event_count": 1, "value_count": 1, "temporal": 1, "temporal_ordered": 1}.get(kind, 0)
    most = {"event_count": 7, "value_count": 5, "temporal": len(rules), "temporal_ordered": len(rules), "value_sum": 40}.get(kind, 11)
    number = dice.randint(least, most)
    shape = dice.random()
    if shape < 0.5:
        return {"lte" if kind == "value_min" else "gte": number}
    if shape < 0.6:
        return {"lt" if kind == "value_min" else "gt": number}
    if shape < 0.75:
        return {"gte": number, "lte": number + dice.randint(0, 3)}
    if shape < 0.85:
        return {"lt": number + 1}
    return {dice.choice(["eq", "neq"]): number}


def random_words(dice, rules):
    words = rules[0]
    for rule in rules[1:]:
        words = f"({words}) {dice.choice(['and', 'or', 'and not'])} {rule}"
    return words


def random_correlation(dice):
    kind = dice.choice(["event_count", "value_count", "value_sum", "value_avg", "value_min", "value_max", "value_median", "value_percentile",
                        "temporal", "temporal", "temporal_ordered", "temporal_ordered"])
    rules = dice.sample(NAMES, dice.randint(2 if kind.startswith("temporal") else 1, 4))
    c = oracle.Correlation(kind, rules, dice.choice([30, 60, 90]))
    if kind == "temporal" and dice.random() < 0.4:
        c.words = random_words(dice, rules)
    elif not kind.startswith("temporal") or dice.random() < 0.4:
        c.condition = random_condition(dice, kind, rules)
    c.percentile = dice.choice([None, 0, 25, 75, 90, 100]) if kind == "value_percentile" else 50
    if c.percentile is None:
        c.condition = {"lte": dice.randint(5, 50)}
    return c


def document(c, title, rules=None, head=""):
    condition = {**({"field": "V"} if c.kind.startswith("value") else {}), **(c.condition or {})}
    if c.kind == "value_percentile" and c.percentile is not None:
        condition["percentile"] = c.percentile
    more = f"\n  condition: {c.words}" if c.words else f"\n  condition: {json.dumps(condition)}" if condition else ""
    return (f"title: {title}\n{head}correlation:\n  type: {c.kind}\n  rules: {json.dumps(rules or c.rules)}\n  group-by: [U]\n"
            f"  timespan: {c.span}s{more}\n")


def random_events(dice, count, gap, users=5):
    time, events = 0, []
    for i in range(count):
        time += dice.randint(0, gap)
        events.append(oracle.Event(time, i, dice.choice(NAMES), f"u{dice.randrange(users)}", dice.randint(-2, 12)))
    return events


def arrive(events):
    """The same events, numbered in this order."""
    return [dataclasses.replace(e, arrival=i) for i, e in enumerate(events)]


# ---- what is compared

def in_order(folder, dice, rules, count):
    many = [random_correlation(dice) for _ in range(rules)]
    events = random_events(dice, count, dice.choice([3, 12, 40]))
    lines = engine(folder, BASES + "".join("---\n" + document(c, f"r{i}") for i, c in enumerate(many)), events)
    for i, c in enumerate(many):
        checks.equal(f"in order: {c}", first_ones(lines, f"r{i}"), sorted(oracle.findings(c, events)))


def bursts(dice, span, count):
    """Incidents of a few events that are apart by more than what a window holds: (events, burst of a time)."""
    events, time = [], 0
    for _ in range(count):
        time += 3 * span
        user = f"u{dice.randrange(4)}"
        events += [oracle.Event(time + dice.randint(0, span // 3), 0, dice.choice(NAMES), user, dice.randint(-2, 12))
                   for _ in range(dice.randint(1, 9))]
    events.sort(key=lambda e: e.time)
    return events, lambda moment: moment // (3 * span)


def out_of_order(folder, dice, count):
    """Every incident is found as if its events had come in order, once: up to 48 hours late where it is judged at each event,
    within the timespan where it is judged when the window closes."""
    for _ in range(count):
        c = random_correlation(dice)
        events, burst_of = bursts(dice, c.span, 25)
        if c.kind == "value_sum":  # one that comes late could make a sum untrue that was told
            events = [dataclasses.replace(e, value=abs(e.value)) for e in events]
        late = 48 * HOUR - 10 * c.span if c.at_once() and dice.random() < 0.5 else c.span // 3
        share = dice.choice([0.05, 0.5, 1])
        moved = sorted(events, key=lambda e: e.time + (dice.uniform(0, late) if dice.random() < share else 0))
        last = [oracle.Event(events[-1].time + late + c.span, 0, "z", "z")]  # what comes next carries the clock on
        lines = engine(folder, BASES + "---\n" + document(c, "r"), arrive(moved) + last)
        got = [(user, burst_of(time)) for user, time in first_ones(lines, "r")]
        want = [(user, burst_of(time)) for user, time in oracle.findings(c, arrive(moved))]
        checks.equal(f"out of order, {late} s late, {share}: {c}", sorted(got), sorted(want))


def dense_out_of_order(folder, dice, count):
    """Without a pause between incidents: what is found is true, and near everything that is true something was found."""
    for _ in range(count):
        c = random_correlation(dice)
        if not c.at_once():
            continue
        events = random_events(dice, 120, 12, 2)
        moved = arrive(sorted(events, key=lambda e: e.time + (dice.uniform(0, 600) if dice.random() < 0.3 else 0)))
        got = first_ones(engine(folder, BASES + "---\n" + document(c, "r"), moved), "r")
        for user in ("u0", "u1"):
            mine = sorted((e for e in moved if e.group == user and e.rule in c.rules), key=lambda e: (e.time, e.arrival))
            true = [e.time for i, e in enumerate(mine) if oracle.holds(c, [x for x in mine[:i + 1] if x.time >= e.time - c.span])]
            times = [time for who, time in got if who == user]
            if min((e.value for e in moved), default=0) >= 0 or c.kind != "value_sum":
                checks.check(f"dense: what is found is true, {c}", all(any(abs(t - x) <= c.span for x in true) for t in times), f"{times} {true}")
            checks.check(f"dense: what is true is found, {c}", all(any(abs(t - x) <= c.span for t in times) for x in true), f"{times} {true}")


def chains(folder, dice, count):
    """What a correlation finds is counted and ordered by another one, together with events."""
    for _ in range(count):
        inner = random_correlation(dice)
        outer = oracle.Correlation(dice.choice(["temporal", "temporal_ordered", "event_count"]), ["inner", dice.choice(NAMES)], 120)
        if outer.kind == "event_count":
            outer.condition = {"gte": dice.randint(2, 4)}
        events = random_events(dice, 150, 12, 3)
        late = len(events)  # a window that closes comes after the events of that moment
        middle = [e for e in events]
        for user, time in oracle.findings(inner, events):
            if inner.at_once():
                own = min(e.arrival for e in events if e.time == time and e.group == user and
                          oracle.holds(inner, [x for x in events if x.group == user and x.rule in inner.rules and x.time >= time - inner.span and
                                               (x.time, x.arrival) <= (time, e.arrival)]) and e.rule in inner.rules)
                middle.append(oracle.Event(time, own, "inner", user))
            else:
                middle.append(oracle.Event(time, late, "inner", user))
        documents = BASES.split("---\n") + [document(inner, "inner", head="name: inner\n"), document(outer, "outer")]
        dice.shuffle(documents)
        lines = engine(folder, "---\n".join(documents), events)
        checks.equal(f"chain: {outer} over {inner}", first_ones(lines, "outer"), sorted(oracle.findings(outer, middle)))


def written_down(folder):
    """Cases that chance finds too seldom."""
    both = BASES + "---\n" + document(oracle.Correlation("temporal_ordered", ["a", "b"], 60), "r")
    for what, rules in (("first", both), ("last", "---\n".join(reversed(both.split("---\n"))))):
        rules = rules.replace("{E: b}", "{E: [a, b]}")  # a is b as well
        one, two = [oracle.Event(0, 0, "a", "u")], [oracle.Event(0, 0, "a", "u"), oracle.Event(5, 1, "a", "u")]
        checks.equal(f"one event is no sequence, its rules {what}", first_ones(engine(folder, rules, one), "r"), [])
        checks.equal(f"two are, their rules {what}", first_ones(engine(folder, rules, two), "r"), [("u", 5)])
    few = BASES + "---\n" + document(oracle.Correlation("event_count", ["a"], 60, {"lt": 3}), "r")
    late = [oracle.Event(5, 0, "a", "u"), oracle.Event(62, 1, "a", "u"), oracle.Event(0, 2, "a", "u")]
    checks.equal("a window that begins late leaves what is behind it to the next", first_ones(engine(folder, few, late), "r"), [("u", 60), ("u", 122)])
    lines = engine(folder, absence_rule(10), [oracle.Event(0, 0, "a", "u"), oracle.Event(11, 1, "b", "u"), oracle.Event(99, 2, "z", "z")])
    checks.equal("a partner that happened too late takes nothing back", standing(lines, 10), [("u", 0)])
    lines = engine(folder, absence_rule(10), [oracle.Event(0, 0, "a", "u"), oracle.Event(99, 1, "z", "z"), oracle.Event(9, 2, "b", "u")])
    checks.check("one that arrived too late does", len(lines) == 2 and standing(lines, 10) == [], str(lines))
    again = BASES + "---\n" + document(oracle.Correlation("event_count", ["a"], 60, {"gte": 1}), "r")
    lines = engine(folder, again, [oracle.Event(0, 0, "a", "u"), oracle.Event(60, 1, "a", "u")])
    checks.check("two findings of one run have ids of their own", len({line["hinomi"]["finding"] for line in lines}) == 2, str(lines))


def risk(folder, dice, count):
    """Scores add up and are half after a half-life; hand-computed, then by random; a replay says the same."""
    rules = BASES + "---\ntitle: r\nhinomi: {risk: {key: U, rules: {a: 20, b: 50, c: 30}, half_life: 10m, threshold: 100}}\n"
    by_hand = [(0, "b", 50), (600, "b", 75), (600, "a", 95), (1200, "b", 97.5), (1200, "c", 127.5)]
    lines = engine(folder, rules, [oracle.Event(t, i, e, "u") for i, (t, e, _) in enumerate(by_hand)])
    told = [line["message"] for line in lines if line["rule"]["title"] == "r"]
    checks.check("hand-computed, with its parts", len(told) == 1 and "127.5 = a 10.0 (1) + b" in told[0] and "b 87.5 (3) + c 30.0 (1)" in told[0], str(told))
    score = {"a": 20, "b": 50, "c": 30}
    for _ in range(count):
        events = [e for e in random_events(dice, 200, 400, 3) if e.rule in score]
        got = first_ones(engine(folder, rules, events), "r")
        want = []
        for user in ("u0", "u1", "u2"):
            mine, fired, was = [e for e in events if e.group == user], None, False
            for i, event in enumerate(mine):
                total = sum(score[e.rule] * 0.5 ** ((event.time - e.time) / 600) for e in mine[:i + 1] if event.time - e.time <= 12 * 600)
                if total >= 100 and (not was or event.time >= fired + 12 * 600):
                    want.append((user, event.time))
                    fired = event.time
                was = total >= 100
        checks.equal("risk", got, sorted(want))
        checks.equal("a replay gives the same, to the byte", engine(folder, rules, events), engine(folder, rules, events))


# ---- absence

def absence_rule(within):
    return (f"title: absent\nlogsource: {{product: test}}\ndetection: {{s: {{E: a}}, condition: s}}\n"
            f"hinomi:\n  absent: {{event: E = \"b\", key: U, within: {within}s}}\n  entities: {{user: U}}\n")


def standing(lines, within):
    """(key, trigger) of what was raised and not taken back; none is taken back twice."""
    taken = [line["hinomi"]["retracts"] for line in lines if "retracts" in line["hinomi"]]
    if len(taken) != len(set(taken)):
        return "taken back twice"
    return sorted((line["hinomi"]["entity"][0], seconds_of(line["@timestamp"]) - within) for line in lines
                  if "retracts" not in line["hinomi"] and line["hinomi"]["finding"] not in taken)


def absence(folder, dice, count):
    for _ in range(count):
        within = dice.choice([10, 60])
        events = [e for e in random_events(dice, 300, dice.choice([3, 30, 3000]), 30) if e.rule in "abc"]
        end = events[-1].time
        triggers, partners = ([e for e in events if e.rule == rule] for rule in "ab")
        checks.equal(f"absence within {within} s, in order", standing(engine(folder, absence_rule(within), events), within),
                     sorted(oracle.absences(within, triggers, partners, end)))


def absence_late(folder, dice, count):
    """Triggers and partners up to 48 hours late: what stands at the end is what would have stood in order."""
    for _ in range(count):
        within, events = dice.choice([10, 60]), []
        for key in range(200):  # like withdrawals: a number of their own, some repeated later
            begin = dice.randint(0, 6 * DAY)
            events.append(oracle.Event(begin, 0, "a", f"tx{key}"))
            for _ in range(dice.choice([0, 0, 1, 1, 2])):
                events.append(oracle.Event(begin + dice.choice([-30 * HOUR, -5, 0, within - 1, within, within + 1, 2 * HOUR]), 0, "b", f"tx{key}"))
            if dice.random() < 0.2:
                events.append(oracle.Event(begin + dice.choice([within + 1, 3 * HOUR, 30 * HOUR]), 0, "a", f"tx{key}"))
        moved = arrive(sorted(events, key=lambda e: e.time + (dice.uniform(0, 47 * HOUR) if dice.random() < 0.3 else 0)))
        triggers, partners = ([e for e in moved if e.rule == rule] for rule in "ab")
        end = 12 * DAY
        lines = engine(folder, absence_rule(within), moved + [oracle.Event(end, 0, "z", "z")])
        checks.equal(f"absence within {within} s, held back", standing(lines, within), sorted(oracle.absences(within, triggers, partners, end)))


def absence_flood(folder):
    """A thousand triggers a second that nobody answers: what one costs does not grow with how many wait."""
    count, within = 60_000, 30
    events = [oracle.Event(number / 1000, 0, "a", f"tx{number}") for number in range(count)] + [oracle.Event(count / 1000 + within + 1, 0, "z", "z")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    lines = engine(folder, absence_rule(within), events)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    checks.equal("each of a flood of triggers is found once", len({line["hinomi"]["entity"][0] for line in lines}), count)
    checks.equal("and nothing besides", len(lines), count)
    checks.check("a flood of triggers costs little each", spent < 100e-6 * count, f"{spent:.1f} CPU s")


with tempfile.TemporaryDirectory() as name:
    times = 100 if FULL else 1
    written_down(Path(name))
    absence_flood(Path(name))
    for round_ in range(times):
        dice = random.Random(SEED * 1000 + round_)
        in_order(Path(name), dice, 40, 220)
        out_of_order(Path(name), dice, 30)
        dense_out_of_order(Path(name), dice, 20)
        chains(Path(name), dice, 20)
        risk(Path(name), dice, 5)
        absence(Path(name), dice, 6)
        absence_late(Path(name), dice, 4)
checks.finish()
