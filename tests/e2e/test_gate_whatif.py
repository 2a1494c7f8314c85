#!/usr/bin/env python3
"""What a policy would have held of a small history, to the last digit: rows, money, people who waited, thefts."""
import json
import os
import pathlib
import tempfile

from gated import Gated
from harness import Checks, run, wait_for

checks = Checks()
HEAD = 'mode: shadow\nlimits: {most: %s}\nvalues: {sum: "allowed_account_24h + coalesce(request.amount, 0)"}\nrows:\n'
ROWS = """  - {name: stopped, when: stop_share = 0 AND request.action != "login", effect: hold, reason: {en: e, ja: j}}
  - {name: risky, when: 'coalesce(state("risk", "account/" . request.account, "low"), 0) > 0', effect: deny, reason: {en: e, ja: j}}
  - {name: much, when: sum > limits.most, effect: hold, reason: {en: e, ja: j}}
  - {name: rest, effect: allow}
"""
RULES = """title: An asset is drained
id: 1f0d3c0e-8f5c-4b8e-9d0d-0d5d3f7a1c21
logsource: {product: ecs}
detection: {s: {event.dataset: chain.transfer}, condition: s}
level: critical
hinomi: {catalogue: T-1, entities: {asset: wallet.asset}, response: {hold: {asset: wallet.asset}}, explain: {en: "out", ja: "流出"}}
---
title: A key is made
id: 1f0d3c0e-8f5c-4b8e-9d0d-0d5d3f7a1c22
logsource: {product: ecs}
detection: {s: {event.dataset: exchange.apikey}, condition: s}
level: low
hinomi: {catalogue: T-2, entities: {account: user.id}, explain: {en: "key", ja: "鍵"}}
"""


def at(minute, dataset, action, user=None, **exchange):
    event = {"@timestamp": f"2026-02-03T{minute // 60:02}:{minute % 60:02}:00Z", "event": {"dataset": dataset, "action": action, "id": f"e{minute}"}}
    if user:
        event["user"] = {"id": user}
    event["wallet" if dataset.startswith("chain") else "exchange"] = exchange
    return event


def out(minute, number, user, amount, address="a", asset="XEM", **more):
    return at(minute, "exchange.withdrawal", "withdrawal_requested", user, withdrawal_id=number, asset=asset, amount=amount, address=address, **more)


HISTORY = [
    out(0, "W1", "u1", 60.5),                              # allowed by both
    out(1, "W2", "u1", 40.25, usd=100.5),                  # 100.75: more than 100; people approve it after 11 minutes
    out(2, "W3", "u2", 0.000000000000000001),              # allowed; 18 places
    at(12, "exchange.withdrawal", "withdrawal_approved", withdrawal_id="W2", approval="manual", approver="ops1"),
    out(13, "W4", "thief", 150, usd=300.25),               # held by the strict one alone
    at(14, "exchange.apikey", "api_key_created", "u3", api_key_id="k1"),  # asked first, then found: allowed
    out(15, "W5", "u3", 1),                                # denied: risky
    at(20, "chain.transfer", "transfer", asset="XEM", amount=5, to="x"),  # stops XEM
    out(21, "W6", "u4", 2),                                # stopped
    out(22, "W7", "u4", 3, asset="BTC"),                   # flows
    at(23, "exchange.auth", "second_factor_disabled", "u5"),  # an account's matter
    out(90, "W8", "u6", 7, address="theirs"),              # stopped, to the end or for an hour
]


def whatif(folder, *more):
    status, text, err = run("gate", "whatif", "--policy", folder / "strict.yaml", "--rules", folder / "rules", *more, folder / "history.jsonl")
    checks.check(f"runs {more}", status == 0, err)
    return text


def rows(side):
    return {(r["row"], r["decision"]): r["requests"] for r in side["rows"]}


def ended(server, number):
    return wait_for(lambda: (page := server.request("GET", f"/v1/gate/whatif/{number}")[1])["state"] != "running" and page)


