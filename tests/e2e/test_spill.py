#!/usr/bin/env python3
"""join, dedup and transaction with less memory than their rows need: the same rows in the same order as
with enough of it, from a temporary file."""
import json
import pathlib
import random
import sys
import tempfile

from harness import Checks, run

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-spill-"))
START = 1_700_000_000
ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
LITTLE = ("8MiB", "16MiB")


def generate():
    """few: 7 values; many: about half as many as rows; sess and user share rows; tags has several
    values, and one row of nine lacks it."""
    draw = random.Random(5)
    with open(tmp / "main.jsonl", "w") as file:
        for i in range(ROWS):
            row = {"_time": START + i // 3 + draw.randrange(40), "id": i, "few": f"f{draw.randrange(7)}",
                   "many": f"key-{draw.randrange(ROWS // 2):07d}", "side": draw.choice("ab"), "text": f"row {i * 7919 % 100_003} " + "x" * 24}
            if i % 9:
                row["tags"] = [f"t{draw.randrange(60_000)}", f"u{draw.randrange(60_000)}"] if i % 4 == 0 else f"t{draw.randrange(60_000)}"
            user = draw.randrange(ROWS // 100)
            if i % 3:
                row["user"] = f"user{user}"
            if i % 3 != 1:
                row["sess"] = f"s{user}-{draw.randrange(3)}"
            if i % 5 == 0:
                row["ip"] = f"10.{user % 5}.{user // 256 % 256}.{user % 256}"
            row["do"] = draw.choice(("login", "buy", "sell", "logout"))
            file.write(json.dumps(row) + "\n")


def search(spl, memory):
    status, out, err = run("search", "--data", tmp / "main.jsonl", "--format", "jsonl", "--memory", memory, spl, timeout=600)
    return status, out, err.strip()


def same(spl, least=1, little=LITTLE):
    status, out, err = search(spl, "2GiB")
    rows = out.count("\n")
    checks.check(f"{spl}: rows", status == 0 and rows >= least, f"{rows} rows {err}")
    for memory in little:
        again = search(spl, memory)
        checks.equal(f"{spl} in {memory}: status", (again[0], again[2]), (0, err))
        if again[1] == out:
            checks.check(f"{spl} in {memory}", True)
            continue
        a, b = out.splitlines(), again[1].splitlines()
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        checks.check(f"{spl} in {memory}", False, f"{len(a)} and {len(b)} rows, row {at}: {a[at:at + 1]} {b[at:at + 1]}")


TRANSACTIONS = (
    "* | transaction many maxpause=2h | table _time id many few text duration eventcount closed_txn",
    "* | transaction many maxpause=2h mvlist=t | table id tags text eventcount",
    "* | transaction tags keeporphans=t maxevents=3 | table _time id tags _txn_orphan eventcount closed_txn",
    "* | transaction few maxevents=100 | table _time id few tags duration eventcount closed_txn",
    "* | transaction user sess | table _time id user sess duration eventcount closed_txn",
    "* | transaction user sess ip startswith=\"do=login\" endswith=\"do=logout\" maxspan=4h keepevicted=t keeporphans=t | table _time id user sess do duration eventcount closed_txn _txn_orphan",
    "* | transaction many sess maxpause=2m | table _time id many sess duration eventcount closed_txn",
    "* | transaction many text connected=f maxspan=30s | table _time id many duration eventcount",
    "* | transaction user startswith=eval(do=\"login\") | table _time id do duration eventcount closed_txn",
    "* | transaction maxpause=1s maxevents=50 | table _time id few duration eventcount closed_txn",
    "* | eval _time=if(id%7=0,null(),_time) | transaction sess | table id sess eventcount",
)

JOINS = (
    "* | join many [search few!=f1 | table many text user id | rename text as theirs, id as other] | table _time id many theirs user other",
    "* | join type=left max=3 tags [search id<120000 | table tags text do | rename text as theirs] | table id tags theirs do",
    "* | join type=left overwrite=f max=2 user sess [search do=buy | table user sess text do id | rename id as other] | table id user sess text do other",
    "* | join max=0 many [search * | table many id | rename id as other] | table id other",
    "id<40 | join max=0 few [search * | table few id | rename id as other] | stats count sum(other) max(id)",
    "* | join usetime=t earlier=f max=2 user [search * | table _time user id | rename id as other] | table _time id other",
    "* | join [search id>60000 | table many few text] | table id many few text",
)

DEDUPS = (
    "* | dedup many | table _time id many text",
    "* | dedup 2 many side keepempty=t | table id many side",
    "* | dedup tags keepempty=t | table id tags text",
    "* | dedup user sess text keepevents=t | table id user sess text do",
    "* | dedup many sortby -text, id | table id many text",
    "* | dedup consecutive=t side do | table id side do",
    "* | dedup 3 few | table id few",
)


def main():
    generate()
    for i, spl in enumerate(DEDUPS + TRANSACTIONS + JOINS):
        same(spl, little=LITTLE if i % 3 == 0 else LITTLE[:1])
    checks.finish()


main()
