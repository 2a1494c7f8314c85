#!/usr/bin/env python3
"""Rules that cannot be active: `hinomi rules check` and GET /v1/rules name each with a sentence that says what is wrong and where.
Nothing is left out in silence: also what is right and does nothing is noted."""
import json
import pathlib
import tempfile

from harness import Checks, Server, run, wait_for

checks = Checks()
SOURCE = "logsource: {product: windows, category: process_creation}\n"


def rule(item, condition="s", more=""):
    return f"title: TITLE\n{more}{SOURCE}detection:\n  s: {{{item}}}\n  condition: {condition}\n"


def searches(text, condition):
    return "title: TITLE\n" + SOURCE + "detection:\n" + "".join(f"  {line}\n" for line in text.split("\n")) + f"  condition: {condition}\n"


def correlation(body, more=""):
    return f"title: TITLE\n{more}correlation:\n" + "".join(f"  {line}\n" for line in body.split("\n"))


def filter_of(body, source=SOURCE):
    return f"title: TITLE\n{source}filter:\n" + "".join(f"  {line}\n" for line in body.split("\n"))


COUNT = "type: event_count\nrules: [a]\ngroup-by: [User]\ntimespan: 5m\ncondition: {gte: 2}"
A = f"title: a title\nname: a\nid: aaaaaaaa-1111-4111-8111-111111111111\n{SOURCE}detection:\n  s: {{Image: x}}\n  condition: s\n"
REFUSED, INACTIVE = "refused", "inactive"