def over_store(folder, both):
    """The same history as it is stored, beside the server that stores it: by the command and by the API."""
    current = (folder / "loose.yaml").read_text()
    own = folder / "data/content/rules"
    own.mkdir(parents=True)
    (own / "r.yml").write_text(RULES)
    gated = Gated(current, directory=str(folder))
    server = gated.server
    status = server.hec(server.token(), HISTORY)[0]
    checks.equal("history is taken", status, 200)
    wait_for(lambda: len(server.query("event.dataset=exchange* OR event.dataset=chain*")["rows"]) >= len(HISTORY))
    labels = [json.loads(line) for line in (folder / "labels.jsonl").read_text().split("\n") if line]
    ask = {"policy": (folder / "strict.yaml").read_text(), "against": "current", "from": "2026-02-03T00:00:00Z", "to": "2026-02-04T00:00:00Z", "labels": labels, "hold_minutes": 40}
    status, body, _ = server.request("POST", "/v1/gate/whatif", ask)
    checks.equal("started", status, 201)
    page = ended(server, body["id"])
    found = page["result"]
    checks.check("by the API, with the server's rules", page["state"] == "done" and rows(found["candidate"])[("risky", "deny")] >= 1, page)
    checks.equal("what it is of", (page["by"], page["from"], page["events"], page["error"], page["unreadable"]), ("admin", "2026-02-03T00:00:00Z", len(HISTORY), None, 0))
    status, late, _ = server.request("POST", "/v1/gate/whatif", {**ask, "from": "2026-02-03T00:13:00Z"})
    late = ended(server, late["id"])["result"]["candidate"]
    checks.equal("from the middle: what was before is remembered and not counted", (late["requests"], rows(late)[("risky", "deny")], late["held"]), (7, 1, 3))
    status, alone, _ = server.request("POST", "/v1/gate/whatif", {"policy": "current", "from": "2026-02-03T00:13:00Z", "learn_days": 0, "stop_minutes": 60})
    alone = ended(server, alone["id"])["result"]
    checks.check("one policy, no labels, nothing learned", "current" not in alone and alone["candidate"]["policy_version"] == "old" and "thefts_caught" not in alone["candidate"], alone)
    names = [w["id"] for w in server.request("GET", "/v1/gate/whatif")[1]["whatifs"]]
    checks.check("listed, the newest first", len(names) == 3 and names == sorted(names, reverse=True), names)
    checks.equal("forgotten", (server.request("DELETE", f"/v1/gate/whatif/{names[0]}")[0], server.request("GET", f"/v1/gate/whatif/{names[0]}")[0], server.request("DELETE", f"/v1/gate/whatif/{names[0]}")[0]), (204, 404, 404))
    for wrong, words in (({"policy": "rows: 3"}, "policy"), ({}, "policy"), ({**ask, "labels": [{"acount": "x"}]}, "label 1"), ({**ask, "labels": 3}, "labels"),
                         ({**ask, "hold_minutes": -1}, "hold_minutes"), ({**ask, "learn_days": "x"}, "learn_days"), ({**ask, "from": "yesterdayish"}, "")):
        status, body, _ = server.request("POST", "/v1/gate/whatif", wrong)
        checks.check(f"refused: {words}", status == 400 and words in json.dumps(body), (status, body))
    checks.equal("audited", server.request("GET", "/v1/audit?action=gate.whatif")[0], 200)
    checks.equal("the gate itself decided nothing", gated.state()["decisions"], 0)
    server.stop()  # files have all of it
    command = ("gate", "whatif", "--policy", folder / "strict.yaml", "--against", folder / "loose.yaml", "--labels", folder / "labels.jsonl", "--hold-minutes", "40", "--json",
               "--dir", server.dir + "/data", "--from", "2026-02-03T00:00:00Z", "--to", "2026-02-04T00:00:00Z")
    status, out, err = run(*command)
    checks.equal("by the command over the store", status == 0 and json.loads(out), found)
    status, out, err = run(*command, "--rules", folder / "rules")
    checks.equal("with the rules that the files were tried with", status == 0 and json.loads(out), both)
    for more, words in ((("--learn-days", "x"), "--learn-days"), ((folder / "history.jsonl",), "--dir"), (("--to", "tomorrowish"), "--to")):
        status, out, err = run(*command, *more)
        checks.check(f"refused: {words}", status == 2 and words in err, (status, err))
    server.close()


