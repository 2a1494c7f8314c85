#!/usr/bin/env python3
"""What a policy would have held of a small history, to the last digit: rows, money, people who waited, thefts."""
import json
import pathlib
import tempfile

from harness import Checks, run

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


def main():
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
    checks.finish()


main()