# what, the document, status, words that the reason has
BROKEN = [
    ("an unknown modifier", rule("Image|contians: x"), REFUSED, ["line 4", "Image|contians", "'contians'"]),
    ("an empty modifier", rule("Image|: x"), REFUSED, ["Image|", "modifier ''"]),
    ("a modifier in upper case", rule("Image|Contains: x"), REFUSED, ["'Contains'"]),
    ("i without re", rule("Image|i: x"), REFUSED, ["Image|i", "re"]),
    ("i before re", rule("Image|i|re: x"), REFUSED, ["'i'", "behind re"]),
    ("contains before re", rule("Image|contains|re: x"), REFUSED, ["'re'", "before"]),
    ("startswith before cidr", rule("Image|startswith|cidr: 10.0.0.0/8"), REFUSED, ["'cidr'", "before"]),
    ("contains before base64offset", rule("Image|contains|base64offset: x"), REFUSED, ["'base64offset'", "base64offset|contains"]),
    ("endswith before wide", rule("Image|endswith|wide: x"), REFUSED, ["'wide'", "before"]),
    ("base64 before windash", rule("Image|base64|windash: -x"), REFUSED, ["'windash'", "before an encoding"]),
    ("base64 before expand", rule("Image|base64|expand: '%x%'"), REFUSED, ["'expand'", "before an encoding"]),
    ("contains and startswith", rule("Image|contains|startswith: x"), REFUSED, ["'startswith'", "exclude"]),
    ("lt and gt", rule("Image|lt|gt: 1"), REFUSED, ["'gt'", "one of lt"]),
    ("gte before hour", rule("Image|gte|hour: 1"), REFUSED, ["'hour'", "hour|gte"]),
    ("hour and minute", rule("Image|hour|minute: 1"), REFUSED, ["'minute'", "exclude"]),
    ("re and cidr", rule("Image|re|cidr: 10.0.0.0/8"), REFUSED, ["Image|re|cidr", "exclude"]),
    ("re and lt", rule("Image|re|lt: 5"), REFUSED, ["exclude"]),
    ("cidr and contains", rule("Image|cidr|contains: 10.0.0.0/8"), REFUSED, ["for texts"]),
    ("exists with all", rule("Image|exists|all: true"), REFUSED, ["exists", "alone"]),
    ("encoded regular expression", rule("Image|re|base64: x"), REFUSED, ["encoding"]),
    ("more encodings than there may be", rule("Image|wide|base64|base64|base64: x"), REFUSED, ["more encodings"]),
    ("a wildcard that is to be encoded", rule("Image|base64: 'x*'"), REFUSED, ["line 4", "Image|base64", "wildcard"]),
    ("windash of a regular expression", rule("Image|re|windash: x"), REFUSED, ["windash"]),
    ("lt of a text", rule("Image|lt: many"), REFUSED, ["line 4", "Image|lt", "number"]),
    ("gte of nothing", rule("Image|gte: null"), REFUSED, ["Image|gte"]),
    ("hour of a text", rule("Image|hour: noon"), REFUSED, ["Image|hour", "number"]),
    ("an hour that no day has", rule("Image|hour: 24"), REFUSED, ["Image|hour", "no time"]),
    ("an hour later than the last", rule("Image|hour|gt: 23"), REFUSED, ["Image|hour|gt", "no time"]),
    ("cidr with too many bits", rule("Image|cidr: 10.0.0.0/33"), REFUSED, ["line 4", "10.0.0.0/33"]),
    ("cidr of half an address", rule("Image|cidr: 10.0/16"), REFUSED, ["10.0/16"]),
    ("cidr with bits behind the mask", rule("Image|cidr: '2001:db8::/129'"), REFUSED, ["2001:db8::/129"]),
    ("exists: maybe", rule("Image|exists: maybe"), REFUSED, ["true or false"]),
    ("a regular expression with a bracket too few", rule("Image|re: '(x'"), REFUSED, ["line 4", "character"]),
    ("a regular expression that repeats nothing", rule("Image|re: '*x'"), REFUSED, ["line 4", "character 1"]),
    ("a wrong regular expression with startswith", rule("Image|re|startswith: 'ab['"), REFUSED, ["character 4"]),
    ("a map as a value", rule("Image: {x: y}"), REFUSED, ["line 4", "Image", "value"]),
    ("a list in a list", rule("Image: [[x]]"), REFUSED, ["Image", "single value"]),
    ("an empty list", rule("Image: []"), REFUSED, ["Image", "list of values"]),
    ("a fieldref that names nothing", rule("Image|fieldref: ''"), REFUSED, ["Image|fieldref", "field"]),
    ("a fieldref without a field", searches("s: {'|fieldref': Image}", "s"), REFUSED, ["|fieldref", "field"]),
    ("a keyword that is null", searches("s: [null]", "s"), REFUSED, ["line"]),
    ("a list of lists", searches("s: [[x]]", "s and t"), REFUSED, ["there is no search"]),
    ("an empty search", searches("s: {}", "s"), REFUSED, ["line 4", "empty search"]),
    ("an empty list of searches", searches("s: []", "s"), REFUSED, ["empty search"]),
    ("a search without content", searches("s:", "s"), REFUSED, ["line 4", "empty search"]),
    ("a name that is not there", rule("Image: x", "s and selection"), REFUSED, ["line 5", "selection", "no search"]),
    ("a pattern that fits nothing", rule("Image: x", "1 of sel*"), REFUSED, ["line 5", "1 of sel*", "no search"]),
    ("them, when all names begin with an underscore", searches("_s: {Image: x}", "1 of them"), REFUSED, ["no search"]),
    ("2 of them", rule("Image: x", "2 of them"), REFUSED, ["line 5", "correlation"]),
    ("1 of nothing", rule("Image: x", "1 of"), REFUSED, ["needed"]),
    ("all without of", rule("Image: x", "all s"), REFUSED, ["'of'"]),
    ("no bracket at the end", rule("Image: x", "(s"), REFUSED, ["closing )"]),
    ("a bracket too many", rule("Image: x", "s)"), REFUSED, ["character 2"]),
    ("two names without anything between", rule("Image: x", "s s"), REFUSED, ["'and' or 'or'"]),
    ("and at the end", rule("Image: x", "s and"), REFUSED, ["ends where a name"]),
    ("not at the end", rule("Image: x", "s and not"), REFUSED, ["ends where a name"]),
    ("an empty condition", rule("Image: x", "''"), REFUSED, ["line 5"]),
    ("a condition that is a map", rule("Image: x", "{s: t}"), REFUSED, ["line 5", "condition"]),
    ("an empty list of conditions", rule("Image: x", "[]"), REFUSED, ["condition"]),
    ("no condition", "title: TITLE\n" + SOURCE + "detection:\n  s: {Image: x}\n", REFUSED, ["no condition"]),
    ("no detection", "title: TITLE\n" + SOURCE, REFUSED, ["no detection"]),
    ("no log source", "title: TITLE\ndetection:\n  s: {Image: x}\n  condition: s\n", REFUSED, ["no logsource"]),
    ("an aggregation", rule("Image: x", "s | count() by User > 5"), INACTIVE, ["line 5", "aggregation", "correlation"]),
    ("near", rule("Image: x", "s | near s"), INACTIVE, ["aggregation"]),
    ("a placeholder without values", rule("Image|expand: '%Nobody%'"), INACTIVE, ["line 4", "%Nobody%"]),
    ("the second of two placeholders", rule("Image|expand: 'x%Nobody%y%None%'"), INACTIVE, ["%Nobody%"]),
    ("an unknown product", rule("Image: x").replace("windows", "toaster"), INACTIVE, ["toaster", "log source"]),
    ("an unknown category", rule("Image: x").replace("process_creation", "process_baking"), INACTIVE, ["process_baking"]),
    ("an unknown taxonomy", rule("Image: x", more="taxonomy: mine\n"), INACTIVE, ["taxonomy", "mine"]),
    ("an unknown product and a wrong modifier", rule("Image|nope: x").replace("windows", "toaster"), REFUSED, ["'nope'"]),
    ("a correlation of an unknown type", correlation(COUNT.replace("event_count", "event_sum")), REFUSED, ["event_sum"]),
    ("a correlation without a type", correlation(COUNT.replace("type: event_count\n", "")), REFUSED, ["type"]),
    ("a correlation without rules", correlation(COUNT.replace("rules: [a]\n", "")), REFUSED, ["rules"]),
    ("a correlation of a rule that is not here", correlation(COUNT.replace("[a]", "[a, ghost]")), INACTIVE, ["ghost"]),
    ("a correlation that names itself", correlation(COUNT.replace("[a]", "[me]"), "name: me\n"), INACTIVE, ["me"]),
    ("a correlation with a rule twice", correlation(COUNT.replace("[a]", "[a, a]")), REFUSED, ["'a'", "twice"]),
    ("a correlation without a timespan", correlation(COUNT.replace("timespan: 5m\n", "")), REFUSED, ["timespan"]),
    ("a timespan without a unit", correlation(COUNT.replace("5m", "5")), REFUSED, ["timespan"]),
    ("a timespan with an unknown unit", correlation(COUNT.replace("5m", "5q")), REFUSED, ["timespan"]),
    ("a timespan of nothing", correlation(COUNT.replace("5m", "0m")), REFUSED, ["timespan"]),
    ("a timespan below zero", correlation(COUNT.replace("5m", "-5m")), REFUSED, ["timespan"]),
    ("a correlation without a condition", correlation(COUNT.replace("\ncondition: {gte: 2}", "")), REFUSED, ["condition"]),
    ("an unknown comparison", correlation(COUNT.replace("gte", "atleast")), REFUSED, ["atleast"]),
    ("a comparison with a word", correlation(COUNT.replace("gte: 2", "gte: two")), REFUSED, ["number"]),
    ("value_count without a field", correlation(COUNT.replace("event_count", "value_count")), REFUSED, ["field"]),
    ("a percentile of 200", correlation(COUNT.replace("event_count", "value_percentile").replace("{gte: 2}", "{field: F, percentile: 200, gte: 2}")), REFUSED, ["percentile"]),
    ("an unknown key in a correlation", correlation(COUNT + "\nwindow: 5m"), REFUSED, ["window"]),
    ("an alias for a rule that is not named", correlation(COUNT + "\naliases: {u: {ghost: User}}"), REFUSED, ["ghost"]),
    ("an alias that is a text", correlation(COUNT + "\naliases: {u: User}"), REFUSED, ["alias"]),
    ("generate: perhaps", correlation(COUNT + "\ngenerate: perhaps"), REFUSED, ["generate"]),
    ("a temporal condition with an unknown rule", correlation("type: temporal\nrules: [a]\ntimespan: 5m\ncondition: a and ghost"), REFUSED, ["ghost"]),
    ("a temporal condition with a bracket too few", correlation("type: temporal\nrules: [a]\ntimespan: 5m\ncondition: (a"), REFUSED, [")"]),
    ("a filter of nobody", filter_of("rules: [ghost]\ns: {User: x}\ncondition: not s"), INACTIVE, ["ghost"]),
    ("a filter without rules", filter_of("s: {User: x}\ncondition: not s"), REFUSED, ["rules"]),
    ("a filter without a condition", filter_of("rules: [a]\ns: {User: x}"), REFUSED, ["condition"]),
    ("a filter with a wrong modifier", filter_of("rules: [a]\ns: {User|nope: x}\ncondition: not s"), REFUSED, ["User|nope", "'nope'"]),
    ("a filter without a log source", filter_of("rules: [a]\ns: {User: x}\ncondition: not s", ""), REFUSED, ["logsource"]),
    ("a filter of another log source", filter_of("rules: [a]\ns: {User: x}\ncondition: not s", "logsource: {product: linux}\n"), INACTIVE, ["log source"]),
    ("a filter that is a list", "title: TITLE\n" + SOURCE + "filter: [a]\n", REFUSED, ["filter", "mapping"]),
]
NOTED = [
    ("a search that no condition names", searches("s: {Image: x}\nspare: {Image: y}", "s"), ["'spare'"]),
    ("a search that a pattern leaves out", searches("s_1: {Image: x}\n_s_2: {Image: y}", "1 of s*"), ["'_s_2'"]),
    ("a timeframe", searches("s: {Image: x}\ntimeframe: 5m", "s"), ["line 5", "timeframe"]),
    ("a level that there is not", rule("Image: x", more="level: hihg\n"), ["hihg"]),
]