def main():
    kept = os.path.isdir("/policies")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "strict.yaml").write_text('version: "new"\n' + HEAD % 100 + ROWS)
        (folder / "loose.yaml").write_text('version: "old"\n' + HEAD % 200 + ROWS)
        (folder / "rules").mkdir()
        (folder / "rules/r.yml").write_text(RULES)
        (folder / "history.jsonl").write_text("".join(json.dumps(e) + "\n" for e in HISTORY))
        (folder / "labels.jsonl").write_text('{"account": "thief"}\n\n{"address": "theirs"}\n{"withdrawal_id": "W7"}\n')
        both = json.loads(whatif(folder, "--against", folder / "loose.yaml", "--labels", folder / "labels.jsonl", "--hold-minutes", "40", "--json"))
        new, old = both["candidate"], both["current"]
        checks.equal("events", both["events"], len(HISTORY))
        checks.equal("versions", (new["policy_version"], old["policy_version"]), ("new", "old"))
        checks.equal("strict", (new["requests"], new["allowed"], new["held"], new["denied"]), (10, 5, 4, 1))
        checks.equal("strict, row by row", rows(new), {("rest", "allow"): 5, ("much", "hold"): 2, ("risky", "deny"): 1, ("stopped", "hold"): 2})
        checks.equal("loose, row by row", rows(old), {("rest", "allow"): 7, ("risky", "deny"): 1, ("stopped", "hold"): 2})
        checks.equal("money, strict", new["money"], {"XEM": {"held": "200.25", "theft_saved": "157", "theft_lost": "0"}, "BTC": {"held": "0", "theft_saved": "0", "theft_lost": "3"}})
        checks.equal("money, loose", old["money"]["XEM"], {"held": "10", "theft_saved": "7", "theft_lost": "150"})
        checks.equal("dollars", (new["usd_held"], old["usd_held"]), ("400.75", "0"))
        checks.equal("thefts", [(s["thefts_caught"], s["thefts_missed"], s["false_holds"]) for s in (new, old)], [(2, 1, 3), (1, 2, 2)])
        checks.equal("who waited, and how long", [(s["customers_delayed"], s["minutes_delayed"]) for s in (new, old)], [(5, 11 + 40 + 40), (3, 80)])
        later = json.loads(whatif(folder, "--stop-minutes", "60", "--json"))["candidate"]
        checks.equal("reopened after an hour", rows(later)[("stopped", "hold")], 1)
        checks.check("no labels, no thefts", "thefts_caught" not in later and "theft_saved" not in later["money"]["XEM"])
        table = whatif(folder)
        checks.check("as a table", "candidate policy new: 10 requests, 5 allowed, 4 held, 1 denied" in table and "held 200.25 XEM" in table, table)
        (folder / "broken.yaml").write_text("version: 1\nmode: enforce\nrows:\n  - {name: x, effect: allwo}\n")
        for args, words, want in ((("--policy", folder / "broken.yaml", folder / "history.jsonl"), "line 4", 1), ((folder / "history.jsonl",), "--policy", 2),
                                  (("--policy", folder / "strict.yaml", "--hold-minutes", "x", folder / "history.jsonl"), "--hold-minutes", 2)):
            status, _, err = run("gate", "whatif", "--rules", folder / "rules", *args)
            checks.check(f"refused: {words}", status == want and words in err, (status, err))
        (folder / "labels.jsonl").write_text('{"acount": "x"}\n')
        status, _, err = run("gate", "whatif", "--rules", folder / "rules", "--policy", folder / "strict.yaml", "--labels", folder / "labels.jsonl", folder / "history.jsonl")
        checks.check("a label that names nothing", status == 1 and "line 1" in err, err)
        (folder / "labels.jsonl").write_text('{"account": "thief"}\n\n{"address": "theirs"}\n{"withdrawal_id": "W7"}\n')
        over_store(folder, both)
    checks.equal("nothing was written beside it", os.path.isdir("/policies"), kept)
    checks.finish()


main()
