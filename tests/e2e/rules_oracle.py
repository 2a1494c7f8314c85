"""What rules that remember should find, by the plainest program that says what docs/rules.md says: every window of every
group is looked at, nothing is remembered from one to the next. For test_rules_oracle.py and bench/."""
import dataclasses
import fractions
import math

AT_LEAST = {"gt", "gte"}
AT_MOST = {"lt", "lte"}
COMPARE = {"gt": lambda a, b: a > b, "gte": lambda a, b: a >= b, "lt": lambda a, b: a < b, "lte": lambda a, b: a <= b,
           "eq": lambda a, b: a == b, "neq": lambda a, b: a != b}


@dataclasses.dataclass(frozen=True)
class Event:
    time: int        # seconds
    arrival: int
    rule: str        # which of the named rules has it
    group: str
    value: int = 0


@dataclasses.dataclass
class Correlation:
    kind: str
    rules: list
    span: int
    condition: dict = None  # comparisons
    words: str = None       # "a and not b"
    percentile: float = 50

    def at_once(self):
        """Judged at each event, since more events cannot make it untrue."""
        operators = set(self.condition or {})
        if self.words:
            return "not" not in self.words.split()
        if self.kind in ("value_avg", "value_median", "value_percentile"):
            return False
        return operators <= (AT_MOST if self.kind == "value_min" else AT_LEAST)


def percentile_of(numbers, percent):
    numbers = sorted(numbers)
    rank = fractions.Fraction(percent) / 100 * (len(numbers) - 1)
    low, high = numbers[math.floor(rank)], numbers[math.ceil(rank)]
    return low + (high - low) * (rank - math.floor(rank))


def longest_in_order(rules, window):
    """Of all ways to pick events of different rules in the order of the list, the longest."""
    best = [0] * len(rules)
    for event in window:
        place = rules.index(event.rule)
        best[place] = max([best[place]] + [length + 1 for length in [0] + best[:place]])
    return max(best)


def measure(c, window):
    values = [event.value for event in window]
    return {"event_count": lambda: len(window), "value_count": lambda: len(set(values)), "value_sum": lambda: sum(values),
            "value_avg": lambda: fractions.Fraction(sum(values), len(values)), "value_min": lambda: min(values), "value_max": lambda: max(values),
            "value_median": lambda: percentile_of(values, 50), "value_percentile": lambda: percentile_of(values, c.percentile),
            "temporal": lambda: len({event.rule for event in window}), "temporal_ordered": lambda: longest_in_order(c.rules, window)}[c.kind]()


def holds(c, window):
    if not window:
        return False
    if c.words:
        seen = {event.rule for event in window}
        return eval(c.words, {rule: rule in seen for rule in c.rules})  # names, and, or, not and brackets only
    condition = c.condition or {"gte": len(c.rules)}
    if c.kind == "value_percentile" and c.percentile is None:  # the share of one of the values
        values = [event.value for event in window]
        return any(all(COMPARE[op](fractions.Fraction(100 * values.count(v), len(values)), number) for op, number in condition.items()) for v in values)
    amount = measure(c, window)
    return all(COMPARE[op](amount, number) for op, number in condition.items())


def findings_at_once(c, events):
    """When it becomes true, and again when it was untrue in between or after a timespan."""
    found, fired, was = [], None, False
    for i, event in enumerate(events):
        now = holds(c, [e for e in events[:i + 1] if e.time >= event.time - c.span])
        if now and (not was or event.time >= fired + c.span):
            found.append(event.time)
            fired = event.time
        was = now
    return found


def findings_at_close(c, events):
    """The window opens with the first event of a group and closes a timespan later."""
    found = []
    while events:
        end = events[0].time + c.span
        if holds(c, [e for e in events if e.time <= end]):
            found.append(end)
        events = [e for e in events if e.time > end]
    return found


def findings(c, events):
    """(group, time), in order of both."""
    found = []
    for group in sorted({event.group for event in events}):
        mine = sorted((e for e in events if e.group == group and e.rule in c.rules), key=lambda e: (e.time, e.arrival))
        found += [(group, time) for time in (findings_at_once if c.at_once() else findings_at_close)(c, mine)]
    return found


DAY = 86400


def absences(within, triggers, partners, end):
    """Triggers without a partner from a day before to the grace after; of those of a key within the grace of the first that
    has none, that first. What is not over at the end is not known."""
    found = []
    for key in sorted({event.group for event in triggers}):
        theirs = [p.time for p in partners if p.group == key]
        last = None
        for time in sorted(t.time for t in triggers if t.group == key):
            if any(time - DAY <= p <= time + within for p in theirs) or (last is not None and time <= last + within):
                continue
            last = time
            if time + within < end:
                found.append((key, time))
    return found
