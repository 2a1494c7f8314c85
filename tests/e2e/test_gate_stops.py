#!/usr/bin/env python3
"""Stops over the API and the offline signature, and a rule whose response stops an asset in a running server: within a second, over a restart, until
people reopen it."""
import json
import pathlib
import time

from gated import Gated
from harness import ROOT, Checks, run, wait_for

checks = Checks()
RULE = """title: Something leaves
id: 5b0d3c0e-8f5c-4b8e-9d0d-0d5d3f7a1c11
logsource: {product: ecs}
detection: {s: {event.dataset: chain.transfer}, condition: s}
level: critical
hinomi: {catalogue: T-1, entities: {asset: wallet.asset}, response: {hold: {asset: wallet.asset}}, explain: {en: "{wallet.amount} left", ja: "{wallet.amount} 流出"}}
"""


def balance(gated, asset, amount=1000000):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    gated.server.hec(gated.server.token("hec"), [{"@timestamp": stamp, "event": {"dataset": "wallet.balance", "action": "balance_snapshot"},
                                                  "wallet": {"asset": asset, "tier": "hot", "address": "hot-" + asset, "chain_balance": amount}}])
    wait_for(lambda: gated.ask(f"warm-{asset}-{time.monotonic_ns()}", asset=asset, amount="1")[1]["row"] != "balance-unknown")


def as_token(gated, role, method, path, body=None):
    token = gated.server.token("api", role=role)
    cookie, gated.server.cookie = gated.server.cookie, None
    answer = gated.server.request(method, path, body, headers={"Authorization": f"Bearer {token}"})[:2]
    gated.server.cookie = cookie
    return answer


def by_hand(gated, people):
    balance(gated, "XEM")
    balance(gated, "BTC")
    stops = lambda: gated.server.request("GET", "/v1/gate/stops")[1]["stops"]
    for body in ({}, {"scope": "asset"}, {"scope": "planet", "target": "x", "reason": "r"}, {"scope": "asset", "target": "XEM", "reason": ""}):
        status, answer, _ = gated.server.request("POST", "/v1/gate/stops", body)
        checks.check(f"refused {body}", status == 400 and answer["error"]["message"], answer)
    checks.equal("a viewer may not", as_token(gated, "viewer", "POST", "/v1/gate/stops", {"scope": "asset", "target": "XEM", "reason": "r"})[0], 403)
    status, stop = as_token(gated, "responder", "POST", "/v1/gate/stops", {"scope": "asset", "target": "XEM", "reason": "odd transfers"})
    checks.equal("a responder's program stops", (status, stop["scope"], stop["target"], stop["share"], stop["next_share"]), (201, "asset", "XEM", 0, 0.01))
    checks.equal("it is listed", [s["id"] for s in stops()], [stop["id"]])
    held = gated.ask("w1", asset="XEM", amount="1")[1]
    checks.equal("held, with words", (held["decision"], held["row"], "odd transfers" in held["reasons"]["en"][0], "停止中" in held["reasons"]["ja"][0]), ("hold", "stopped", True, True))
    checks.equal("others flow", gated.ask("w2", asset="BTC", amount="1")[1]["decision"], "allow")
    path = f"/v1/gate/stops/{stop['id']}/reopen"
    for role in ("responder", "admin", "approver"):
        checks.check(f"no token reopens: {role}", as_token(gated, role, "POST", path, {"share": 0.01})[0] == 403)
    for name, session in people.items():
        status, body = gated.by(session, "POST", path, {"share": 0.1})
        checks.equal(f"{name} cannot jump", status, 409)
        status, body = gated.by(session, "POST", path, {"share": "0.01"})
        checks.equal("a text is no share", status, 400)
        status, body = gated.by(session, "POST", path, {"share": 0.01})
        checks.equal(f"{name} approves", (status, body["share"], body["approvals"]), (200, 0.01 if name == "suzuki" else 0, 0 if name == "suzuki" else 1))
    checks.equal("a hundredth of the limit", [gated.ask(f"r{a}", asset="XEM", amount=a)[1]["row"] for a in ("500", "501")], ["otherwise", "reopening"])
    rows = gated.events("event.dataset=hinomi.gate hinomi.gate.target=XEM | sort _time | table event.action user.name hinomi.gate.share", 3)
    checks.equal("as events", rows, [["stop", "api", 0], ["reopen_approval", "sato", 0], ["reopen", "suzuki", 100]])
    return stop


