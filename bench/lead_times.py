#!/usr/bin/env python3
"""How long before the theft or the loss the first high and the first critical finding of an attack come, for every scenario of tests/scenarios.

    python3 bench/lead_times.py [--seeds 3] [--late 0] [NAME...]

Of the seeds the one with the least lead is shown. A finding is of the attack when an event of it is its evidence. With --late every event comes up
to so many seconds late. What a finding says (its event time) is what a running server says of the same events (tests/e2e/test_stream.py).
Prints a table: what is lost, the lead of the first finding that is high or critical, of the first critical one, and of what was taken (by value, for thefts from wallets; by
events else) the share that was still there when the first critical finding came."""
import argparse
import datetime
import importlib
import json
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "tests/scenarios")]
from harness import run  # noqa: E402


def moved(event):
    return event["wallet"]["usd"] if event["event"]["dataset"] == "chain.transfer" else 0.0


def of_action(*names):
    return lambda event: float(event["event"]["action"] in names)


def bought(event):
    return float(event["event"]["action"] == "order_placed" and event["exchange"]["side"] == "buy")


def refused(event):
    return float(event.get("http", {}).get("response", {}).get("status_code") == 503)


# name: (as it was reported, what is lost, how much of it an event is)
INCIDENTS = {
    "key_taken": ("Coincheck 2018: the key is used elsewhere", "first large transfer", moved),
    "several_assets": ("Zaif 2018, BITPoint 2019, Liquid 2021: the wallet server pays by itself", "first large transfer", moved),
    "keys_outside": ("KuCoin 2020: keys of several assets, fast", "first large transfer", moved),
    "altered": ("DMM 2024: a transfer altered before it is signed", "the transfer", moved),
    "screen": ("Bybit 2025: the signing page lies", "the transfer", moved),
    "stolen_keys": ("Binance 2018: stolen API keys move a thin pair", "first trade at the price of the attack", of_action("trade_executed")),
    "broker": ("brokers 2025: taken accounts buy one thin share", "first purchase", bought),
    "stuffing": ("stuffing, and one account emptied", "the withdrawal is asked for", of_action("withdrawal_requested")),
    "insider": ("an insider takes customers' data along", "the export", of_action("report_exported", "customers_download")),
    "intrusion": ("intrusion by mail, to the host with the keys", "a program reads there", lambda event: float(event["event"]["dataset"] == "edr.process" and event["user"]["name"] == "root")),
    "flood": ("a flood of requests", "first request that is refused", refused),
}


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def taken(world, amount_of):
    """(time, how much) of what the attack takes, in order of time. What goes on between the thief's own addresses is gone already."""
    attack, own = set(world.attack), {getattr(asset, tier) for asset in world.assets for tier in ("hot", "cold")}
    parts = [(when(event["@timestamp"]), amount_of(event)) for _, _, event in world.events if event["event"]["id"] in attack and (amount_of is not moved or event.get("wallet", {}).get("from") in own)]
    return sorted(part for part in parts if part[1])


def one(scenario, seed, late, folder):
    world = scenario(seed)
    path = pathlib.Path(folder, "events.jsonl")
    world.write(path, late)
    status, out, err = run("replay", "--rules", ROOT / "content/rules", "--format", "jsonl", path)
    if status or err:
        raise SystemExit(err)
    attack, first = set(world.attack), {}
    for finding in sorted((row for row in map(json.loads, out.splitlines()) if "action" not in row["hinomi"]), key=lambda f: f["@timestamp"]):
        if attack & set(finding["hinomi"]["evidence"]):
            first.setdefault(finding["hinomi"]["severity"], (when(finding["@timestamp"]), finding["hinomi"].get("catalogue")))
    parts = taken(world, INCIDENTS[scenario.__name__][2])
    total = sum(amount for _, amount in parts)
    loss = next(at for at, amount in parts if amount >= total / 1000)  # less is a trial
    loud = min((first[level] for level in ("critical", "high") if level in first), key=lambda found: found[0], default=None)
    critical = first.get("critical")
    left = sum(amount for at, amount in parts if critical and at > critical[0]) / total
    return {"seed": seed, "loss": loss, "loud": loud, "critical": critical, "left": left}


def span(loss, finding):
    if not finding:
        return "none"
    seconds = (loss - finding[0]).total_seconds()
    size = abs(seconds)
    text = f"{size / 86400:.1f} d" if size >= 86400 else f"{size / 3600:.1f} h" if size >= 3600 else f"{size / 60:.1f} min" if size >= 60 else f"{size:.1f} s"
    return f"{finding[1]}, " + ("at once" if size < 0.05 else text + (" before" if seconds > 0 else " after"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--late", type=int, default=0)
    args = parser.parse_args()
    scenarios = {s.__name__: s for module in ("thefts", "accounts") for s in importlib.import_module(module).SCENARIOS}
    if set(scenarios) != set(INCIDENTS):
        raise SystemExit(f"not in the table: {set(scenarios) ^ set(INCIDENTS)}")
    print("| incident | the loss | first high or critical finding | first critical finding | still there then |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, (incident, loss, _) in INCIDENTS.items():
            if args.names and name not in args.names:
                continue
            rows = [one(scenarios[name], seed, args.late, folder) for seed in range(1, args.seeds + 1)]
            least = lambda row, which: (row["loss"] - row[which][0]) if row[which] else datetime.timedelta(days=-9999)
            loud, critical = (min(rows, key=lambda row, w=which: least(row, w)) for which in ("loud", "critical"))
            left = min(row["left"] for row in rows)
            print(f"| {incident} | {loss} | {span(loud['loss'], loud['loud'])} | {span(critical['loss'], critical['critical'])} | {f'{left:.0%}' if critical['critical'] else '-'} |", flush=True)


main()
