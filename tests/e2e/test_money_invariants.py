#!/usr/bin/env python3
"""One signature that nobody approved, among 30,000 events of ordinary withdrawals (HINOMI_FULL: 1,000,000), each from the request to the confirmation,
and one event in ten arrives up to 120 seconds late: found within a second of the end of its grace, and nothing else is found.

How soon: the events that had arrived a second after the grace's end are replayed alone. Event time goes on with the newest event, so that is also
what a server finds by then (test_stream.py). SEED=n repeats a run."""
import datetime
import json
import os
import pathlib
import random
import tempfile
import time

from harness import ROOT, Checks, run

COUNT = 1_000_000 if os.environ.get("HINOMI_FULL") else 30_000
SEED = int(os.environ.get("SEED", "1"))
A_DAY = 1_000_000  # events: eleven or twelve a second
LATE_MOST, GRACE = 120.0, 120.0
FIRST = datetime.datetime(2024, 5, 1, tzinfo=datetime.timezone.utc)
ASSETS = ("QTM", "LUMA", "SOLX")
SIGNER = {"host": {"name": "sig-1"}, "process": {"name": "signerd"}}
checks = Checks()
pick = random.Random(f"money {SEED}")


def event(at, name, dataset, action, **fields):
    stamp = FIRST + datetime.timedelta(milliseconds=int(at * 1000))
    return at, {"@timestamp": stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp.microsecond // 1000:03d}Z",
                "event": {"id": name, "dataset": dataset, "action": action, "category": ["iam" if dataset == "wallet.signer" else "web"], "outcome": "success"}, **fields}


def signing(at, n, asset, amount, to, withdrawal):
    """The signer's two events and the chain's; what a thief who reaches the signer leaves behind, too."""
    wallet, txid = {"key_id": f"key-{asset}", "withdrawal_id": withdrawal, "asset": asset, "client": f"hotd-{asset}"}, f"tx{n:08d}"
    moved = at + 1 + pick.uniform(3, 40)
    return [event(at, f"e{n}-sign", "wallet.signer", "sign_request", **SIGNER, wallet={**wallet, "amount": amount, "to": to}),
            event(at + 0.3, f"e{n}-signed", "wallet.signer", "signed", **SIGNER, wallet={**wallet, "txid": txid}),
            event(moved, f"e{n}-chain", "chain.transfer", "transfer", host={"name": "fullnode-1"}, wallet={"asset": asset, "from": f"{asset}-hot", "to": to, "amount": amount, "txid": txid})]


def withdrawal(n, at):
    """Seven events, from the request to the confirmation."""
    asset, customer, name = pick.choice(ASSETS), f"c{pick.randrange(20000):05d}", f"w{n:08d}"
    amount, to = round(pick.lognormvariate(0, 1), 6), f"{asset.lower()}1{customer}"
    what = {"withdrawal_id": name, "asset": asset, "amount": amount, "address": to}
    approved = at + pick.uniform(1, 6)
    signed = signing(approved + pick.uniform(0.5, 3), n, asset, amount, to, name)
    chain = signed[2][0]
    return [event(at, f"e{n}-asked", "exchange.withdrawal", "withdrawal_requested", user={"id": customer}, exchange={**what, "address_whitelisted": True}),
            event(approved, f"e{n}-approved", "exchange.withdrawal", "withdrawal_approved", exchange={**what, "approval": "auto", "risk_score": 3}), *signed,
            event(signed[1][0] + 0.4, f"e{n}-sent", "exchange.withdrawal", "withdrawal_broadcast", exchange={"withdrawal_id": name, "txid": f"tx{n:08d}"}),
            event(chain + 60, f"e{n}-confirmed", "exchange.withdrawal", "withdrawal_confirmed", exchange={"withdrawal_id": name, "txid": f"tx{n:08d}"})]


