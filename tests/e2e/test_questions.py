#!/usr/bin/env python3
"""Questions that are asked of an incident when it opens: answered within the time, whatever the values mean to a parser; through kill -9;
again on request and when it becomes graver; a question that has failed says so; lists of intelligence."""
import datetime
import pathlib
import sqlite3

from harness import Checks, Server, run, wait_for

checks = Checks()
RULES = """title: Trouble
id: 00000000-0000-4000-8000-000000000001
logsource: {product: ecs}
detection: {s: {event.action: trouble}, condition: s}
level: medium
hinomi: {catalogue: TRB-01, entities: {user: user.name, ip: source.ip}}
""", """title: Graver
id: 00000000-0000-4000-8000-000000000002
logsource: {product: ecs}
detection: {s: {event.action: graver}, condition: s}
level: critical
hinomi: {entities: {user: user.name}}
"""
# What of a person would be text, and of an attacker is meant to be a search.
HOSTILE = ['a" OR user.name=* | head 1 | eval x="', "back\\slash\\", 'quote\\" | delete', "| inputlookup intel_bad.csv", "[ search * | head 1 ]", "`macro(1)`",
           "line\nbreak\r\n| head 0", "star*", "*", "'single' {entity} {rows}", "```comment``` | head 0", "%s%n $user$", "日本 \u202e語", "x" * 3000, "a,b(c)=d<e>!"]
OWN = """question: broken-later
ask: {en: Does a failure show?, ja: 失敗は表示されますか}
for: any
rules: [TRB-01]
search: '{evidence} | inputlookup append=t nosuchtable.csv'
answer: {en: "{rows}", ja: "{rows}"}
none: {en: none, ja: 無し}
---
question: only-graver
ask: {en: Only of the other rule, ja: 別の規則だけ}
for: user
rules: [00000000-0000-4000-8000-000000000002]
search: '{match} | stats count values(event.id) AS events'
window: {from: -1h, to: 1h}
answer: {en: "{count} of {entity}", ja: "{entity} の {count} 件"}
none: {en: none, ja: 無し}
"""


def iso(seconds_ago=0):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)).isoformat()


def incidents(server):
    return {tuple(sorted(e["value"] for e in i["entities"] if e["type"] == "user")): i["id"] for i in server.request("GET", "/v1/incidents?limit=1000")[1]["incidents"]}


def detail(server, ident):
    return server.request("GET", f"/v1/incidents/{ident}")[1]


def answered(server, ident):
    """The answers by name and whom they are about, when all are there."""
    got = detail(server, ident)
    return got["answers"] and all(a["state"] not in ("waiting", "late") for a in got["answers"]) and got["answers"]


def named(answers, name, about=""):
    found = [a for a in answers if a["name"] == name and about in a["question"]["en"]]
    return found[0] if found else {"answer": {"en": None, "ja": None}, "state": None, "events": [], "search": ""}


def place(server):
    for folder, name, text in (("rules", "trouble.yml", RULES[0]), ("rules", "graver.yml", RULES[1]), ("questions", "own.yaml", OWN)):
        where = pathlib.Path(server.dir, "data/content", folder)
        where.mkdir(parents=True, exist_ok=True)
        (where / name).write_text(text)


