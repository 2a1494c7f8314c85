#!/usr/bin/env python3
"""The January night of the shared scenario over HEC into a running server: XEM is held, with its reasons, and the others flow.

The events carry the times of January 2018 and the requests those of now. Nothing compares the two: what holds XEM is the incident,
which is open until people close it, and balances are the latest ones known.
"""
import json
import subprocess
import sys
import tempfile
import time

from harness import SHARED, Checks, Server

checks = Checks()
generator = SHARED / "scenario/coincheck/gen.py"
UNTIL = "2018-01-25T15:20:00"  # a quarter of an hour after the second transfer, 00:04:56 on the 26th in Japan
PER_REQUEST = 4000


def events():
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        subprocess.run([sys.executable, str(generator), "--out", file.name], check=True, capture_output=True)
        for line in open(file.name):
            if json.loads(line)["@timestamp"] < UNTIL:
                yield line


def send(server, token, lines):
    sent, batch = 0, []
    for line in [*lines, None]:
        if line:
            batch.append('{"event":' + line.strip() + "}")
        if len(batch) == PER_REQUEST or (not line and batch):
            status, body, _ = server.hec(token, "\n".join(batch).encode())
            if status != 200:
                raise RuntimeError((status, body))
            sent += len(batch)
            batch = []
    return sent


def ask(server, token, request_id, asset, amount, **more):
    body = {"request_id": request_id, "action": "withdrawal", "account": "u000001", "asset": asset, "amount": amount, "destination": "customer-address", **more}
    status, answer, _ = server.request("POST", "/v1/gate/decide", body, headers={"Authorization": f"Bearer {token}"})
    assert status == 200, (status, answer)
    return answer


def settled(server, count):
    """All of it is stored, and the gate is healthy: it has seen what the rules have seen."""
    for _ in range(1200):
        overview = server.request("GET", "/v1/overview")[1]
        if overview["see"]["stored"] >= count and overview["see"]["lag_ms"] == 0 and overview["brake"]["healthy"]:
            return overview
        time.sleep(0.1)
    raise RuntimeError(f"not settled: {overview}")


def main():
    server = Server().start()
    server.sign_in()
    token = server.token("gate")
    began = time.monotonic()
    count = send(server, server.token("hec"), events())
    overview = settled(server, count)
    print(f"{count} events in {time.monotonic() - began:.1f} s")
    checks.equal("every event is there", int(server.query("event.dataset!=hinomi.* | stats count")["rows"][0][0]), count)
    balances = {a["asset"]: a["balance"] for a in overview["brake"]["assets"]}
    checks.check("the gate knows the wallets", {"XEM", "BTC", "ETH", "XRP"} <= set(balances), balances)
    for _ in range(100):
        incidents = server.request("GET", "/v1/incidents?state=open,acknowledged&limit=1000")[1]["incidents"]
        if any({"type": "asset", "value": "XEM"} in i["entities"] for i in incidents):
            break
        time.sleep(0.1)
    theft = [i for i in incidents if {"type": "asset", "value": "XEM"} in i["entities"]]
    checks.check("the theft is an incident", theft and theft[0]["severity"] == "critical", incidents)
    xem = ask(server, token, "xem", "XEM", "1")
    checks.equal("one XEM is held", (xem["decision"], xem["row"], xem["incident"]), ("hold", "open-incident", theft[0]["id"]))
    checks.check("it says why, in both languages", theft[0]["id"] in xem["reasons"]["en"][0] and theft[0]["id"] in xem["reasons"]["ja"][0], xem["reasons"])
    thief = next(e["value"] for e in theft[0]["entities"] if e["type"] == "address")
    checks.equal("the thief's address is held for any asset", ask(server, token, "thief", "BTC", "0.01", destination=thief)["row"], "open-incident")
    for asset in ("BTC", "ETH", "XRP"):
        answer = ask(server, token, asset, asset, "0.01")
        checks.equal(f"{asset} flows", (answer["decision"], answer["row"], bool(answer["token"])), ("allow", "otherwise", True))
    large = ask(server, token, "large", "BTC", balances["BTC"])
    checks.equal("but not all of it at once", (large["decision"], large["row"]), ("hold", "large-share"))
    detail = server.request("GET", f"/v1/incidents/{theft[0]['id']}")[1]
    checks.check("the incident says what it holds", "xem" in [h["request_id"] for h in detail["held"]], detail["held"])
    server.close()


if generator.exists():
    main()
else:
    checks.skip("coincheck", "the shared scenario is not here")
checks.finish()
