#!/usr/bin/env python3
"""The console's pages Brake and Settings in Chromium: a real gate with approvers' keys, a history to try policies on, and attackers' words."""
import itertools
import pathlib
import shutil
import tempfile

from browser_tests import run_node
from gated import Gated
from harness import HINOMI, PASSWORD, ROOT, Checks, run, wait_for
from payloads import call, eip1559

checks = Checks()
browser = ROOT / "tests/browser"
COIN, COLD, THIEF, WALLET = ("0x" + digit * 40 for digit in "abcd")
PEOPLE = {"sato": "responder", "suzuki": "approver", "hara": "approver", "kanda": "auditor", "noda": "viewer", "ueda": "admin"}
POLICY = """version: "7"
mode: enforce
limits: {most: 100, share: 0.5}
values:
  moves_money: request.action = "withdrawal"
  first_seen: coalesce(state("address", request.destination, "first_seen"), 0)
  seen: state("address", request.destination, "first_seen") > 0
assets: {USX: {chain: evm, decimals: 6, contract: "%s", chain_id: 1}}
rows:
  - name: stopped
    when: stop_share = 0 AND moves_money
    effect: hold
    approvals: 2
    reason: {en: "Stopped by {stop_by}: {stop_reason}", ja: "{stop_by} により停止中です：{stop_reason}"}
  - {name: reopening, when: stop_share < 1 AND moves_money AND request.amount > limits.most * stop_share, effect: hold, reason: {en: "Being reopened.", ja: "再開中です。"}}
  - name: much
    when: moves_money AND request.amount > limits.most AND first_seen < 1
    effect: hold
    approvals: 2
    reason: {en: "{request.amount} {request.asset} is more than {limits.most}.", ja: "{request.amount} {request.asset} は {limits.most} を超えています。"}
    support: {en: "Our staff looks at this request.", ja: "担当者が確認しています。", minutes: 45}
  - {name: listed, when: request.destination = "listed", effect: deny, reason: {en: "On a list.", ja: "リストにあります。"}}
  - {name: differs, when: isnotnull(payload_kind) AND NOT payload_matches, effect: hold, reason: {en: "{payload_differs}", ja: "{payload_differs}"}}
  - {name: seen, when: seen, effect: allow}
  - {name: rest, effect: allow}
""" % COIN


def key_of(folder, name):
    """The policy's line of a fresh key."""
    status, out, err = run("approve", "--new-key", folder / f"{name}.key")
    checks.equal(f"a key for {name}", (status, err if status else ""), (0, ""))
    return out.splitlines()[1].split(": ")[1]


def history():
    """Withdrawals of one February day, one of them a theft."""
    def out(minute, number, user, amount, address="a", asset="XEM", **more):
        return {"@timestamp": f"2026-02-03T{minute // 60:02}:{minute % 60:02}:00Z", "event": {"dataset": "exchange.withdrawal", "action": "withdrawal_requested", "id": number},
                "user": {"id": user}, "exchange": {"withdrawal_id": number, "asset": asset, "amount": amount, "address": address, **more}}
    return [out(0, "H1", "u1", 60.5), out(1, "H2", "u2", 140.25, usd=100.5), out(13, "H3", "thief", 150, usd=300.25), out(22, "H4", "u4", 3, asset="BTC"), out(90, "H5", "u6", 77, address="theirs")]


def people(gated):
    for name, role in PEOPLE.items():
        status, body, _ = gated.server.request("POST", "/v1/users", {"name": name, "password": PASSWORD, "role": role})
        checks.equal(f"{name} may sign in", (status, body if status != 201 else ""), (201, ""))


def asked(gated):
    """What people will look at: allowed, held for two reasons, denied, and one that brings bytes which do something else."""
    tries = itertools.count()  # an answer is remembered, also one in doubt
    checks.check("the gate answers by its policy", wait_for(lambda: gated.ask(f"R0-{next(tries)}", amount="1")[1]["row"] == "rest"))
    theft = eip1559(COIN, data=call("transfer(address,uint256)", THIEF, 1500000))
    for request_id, more in {
        "R1": {"amount": "1500000.123456789012345678", "destination": "NC4C6PSUW5CLTDT5SXAGJDQJGZNESKFK5MCN77OG", "wallet": "hot-1", "nonce": "8f2c", "expiry": "2100-01-26T00:12:13Z"},
        "R2": {"amount": "250", "account": "u2", "destination": "NC4C6PSUW5CLTDT5SXAGJDQJGZNESKFK5MCN77OG"},
        "R3": {"amount": "1.5", "asset": "USX", "destination": COLD, "wallet": WALLET, "payload": "0x" + theft.hex()},
        "R4": {"destination": "listed"},
        "R5": {"amount": "300", "account": "<img src=x onerror=window.pwned=1>", "destination": "abc\u202Egpj.exe p\u0430ypal"},
    }.items():
        status, body = gated.ask(request_id, **more)
        checks.equal(f"{request_id} is answered", (status, body if status != 200 else ""), (200, ""))


def start():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-e2e-"))
    keys = {name: key_of(folder, name) for name in ("suzuki", "hara", "mori")}
    approvers = "approvers: {" + ", ".join(f'{name}: "{keys[name]}"' for name in ("suzuki", "hara")) + "}\n"
    gated = Gated(POLICY + approvers + f'break_glass: {{needed: 1, approvers: {{mori: "{keys["mori"]}"}}}}\n', directory=str(folder))
    people(gated)
    events = history()
    checks.equal("history is taken", gated.server.hec(gated.server.token(), events)[0], 200)
    checks.check("and found", wait_for(lambda: len(gated.server.query("event.dataset=exchange.withdrawal")["rows"]) >= len(events)))
    asked(gated)
    return folder, gated


def environment(folder, gated):
    return {"HINOMI_URL": f"http://127.0.0.1:{gated.server.api_port}/", "HINOMI_PASSWORD": PASSWORD, "HINOMI_PROGRAM": HINOMI, "HINOMI_KEYS": str(folder),
            "HINOMI_POLICY": str(gated.policy), "HINOMI_GATE_TOKEN": gated.token}


def main():
    folder, gated = start()
    try:
        for script in ("brake.test.mjs", "settings.test.mjs"):
            run_node(checks, script, environment(folder, gated))
    finally:
        gated.server.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if not shutil.which("chromium") or not (browser / "node_modules").exists():
        checks.skip("browser", "Chromium or playwright-core is not installed")
    else:
        main()
    checks.finish()
