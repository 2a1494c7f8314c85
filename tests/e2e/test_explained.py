#!/usr/bin/env python3
"""Every rule of ours explains itself: the sentences of its test cases in both languages stand in tests/golden/explained.json (--write
makes it anew; read what changed), without a value that is missing; why, how to check and what to do are there; at least five questions
are asked. A rule of somebody else gets a sentence with its count and its entities, in both languages as well."""
import json
import pathlib
import re
import sys
import tempfile

from harness import ROOT, Checks, run

checks = Checks()
GOLDEN = ROOT / "tests/golden/explained.json"
# Its sentence needs findings of several rules; tests/e2e/test_entity_risk.py reads it.
WITHOUT_CASES = {"Too much is odd about one user, host or wallet"}


def counted_only():
    """The titles of rules that only a correlation counts: they have no findings of their own."""
    parts = [part for path in (ROOT / "content/rules").glob("*.yml") for part in path.read_text().split("\n---\n")]
    counted = {name.strip() for part in parts for names in re.findall(r"(?m)^  rules: \[(.*)\]$", part) for name in names.split(",") if "generate: true" not in part}
    return {re.search(r"(?m)^title: (.*)$", part).group(1) for part in parts for name in re.findall(r"(?m)^name: (.*)$", part) if name in counted}


THEIRS = """title: Many failed logons
id: 00000000-0000-4000-8000-00000000000a
name: failed
logsource: {product: ecs}
detection: {s: {event.action: logon_failed}, condition: s}
level: low
---
title: Guessing of passwords
id: 00000000-0000-4000-8000-00000000000b
correlation: {type: event_count, rules: [failed], group-by: [user.name], timespan: 5m, condition: {gte: 3}}
level: high
---
title: A service was installed
id: 00000000-0000-4000-8000-00000000000c
logsource: {product: ecs}
detection: {s: {event.action: service_installed}, condition: s}
level: low
"""
THEIR_CASES = """cases:
  - name: three
    events:
      - {'@timestamp': '2026-03-01T00:00:00Z', event: {action: logon_failed}, user: {name: taro}}
      - {'@timestamp': '2026-03-01T00:00:01Z', event: {action: logon_failed}, user: {name: taro}}
      - {'@timestamp': '2026-03-01T00:00:02Z', event: {action: logon_failed}, user: {name: taro}}
      - {'@timestamp': '2026-03-01T00:00:03Z', event: {action: service_installed}, user: {name: hana}, host: {name: db1}}
    findings: 2
"""


def explained(*paths):
    status, out, err = run("rules", "test", "--explain", *paths)
    checks.equal(f"rules test --explain {paths}", status, 0)
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def is_japanese(text):
    return bool(re.search("[\u3040-\u30ff\u4e00-\u9fff]", text))


def check_one(found):
    name = f"{found['rule']}: {found['case']}"
    for part in ("explain", "why", "check", "do"):
        en, ja = found[part]["en"], found[part]["ja"]
        checks.check(f"{name}: {part} in both languages", en and ja and is_japanese(ja) and not is_japanese(en), found[part])
    for language, text in found["explain"].items():
        checks.check(f"{name}: no value is missing ({language})", "?" not in text and "{" not in text, text)
        numbers = [set(re.findall(r"[0-9]+", found["explain"][one])) for one in ("en", "ja")]
    checks.check(f"{name}: the Japanese has the numbers of the English", numbers[0] <= numbers[1] | {"24", "5"}, found["explain"])
    checks.check(f"{name}: at least five questions", found["questions"] >= 5 and found["questions_left"] == 0, found["questions"])


def check_ours():
    ours = explained(str(ROOT / "content/rules"))
    for found in ours:
        check_one(found)
    titles = {r["title"] for r in json.loads(run("rules", "list", "--format", "json")[1])}
    checks.equal("each rule has a case that finds something", titles - {f["rule"] for f in ours}, WITHOUT_CASES | counted_only())
    rows = [{"rule": f["rule"], "case": f["case"], **{f"{p}.{l}": f[p][l] for p in ("explain", "why", "check", "do") for l in ("en", "ja")}} for f in ours]
    if "--write" in sys.argv:
        GOLDEN.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    golden = json.loads(GOLDEN.read_text())
    checks.equal("as many findings as in the snapshot", len(rows), len(golden))
    for row, want in zip(rows, golden):
        checks.equal(f"{row['rule']}: {row['case']}: as in the snapshot", row, want)


def check_theirs():
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "theirs.yml").write_text(THEIRS)
        pathlib.Path(folder, "theirs.test.yaml").write_text(THEIR_CASES)
        by_rule = {f["rule"]: f for f in explained(folder)}
    for rule, wanted in (("Guessing of passwords", ("3", "taro")), ("A service was installed", ("hana", "db1"))):
        for language, text in by_rule[rule]["explain"].items():
            checks.check(f"{rule} ({language}): the title, the count and whom", all(w in text for w in (rule, *wanted)), text)
    text = by_rule["Guessing of passwords"]["explain"]["ja"]
    checks.check("the Japanese one is a sentence", is_japanese(text) and text.endswith("。") and "3 件" in text, text)


check_ours()
check_theirs()
checks.finish()
