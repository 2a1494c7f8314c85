#!/usr/bin/env python3
"""hinomi rules backtest: over what is stored, rules find what they would have found as it arrived."""
import collections
import datetime
import json
import pathlib
import random
import subprocess
import sys
import tempfile

from harness import SHARED, Checks, run

checks = Checks()


def at(seconds):
    return (datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def story(seed, days=4):
    """Wallets, transfers with and without signatures, hosts that fall silent, in order of time."""
    pick, events, second = random.Random(seed), [], 0.0
    put = lambda dataset, action, **more: events.append({"@timestamp": at(second), "event": {"dataset": dataset, "action": action}, **more})
    while second < days * 86400:
        second += pick.expovariate(1 / 40)
        wallet = f"HOT{pick.randrange(5)}"
        kind = pick.random()
        if kind < 0.3:
            put("wallet.balance", "balance_snapshot", wallet={"address": wallet, "asset": "XEM", "tier": "hot", "chain_balance": pick.choice([1000, 1000, 990, 30])})
        elif kind < 0.5:
            transaction = f"t{pick.randrange(10 ** 9)}"
            if pick.random() < 0.9:
                put("wallet.signer", "signed", host={"name": "signer1"}, wallet={"withdrawal_id": "W" + transaction, "txid": transaction, "client": "api1"})
            put("chain.transfer", "transfer", wallet={"asset": "XEM", "from": wallet, "to": f"OUT{pick.randrange(50)}", "amount": pick.choice([1, 5, 60, 200]), "txid": transaction})
        elif kind < 0.6:
            put("firewall.flow", "flow", host={"name": pick.choice(["signer1", "desk1"])}, source={"ip": "10.0.0.5"}, destination={"ip": pick.choice(["10.0.0.6", "203.0.113.9"])})
        elif int(second / 7200) % 5 != 3:
            put("agent.heartbeat", "beat", host={"name": f"app{pick.randrange(3)}"})
        else:
            put("other", "noise", n=pick.randrange(100))
    return events


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


def replayed(rules, path):
    _, out, _ = run("replay", *(["--rules", rules] if rules else []), path)
    # Holds stand among the findings, and what only tells how one went on; the backtest counts neither.
    found = [f for f in lines_of(out) if "action" not in f["hinomi"] and "follows" not in f["hinomi"]]
    return collections.Counter(f["rule"]["id"] for f in found), sorted((f["rule"]["id"], f["@timestamp"], f["message"]) for f in found)


def check_same(name, directory, log, rules=None, least=1):
    """The counts of all rules, and the moments of a few of each, are those of a replay of the same file."""
    counts, moments = replayed(rules, log)
    status, out, err = run("rules", "backtest", "--dir", directory, "--format", "jsonl", "--examples", "100", *([rules] if rules else []))
    rows = lines_of(out)
    checks.equal(f"{name}: ends well", (status, err), (0, ""))
    checks.equal(f"{name}: findings of each rule", {r["rule"]["id"]: r["findings"] for r in rows if r["findings"]}, dict(counts))
    checks.check(f"{name}: there are some", sum(counts.values()) >= least, counts)
    shown = {(r["rule"]["id"], e["@timestamp"], e["message"]) for r in rows for e in r["examples"]}
    checks.check(f"{name}: at the same moments, in the same words", shown and shown <= set(moments), sorted(shown - set(moments))[:3])
    checks.check(f"{name}: days add up", all(sum(d["findings"] for d in r["days"]) == r["findings"] and sum(d["at_night"] for d in r["days"]) == r["at_night"] for r in rows))
    return rows


RULE = """title: large
id: 00000000-0000-4000-8000-000000000001
logsource: {{product: ecs}}
detection:
  selection: {{event.dataset: chain.transfer, wallet.amount|gte: {amount}}}
  condition: selection
level: {level}
hinomi: {{entities: {{wallet: wallet.from}}, explain: {{en: "{{wallet.amount}} from {{wallet.from}}", ja: "{{wallet.amount}}"}}}}
"""


def check_story(tmp):
    log, data = pathlib.Path(tmp, "story.jsonl"), pathlib.Path(tmp, "data")
    events = story(7)
    log.write_text("".join(json.dumps(e) + "\n" for e in events))
    checks.equal("imported", run("import", "--dir", data, log)[0], 0)
    check_same("our own rules", str(data), str(log), least=50)
    old, new = pathlib.Path(tmp, "old.yml"), pathlib.Path(tmp, "new.yml")
    old.write_text(RULE.format(amount=60, level="low"))
    new.write_text(RULE.format(amount=200, level="high"))
    truth = [e for e in events if e["event"]["dataset"] == "chain.transfer"]
    rows = check_same("a rule of one event", str(data), str(log), str(old), 20)
    by_wallet = collections.Counter(e["wallet"]["from"] for e in truth if e["wallet"]["amount"] >= 60)
    checks.equal("the entities with the most", [(t["value"], t["findings"]) for t in rows[0]["top_entities"]],
                 sorted(by_wallet.items(), key=lambda item: (-item[1], item[0]))[:5])
    hours = collections.Counter(int(e["@timestamp"][11:13]) for e in truth if e["wallet"]["amount"] >= 60)
    checks.equal("at night", rows[0]["at_night"], sum(n for h, n in hours.items() if h >= 22 or h < 7))
    tokyo = lines_of(run("rules", "backtest", "--dir", data, "--tz", "Asia/Tokyo", "--format", "jsonl", old)[1])
    checks.equal("at night in Tokyo", tokyo[0]["at_night"], sum(n for h, n in hours.items() if (h + 9) % 24 >= 22 or (h + 9) % 24 < 7))
    rows = lines_of(run("rules", "backtest", "--dir", data, "--against", old, "--format", "jsonl", new)[1])
    only = [r for r in rows if "only_by" in r]
    checks.equal("what the older version alone found", ({r["only_by"] for r in only}, len(only)),
                 ({"the other version"}, sum(60 <= e["wallet"]["amount"] < 200 for e in truth)))
    rows = lines_of(run("rules", "backtest", "--dir", data, "--from", "2026-03-02T00:00:00Z", "--to", "2026-03-03T00:00:00Z", "--format", "jsonl", old)[1])
    checks.equal("within a time", rows[0]["findings"], sum(e["wallet"]["amount"] >= 60 for e in truth if e["@timestamp"].startswith("2026-03-02")))
    _, text, _ = run("rules", "backtest", "--dir", data, "--against", new, old)
    checks.check("in words", f"{sum(by_wallet.values())} findings on 4 days" in text and "findings only by these rules" in text, text[:400])

KINDS = """title: sent
name: sent
id: 00000000-0000-4000-8000-000000000011
logsource: {product: ecs}
detection: {selection: {event.dataset: chain.transfer}, condition: selection}
level: low
hinomi: {explain: {en: "{wallet.txid} of {wallet.asset} to {wallet.to}", ja: "{wallet.amount}"}}
---
title: signed
name: signed
id: 00000000-0000-4000-8000-000000000012
logsource: {product: ecs}
detection: {selection: {event.dataset: wallet.signer}, condition: selection}
level: low
---
title: many from one
id: 00000000-0000-4000-8000-000000000013
correlation: {type: value_count, rules: [sent], group-by: [wallet.from], timespan: 2h, condition: {field: wallet.to, gte: 12}}
level: low
---
title: signed, then sent
id: 00000000-0000-4000-8000-000000000014
correlation:
  type: temporal_ordered
  rules: [signed, sent]
  aliases: {tx: {signed: wallet.withdrawal_id, sent: wallet.txid}}
  group-by: [tx]
  timespan: 1m
level: low
---
title: much from one
id: 00000000-0000-4000-8000-000000000015
correlation: {type: value_sum, rules: [sent], group-by: [wallet.from], timespan: 3h, condition: {field: wallet.amount, gte: 1000}}
level: low
---
title: a new way
id: 00000000-0000-4000-8000-000000000016
logsource: {product: ecs}
detection: {selection: {event.dataset: chain.transfer}, condition: selection}
level: low
hinomi: {new: {key: [wallet.from, wallet.to], learn: 1d}}
---
title: mostly large
id: 00000000-0000-4000-8000-000000000017
logsource: {product: ecs}
detection: {selection: {event.dataset: chain.transfer}, condition: selection}
level: low
hinomi: {ratio: {key: wallet.from, of: "wallet.amount > 5", gte: 0.7, at_least: 5, within: 3h}}
---
title: a risk
id: 00000000-0000-4000-8000-000000000018
level: low
hinomi: {risk: {key: wallet.from, rules: {sent: 1, "many from one": 5}, half_life: 2h, threshold: 20}}
---
title: any word
id: 00000000-0000-4000-8000-000000000019
logsource: {product: ecs}
detection: {keywords: [OUT17, desk1], condition: keywords}
level: low
"""


def check_kinds(tmp):
    """Each kind of rule alone and with those that it names: alone only some columns of the store are read, with the keywords all."""
    log, data = pathlib.Path(tmp, "kinds.jsonl"), pathlib.Path(tmp, "kinds")
    events = story(11)
    for event in events:
        if event["event"]["dataset"] == "wallet.signer":
            event["wallet"]["withdrawal_id"] = event["wallet"]["txid"]
    log.write_text("".join(json.dumps(e) + "\n" for e in events))
    run("import", "--dir", data, log)
    documents = KINDS.split("---\n")
    events_only, many = documents[:2], documents[2]
    sets = {"every kind": documents, "sent": documents[:1], "many from one": events_only + [many]}
    for document in documents[3:]:
        sets[document.split("\n")[0].removeprefix("title: ")] = events_only + [many] * ("many from one" in document) + [document]
    for name, members in sets.items():
        rules = pathlib.Path(tmp, "kinds.yml")
        rules.write_text("---\n".join(members))
        rows = check_same(name, str(data), str(log), str(rules), 5)
        found = {r["rule"]["title"]: r["findings"] for r in rows}
        checks.check(f"{name}: found something", all(n for title, n in found.items() if title not in ("sent", "signed")), found)



def check_bad(tmp):
    for name, words, sentence in (("no folder", [], "--dir DATA"), ("no store", ["--dir", tmp + "/none"], "there is no store in"),
                                  ("a wrong time", ["--dir", tmp, "--from", "soonish"], "--from"), ("a wrong zone", ["--dir", tmp, "--tz", "Mars/X"], "no time zone"),
                                  ("a wrong format", ["--dir", tmp, "--format", "csv"], "table or jsonl"), ("too many examples", ["--dir", tmp, "--examples", "1000"], "from 0 to 100")):
        status, _, err = run("rules", "backtest", *words)
        checks.check(f"{name} is said", status != 0 and sentence in err, (status, err))


def check_shared(tmp):
    """The January night: its rules over a store find what a replay finds."""
    generator = SHARED / "scenario/coincheck/gen.py"
    if not generator.exists():
        checks.skip("the January night", "the shared scenario is not here")
        return
    log, data = pathlib.Path(tmp, "night.jsonl"), pathlib.Path(tmp, "night")
    subprocess.run([sys.executable, str(generator), "--out", str(log), "--events", "20000"], check=False, capture_output=True)
    if not log.exists():
        checks.skip("the January night", "its generator wrote nothing")
        return
    run("import", "--dir", data, log)
    check_same("the January night", str(data), str(log))


with tempfile.TemporaryDirectory() as folder:
    check_story(folder)
    check_kinds(folder)
    check_bad(folder)
    check_shared(folder)
checks.finish()
