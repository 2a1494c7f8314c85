#!/usr/bin/env python3
"""Nothing is refused for what it says: lines of every source, damaged in every way, are stored as they were sent, byte for byte
and in their order (with HINOMI_FULL a million of them)."""
import hashlib
import json
import os
import random
import subprocess

from harness import HINOMI, ROOT, Checks, Server, octets, wait_for


LINES, BATCH = 40_000, 2_000
ROUNDS = 25 if os.environ.get("HINOMI_FULL") else 1
checks = Checks()
dice = random.Random(11)


def samples():
    paths = sorted((ROOT / "content/decoders").glob("*.log"))
    return [line for path in paths for line in path.read_bytes().split(b"\n") if 0 < len(line) < 4000]


def damaged(lines):
    """A line with bytes changed, cut, repeated, of two sources at once, or its values of other types."""
    line = bytearray(dice.choice(lines))
    for _ in range(dice.choice((0, 1, 1, 2, 5))):
        at = dice.randrange(len(line) + 1)
        kind = dice.randrange(7)
        if kind == 0:
            line[at:at + 1] = bytes((dice.randrange(256),))
        elif kind == 1:
            del line[at:at + dice.randrange(40)]
        elif kind == 2:
            line[at:at] = dice.choice(lines)[:dice.randrange(1, 80)]
        elif kind == 3:
            line = line[:max(at, 1)]
        elif kind == 4:
            line[at:at] = dice.choice((b"\x00", b"\xff\xfe", b"\xc3\x28", b"\x1b$B", b"\xed\xa0\x80", b"\\u0000", b'"', b"{", b"[" * 50))
        elif kind == 5:
            line = bytearray(bytes(line).replace(b'":"', b'":{"x":"', 1) if dice.random() < 0.5 else bytes(line).replace(b"1", b"9" * 40))
        else:
            line[at:at] = line[at:at + 30] * 3
    return bytes(line).replace(b"\n", b" ").replace(b"\r", b" ").strip() or b"-"


def digest(raws):
    hashed = hashlib.sha256()
    for raw in raws:
        hashed.update(len(raw).to_bytes(4, "big") + raw)
    return hashed.hexdigest()


def stored(directory):
    """Of the rows that a search prints, one after the other: there may be many."""
    command = [HINOMI, "search", "--dir", directory, "--format", "jsonl", "hinomi.source=hec | sort 0 hinomi.seq | table _raw"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        for row in process.stdout:
            yield octets(json.loads(row)["_raw"])


def one_round(lines):
    sent = [damaged(lines) for _ in range(LINES)]
    server = Server().start()
    server.sign_in()
    token = server.token("hec")
    for at in range(0, LINES, BATCH):
        status, body, _ = server.hec(token, b"\n".join(sent[at:at + BATCH]) + b"\n", path="/services/collector/raw?channel=b")
        if status != 200:
            checks.equal(f"lines {at}", (status, body), (200, ""))
    wait_for(lambda: int(server.query("hinomi.source=hec | stats count", wait=120)["rows"][0][0]) >= LINES, 300)
    books = next(s for s in server.request("GET", "/v1/sources")[1]["sources"] if s["name"] == "hec")
    checks.equal("received and stored", (books["received"], books["stored"]), (LINES, LINES))
    checks.equal("it stops cleanly", server.stop(), 0)
    found = list(stored(server.dir + "/data"))
    checks.equal("as many as were sent", len(found), LINES)
    first = next((i for i, (a, b) in enumerate(zip(sent, found)) if a != b), None)
    checks.check("byte for byte", digest(found) == digest(sent), first is not None and (first, sent[first], found[first]))
    server.close()


all_lines = samples()
for _ in range(ROUNDS):
    one_round(all_lines)
checks.finish()