def first_answers(server, token):
    server.hec(token, [{"@timestamp": iso(3600 * h), "event": {"action": "login", "dataset": "app"}, "user": {"name": "taro"}, "source": {"ip": "203.0.113.7"}} for h in range(2, 12)])
    server.hec(token, [{"@timestamp": iso(), "event": {"action": "trouble", "dataset": "app"}, "user": {"name": "taro"}, "source": {"ip": "203.0.113.7"}, "host": {"name": "db1"}}])
    ident = wait_for(lambda: incidents(server).get(("taro",)))
    answers = wait_for(lambda: answered(server, ident)) or []
    checks.check("at least five are answered", sum(a["state"] == "answered" for a in answers) >= 5, answers)
    slowest = max((instant(a["answered"]) - instant(detail(server, ident)["opened"]) for a in answers if a["answered"]), default=99)
    print(f"  {len(answers)} answers, the last {slowest:.2f} s after the incident opened")
    first = named(answers, "first-time", "taro")
    checks.check("seen before, with its number", first["answer"]["en"].startswith("No. It was seen 10 times"), first)
    checks.check("and in Japanese", "10 回" in first["answer"]["ja"], first)
    checks.equal("it links to an event", len(first["events"]), 1)
    checks.check("the search makes the same answer again", server.query(first["search"])["rows"], first)
    checks.check("who: the host is met", "db1" in named(answers, "who", "taro")["answer"]["en"], named(answers, "who", "taro"))
    checks.check("what else: kinds and counts", "app login (10)" in named(answers, "what-else", "taro")["answer"]["en"], named(answers, "what-else", "taro"))
    checks.check("the address is asked about as well", named(answers, "first-time", "203.0.113.7")["answer"]["en"].startswith("No."), answers)
    checks.check("no list: said so", named(answers, "known-to-intelligence", "taro")["answer"]["en"].startswith("Not known"), answers)
    checks.check("the rule finds something for the first time", named(answers, "rule-before")["answer"]["en"].startswith("Yes."), answers)
    checks.check("a search that fails says why", named(answers, "broken-later")["state"] == "failed" and "nosuchtable" in named(answers, "broken-later")["answer"]["en"], named(answers, "broken-later"))
    checks.check("a question of another rule is not asked", named(answers, "only-graver")["state"] is None, answers)
    entry = next(e for e in detail(server, ident)["timeline"] if e["kind"] == "finding")
    checks.check("the sentence of the finding links to its events", entry["evidence"] and all(server.query(f'event.id="{e}" | table event.action')["rows"] == [["trouble"]]
                                                                                          for e in entry["evidence"]), entry)
    return ident


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def hostile(server, token):
    """Each value is somebody of their own, who was seen once before; an answer about anybody else would have another number."""
    server.hec(token, [{"@timestamp": iso(7200), "event": {"action": "login", "dataset": "app"}, "user": {"name": v}} for v in HOSTILE])
    server.hec(token, [{"@timestamp": iso(7200), "event": {"action": "login", "dataset": "app"}, "user": {"name": v}} for v in ("starfish", "other", "back")])
    server.hec(token, [{"@timestamp": iso(), "event": {"action": "trouble", "dataset": "app"}, "user": {"name": v}} for v in HOSTILE])
    for value in HOSTILE:
        ident = wait_for(lambda: incidents(server).get((value,)))
        answers = wait_for(lambda: ident and answered(server, ident)) or []
        if "\n" in value:
            checks.check("a line break cannot be asked for, and nobody else is answered about", all(a["state"] == "failed" and "line break" in a["answer"]["en"]
                         for a in answers if "\n" in a["question"]["en"] and a["name"] != "known-to-intelligence") and answers, answers)
            continue
        first, what = named(answers, "first-time"), named(answers, "what-else")
        checks.check(f"{value[:40]!r}: it alone", (first["answer"]["en"] or "").startswith("No. It was seen 1 times"), (first, answers and len(answers)))
        checks.check(f"{value[:40]!r}: what else", "app login (1)" in (what["answer"]["en"] or "") and "app trouble (1)" in (what["answer"]["en"] or ""), what)
        again = server.query(first["search"])
        checks.check(f"{value[:40]!r}: its search can be run by people", bool(again["rows"]), again)


