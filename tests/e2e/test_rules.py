#!/usr/bin/env python3
"""hinomi rules and hinomi detect for people: what is listed, tested and shown."""
import csv
import io
import json
import pathlib
import re
import tempfile

from harness import Checks, run

checks = Checks()

RULE = """title: {title}
id: 00000000-0000-4000-8000-{number:012d}
author: me
tags: [attack.{tactic}, attack.t1059.001]
logsource: {{product: ecs}}
detection:
  selection: {{event.action: {action}}}
  condition: selection
level: {level}
"""


def write(folder, name, text):
    path = pathlib.Path(folder, name)
    path.write_text(text)
    return str(path)


def event(second, action, host="h1"):
    return json.dumps({"@timestamp": f"2026-03-01T00:00:{second:02d}Z", "event": {"action": action}, "host": {"name": host}})


def check_content():
    status, out, _ = run("rules", "test")
    checks.equal("the tests of our own rules pass", (status, out.splitlines()[-1].endswith(" 0 failed")), (0, True))
    status, out, _ = run("rules", "test", "--mutate")
    found = re.search(r"(\d+) of (\d+) wrong versions were noticed \(([\d.]+) %\)", out)
    checks.check("the tests of our own rules notice wrong versions", status == 0 and found and int(found[2]) > 100 and float(found[3]) >= 90, out)
    checks.check("each rule of ours has tests", all(pathlib.Path(r["path"]).with_suffix("").with_suffix(".test.yaml").exists()
                                                    for r in json.loads(run("rules", "list", "--format", "json")[1])))


def check_list(folder):
    rows = json.loads(run("rules", "list", "--format", "json", folder)[1])
    checks.equal("list", [(r["title"], r["level"], r["attack"], r["author"], r["status"]) for r in rows],
                 [("One", "high", "execution t1059.001", "me", "active"), ("Two", "low", "credential-access t1059.001", "me", "active")])
    checks.equal("by level", [r["title"] for r in json.loads(run("rules", "list", "--level", "LOW", "--format", "json", folder)[1])], ["Two"])
    write(folder, "z.yml", "title: Broken\nlogsource: {product: ecs}\n")
    rows = json.loads(run("rules", "list", "--status", "refused", "--format", "json", folder)[1])
    checks.equal("by status, with the reason", [(r["title"], r["reason"]) for r in rows], [("Broken", "the rule has no detection")])
    pathlib.Path(folder, "z.yml").unlink()
    status, _, err = run("rules", "sing")
    checks.equal("an unknown word", (status, "check, list" in err), (2, True))


def check_detect(folder, logs):
    late, early = write(logs, "a.jsonl", event(30, "one", "h2") + "\n" + event(40, "none") + "\n"), write(logs, "b.jsonl", event(10, "two") + "\n" + event(20, "one") + "\n")
    status, out, err = run("detect", "--rules", folder, "--format", "timeline", late, early)
    rows = list(csv.DictReader(io.StringIO(out)))
    checks.equal("a timeline is in order of time over all files", (status, [(r["time"], r["rule"], r["host"], r["record"], pathlib.Path(r["file"]).name) for r in rows]),
                 (0, [("2026-03-01T00:00:10Z", "Two", "h1", "0", "b.jsonl"), ("2026-03-01T00:00:20Z", "One", "h1", "1", "b.jsonl"), ("2026-03-01T00:00:30Z", "One", "h2", "0", "a.jsonl")]))
    checks.equal("with tactics", rows[0]["tactics"], "credential-access")
    summary = [line.split() for line in err.splitlines()]
    for expected in (["high", "2", "1"], ["low", "1", "1"], ["critical", "0", "0"], ["execution", "2", "1"], ["credential-access", "1", "1"], ["One", "2"], ["h1", "2"]):
        checks.check(f"the summary has {expected}", expected in summary, err)
    checks.check("the summary counts", "4 events of 2 files" in err and "3 findings" in err, err)
    _, out, _ = run("detect", "--rules", folder, "--format", "table", early)
    checks.equal("a table", [line.split() for line in out.splitlines()],
                 [["2026-03-01T00:00:10Z", "low", "h1", "Two", early + "#0"], ["2026-03-01T00:00:20Z", "high", "h1", "One", early + "#1"]])
    _, out, err = run("detect", "--rules", folder, early)
    checks.equal("JSON lines alone by default", (len(out.splitlines()), err), (2, ""))
    checks.check("--summary with JSON lines", "2 findings" in run("detect", "--rules", folder, "--summary", early)[2])
    checks.equal("an unknown format", run("detect", "--rules", folder, "--format", "xml", early)[0], 2)


