#!/usr/bin/env python3
"""Random amounts with up to eighteen places and thirty digits (HINOMI_FULL=1: ten million of them): what `stats` says of each asset is what
Python's whole numbers say, from a file and from the store."""
import json
import os
import random
import tempfile
from pathlib import Path

from harness import Checks, run

checks = Checks()
COUNT = 10_000_000 if os.environ.get("HINOMI_FULL") == "1" else 100_000
PLACES = 18
SEARCH = "event.dataset=exchange.withdrawal | stats sum(exchange.amount) as sum max(exchange.amount) as max count by exchange.asset | sort exchange.asset"
pick = random.Random(18)


def text(units):
    """Without zeros at the end now and then, as people write amounts."""
    whole, part = divmod(abs(units), 10 ** PLACES)
    shown = f"{'-' if units < 0 else ''}{whole}.{part:0{PLACES}}"
    return shown.rstrip("0").rstrip(".") if pick.random() < 0.2 else shown


def units(shown):
    whole, _, part = shown.lstrip("-").partition(".")
    return (-1 if shown.startswith("-") else 1) * (int(whole) * 10 ** PLACES + int(part.ljust(PLACES, "0")))


def write(path):
    books = {}
    with open(path, "w") as out:
        for i in range(COUNT):
            asset, amount = pick.choice(("BTC", "ETH", "JPY", "XEM")), pick.randrange(-10 ** 20, 10 ** pick.randrange(1, 31))
            total, most, count = books.get(asset, (0, amount, 0))
            books[asset] = (total + amount, max(most, amount), count + 1)
            out.write('{"@timestamp":"2026-11-%02dT00:00:%02dZ","event":{"dataset":"exchange.withdrawal"},"exchange":{"asset":"%s","amount":"%s"}}\n'
                      % (1 + i % 20, i % 60, asset, text(amount)))
    return {asset: (total, most, count) for asset, (total, most, count) in sorted(books.items())}


def told(*where):
    status, out, err = run("search", *where, "--format", "jsonl", SEARCH, timeout=3000)
    checks.equal(f"{where[0]}: it ends well", (status, err), (0, ""))
    rows = [json.loads(line, parse_float=str, parse_int=str) for line in out.splitlines()]
    return {row["exchange.asset"]: (units(row["sum"]), units(row["max"]), int(row["count"])) for row in rows}


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    books = write(folder / "amounts.jsonl")
    checks.equal("from the file, to the last place", told("--data", folder / "amounts.jsonl"), books)
    status, _, err = run("import", "--dir", folder / "data", folder / "amounts.jsonl", timeout=3000)
    checks.equal("it is imported", status, 0)
    checks.equal("from the store, to the last place", told("--dir", folder / "data"), books)
checks.finish()
