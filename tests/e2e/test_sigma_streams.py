#!/usr/bin/env python3
"""Sigma correlations, filters and what YAML can do to rule files: streams of documents with events, written from the text of the
specifications of correlations and filters 2.1; what they leave open is as docs/rules.md says."""
import datetime
import json
import pathlib
import tempfile

from harness import Checks, run

checks = Checks()
START = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
HOUR, DAY = 3600, 86400


def at(seconds, **fields):
    return {"@timestamp": (START + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), **fields}


def detect(folder, files, events):
    """Findings as (title, record) with their other fields, of rules given as texts or bytes by file name."""
    rules = folder / "rules"
    for old in rules.rglob("*.*") if rules.exists() else []:
        old.unlink()
    for name, text in (files if isinstance(files, dict) else {"r.yml": files}).items():
        (rules / name).parent.mkdir(parents=True, exist_ok=True)
        (rules / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    (folder / "e.jsonl").write_text("".join(json.dumps(e, ensure_ascii=False) + "\n" for e in events))
    _, out, err = run("detect", "--rules", rules, "--ignore-logsource", "--format", "jsonl", folder / "e.jsonl")
    return [json.loads(line) for line in out.splitlines()], err


def status(folder):
    _, out, _ = run("rules", "check", "--format", "jsonl", "--ignore-logsource", folder / "rules")
    return [json.loads(line) for line in out.splitlines()]


def groups(found, title="last"):
    return sorted(tuple(str(v) for k, v in f.items() if k not in ("rule", "log", "hinomi")) for f in found if f["rule"].get("title") == title)


def base(name, number, head=""):
    return (f"title: {name} title\nname: {name}\n{head}logsource: {{product: test, category: test}}\n"
            f"detection:\n  selection: {{E: {number}}}\n  condition: selection\n")


A, B, C = base("a", 1), base("b", 2), base("c", 3)


def corr(kind, rules, more, title="last", head=""):
    return f"title: {title}\n{head}correlation:\n  type: {kind}\n  rules: {rules}\n  {more}\n"


def count(condition, span="5m", rules="[a]", by="[U]"):
    return corr("event_count", rules, f"group-by: {by}\n  timespan: {span}\n  condition: {condition}")


def value(kind, condition, span="10m"):
    return corr(kind, "[a]", f"group-by: [U]\n  timespan: {span}\n  condition: {condition}")


def sequence(kind, rules, more="", span="5m"):
    return corr(kind, rules, f"group-by: [U]\n  timespan: {span}{more}")


def pair(gap, user):
    """Two events that far apart."""
    return [at(0, E=1, U=user), at(gap, E=1, U=user)]


def numbers(user, *values):
    return [at(10 * i, E=1, U=user, V=v) for i, v in enumerate(values)]


def row(user, *kinds, step=10):
    return [at(step * i, E=k, U=user) for i, k in enumerate(kinds)]


UNITS = {"30s": 30, "5m": 300, "90m": 5400, "2h": 2 * HOUR, "1d": DAY, "2w": 14 * DAY, "1M": 2629746, "1y": 31556952}

CORRELATIONS = [(f"timespan {text}: the edge is in it, a second more is not", [A, count("{gte: 2}", text)], pair(span, "x") + pair(span + 1, "y"), [("x",)])
                for text, span in UNITS.items()] + [
    ("fractions of a second", [A, count("{gte: 2}", "1s")], pair(1, "x") + pair(1.000001, "y"), [("x",)]),
    ("windows slide and do not stop at full hours", [A, count("{gte: 2}", "1h")], [at(3590, E=1, U="x"), at(3610, E=1, U="x")], [("x",)]),
    ("several rules are counted together", [A, B, count("{gte: 3}", rules="[a, b]")], row("x", 1, 2, 1) + row("y", 1, 2, 3), [("x",)]),
    ("an event that two rules find counts for each", [A, base("a2", 1), count("{gte: 2}", rules="[a, a2]")], row("x", 1), [("x",)]),
    ("gt and lt", [A, count("{gt: 1, lt: 3}")], row("x", 1, 1) + row("y", 1) + row("z", 1, 1, 1), [("x",)]),
    ("lte and gte of one number are eq", [A, count("{lte: 2, gte: 2}")], row("x", 1, 1) + row("z", 1, 1, 1), [("x",)]),
    ("gte: 1", [A, count("{gte: 1}")], row("x", 1), [("x",)]),
    ("events at one moment", [A, count("{gte: 3}")], [at(5, E=1, U="x")] * 3 + [at(5, E=1, U="y")] * 2, [("x",)]),
    ("groups are values, not texts in another case", [A, count("{gte: 2}")], [at(0, E=1, U="x"), at(1, E=1, U="X")], []),
    ("a number and its text are one group", [A, count("{gte: 2}")], [at(0, E=1, U=7), at(1, E=1, U="7")], [("7",)]),
    ("group-by a field of several levels", [A, count("{gte: 2}", by="[H.name]")], [at(i, E=1, H={"name": "h"}) for i in (0, 1)], [("h",)]),
    ("three fields", [A, count("{gte: 2}", by="[U, H, I]")], [at(0, E=1, U="u", H="h", I="1"), at(1, E=1, U="u", H="h", I="2"), at(2, E=1, U="u", H="h", I="1")],
     [("u", "h", "1")]),
    ("an empty text is a group", [A, count("{gte: 2}")], [at(0, E=1, U=""), at(1, E=1, U="")], [("",)]),
    ("null is no group", [A, count("{gte: 2}")], [at(0, E=1, U=None), at(1, E=1, U=None)], []),
    ("value_count: the same value once more", [A, value("value_count", "{field: V, gte: 3}")], numbers("x", 1, 2, 3) + numbers("y", 1, 1, 2, 2), [("x",)]),
    ("value_count has a case", [A, value("value_count", "{field: V, gte: 2}")], numbers("x", "p", "P") + numbers("y", "p", "p"), [("x",)]),
    ("value_count gt", [A, value("value_count", "{field: V, gt: 1}")], numbers("x", "p", "q") + numbers("y", "p"), [("x",)]),
    ("value_count: events without the field do not count", [A, value("value_count", "{field: V, gte: 2}")],
     numbers("x", "p", "q") + [at(0, E=1, U="y", V="p"), at(1, E=1, U="y"), at(2, E=1, U="y")], [("x",)]),
    ("value_count eq", [A, value("value_count", "{field: V, eq: 2}")], numbers("x", 1, 2) + numbers("y", 1, 2, 3) + numbers("z", 1), [("x",)]),
    ("value_count slides", [A, value("value_count", "{field: V, gte: 2}", "15s")], numbers("x", 1, 2) + [at(0, E=1, U="y", V=1), at(16, E=1, U="y", V=2)], [("x",)]),
    ("value_sum below zero", [A, value("value_sum", "{field: V, lt: 0}")], numbers("x", 5, -6) + numbers("y", -5, 6), [("x",)]),
    ("value_sum gte", [A, value("value_sum", "{field: V, gte: 10}")], numbers("x", 4, 6) + numbers("y", 4, 5.9), [("x",)]),
    ("value_avg eq", [A, value("value_avg", "{field: V, eq: 5}")], numbers("x", 4, 6) + numbers("y", 4, 7), [("x",)]),
    ("value_avg of texts that are numbers", [A, value("value_avg", "{field: V, gte: 5}")], numbers("x", "4", "6") + numbers("y", "4", "five"), [("x",)]),
    ("value_percentile with 50", [A, value("value_percentile", "{field: V, percentile: 50, gt: 10}")], numbers("x", 11, 12, 1) + numbers("y", 1, 2, 99), [("x",)]),
    ("value_max gt", [A, value("value_max", "{field: V, gt: 9}")], numbers("x", 1, 10) + numbers("y", 9), [("x",)]),
    ("temporal of three", [A, B, C, sequence("temporal", "[a, b, c]")], row("x", 3, 1, 2) + row("y", 3, 1, 1) + row("z", 1, 2, 3, step=151), [("x",)]),
    ("temporal: an event that both rules find", [A, base("a2", 1), sequence("temporal", "[a, a2]")], row("x", 1), [("x",)]),
    ("temporal: other groups do not help", [A, B, sequence("temporal", "[a, b]")], [at(0, E=1, U="x"), at(1, E=2, U="y")], []),
    ("temporal with eq", [A, B, C, sequence("temporal", "[a, b, c]", "\n  condition: {eq: 2}")], row("x", 1, 2) + row("y", 1, 2, 3) + row("z", 1), [("x",)]),
    ("temporal with or", [A, B, C, sequence("temporal", "[a, b, c]", "\n  condition: (a and b) or c")], row("x", 3) + row("y", 2, 1) + row("z", 1), [("x",), ("y",)]),
    ("temporal with the names in upper case operators", [A, B, sequence("temporal", "[a, b]", "\n  condition: a AND b")], row("x", 1, 2) + row("y", 1), [("x",)]),
    ("temporal with 'and not'", [A, B, C, sequence("temporal", "[a, b, c]", "\n  condition: a and b and not c")], row("x", 1, 2) + row("y", 1, 2, 3), [("x",)]),
    ("temporal_ordered with 'and'", [A, B, sequence("temporal_ordered", "[a, b]", "\n  condition: a and b")], row("x", 1, 2) + row("y", 2, 1), [("x",)]),
    ("temporal_ordered of three, wrong ways", [A, B, C, sequence("temporal_ordered", "[a, b, c]")],
     row("u", 1, 2, 3) + row("v", 1, 3, 2) + row("w", 2, 1, 3) + row("x", 3, 2, 1) + row("y", 2, 3, 1), [("u",)]),
    ("temporal_ordered: begun again in time", [A, B, sequence("temporal_ordered", "[a, b]", span="15s")], row("x", 1, 1, 2) + row("y", 1, 3, 2), [("x",)]),
    ("temporal_ordered: a chain in it that came before", [A, B, corr("event_count", "[a]", "group-by: [U]\n  timespan: 5m\n  condition: {gte: 2}", "many", "name: many\n"),
     sequence("temporal_ordered", "[b, many]")], row("x", 2, 1, 1) + row("y", 1, 1, 2), [("x",)]),
    ("the order of documents does not matter", [count("{gte: 2}"), A], row("x", 1, 1), [("x",)]),
    ("one of the rules by id, the other by name", [base("a", 1, "id: 11111111-1111-4111-8111-111111111111\n"), B,
     sequence("temporal", "[11111111-1111-4111-8111-111111111111, b]")], row("x", 1, 2), [("x",)]),
    ("an id in upper case", [base("a", 1, "id: abcdef11-1111-4111-8111-111111111111\n"), count("{gte: 1}", rules="[ABCDEF11-1111-4111-8111-111111111111]")],
     row("x", 1), [("x",)]),
    ("an alias for one rule; the other has the field itself", [A, B, corr("temporal", "[a, b]", "aliases: {U: {a: Name}}\n  group-by: [U]\n  timespan: 1m")],
     [at(0, E=1, Name="x"), at(1, E=2, U="x"), at(2, E=1, U="y"), at(3, E=2, U="y")], [("x",)]),
    ("an alias in value_count", [A, B, corr("value_count", "[a, b]", "aliases: {who: {a: U, b: Name}}\n  group-by: [H]\n  timespan: 1m\n  condition: {field: who, gte: 2}")],
     [at(0, E=1, U="p", H="x"), at(1, E=2, Name="q", H="x"), at(2, E=1, U="p", H="y"), at(3, E=2, Name="p", H="y")], [("x",)]),
    ("aliases and plain fields together", [A, B, corr("temporal", "[a, b]", "aliases: {ip: {a: S, b: D}}\n  group-by: [ip, U]\n  timespan: 1m")],
     [at(0, E=1, S="9", U="u"), at(1, E=2, D="9", U="u"), at(2, E=1, S="8", U="u"), at(3, E=2, D="8", U="v")], [("9", "u")]),
    ("three correlations on top of each other", [A, corr("event_count", "[a]", "group-by: [U, H]\n  timespan: 1m\n  condition: {gte: 2}", "one", "name: one\n"),
     corr("event_count", "[one]", "group-by: [U]\n  timespan: 1h\n  condition: {gte: 2}", "two", "name: two\n"), corr("event_count", "[two]",
     "timespan: 1d\n  condition: {gte: 1}")], [at(i, E=1, U="u", H=h) for h in ("1", "2") for i in (0, 1)], [()]),
    ("a filter on the rule that is counted", [A, "title: f\nlogsource: {product: test, category: test}\nfilter:\n  rules: [a]\n  selection: {ok: yes}\n  condition: not selection\n",
     count("{gte: 2}")], [at(0, E=1, U="x"), at(1, E=1, U="x"), at(0, E=1, U="y"), at(1, E=1, U="y", ok="yes")], [("x",)]),
]


def check_correlations(folder):
    for what, documents, events, wanted in CORRELATIONS:
        events = sorted(events, key=lambda e: e["@timestamp"])
        found, err = detect(folder, "---\n".join(documents), events)
        got = groups(found)
        checks.check(f"correlation: {what}", sorted(set(got)) == sorted(wanted), f"{got} {err} {[s for s in status(folder) if s['status'] != 'active']}")


def check_generate(folder):
    events = row("x", 1, 1)
    chain = corr("event_count", "[a]", "{}group-by: [U]\n  timespan: 5m\n  condition: {{gte: 2}}", "mid", "name: mid\n")
    last = corr("event_count", "[mid]", "{}group-by: [U]\n  timespan: 5m\n  condition: {{gte: 1}}")
    for inner, outer, wanted in [("", "", ["last"]), ("generate: true\n  ", "", ["a title", "a title", "last"]),
                                 ("", "generate: true\n  ", ["last", "mid"]), ("generate: false\n  ", "generate: false\n  ", ["last"])]:
        found, err = detect(folder, "---\n".join([A, chain.format(inner), last.format(outer)]), events)
        checks.equal(f"generate: {inner!r} inside, {outer!r} outside", sorted(f["rule"]["title"] for f in found), wanted)
    two = [A, count("{gte: 2}").replace("title: last", "title: quiet"), count("{gte: 2}").replace("correlation:\n", "correlation:\n  generate: true\n")]
    found, _ = detect(folder, "---\n".join(two), events)
    checks.equal("a rule of two correlations, one of which generates", sorted(f["rule"]["title"] for f in found), ["a title", "a title", "last", "quiet"])


# ---- filters ----

SOURCE = "{product: windows, category: process_creation}"


def windows(name, selection, source=SOURCE, number=1, condition="selection"):
    return (f"title: {name} title\nname: {name}\nid: {number:08}-1111-4111-8111-111111111111\nlogsource: {source}\n"
            f"detection:\n  selection: {{{selection}}}\n  condition: {condition}\n")


def filter_of(rules, searches="selection: {U: bob}", condition="not selection", source=SOURCE, title="F"):
    lines = "".join(f"  {line}\n" for line in searches.split("\n"))
    return f"title: {title}\nlogsource: {source}\nfilter:\n  rules: {rules}\n{lines}  condition: {condition}\n"


ONE, TWO = windows("one", "I: x"), windows("two", "I: x", number=2)
OR = windows("one", "I: x", condition="selection or selection")
BOB, EVE, ADM = {"I": "x", "U": "bob"}, {"I": "x", "U": "eve"}, {"I": "x", "U": "adm_1"}
FILTERS = [
    ("one rule of two", [ONE, TWO, filter_of("[one]")], {"one title": [1, 2], "two title": [0, 1, 2]}),
    ("two rules", [ONE, TWO, filter_of("[one, two]")], {"one title": [1, 2], "two title": [1, 2]}),
    ("by id in upper case", [ONE, TWO, filter_of("[00000001-1111-4111-8111-111111111111]".upper())], {"one title": [1, 2], "two title": [0, 1, 2]}),
    ("a rule as a text", [ONE, TWO, filter_of("two")], {"one title": [0, 1, 2], "two title": [1, 2]}),
    ("any", [ONE, TWO, filter_of("any")], {"one title": [1, 2], "two title": [1, 2]}),
    ("one that is here and one that is not", [ONE, TWO, filter_of("[one, nobody]")], {"one title": [1, 2], "two title": [0, 1, 2]}),
    ("before the rule in the stream", [filter_of("[one]"), ONE], {"one title": [1, 2]}),
    ("the condition is joined with and, also to an or", [OR, filter_of("[one]")], {"one title": [1, 2]}),
    ("the condition is joined to every condition of a list", [windows("one", "I: x", condition="[selection, 1 of sel*]"), filter_of("[one]")], {"one title": [1, 2]}),
    ("a positive condition", [ONE, filter_of("[one]", "selection: {U|startswith: adm_}", "selection")], {"one title": [2]}),
    ("an or in the filter", [ONE, filter_of("[one]", "a: {U: bob}\nb: {U: eve}", "not a or b")], {"one title": [1, 2]}),
    ("1 of in the filter sees its own searches only", [ONE, filter_of("[one]", "sel_a: {U: bob}\nsel_b: {U: eve}", "not 1 of sel*")], {"one title": [2]}),
    ("them in the filter", [ONE, filter_of("[one]", "a: {U: bob}\nb: {U: eve}", "not 1 of them")], {"one title": [2]}),
    ("them in the rule does not see the filter's", [windows("one", "I: x", condition="all of them"), filter_of("[one]", "other: {U: bob}", "not other")], {"one title": [1, 2]}),
    ("a search of the same name in both", [ONE, filter_of("[one]", "selection: {U: [bob, eve]}")], {"one title": [2]}),
    ("keywords in the filter", [ONE, filter_of("[one]", "k: [bo]", "not k")], {"one title": [1, 2]}),
    ("two filters are both joined", [ONE, filter_of("[one]"), filter_of("[one]", "selection: {U: eve}", title="G")], {"one title": [2]}),
    ("the log source of another product", [ONE, filter_of("[one]", source="{product: linux, category: process_creation}")], {"one title": [0, 1, 2]}),
    ("a log source with less", [ONE, filter_of("[one]", source="{product: windows}")], {"one title": [1, 2]}),
    ("a log source with another half", [ONE, filter_of("[one]", source="{category: process_creation}")], {"one title": [1, 2]}),
    ("a log source with more", [windows("one", "I: x", "{product: windows}"), filter_of("[one]")], {"one title": [0, 1, 2]}),
    ("a log source in another case", [ONE, filter_of("[one]", source="{product: Windows, category: Process_Creation}")], {"one title": [1, 2]}),
    ("a definition in the log source does not count", [ONE, filter_of("[one]", source="{product: windows, category: process_creation, definition: x}")], {"one title": [1, 2]}),
]


def check_filters(folder):
    for what, documents, wanted in FILTERS:
        found, err = detect(folder, "---\n".join(documents), [BOB, EVE, ADM])
        got = {}
        for f in found:
            got.setdefault(f["rule"]["title"], []).append(f["hinomi"]["record"])
        checks.check(f"filter: {what}", got == wanted, f"{got} {err} {[s for s in status(folder) if s['status'] != 'active']}")
        apart, _ = detect(folder, {f"{9 - i}.yml": text for i, text in enumerate(documents)}, [BOB, EVE, ADM])
        checks.equal(f"filter: {what}, in files of their own", sorted((f["rule"]["title"], f["hinomi"]["record"]) for f in apart),
                     sorted((t, r) for t, records in wanted.items() for r in records))


# ---- YAML ----

PLAIN = "title: t\nid: 1\nlogsource: {product: p, category: c}\ndetection:\n  s:\n    A: x\n    B: y\n  condition: s\n"
XY = [{"A": "x", "B": "y"}]
FILES = [
    ("a byte order mark", b"\xef\xbb\xbf" + PLAIN.encode(), [0]),
    ("lines that end in CR LF", PLAIN.replace("\n", "\r\n"), [0]),
    ("no line break at the end", PLAIN.rstrip("\n"), [0]),
    ("three dashes in front and dots behind", "---\n" + PLAIN + "...\n", [0]),
    ("a directive", "%YAML 1.2\n---\n" + PLAIN, [0]),
    ("UTF-16 with a byte order mark", PLAIN.encode("utf-16"), [0]),
    ("merge keys: what is there stays, the first of a list wins", PLAIN.replace("  s:\n    A: x\n    B: y\n",
     "  _d: &d {A: z, B: y}\n  _e: &e {B: z, A: z}\n  s:\n    <<: [*d, *e]\n    A: x\n"), [0]),
    ("comments and empty lines before", "# one\n\n# two\n" + PLAIN, [0]),
    ("an empty document in the stream", PLAIN + "---\n", [0]),
    ("blanks at the ends of lines", PLAIN.replace("\n", "  \n"), [0]),
    ("deep indentation", PLAIN.replace("    ", "            "), [0]),
    ("keys in quotes", PLAIN.replace("title:", "'title':").replace("detection:", '"detection":'), [0]),
    ("tags of types", PLAIN.replace("A: x", "A: !!str x"), [0]),
    ("fields that nobody knows", PLAIN + "custom:\n  deep: [1, {x: y}]\n", [0]),
    ("a date that is one, a title that is a number", PLAIN.replace("title: t", "title: 1\ndate: 2026-01-05"), [0]),
    ("JSON is YAML", json.dumps({"title": "t", "logsource": {"product": "p"}, "detection": {"s": {"A": "x"}, "condition": "s"}}), [0]),
    ("a merge key", PLAIN.replace("  s:\n    A: x\n    B: y\n", "  _d: &d {A: x}\n  s:\n    <<: *d\n    B: y\n"), [0]),
    ("a value that is an alias for a list", PLAIN.replace("A: x", "A: &l [x, z]").replace("B: y", "B|neq: *l"), [0]),
]
BROKEN = [
    ("the same key twice", PLAIN.replace("    B: y\n", "    A: y\n"), "A"),
    ("the same search twice", PLAIN.replace("  condition", "  s: {B: y}\n  condition"), "s"),
    ("the same section twice", PLAIN + "detection: {s: {A: 1}, condition: s}\n", "detection"),
    ("a tab as indentation", PLAIN.replace("    A: x", "\tA: x"), "line"),
    ("an alias for nothing", PLAIN.replace("A: x", "A: *nothing"), "nothing"),
    ("a quote without end", PLAIN.replace("A: x", "A: 'x"), "line"),
    ("a bracket without end", PLAIN.replace("A: x", "A: [x"), "line"),
    ("wrong indentation", PLAIN.replace("    B: y", "   B: y"), "line"),
    ("bytes that are no UTF-8", PLAIN.encode().replace(b"A: x", b"A: \xff"), "UTF-8"),
    ("a text alone", "just words\n", "mapping"),
    ("a list", "- a\n- b\n", "mapping"),
    ("a null key", PLAIN.replace("A: x", "? \n    : x"), "line"),
    ("a list as a key", PLAIN.replace("A: x", "? [a, b]\n    : x"), "line"),
]


def check_files(folder):
    for what, text, wanted in FILES:
        found, err = detect(folder, text, XY)
        checks.check(f"YAML: {what}", [f["hinomi"]["record"] for f in found] == wanted, f"{found} {err} {status(folder)}")
    for what, text, word in BROKEN:
        found, err = detect(folder, {"a.yml": text, "b.yml": PLAIN.replace("id: 1", "id: 2")}, XY)
        wrong = [s for s in status(folder) if s["status"] != "active"]
        checks.check(f"YAML: {what} is refused, the reason has '{word}', and other files are not disturbed",
                     len(wrong) == 1 and wrong[0]["status"] == "refused" and word in wrong[0]["reason"] and len(found) == 1, f"{wrong} {found} {err}")


with tempfile.TemporaryDirectory() as place:
    for check in (check_correlations, check_generate, check_filters, check_files):
        check(pathlib.Path(place))
checks.finish()