CASES = """cases:
  - name: both
    events: [{'@timestamp': '2026-03-01T00:00:00Z', event: {action: one}}, {event.action: one, n: 5}]
    expect: [{severity: high}, {}]
  - name: a line of text
    source: json
    events: ['{"event":{"action":"one"}}']
    findings: 1
  - name: none
    events: [{event: {action: two}}]
    findings: 0
"""


def check_tests(folder):
    write(folder, "one.test.yaml", CASES)
    status, out, _ = run("rules", "test", folder)
    checks.equal("tests pass", (status, out.splitlines()[-1]), (0, "3 passed, 0 failed"))
    status, out, _ = run("rules", "test", "--mutate", folder)
    checks.check("all wrong versions of a rule that is well tested are noticed", "2 of 2 wrong versions were noticed (100.0 %)" in out, out)
    write(folder, "one.test.yaml", CASES.split("  - name: none")[0])
    status, out, _ = run("rules", "test", "--mutate", folder)
    checks.check("one that is not noticed is listed, and is no failure", status == 0 and "1 of 2 wrong versions were noticed (50.0 %)" in out and
                 "One: condition: 'event.action' equal \"one\" always held" in out, out)
    wrong = {
        "more than there is": ("findings: 1\n", "findings: 2\n", "2 findings were expected, there are 1"),
        "another severity": ("severity: high", "severity: low", "finding 1 lacks the severity 'low'"),
        "an entity it has not": ("severity: high", "entities: [nobody]", "finding 1 lacks the entity 'nobody'"),
        "an unknown key": ("source: json", "sources: json", "there is no 'sources' in a case"),
        "no events": ("events: [{event: {action: two}}]\n    findings", "findings", "a case needs 'events'"),
        "nothing expected": ("    findings: 0\n", "", "a case needs 'findings'"),
        "a wrong time": ("source: json", "received: soon", "'received' needs a time"),
        "broken YAML": ("cases:", "cases: {", "line "),
    }
    for name, (old, new, sentence) in wrong.items():
        write(folder, "one.test.yaml", CASES.replace(old, new, 1))
        status, out, _ = run("rules", "test", folder)
        checks.check(f"{name} fails with a reason", status == 1 and sentence in out, out)
    write(folder, "one.test.yaml", CASES)
    text = pathlib.Path(folder, "one.yml").read_text()
    write(folder, "one.yml", text.replace("condition: selection", "condition: not selection"))
    checks.equal("a changed rule fails its tests", run("rules", "test", folder)[0], 1)
    write(folder, "one.yml", text.replace("condition: selection", "condition: selected"))
    status, out, _ = run("rules", "test", folder)
    checks.check("a rule that is refused fails with its reason", status == 1 and "the rule is refused" in out, out)
    write(folder, "one.yml", text)
    write(folder, "lonely.test.yaml", CASES)
    status, out, _ = run("rules", "test", folder)
    checks.check("tests without a rule fail", status == 1 and "no rule of this name" in out, out)


check_content()
with tempfile.TemporaryDirectory() as tmp, tempfile.TemporaryDirectory() as logs:
    write(tmp, "one.yml", RULE.format(title="One", number=1, tactic="execution", action="one", level="high"))
    write(tmp, "two.yml", RULE.format(title="Two", number=2, tactic="credential-access", action="two", level="low"))
    check_list(tmp)
    check_detect(tmp, logs)
    check_tests(tmp)
checks.finish()