def titled(number, text):
    return text.replace("TITLE", f"broken {number}")


def write(folder):
    folder.mkdir(parents=True)
    (folder / "a.yml").write_text(A)
    for number, (_, text, *_) in enumerate(BROKEN + NOTED):
        (folder / f"{number}.yml").write_text(titled(number, text))


def check_reasons(where, by_title):
    for number, (what, _, status, words) in enumerate(BROKEN):
        got = by_title.get(f"broken {number}", {})
        reason = got.get("reason", "")
        checks.check(f"{where}: {what} is {status}", got.get("status") == status and all(w in reason for w in words), f"{got} wants {words}")
    for number, (what, _, words) in enumerate(NOTED, len(BROKEN)):
        got = by_title.get(f"broken {number}", {})
        checks.check(f"{where}: {what} is active and noted", got.get("status") == "active" and all(w in got.get("note", "") for w in words), str(got))
    checks.check(f"{where}: the rule that is right has no note", by_title["a title"]["status"] == "active" and not by_title["a title"].get("note"))


def check_command(folder):
    write(folder / "rules")
    status, out, _ = run("rules", "check", "--format", "jsonl", folder / "rules")
    listed = [json.loads(line) for line in out.splitlines()]
    checks.equal("every document is listed once", len(listed), len(BROKEN) + len(NOTED) + 1)
    checks.equal("refused rules make the exit status 1", status, 1)
    check_reasons("rules check", {r["rule"].get("title"): r for r in listed})
    _, table, _ = run("rules", "check", folder / "rules")
    checks.check("the table has reasons and notes", "'contians'" in table and "note: " in table)


