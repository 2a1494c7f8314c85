#!/usr/bin/env python3
"""The ledger of the rules: each was offered what is stored of its log sources since it was enabled, over restarts and kills; rules that cannot
see anything say so."""
import datetime
import json
import pathlib
import random
import time

from harness import Checks, Server, run, wait_for

checks = Checks()

RULE = """title: {title}
id: 00000000-0000-4000-8000-{number:012d}
logsource: {{{source}}}
detection:
  selection: {{{field}}}
  condition: {condition}
level: low
"""


def rule(number, title, source, field, condition="selection"):
    return RULE.format(number=number, title=title, source=source, field=field, condition=condition)


RULES = {
    "every": rule(1, "every", "product: ecs", "kind: x1"),
    "dns": rule(2, "dns", "category: dns", "query|endswith: .bad"),
    "process": rule(3, "process", "product: windows, category: process_creation", "Image|endswith: evil.exe"),
    "lacking": rule(4, "lacking", "product: windows, category: process_creation", "Imphash: abc, Image|endswith: evil.exe"),
    "either": rule(5, "either", "product: windows, category: process_creation", "Imphash: abc", "not selection"),
    "okta": rule(6, "okta", "product: okta, service: okta", "eventType: x"),
    "files": rule(7, "files", "product: windows, category: file_event", "TargetFilename: x"),
}


def stamp(pick):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=pick.random())).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def events(count, seed):
    pick = random.Random(seed)
    result = []
    for n in range(count):
        event = {"@timestamp": stamp(pick), "n": n}
        kind = pick.random()
        if kind < 0.3:
            event["kind"] = pick.choice(["x1", "x2"])
        elif kind < 0.6:
            event["dns"] = {"question": {"name": pick.choice(["a.good", "b.bad"])}}
        else:
            event.update({"host": {"os": {"type": "windows"}}, "event": {"category": ["process"], "type": ["start"]},
                          "process": {"executable": pick.choice(["C:\\good.exe", "C:\\evil.exe"])}})
        result.append(event)
    return result


def books(server, *words):
    status, out, err = run("rules", "ledger", "--dir", server.dir + "/data", "--format", "json", *words)
    return status, {row["rule"]: row for row in json.loads(out)} if out else {}, err


def send(server, token, count, seed):
    for at in range(0, count, 500):
        checks.equal("taken", server.hec(token, events(500, seed + at))[0], 200)


def expected(batches):
    """What each rule must have been offered and matched, from the events themselves."""
    every = [e for count, seed in batches for at in range(0, count, 500) for e in events(500, seed + at)]
    dns = [e for e in every if "dns" in e]
    process = [e for e in every if "process" in e]
    return {"every": (None, sum(e.get("kind") == "x1" for e in every)), "dns": (len(dns), sum(e["dns"]["question"]["name"].endswith(".bad") for e in dns)),
            "process": (len(process), sum(e["process"]["executable"].endswith("evil.exe") for e in process)), "lacking": (len(process), 0),
            "either": (len(process), len(process)), "okta": (0, 0), "files": (0, 0)}


def check_books(name, server, batches):
    status, rows, err = books(server, "--verify")
    for title, (offered, matched) in expected(batches).items():
        row = rows.get(title, {})
        if offered is not None:
            checks.equal(f"{name}: {title} was offered", int(row.get("offered", -1)), offered)
        checks.equal(f"{name}: {title} matched", int(row.get("matched", -1)), matched)
        checks.equal(f"{name}: {title} gave findings", int(row.get("findings", -1)), matched)
        checks.check(f"{name}: {title} was evaluated between", int(row.get("matched", 1)) <= int(row.get("evaluated", 0)) <= int(row.get("offered", 0)), row)
    checks.check(f"{name}: all books balance with the store", status == 0 and {r["balance"] for r in rows.values() if "balance" in r} == {"ok"}, (status, err, [r for r in rows.values() if r.get("balance") == "differs"]))


def check_blind(name, rows, text):
    checks.equal(f"{name}: what sees is not called blind", [t for t in ("every", "dns", "process", "either") if rows[t][text]], [])
    checks.check(f"{name}: a rule whose fields never come is blind, and they are named", "process.pe.imphash" in rows["lacking"][text], rows["lacking"][text])
    for title in ("okta", "files"):
        checks.check(f"{name}: {title} is blind for want of events", "no event of its log source" in rows[title][text], rows[title][text])


def api_rows(server):
    return {r["title"]: r for r in server.request("GET", "/v1/rules")[1]["rules"]}


def ledger_of(server, title, key):
    return api_rows(server)[title].get("ledger", {}).get(key)


server = Server()
try:
    own = pathlib.Path(server.dir, "data/content/rules")
    own.mkdir(parents=True)
    for title, text in RULES.items():
        (own / f"{title}.yml").write_text(text)
    server.start()
    server.sign_in()
    token = server.token()
    sent = [(3000, 1)]
    send(server, token, *sent[0])
    matched = expected(sent)["process"][1]
    checks.equal("the API has the numbers within seconds", wait_for(lambda: ledger_of(server, "process", "matched") == matched, 15), True)
    rows = api_rows(server)
    checks.equal("offered over the API", rows["dns"]["ledger"]["offered"], expected(sent)["dns"][0])
    check_blind("over the API", {t: {"blind": r["blind_reason"]} for t, r in rows.items()}, "blind")
    checks.equal("blind is said in one word, too", (rows["lacking"]["blind"], rows["process"]["blind"]), (True, False))
    server.stop()
    check_books("after a stop", server, sent)
    check_blind("in the books", books(server)[1], "blind")
    server.start()
    server.sign_in()
    send(server, token, 2000, 5000)
    sent.append((2000, 5000))
    time.sleep(1)
    server.kill()
    server.start()
    server.sign_in()
    send(server, token, 1000, 9000)
    sent.append((1000, 9000))
    server.stop()
    check_books("after a kill", server, sent)
    (own / "process.yml").write_text(RULES["process"].replace("evil.exe", "good.exe"))
    (own / "dns.yml").write_text(RULES["dns"].replace("title: dns", "title: dns renamed"))
    server.start()
    server.sign_in()
    before = expected(sent)
    send(server, token, 500, 20000)
    server.stop()
    status, rows, _ = books(server, "--verify")
    last = expected([(500, 20000)])
    checks.equal("a rule that detects something else begins anew", int(rows["process"]["offered"]), last["process"][0])
    checks.equal("one with another title goes on", int(rows["dns renamed"]["offered"]), before["dns"][0] + last["dns"][0])
    checks.equal("and all balance", (status, {r["balance"] for r in rows.values() if "balance" in r}), (0, {"ok"}))
    checks.equal("no folder", run("rules", "ledger")[0], 2)
    checks.check("a folder without a ledger", "checkpoint" in run("rules", "ledger", "--dir", server.dir)[2] or run("rules", "ledger", "--dir", server.dir)[0] == 1)
finally:
    server.close()
checks.finish()