def by_signature(gated, stop, folder):
    keys = {name: folder / f"{name}.key" for name in ("kato", "mori")}
    lines = [run("approve", "--new-key", path)[1].splitlines()[1] for path in keys.values()]
    policy = gated.policy.read_text()
    gated.policy.write_text(policy + "approvers:\n" + "\n".join(lines) + "\n")
    checks.equal("the approvers are read", gated.reload()[0], 200)
    file, stop = folder / "stop.json", gated.server.request("GET", f"/v1/gate/stops/{stop['id']}")[1]
    file.write_text(json.dumps(gated.server.request("GET", f"/v1/gate/stops/{stop['id']}")[1]))
    forged = folder / "forged.json"
    forged.write_text(file.read_text().replace('"XEM"', '"BTC"'))
    status, out, err = run("approve", "--key", keys["kato"], "--yes", forged)
    checks.check("what is shown is what is signed", status == 1 and "does not belong" in err, err)
    for share in (0.1, 1):
        for name, key in keys.items():
            file.write_text(json.dumps(gated.server.request("GET", f"/v1/gate/stops/{stop['id']}")[1]))
            status, out, err = run("approve", "--key", key, "--yes", file)
            checks.check("it says what", status == 0 and "XEM" in err and f"{share * 100:g} %" in err, err)
            signed = json.loads(out)
            if share == 1:
                checks.equal("an old one is of no use", gated.server.request("POST", f"/v1/gate/stops/{stop['id']}/approve", old)[0], 409)
            status, body, _ = gated.server.request("POST", f"/v1/gate/stops/{stop['id']}/approve", signed)
            checks.equal(f"{name} {share}", (status, body["share"]), (200, share if name == "mori" else stop["share"]))
            bad = {**signed, "signature": "A" * 86 + "=="}
            checks.check("no signature", gated.server.request("POST", f"/v1/gate/stops/{stop['id']}/approve", bad)[0] in (403, 409))
        stop = body
        old = signed
    checks.equal("it has ended", gated.server.request("GET", "/v1/gate/stops")[1]["stops"], [])
    checks.equal("and is gone", gated.server.request("GET", f"/v1/gate/stops/{stop['id']}")[0], 404)
    checks.equal("it flows", gated.ask("after", asset="XEM", amount="501")[1]["decision"], "allow")


def by_rule(gated, people):
    rules = pathlib.Path(gated.server.dir) / "data/content/rules"
    rules.mkdir(parents=True, exist_ok=True)
    (rules / "leaves.yml").write_text(RULE)
    wait_for(lambda: any(r["title"] == "Something leaves" for r in gated.server.request("GET", "/v1/rules")[1]["rules"]))
    balance(gated, "QQQ")
    hec, number = gated.server.token("hec"), 0
    begun = time.monotonic()
    gated.server.hec(hec, [{"@timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": {"id": "x1", "dataset": "chain.transfer"},
                            "wallet": {"from": "elsewhere", "to": "thief", "asset": "QQQ", "amount": 7}}])
    while True:
        number += 1
        row = gated.ask(f"q{number}", asset="QQQ", amount="1")[1]["row"]
        took = time.monotonic() - begun
        if row in ("stopped", "open-incident") or took > 10:
            break
    checks.check("an event changes the answer within a second", took < 1, took)
    stop = gated.server.request("GET", "/v1/gate/stops")[1]["stops"][0]
    checks.equal("by the rule", (stop["by"], stop["target"], stop["reason"], len(stop["finding"])), ("T-1", "QQQ", "7 left", 32))
    for share in (0.01, 0.1, 1):
        for session in people.values():
            gated.by(session, "POST", f"/v1/gate/stops/{stop['id']}/reopen", {"share": share})
    checks.equal("people have reopened it", gated.server.request("GET", "/v1/gate/stops")[1]["stops"], [])
    gated.server.kill()  # the rules see the event again from the checkpoint on
    gated.server.start()
    gated.server.sign_in()
    wait_for(lambda: gated.state()["healthy"])
    balance(gated, "QQQ")
    checks.equal("the same finding does not stop it again", gated.server.request("GET", "/v1/gate/stops")[1]["stops"], [])
    gated.server.hec(hec, [{"@timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": {"id": "x2", "dataset": "chain.transfer"},
                            "wallet": {"from": "elsewhere", "to": "thief", "asset": "QQQ", "amount": 8}}])
    checks.check("another one does", wait_for(lambda: [s["reason"] for s in gated.server.request("GET", "/v1/gate/stops")[1]["stops"]] == ["8 left"]))


def main():
    gated = Gated((ROOT / "content/policy/default.yaml").read_text())
    try:
        people = gated.people("sato", "suzuki")
        stop = by_hand(gated, people)
        by_signature(gated, stop, pathlib.Path(gated.server.dir))
        by_rule(gated, people)
    finally:
        gated.server.close()
    checks.finish()


main()