def check_server(folder):
    write(folder / "data/content/rules")
    server = Server(str(folder))
    server.start()
    try:
        server.sign_in()
        rules = wait_for(lambda: [r for r in server.request("GET", "/v1/rules")[1]["rules"] if r["title"].startswith(("broken", "a title"))])
        check_reasons("GET /v1/rules", {r["title"]: r for r in rules})
    finally:
        server.close()


def check_whole_sets(folder):
    """What only shows among several files."""
    rules = folder / "several"
    (rules / "deep").mkdir(parents=True)
    (rules / "1.yml").write_text(A)
    (rules / "deep/2.yml").write_text(A.replace("a title", "another title").replace("name: a\n", ""))
    cycle = [correlation(COUNT.replace("[a]", f"[c{(i + 1) % 3}]"), f"name: c{i}\n").replace("TITLE", f"cycle {i}") for i in range(3)]
    (rules / "3.yml").write_text("---\n".join(cycle))
    (rules / "4.yml").write_text("title: x\n  wrong: indentation\n---\n" + A)
    _, out, _ = run("rules", "check", "--format", "jsonl", rules)
    by_title = {r["rule"].get("title"): r for r in map(json.loads, out.splitlines())}
    twice = by_title["another title"]
    checks.check("an id that is there twice is inactive and names the other file", twice["status"] == "inactive" and "1.yml" in twice["reason"], str(twice))
    for i in range(3):
        got = by_title[f"cycle {i}"]
        checks.check(f"a circle of correlations, number {i}, is inactive and says so", got["status"] == "inactive" and "itself" in got["reason"], str(got))
    wrong = [r for r in by_title.values() if r["path"].endswith("4.yml")]
    checks.check("a stream that is no YAML is refused as a whole, with its line", len(wrong) == 1 and wrong[0]["status"] == "refused" and "line 2" in wrong[0]["reason"], str(wrong))


with tempfile.TemporaryDirectory() as place:
    for check in (check_command, check_whole_sets, check_server):
        check(pathlib.Path(place) / check.__name__)
checks.finish()