def balances(events, seconds):
    """Every five minutes, by the transfers until then; the books follow the chain."""
    moves, held, at = sorted((at, e["wallet"]["asset"], e["wallet"]["amount"]) for at, e in events if e["event"]["dataset"] == "chain.transfer"), dict.fromkeys(ASSETS, 5_000_000.0), 0
    for step in range(int(seconds // 300) + 1):
        while at < len(moves) and moves[at][0] <= step * 300:
            held[moves[at][1]] -= moves[at][2]
            at += 1
        for asset in ASSETS:
            yield event(step * 300.0, f"b{step}-{asset}", "wallet.balance", "balance_snapshot",
                        wallet={"asset": asset, "tier": "hot", "address": f"{asset}-hot", "chain_balance": round(held[asset], 6), "ledger_balance": round(held[asset], 6), "pending_in": 0})


def made():
    """(arrival, line) in order of arrival, and when the signature was asked for."""
    seconds, flows = COUNT / A_DAY * 86400, COUNT // 7
    events = [e for n in range(flows) for e in withdrawal(n, pick.uniform(0, seconds))]
    at = seconds * 0.6
    events += signing(at, 99_999_999, "QTM", 3.7, "qtm1nobody", "w-nobody")
    events += balances(events, seconds)
    arrive = lambda at: at + (pick.uniform(0, LATE_MOST) if pick.random() < 0.1 else pick.uniform(0, 0.2))
    planted = {"e99999999-sign": at + 0.1}
    rows = sorted((planted.get(e["event"]["id"]) or arrive(when), e["event"]["id"], json.dumps(e, separators=(",", ":"))) for when, e in events)
    return [(arrival, line) for arrival, _, line in rows], at


def found(folder, lines):
    """Findings, without what only tells how one went on."""
    path = pathlib.Path(folder, "events.jsonl")
    path.write_text("\n".join(lines) + "\n")
    status, out, err = run("replay", "--rules", ROOT / "content/rules", "--format", "jsonl", path, timeout=1200)
    checks.equal("replay", (status, err), (0, ""))
    return [row for row in map(json.loads, out.splitlines()) if "action" not in row["hinomi"] and "follows" not in row["hinomi"]]


def unapproved(findings):
    return [f for f in findings if f["hinomi"].get("catalogue") == "SGN-02" and "e99999999-sign" in f["hinomi"]["evidence"]]


def seconds_of(text):
    return (datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - FIRST).total_seconds()


def main():
    rows, at = made()
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        whole = found(folder, [line for _, line in rows])
        took = time.monotonic() - began
        mine = unapproved(whole)
        checks.equal("found, once", len(mine), 1)
        checks.equal("it is critical", [f["hinomi"]["severity"] for f in mine], ["critical"])
        checks.check("its time is within a second of the grace's end", mine and at + GRACE - 0.01 <= seconds_of(mine[0]["@timestamp"]) <= at + GRACE + 1, mine)
        false = [f for f in whole if not any(name.startswith("e99999999-") for name in f["hinomi"]["evidence"])]
        checks.equal("nothing is found that was not", [(f["@timestamp"], f["hinomi"].get("catalogue"), f["message"]) for f in false][:5], [])
        before = found(folder, [line for arrival, line in rows if arrival <= at + GRACE - 1])
        checks.equal("not while it may still be approved", len(unapproved(before)), 0)
        soon = found(folder, [line for arrival, line in rows if arrival <= at + GRACE + 1])
        checks.equal("by a second after the grace's end it is known", len(unapproved(soon)), 1)
    late = sum(arrival_before > arrival for arrival_before, arrival in zip(map(event_time, rows), map(event_time, rows[1:])))
    print(f"{len(rows)} events, {late} of them behind the one before; {len(whole)} findings, replayed in {took:.1f} s: {sorted({f['hinomi'].get('catalogue') for f in whole})}")


def event_time(row):
    return row[1][15:38]


main()
checks.finish()