def again_and_graver(server, token, ident):
    (pathlib.Path(server.dir) / "data/lookups").mkdir(exist_ok=True)
    (pathlib.Path(server.dir) / "data/lookups/intel_bad.csv").write_text("indicator,source,note\n203.0.113.7,CERT,scanner\n198.51.100.1,CERT,other\n")
    status, got, _ = server.request("POST", f"/v1/incidents/{ident}/answers/refresh", {})
    checks.equal("asked again", status, 200)
    listed = lambda: (lambda a: a and named(a, "known-to-intelligence", "203.0.113.7")["answer"]["en"].startswith("Yes") and a)(answered(server, ident))
    answers = wait_for(listed) or []
    checks.check("now a list knows it", "intel_bad.csv" in named(answers, "known-to-intelligence", "203.0.113.7")["answer"]["en"] and "CERT" in named(answers, "known-to-intelligence", "203.0.113.7")["answer"]["en"], answers)
    checks.check("and not the other", named(answers, "known-to-intelligence", "taro")["answer"]["en"].startswith("No."), named(answers, "known-to-intelligence", "taro"))
    server.hec(token, [{"@timestamp": iso(), "event": {"action": "graver", "dataset": "app"}, "user": {"name": "taro"}}])
    graver = wait_for(lambda: (lambda a: a and named(a, "only-graver")["answer"]["en"] and a)(answered(server, ident))) or []
    checks.check("graver: asked about the gravest finding", "of taro" in (named(graver, "only-graver")["answer"]["en"] or ""), graver)
    checks.equal("no such incident", server.request("POST", "/v1/incidents/INC-999/answers/refresh", {})[0], 404)
    server.request("POST", f"/v1/incidents/{ident}/close", {"comment": "done", "verdict": "true_positive"})
    checks.equal("a closed one keeps its answers", server.request("POST", f"/v1/incidents/{ident}/answers/refresh", {})[0], 409)
    checks.check("they are there", len(detail(server, ident)["answers"]) >= 5)


def killed(server, token):
    """Killed with many that wait: at the next start the rest is answered."""
    server.hec(token, [{"@timestamp": iso(), "event": {"action": "trouble", "dataset": "app"}, "user": {"name": f"k{i}"}} for i in range(40)])
    wait_for(lambda: ("k39",) in incidents(server))
    server.kill()
    left = sqlite3.connect(f"{server.dir}/data/state.db").execute("SELECT count(*) FROM incidents i WHERE state!='closed' AND NOT EXISTS"
                                                                    " (SELECT 1 FROM answers a WHERE a.incident=i.id AND a.state!=0)").fetchone()[0]
    server.start()
    server.sign_in()
    mine = [i for who, i in incidents(server).items() if who and who[0].startswith("k")]
    done = wait_for(lambda: all(answered(server, i) for i in mine), 120)
    checks.check(f"all forty are answered after kill -9 ({left} were not begun)", bool(done) and len(mine) == 40, len(mine))


def mistakes(server):
    own = pathlib.Path(server.dir, "data/content/questions/own.yaml")
    for text, said in ((OWN.replace("{evidence} |", '{entity} |', 1), "{entity} is for questions about entities"),
                       (OWN.replace("{match} |", 'x="{match}" |', 1), "outside of quotes"),
                       (OWN.replace("| stats count values", "| stast count values", 1), "stast"),
                       (OWN.replace("for: user", "for: spoon", 1), "spoon"),
                       (OWN.replace("none: {en: none, ja: 無し}", "none: {en: none}", 1), "both languages"),
                       (OWN.replace('"{count} of {entity}"', '"{count of {entity}"', 1), "line"),
                       (OWN.replace("window: {from: -1h", "window: {from: sometime", 1), "window"),
                       (OWN + "surprise: 1\n", "surprise")):
        own.write_text(text)
        status, out, err = run("check", "--dir", f"{server.dir}/data")
        line = next((l for l in out.splitlines() if "questions" in l), "")
        checks.check(f"a mistake is told with its file and line: {said}", status == 1 and said in line and "own.yaml" in line and "line " in line, out)


def main():
    server = Server()
    place(server)
    server.start()
    try:
        server.sign_in()
        token = server.token()
        ident = first_answers(server, token)
        hostile(server, token)
        again_and_graver(server, token, ident)
        killed(server, token)
        server.stop()
        mistakes(server)
    finally:
        server.close()
    checks.finish()


main()
