#!/usr/bin/env python3
"""Sigma rules of our own, one construct each: which events match, which groups of a correlation fire, which rules are
refused or inactive and whether the reason names the cause. Written from the Sigma specification 2.1."""
import base64
import json
import re
import subprocess
import tempfile
from pathlib import Path

from harness import HINOMI, ROOT, Checks

checks = Checks()


def run(*words, **more):
    return subprocess.run([HINOMI, *words], cwd=ROOT, capture_output=True, text=True, timeout=60, **more)


def lines(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def detect(folder, rules, events):
    (folder / "rules").mkdir(exist_ok=True)
    for old in (folder / "rules").iterdir():
        old.unlink()
    files = rules if isinstance(rules, dict) else {"rule.yml": rules}
    for name, text in files.items():
        (folder / "rules" / name).write_text(text)
    (folder / "events.jsonl").write_text("".join(json.dumps(e, ensure_ascii=False) + "\n" for e in events))
    done = run("detect", "--rules", str(folder / "rules"), "--ignore-logsource", "--format", "jsonl",
               str(folder / "events.jsonl"))
    return done


def status(folder):
    return lines(run("rules", "check", "--format", "jsonl", "--ignore-logsource", str(folder / "rules")).stdout)


def rule(detection, condition="selection", head="title: T\nid: 00000000-0000-4000-8000-000000000001\n"):
    text = head + "logsource: {product: test, category: test}\ndetection:\n"
    for line in detection.strip("\n").split("\n"):
        text += "  " + line + "\n"
    if condition is not None:
        text += f"  condition: {condition}\n"
    return text


# ---- one event, one rule: (what, detection, condition, events that match, events that do not)
b64 = lambda text, coding="utf-8": base64.b64encode(text.encode(coding)).decode()
VECTORS = [
    ("re|i", "selection: {A|re|i: '^ab+c$'}", "selection", [{"A": "ABBC"}, {"A": "abc"}], [{"A": "xabc"}, {"A": "ac"}]),
    ("re without i keeps case", "selection: {A|re: 'ab'}", "selection", [{"A": "xabx"}], [{"A": "AB"}]),
    ("re|m", "selection: {A|re|m: '^b$'}", "selection", [{"A": "a\nb\nc"}], [{"A": "ab"}]),
    ("re|s", "selection: {A|re|s: 'a.b'}", "selection", [{"A": "a\nb"}], [{"A": "ab"}]),
    ("re|all", "selection: {A|re|all: ['a', 'b']}", "selection", [{"A": "xaxb"}], [{"A": "xa"}]),
    ("contains|all", "selection: {A|contains|all: [one, two]}", "selection", [{"A": "two ONE"}], [{"A": "one"}, {}]),
    ("windash|contains|all", "selection: {A|windash|contains|all: [' -a', ' /b']}", "selection",
     [{"A": "x /a –b"}, {"A": "x ―a -b"}], [{"A": "x -a"}, {"A": "x +a -b"}]),
    ("windash: permutations", "selection: {A|windash|contains: '-enc -nop'}", "selection",
     [{"A": "p /enc -nop"}, {"A": "p –enc /nop"}, {"A": "P —ENC ―NOP"}], [{"A": "p enc -nop"}]),
    ("windash: not inside a word", "selection: {A|windash: 'well-known'}", "selection", [{"A": "well-known"}],
     [{"A": "well/known"}]),
    ("base64offset|contains", "selection: {A|base64offset|contains: 'http://'}", "selection",
     [{"A": b64("http://x")}, {"A": b64("ahttp://x")}, {"A": b64("abhttp://x")}], [{"A": b64("https://")}]),
    ("base64|contains keeps case", "selection: {A|base64|contains|cased: 'foobar'}", "selection", [{"A": "Zm9vYmFy"}],
     [{"A": "zm9vymfy"}]),
    ("escapes are resolved before encoding", r"selection: {A|base64|contains: 'a\*b'}", "selection",
     [{"A": b64("a*b")}], [{"A": b64("a\\*b")}]),
    ("utf16le|base64offset|contains", "selection: {A|utf16le|base64offset|contains: 'IEX'}", "selection",
     [{"A": b64("xIEX y", "utf-16-le")}], [{"A": b64("IEX")}]),
    ("utf16be|base64offset|contains", "selection: {A|utf16be|base64offset|contains: 'IEX'}", "selection",
     [{"A": b64("xIEX y", "utf-16-be")}], [{"A": b64("IEX", "utf-16-le")}]),
    ("utf16 has a byte order mark", "selection: {A|utf16|base64|startswith: 'abc'}", "selection",
     [{"A": base64.b64encode(b"\xff\xfea\0b\0c\0").decode()}], [{"A": b64("abc", "utf-16-le")}]),
    ("wide|base64offset|contains|all", "selection: {A|wide|base64offset|contains|all: [ab, cd]}", "selection",
     [{"A": b64("ab cd", "utf-16-le")}], [{"A": b64("ab", "utf-16-le")}]),
    ("cidr list", "selection: {A|cidr: [10.0.0.0/8, 2001:db8::/32]}", "selection",
     [{"A": "10.1.2.3"}, {"A": "2001:db8::1"}], [{"A": "11.0.0.1"}, {"A": "2001:db9::1"}, {"A": "10.0.0.0/8"}]),
    ("exists: true", "selection: {A|exists: true}", "selection", [{"A": ""}, {"A": 0}], [{"B": 1}]),
    ("exists: false", "selection: {B: 1, A|exists: false}", "selection", [{"B": 1}], [{"B": 1, "A": "x"}]),
    ("fieldref", "selection: {A|fieldref: B}", "selection", [{"A": "x", "B": "X"}], [{"A": "x", "B": "y"}, {"A": "x"}, {}]),
    ("fieldref|endswith", "selection: {A|fieldref|endswith: B}", "selection", [{"A": "a.exe", "B": ".exe"}],
     [{"A": "exe.a", "B": "exe"}]),
    ("fieldref|startswith", "selection: {A|fieldref|startswith: B}", "selection", [{"A": "ab", "B": "a"}], [{"A": "ba", "B": "a"}]),
    ("fieldref|contains", "selection: {A|fieldref|contains: B}", "selection", [{"A": "xabx", "B": "ab"}], [{"A": "x", "B": "ab"}]),
    ("fieldref|neq", "selection: {A|fieldref|neq: B}", "selection", [{"A": "x", "B": "y"}], [{"A": "x", "B": "x"}]),
    ("neq list", "selection: {A|neq: [1, two]}", "selection", [{"A": 3}, {"A": "twos"}], [{"A": 1}, {"A": "TWO"}]),
    ("gte and lt", "selection: {A|gte: 1.5, B|lt: 0}", "selection", [{"A": 1.5, "B": -1}, {"A": "2", "B": "-0.1"}],
     [{"A": 1.4, "B": -1}, {"A": 2, "B": 0}]),
    ("gt of a text that is no number", "selection: {A|gt: 5}", "selection", [{"A": "6"}], [{"A": "six"}, {}]),
    ("minute to year", "selection: {T|minute: 5, T|hour: 4, T|day: 3, T|month: 2, T|year: 2026, T|week: 6}", "selection",
     [{"T": "2026-02-03T04:05:06Z"}], [{"T": "2026-02-03T05:05:06Z"}, {"T": "2026-02-03T04:05:06 or so"}]),
    ("hour|gte", "selection: {T|hour|gte: 22}", "selection", [{"T": "2026-02-03T23:05:06Z"}, {"T": "2026-02-03T22:00:00Z"}],
     [{"T": "2026-02-03T21:59:59Z"}]),
    ("hour list", "selection: {T|hour: [1, 2]}", "selection", [{"T": "2026-02-03T01:05:06Z"}], [{"T": "2026-02-03T03:05:06Z"}]),
    ("null", "selection: {B: 1, A: null}", "selection", [{"B": 1}], [{"B": 1, "A": "x"}]),
    ("not null", "selection: {B: 1}\nfilter: {A: null}", "selection and not filter", [{"B": 1, "A": "x"}], [{"B": 1}]),
    ("empty string", "selection: {A: ''}", "selection", [{"A": ""}], [{"A": "x"}, {"B": 1}]),
    ("a star alone", "selection: {A: '*'}", "selection", [{"A": "x"}, {"A": ""}], [{"B": "x"}]),
    ("question mark", "selection: {A: 'a?c'}", "selection", [{"A": "abc"}, {"A": "aéc"}], [{"A": "ac"}, {"A": "abbc"}]),
    ("escaped star", r"selection: {A: 'a\*c'}", "selection", [{"A": "a*c"}], [{"A": "abc"}]),
    ("escaped question mark", r"selection: {A|contains: 'a\?'}", "selection", [{"A": "xa?x"}], [{"A": "xabx"}]),
    ("backslash and star", r"selection: {A: 'a\\*c'}", "selection", [{"A": "a\\xyzc"}], [{"A": "axyzc"}]),
    ("single backslash", r"selection: {A|endswith: '\cmd.exe'}", "selection", [{"A": "C:\\cmd.exe"}], [{"A": "cmd.exe"}]),
    ("double backslash is one", r"selection: {A: 'a\\b'}", "selection", [{"A": "a\\b"}], [{"A": "a\\\\b"}]),
    ("number as text", "selection: {A: '1'}", "selection", [{"A": "1"}, {"A": 1}], [{"A": 10}]),
    ("number", "selection: {A: 7}", "selection", [{"A": 7}, {"A": "7"}], [{"A": "007"}, {"A": " 7"}, {"A": "7 "}, {"A": "+7"}, {"A": 70}]),
    ("zero and below", "selection: {A: [0, -5]}", "selection", [{"A": 0}, {"A": "-5"}], [{"A": "-05"}, {"A": ""}, {"A": 5}]),
    ("fraction", "selection: {A: 0.5}", "selection", [{"A": 0.5}, {"A": "0.5"}], [{"A": 0}, {"A": 5}]),
    ("hexadecimal text", "selection: {A: '0x10'}", "selection", [{"A": "0x10"}, {"A": "0X10"}], [{"A": 16}]),
    ("boolean", "selection: {A: true}", "selection", [{"A": True}, {"A": "true"}], [{"A": False}, {"A": 1}]),
    ("cased", "selection: {A|cased: aB}", "selection", [{"A": "aB"}], [{"A": "ab"}]),
    ("contains|cased", "selection: {A|contains|cased: aB}", "selection", [{"A": "xaBx"}], [{"A": "xabx"}]),
    ("keywords", "selection: [one, 'tw*o']", "selection", [{"A": "x one"}, {"B": {"C": "twxo"}}], [{"A": "x"}]),
    ("keywords with all", "selection: {'|all': [one, two]}", "selection", [{"A": "one", "B": "two"}], [{"A": "one"}]),
    ("keywords with re", "selection: {'|re': ['o.e', 'x{3}']}", "selection", [{"A": "one"}, {"B": "axxxa"}], [{"A": "xx"}]),
    ("keywords are not looked for in the name of the file", "selection: [events.jsonl]", "selection", [{"A": "x events.jsonl"}], [{"A": "x"}]),
    ("list of maps", "selection: [{A: 1}, {B: 2, C: 3}]", "selection", [{"A": 1}, {"B": 2, "C": 3}], [{"B": 2}]),
    ("keyword lists in maps", "selection: [{A: 1}, word]", "selection", [{"A": 1}, {"X": "a word"}], [{"A": 2}]),
    ("1 of them", "a: {A: 1}\nb: {B: 1}\n_c: {C: 1}", "1 of them", [{"A": 1}, {"B": 1}], [{"C": 1}]),
    ("any of them", "a: {A: 1}\nb: {B: 1}", "any of them", [{"A": 1}], [{"C": 1}]),
    ("all of them", "a: {A: 1}\nb: {B: 1}\n_c: {C: 1}", "all of them", [{"A": 1, "B": 1}], [{"A": 1}]),
    ("all of sel*", "sel1: {A: 1}\nsel2: {B: 1}\nother: {C: 1}", "all of sel*", [{"A": 1, "B": 1}], [{"A": 1, "C": 1}]),
    ("pattern in the middle", "a_x_1: {A: 1}\na_y_1: {B: 1}\nb_x_1: {C: 1}", "1 of a_*_1", [{"A": 1}, {"B": 1}], [{"C": 1}]),
    ("not 1 of filter_*", "sel: {A: 1}\nfilter_a: {B: 1}\nfilter_b: {C: 1}", "sel and not 1 of filter_*", [{"A": 1}],
     [{"A": 1, "B": 1}, {"A": 1, "C": 1}]),
    ("not all of filter_*", "sel: {A: 1}\nfilter_a: {B: 1}\nfilter_b: {C: 1}", "sel and not all of filter_*",
     [{"A": 1}, {"A": 1, "B": 1}], [{"A": 1, "B": 1, "C": 1}]),
    ("brackets", "a: {A: 1}\nb: {B: 1}\nc: {C: 1}", "a and (b or not c)", [{"A": 1, "B": 1, "C": 1}, {"A": 1}], [{"A": 1, "C": 1}]),
    ("precedence", "a: {A: 1}\nb: {B: 1}\nc: {C: 1}", "a or b and not c", [{"A": 1, "C": 1}, {"B": 1}], [{"B": 1, "C": 1}]),
    ("upper case operators", "a: {A: 1}\nb: {B: 1}", "a AND NOT b", [{"A": 1}], [{"A": 1, "B": 1}]),
    ("list of conditions", "a: {A: 1}\nb: {B: 1}\n_x: {X: 1}", "[a, b and _x]", [{"A": 1}, {"B": 1, "X": 1}], [{"B": 1}]),
    ("several values", "selection: {A: two}", "selection", [{"A": ["one", "two"]}], [{"A": ["one", "three"]}]),
    ("nested field", "selection: {A.B: 1}", "selection", [{"A": {"B": 1}}], [{"A": 1, "B": 1}]),
    ("beyond ASCII, without case", "selection: {A: 'ÄÖ 日本'}", "selection", [{"A": "äö 日本"}], [{"A": "ao 日本"}]),
]


def check_vectors(folder):
    for what, detection, condition, yes, no in VECTORS:
        done = detect(folder, rule(detection, condition), yes + no)
        got = sorted(line["hinomi"]["record"] for line in lines(done.stdout)) if done.returncode == 0 else done.stderr
        checks.check(what, got == list(range(len(yes))), f"{got} of {yes + no}\n{status(folder)}")


# ---- rules that cannot be active, and the word that the reason must have
WRONG = [
    ("2 of them", "a: {A: 1}", "2 of them", "refused", "correlation"),
    ("1 of nothing", "a: {A: 1}", "1 of b*", "refused", "no search"),
    ("unknown search", "a: {A: 1}", "a and b", "refused", "there is no search"),
    ("unknown modifier", "a: {A|contians: 1}", "a", "refused", "contians"),
    ("i without re", "a: {A|i: x}", "a", "refused", "behind re"),
    ("re and cidr", "a: {A|re|cidr: x}", "a", "refused", "exclude"),
    ("contains and lt", "a: {A|contains|lt: 1}", "a", "refused", "'lt' cannot stand here"),
    ("base64 of a wildcard", "a: {A|base64: 'x*'}", "a", "refused", "wildcard"),
    ("lt of a text", "a: {A|lt: abc}", "a", "refused", "number"),
    ("cidr of a text", "a: {A|cidr: 10.0.0.0/99}", "a", "refused", "10.0.0.0/99"),
    ("regular expression", "a: {A|re: '(x'}", "a", "refused", "line"),
    ("exists: maybe", "a: {A|exists: maybe}", "a", "refused", "true or false"),
    ("map as a value", "a: {A: {B: 1}}", "a", "refused", "value"),
    ("list in a list", "a: {A: [[1]]}", "a", "refused", "single value"),
    ("empty list", "a: {A: []}", "a", "refused", "list of values"),
    ("empty search", "a: {}", "a", "refused", "empty search"),
    ("search without content", "a:", "a", "refused", "empty search"),
    ("no condition", "a: {A: 1}", None, "refused", "condition"),
    ("condition is a map", "a: {A: 1}", "{a: b}", "refused", "condition"),
    ("aggregation", "a: {A: 1}", "a | count() > 5", "inactive", "correlation"),
    ("placeholder without values", "a: {A|expand: '%Nobody%'}", "a", "inactive", "%Nobody%"),
    ("fieldref without a field", "a: {'|fieldref': B}", "a", "refused", "field"),
    ("bracket", "a: {A: 1}", "(a", "refused", "closing"),
]


def check_wrong(folder):
    for what, detection, condition, wanted, word in WRONG:
        detect(folder, rule(detection, condition), [{"A": 1}])
        got = status(folder)
        ok = len(got) == 1 and got[0]["status"] == wanted and word in got[0].get("reason", "")
        checks.check(f"{what}: {wanted}, the reason has '{word}'", ok, str(got))


# ---- placeholders

def check_placeholders(folder):
    values = "Admins: [alice, adm_*]\nHosts: srv1\n"
    cases = [
        ("expand", "selection: {U|expand: '%Admins%'}", [{"U": "Alice"}, {"U": "adm_x"}], [{"U": "bob"}, {"U": "%Admins%"}]),
        ("expand|contains", "selection: {U|expand|contains: '%Hosts%'}", [{"U": "x srv1 y"}], [{"U": "srv2"}]),
        ("in the middle, twice", r"selection: {U|expand: '%Hosts%\%Admins%'}", [{"U": "srv1%Admins%"}], [{"U": "srv1alice"}]),
        ("two of them", "selection: {U|expand: '%Hosts%/%Admins%'}", [{"U": "srv1/alice"}, {"U": "SRV1/adm_1"}], [{"U": "srv1/bob"}]),
        ("list", "selection: {U|expand: ['%Hosts%', plain]}", [{"U": "srv1"}, {"U": "plain"}], [{"U": "alice"}]),
        ("neq", "selection: {U|exists: true, U|expand|neq: '%Admins%'}", [{"U": "bob"}], [{"U": "alice"}, {"U": "adm_1"}]),
        ("without expand a text", "selection: {U: '%Admins%'}", [{"U": "%Admins%"}], [{"U": "alice"}]),
    ]
    for what, detection, yes, no in cases:
        done = detect(folder, {"r.yml": rule(detection), "placeholders.yaml": values}, yes + no)
        got = sorted(line["hinomi"]["record"] for line in lines(done.stdout))
        checks.check(f"placeholders: {what}", got == list(range(len(yes))), f"{got} {done.stderr} {status(folder)}")


# ---- filters

BASE = """title: Run
id: 11111111-1111-4111-8111-111111111111
name: run_rule
logsource: {category: process_creation, product: windows}
detection:
  selection: {I: x}
  condition: selection
"""


def filter_of(rules, body="selection: {U: bob}", condition="not selection",
              source="{category: process_creation, product: windows}", title="F"):
    return f"title: {title}\nlogsource: {source}\nfilter:\n  rules: {rules}\n  {body}\n  condition: {condition}\n"


def check_filters(folder):
    bob, eve = {"I": "x", "U": "bob"}, {"I": "x", "U": "eve"}
    cases = [
        ("by id", {"a.yml": BASE, "b.yml": filter_of("[11111111-1111-4111-8111-111111111111]")}, [1]),
        ("by name", {"a.yml": filter_of("[run_rule]"), "b.yml": BASE}, [1]),
        ("any", {"a.yml": BASE, "b.yml": filter_of("any")}, [1]),
        ("less log source fits", {"a.yml": BASE, "b.yml": filter_of("any", source="{product: windows}")}, [1]),
        ("another log source does not", {"a.yml": BASE, "b.yml": filter_of("any", source="{product: linux}")}, [0, 1]),
        ("two filters", {"a.yml": BASE, "b.yml": filter_of("any"), "c.yml": filter_of("any", "selection: {U: eve}")}, []),
        ("positive", {"a.yml": BASE, "b.yml": filter_of("any", condition="selection")}, [0]),
        ("one that is wrong is no filter", {"a.yml": BASE, "b.yml": filter_of("any", "selection: {U|nonsense: 1}")}, [0, 1]),
    ]
    for what, files, wanted in cases:
        got = sorted(line["hinomi"]["record"] for line in lines(detect(folder, files, [bob, eve]).stdout))
        checks.check(f"filter: {what}", got == wanted, f"{got} {status(folder)}")
    detect(folder, {"a.yml": BASE, "b.yml": filter_of("[nobody]")}, [bob])
    reasons = [s.get("reason", "") for s in status(folder) if s["status"] == "inactive"]
    checks.check("a filter that names nobody says whom", len(reasons) == 1 and "nobody" in reasons[0], str(status(folder)))


# ---- correlations

def base(name, **fields):
    selection = ", ".join(f"{k}: {v}" for k, v in fields.items())
    return (f"title: {name} title\nname: {name}\nlogsource: {{product: test, category: test}}\n"
            f"detection:\n  selection: {{{selection}}}\n  condition: selection\n")


def correlation(kind, rules, more, title="last", head=""):
    return f"title: {title}\n{head}correlation:\n  type: {kind}\n  rules: {rules}\n  {more}\n"


def at(seconds, **fields):
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return dict(fields, **{"@timestamp": f"2026-03-{1 + days:02}T{hours:02}:{minutes:02}:{seconds:02}Z"})


A, B, C = base("a", E=1), base("b", E=2), base("c", E=3)
many = lambda n, e=1, step=10, start=0, **f: [at(start + step * i, E=e, **f) for i in range(n)]
COUNT = lambda condition, span="5m": correlation("event_count", "[a]", f"group-by: [U]\n  timespan: {span}\n  condition: {condition}")
VALUE = lambda kind, condition, span="10m": correlation(kind, "[a]", f"group-by: [U]\n  timespan: {span}\n  condition: {condition}")
SEQ = lambda kind, rules="[a, b]", more="": correlation(kind, rules, f"group-by: [U]\n  timespan: 5m{more}")
values = lambda user, *list, step=10: [at(step * i, E=1, U=user, V=v) for i, v in enumerate(list)]

CORRELATIONS = [
    ("gte", [A, COUNT("{gte: 3}")], many(3, U="x") + many(2, U="y"), [("x",)]),
    ("gt", [A, COUNT("{gt: 3}")], many(4, U="x") + many(3, U="y"), [("x",)]),
    ("lt is judged when the window closes", [A, COUNT("{lt: 3}")], many(2, U="x") + many(3, U="y"), [("x",)]),
    ("lte", [A, COUNT("{lte: 3}")], many(3, U="x") + many(4, U="y"), [("x",)]),
    ("eq", [A, COUNT("{eq: 3}")], many(3, U="x") + many(4, U="y") + many(2, U="z"), [("x",)]),
    ("neq", [A, COUNT("{neq: 3}")], many(3, U="x") + many(4, U="y"), [("y",)]),
    ("a range", [A, COUNT("{gte: 2, lt: 4}")], many(1, U="w") + many(2, U="x") + many(3, U="y") + many(4, U="z"), [("x",), ("y",)]),
    ("the edge of the timespan is in it", [A, COUNT("{gte: 2}")], [at(0, E=1, U="x"), at(300, E=1, U="x"), at(0, E=1, U="y"), at(301, E=1, U="y")], [("x",)]),
    ("units: w", [A, COUNT("{gte: 2}", "1w")], [at(0, E=1, U="x"), at(6 * 86400, E=1, U="x"), at(0, E=1, U="y"), at(8 * 86400, E=1, U="y")], [("x",)]),
    ("no group-by", [A, correlation("event_count", "[a]", "timespan: 1m\n  condition: {gte: 2}")], many(2), [()]),
    ("an empty group-by", [A, correlation("event_count", "[a]", "group-by: []\n  timespan: 1m\n  condition: {gte: 2}")], many(2), [()]),
    ("group-by as a text", [A, correlation("event_count", "a", "group-by: U\n  timespan: 1m\n  condition: {gte: 2}")], many(2, U="x"), [("x",)]),
    ("two fields", [A, correlation("event_count", "[a]", "group-by: [U, H]\n  timespan: 1m\n  condition: {gte: 2}")],
     many(2, U="x", H="1") + many(1, U="y", H="1") + many(1, U="y", H="2"), [("x", "1")]),
    ("a field that is missing is no group", [A, COUNT("{gte: 2}")], many(5), []),
    ("several values are several groups", [A, COUNT("{gte: 2}")], [at(0, E=1, U=["x", "y"]), at(1, E=1, U=["y", "z"])], [("y",)]),
    ("late events are put in their place", [A, COUNT("{gte: 3}")], [at(0, E=1, U="x"), at(290, E=1, U="x"), at(1000, E=1, U="y"), at(100, E=1, U="x")], [("x",)]),
    ("value_count", [A, VALUE("value_count", "{field: V, gte: 3}")], values("x", 1, 2, 3) + values("y", 1, 2, 1, 2), [("x",)]),
    ("value_count of two fields", [A, VALUE("value_count", "{field: [V, W], gte: 2}")],
     [at(0, E=1, U="x", V=1, W=1), at(1, E=1, U="x", V=1, W=2), at(0, E=1, U="y", V=1, W=1), at(1, E=1, U="y", V=1, W=1), at(2, E=1, U="y", V=2)], [("x",)]),
    ("value_count of several values", [A, VALUE("value_count", "{field: V, gte: 3}")], [at(0, E=1, U="x", V=[1, 2, 3]), at(0, E=1, U="y", V=[1, 2])], [("x",)]),
    ("value_count lt", [A, VALUE("value_count", "{field: V, lt: 2}")], values("x", 1, 1, 1) + values("y", 1, 2), [("x",)]),
    ("value_sum", [A, VALUE("value_sum", "{field: V, gt: 1000}")], values("x", 600, "500") + values("y", 999, "text"), [("x",)]),
    ("value_sum is exact", [A, VALUE("value_sum", "{field: V, gte: 0.3}")], values("x", "0.1", "0.2") + values("y", "0.1", "0.19999999999999999"), [("x",)]),
    ("value_sum slides", [A, VALUE("value_sum", "{field: V, gte: 10}")], values("x", 5, 5, step=700) + values("y", 5, 5, step=500), [("y",)]),
    ("value_avg", [A, VALUE("value_avg", "{field: V, gt: 100}")], values("x", 150, 160) + values("y", 500, 1, 1, 1, 1, 1), [("x",)]),
    ("value_avg lt", [A, VALUE("value_avg", "{field: V, lt: 100}")], values("x", 150, 160) + values("y", 1, 1, 150), [("y",)]),
    ("value_max and value_min", [A, VALUE("value_max", "{field: V, gte: 9}")], values("x", 1, 9) + values("y", 8, 8), [("x",)]),
    ("value_min", [A, VALUE("value_min", "{field: V, lte: 2}")], values("x", 5, 2) + values("y", 3, 8), [("x",)]),
    ("value_median", [A, VALUE("value_median", "{field: V, gte: 5}")], values("x", 1, 5, 9) + values("y", 1, 2, 900), [("x",)]),
    ("value_percentile with a percentile", [A, VALUE("value_percentile", "{field: V, percentile: 90, gte: 50}")],
     values("x", *[60] * 9, 1) + values("y", *[1] * 19, 900), [("x",)]),
    ("value_percentile without: the share of a value", [A, VALUE("value_percentile", "{field: V, lte: 10}")],
     values("x", *["usual"] * 19, "rare") + values("y", *["a", "b"] * 9), [("x",)]),
    ("temporal", [A, B, SEQ("temporal")], [at(0, E=2, U="x"), at(9, E=1, U="x"), at(0, E=1, U="y"), at(400, E=2, U="y")], [("x",)]),
    ("temporal with a count", [A, B, C, SEQ("temporal", "[a, b, c]", "\n  condition: {gte: 2}")],
     [at(0, E=3, U="x"), at(9, E=1, U="x"), at(0, E=1, U="y"), at(1, E=1, U="y")], [("x",)]),
    ("temporal with rules in the condition", [A, B, C, SEQ("temporal", "[a, b, c]", "\n  condition: a and (b or c)")],
     [at(0, E=3, U="x"), at(9, E=1, U="x"), at(0, E=2, U="y"), at(1, E=3, U="y")], [("x",)]),
    ("temporal with not, judged when the window closes", [A, B, SEQ("temporal", "[a, b]", "\n  condition: a and not b")],
     [at(0, E=1, U="x"), at(0, E=1, U="y"), at(1, E=2, U="y")], [("x",)]),
    ("temporal_ordered", [A, B, SEQ("temporal_ordered")], [at(0, E=1, U="x"), at(9, E=2, U="x"), at(0, E=2, U="y"), at(9, E=1, U="y")], [("x",)]),
    ("temporal_ordered with others between", [A, B, C, SEQ("temporal_ordered", "[a, b, c]")],
     [at(0, E=1, U="x"), at(1, E=3, U="x"), at(2, E=2, U="x"), at(3, E=1, U="x"), at(4, E=3, U="x"),
      at(0, E=1, U="y"), at(1, E=3, U="y"), at(2, E=2, U="y")], [("x",)]),
    ("temporal_ordered, the middle late", [A, B, C, SEQ("temporal_ordered", "[a, b, c]")],
     [at(0, E=1, U="x"), at(60, E=3, U="x"), at(30, E=2, U="x")], [("x",)]),
    ("temporal_ordered restarts", [A, B, SEQ("temporal_ordered")], [at(0, E=2, U="x"), at(9, E=1, U="x"), at(20, E=2, U="x")], [("x",)]),
    ("by title", [A, COUNT("{gte: 2}").replace("[a]", "[a title]")], many(2, U="x"), [("x",)]),
    ("by id, the correlation first", [COUNT("{gte: 2}").replace("[a]", "[11111111-1111-4111-8111-111111111111]"),
     "id: 11111111-1111-4111-8111-111111111111\n" + A], many(2, U="x"), [("x",)]),
    ("aliases", [A, B, correlation("temporal", "[a, b]", "aliases: {ip: {a: S, b: D}}\n  group-by: [ip]\n  timespan: 1m")],
     [at(0, E=1, S="9"), at(1, E=2, D="9"), at(2, E=2, D="8"), at(2, E=2, S="8")], [("9",)]),
    ("two aliases crossed", [A, B, correlation("temporal", "[a, b]", "aliases: {i: {a: S, b: D}, o: {a: D, b: S}}\n  group-by: [i, o]\n  timespan: 1m")],
     [at(0, E=1, S="1", D="2"), at(1, E=2, S="2", D="1"), at(0, E=1, S="3", D="4"), at(1, E=2, S="3", D="4")], [("1", "2")]),
    ("a chain", [A, B, correlation("event_count", "[a]", "group-by: [U]\n  timespan: 5m\n  condition: {gte: 3}", "many", "name: many\n"),
     correlation("temporal_ordered", "[many, b]", "group-by: [U]\n  timespan: 10m")],
     many(3, U="x") + [at(60, E=2, U="x")] + many(2, U="y") + [at(60, E=2, U="y")], [("x",)]),
    ("a chain that groups by another field of the event", [A, B, correlation("event_count", "[a]", "group-by: [H]\n  timespan: 5m\n  condition: {gte: 2}", "many", "name: many\n"),
     correlation("temporal_ordered", "[many, b]", "group-by: [U]\n  timespan: 10m")],
     many(2, U="x", H="h") + [at(60, E=2, U="x"), at(60, E=2, U="y")], [("x",)]),
    ("a chain of chains", [A, correlation("event_count", "[a]", "group-by: [U, H]\n  timespan: 1m\n  condition: {gte: 2}", "one", "name: one\n"),
     correlation("value_count", "[one]", "group-by: [U]\n  timespan: 10m\n  condition: {field: H, gte: 2}", "two", "name: two\n"),
     correlation("event_count", "[two]", "group-by: [U]\n  timespan: 10m\n  condition: {gte: 1}")],
     many(2, U="x", H="1") + many(2, U="x", H="2", start=100) + many(4, U="y", H="1"), [("x",)]),
]


def groups_of(done, title="last"):
    found = []
    for line in lines(done.stdout):
        if line["rule"].get("title") == title:
            found.append(tuple(v for k, v in line.items() if k not in ("rule", "log", "hinomi")))
    return found


def check_correlations(folder):
    for what, documents, events, wanted in CORRELATIONS:
        done = detect(folder, "---\n".join(documents), events)
        found = groups_of(done)
        checks.check(f"correlation: {what}", sorted(set(found)) == wanted and len(found) == len(set(found)),
                     f"{found} {done.stderr} {[s for s in status(folder) if s['status'] != 'active']}")
        apart = {f"{9 - i}.yml": text for i, text in enumerate(documents)}
        checks.check(f"correlation: {what}, in files of their own", sorted(set(groups_of(detect(folder, apart, events)))) == wanted)


def check_findings(folder):
    flood = "---\n".join([A, COUNT("{gte: 3}")])
    done = detect(folder, flood, [dict(event, **{"event.id": f"e{i}"}) for i, event in enumerate(many(10000, U="x", step=0))])
    found = [line for line in lines(done.stdout) if line["rule"].get("title") == "last"]
    checks.check("a flood is one finding, at the third event", len(found) == 1 and found[0]["hinomi"]["events"] == 3 and
                 found[0]["hinomi"]["record"] == 2, done.stdout[:500])
    checks.check("which names its events", found[0]["hinomi"]["evidence"] == ["e0", "e1", "e2"], str(found))
    replay = run("replay", "--rules", str(folder / "rules"), "--ignore-logsource", str(folder / "events.jsonl"))
    rest = [line["hinomi"] for line in lines(replay.stdout) if "follows" in line["hinomi"]]
    checks.check("and the 9,997 that followed are told when it is over", [r["events"] for r in rest] == [9997] and
                 rest[0]["follows"] == lines(replay.stdout)[0]["hinomi"]["finding"], replay.stdout[-600:])
    done = detect(folder, flood, many(3, U="x") + many(3, U="x", start=1000))
    checks.check("it fires again when it was untrue in between", groups_of(done) == [("x",), ("x",)], done.stdout)
    done = detect(folder, flood, many(100, U="x", step=10))
    checks.check("and after a timespan when it stays true", 3 <= len(groups_of(done)) <= 4, str(len(groups_of(done))))
    generate = COUNT("{gte: 2}").replace("correlation:\n", "correlation:\n  generate: true\n")
    for what, last, wanted in [("without generate a rule that is named is silent", COUNT("{gte: 2}"), 0), ("with generate it is not", generate, 2)]:
        titles = [line["rule"]["title"] for line in lines(detect(folder, A + "---\n" + last, many(2, U="x")).stdout)]
        checks.check(what, titles.count("a title") == wanted and titles.count("last") == 1, str(titles))


WRONG_CORRELATIONS = [
    ("a rule that is not here", [COUNT("{gte: 2}")], "inactive", "'a'"),
    ("a rule that is refused", [A.replace("E: 1", "E|nonsense: 1"), COUNT("{gte: 2}")], "inactive", "nonsense"),
    ("a rule without values for its placeholder", [A.replace("E: 1", "E|expand: '%P%'"), COUNT("{gte: 2}")], "inactive", "%P%"),
    ("itself", [COUNT("{gte: 2}").replace("[a]", "[last]")], "inactive", "'last'"),
    ("two that name each other", [correlation("event_count", "[last]", "timespan: 1m\n  condition: {gte: 1}", "one"),
     correlation("event_count", "[one]", "timespan: 1m\n  condition: {gte: 1}")], "inactive", "names itself"),
    ("two rules of a name", ["id: 11111111-1111-4111-8111-111111111111\n" + A, "id: 11111111-1111-4111-8111-111111111112\n" + A, COUNT("{gte: 2}")], "refused", "more than one"),
    ("an unknown type", [A, VALUE("value_mode", "{field: V, gte: 2}")], "refused", "value_mode"),
    ("no timespan", [A, correlation("event_count", "[a]", "condition: {gte: 2}")], "refused", "timespan"),
    ("a wrong timespan", [A, COUNT("{gte: 2}", "5 minutes")], "refused", "timespan"),
    ("no condition", [A, correlation("event_count", "[a]", "timespan: 1m")], "refused", "condition"),
    ("an unknown comparison", [A, COUNT("{ge: 2}")], "refused", "'ge'"),
    ("a comparison with a text", [A, COUNT("{gte: many}")], "refused", "number"),
    ("no field", [A, VALUE("value_count", "{gte: 2}")], "refused", "field"),
    ("only no event would do", [A, COUNT("{lt: 1}")], "inactive", "silence"),
    ("no rules", [correlation("event_count", "[]", "timespan: 1m\n  condition: {gte: 2}")], "refused", "rules"),
    ("an alias for another rule", [A, correlation("event_count", "[a]", "aliases: {x: {b: y}}\n  timespan: 1m\n  condition: {gte: 2}")], "refused", "'b'"),
    ("an unknown word", [A, correlation("event_count", "[a]", "timeframe: 1m\n  timespan: 1m\n  condition: {gte: 2}")], "refused", "timeframe"),
    ("or in an order", [A, B, SEQ("temporal_ordered", "[a, b]", "\n  condition: a or b")], "refused", "'and'"),
]


def check_wrong_correlations(folder):
    for what, documents, wanted, word in WRONG_CORRELATIONS:
        detect(folder, "---\n".join(documents), [])
        last = status(folder)[-1]
        checks.check(f"a correlation with {what}: {wanted}, the reason has {word}",
                     last["status"] == wanted and word in last.get("reason", ""), str(last))


def check_documented(folder):
    """Every rule that docs/rules.md shows is active."""
    text = (ROOT / "docs/rules.md").read_text()
    blocks = [b for b in re.findall(r"```yaml\n(.*?)```", text, re.S) if b.startswith("title:")]
    named = [base(n, **{"event.action": n}) for n in ("many_failures", "login", "first_host")]
    checks.check("the documentation shows rules", len(blocks) >= 4, str(len(blocks)))
    for number, block in enumerate(blocks):
        (folder / "rules").mkdir(exist_ok=True)
        for old in (folder / "rules").iterdir():
            old.unlink()
        (folder / "rules/shown.yml").write_text(block + "".join("---\n" + n for n in named))
        wrong = [s for s in status(folder) if s["status"] != "active"]
        checks.check(f"example {number + 1}: {block.splitlines()[0]}", not wrong, str(wrong))


with tempfile.TemporaryDirectory() as name:
    place = Path(name)
    check_vectors(place)
    check_wrong(place)
    check_placeholders(place)
    check_filters(place)
    check_correlations(place)
    check_findings(place)
    check_wrong_correlations(place)
    check_documented(place)
checks.finish()
