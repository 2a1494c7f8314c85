#!/usr/bin/env python3
"""A wallet loses money without an approved withdrawal: the incident says that a hold does not stop whoever has the key, offers the
playbook for it, and the playbook can be gone through."""
import json
import time

from gated import Gated
from harness import Checks, wait_for

checks = Checks()
POLICY = 'version: "1"\nmode: enforce\nrows:\n  - {name: stopped, when: stop_share < 1, effect: hold, reason: {en: e, ja: j}}\n  - {name: fine, effect: allow, reason: {en: e, ja: j}}\n'


def steal(server):
    token, now = server.token("hec"), time.time()
    stamp = lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + s))
    server.hec(token, [{"@timestamp": stamp(-600), "event": {"dataset": "wallet.balance", "action": "balance_snapshot"},
                        "wallet": {"asset": "QQQ", "tier": "hot", "address": "hot-q", "chain_balance": 1000000}}])
    server.hec(token, [{"@timestamp": stamp(-300), "event": {"id": "theft-1", "dataset": "chain.transfer", "action": "transfer"},
                        "wallet": {"asset": "QQQ", "from": "hot-q", "to": "thief", "amount": 100, "txid": "t1"}}])
    server.hec(token, [{"@timestamp": stamp(-100), "event": {"dataset": "wallet.balance", "action": "balance_snapshot"},
                        "wallet": {"asset": "QQQ", "tier": "hot", "address": "hot-q", "chain_balance": 999900}}])


def main():
    gated = Gated(POLICY)
    server = gated.server
    before = {book["name"]: book for book in server.request("GET", "/v1/playbooks")[1]["playbooks"]}
    checks.equal("without an incident it is not offered", before["key-is-outside"]["offered"], False)
    steal(server)

    def offered():
        for incident in server.request("GET", "/v1/incidents?state=open")[1]["incidents"]:
            for book in server.request("GET", f"/v1/playbooks?incident={incident['id']}")[1]["playbooks"]:
                if book["offered"]:
                    return incident["id"], book
        return None

    found = wait_for(offered)
    checks.check("an incident offers it", found and found[1]["name"] == "key-is-outside", found)
    incident, book = found
    findings = json.dumps(server.request("GET", f"/v1/incidents/{incident}/findings")[1], ensure_ascii=False)
    checks.check("by one of the two rules", "29429436-b567-5af7-a2ea-02fde55b29f8" in findings or "e66f8968-e78e-59f7-8acb-631aac59736a" in findings
                 or "WDR-05" in findings or "SGN-01" in findings, findings[:500])
    text = json.dumps(server.request("GET", f"/v1/incidents/{incident}")[1], ensure_ascii=False)
    checks.check("the incident says that a hold is not enough", "Holding withdrawals here does not stop whoever has the key" in text, text[:2000])
    checks.check("in both languages", "出金の保留では鍵を持つ者を止められません" in text)
    others = [b["name"] for b in server.request("GET", f"/v1/playbooks?incident={incident}")[1]["playbooks"] if b["offered"]]
    checks.equal("and no other playbook", others, ["key-is-outside"])
    steps = " ".join(step["text"]["en"] for step in book["steps"])
    for word in ("sweep", "deposits", "gate", "Freeze trading", "evidence", "new key", "other exchanges", "foundation", "analytics", "police", "JFSA"):
        checks.check(f"its steps speak of {word}", word in steps)
    checks.check("each in both languages", all(step["text"]["ja"] and step["text"]["en"] for step in book["steps"]))
    checks.check("it can be used as it comes", book["usable"])
    status, run, _ = server.request("POST", "/v1/playbooks/key-is-outside/run", {"incident": incident})
    checks.equal("it is begun", (status, run["steps"][0]["state"]), (201, "waiting"))
    status, run, _ = server.request("POST", f"/v1/playbook_runs/{run['id']}/step", {"step": run["step"], "answer": "done", "text": "not ours"})
    checks.equal("and goes on", (status, run["steps"][0]["state"], run["steps"][1]["state"]), (200, "done", "waiting"))
    server.close()


main()
checks.finish()
