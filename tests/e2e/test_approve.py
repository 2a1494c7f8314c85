#!/usr/bin/env python3
"""What a person is told before signing: the bytes read again, addresses that were never approved or look like others, unusual amounts."""
import hashlib
import json
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import time

from harness import HINOMI, ROOT, Checks, run
from payloads import call, eip1559, safe

sys.path.insert(0, str(ROOT / "clients/python"))
import hinomi_gate

checks = Checks()
folder = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-approve-"))
KEY = folder / "ito.key"
TOKEN = "0x" + "a" * 40
GOOD = "0x51f2c3a9b7e04d6688aa10f2e3d4c5b6a7980e1f"
POISON = "0x51f2c3000000000000000000000000000000" + "0e1f"
POLICY = folder / "policy.yaml"
POLICY.write_text(f"""version: "1"
mode: enforce
rows:
  - {{name: all, effect: allow}}
assets:
  USX: {{chain: evm, decimals: 6, contract: "{TOKEN}"}}
""")


def hold(name="hold.json", payload=None, ago=60, show=None, **fields):
    """A hold's file as the server would show it; show: what it says instead of what was asked."""
    at = int(time.time() - ago)
    request = {"request_id": "w1", "action": "withdrawal", "account": "u1", "asset": "USX", "amount": "1.5", "destination": GOOD, **fields}
    bytes_ = hinomi_gate.canonical({**request, "at": at * 10 ** 9, **({"payload": payload} if payload else {})})
    digest = hashlib.blake2b(bytes_, digest_size=32).hexdigest()
    path = folder / name
    path.write_text(json.dumps({**request, "id": digest[:32], "gate": "9a" * 16, "row": "large-share", "approvals": 1, "approvals_needed": 2,
                                "approvers": ["sato"], "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)), "reasons": {"en": ["as usual"], "ja": ["j"]},
                                **({"payload": "0x" + payload.hex()} if payload else {}), **(show or {})}))
    return path


def approve(path, *more, typed=b"yes\n"):
    status, out, said = run("approve", "--key", KEY, *more, path, data=typed)
    return status, out, said


def addresses():
    status, out, said = approve(hold())
    checks.check("a new destination is said", status == 0 and "DANGER: never approved by you before" in said, said)
    checks.check("in groups", "0x51 f2c3 a9b7 e04d 6688 aa10 f2e3 d4c5 b6a7 980e 1f" in said, said)
    checks.check("who approved", "sato" in said, said)
    known = pathlib.Path(f"{KEY}.known")
    checks.equal("it is remembered", [json.loads(line)["address"] for line in known.read_text().splitlines()], [GOOD])
    checks.equal("nobody else writes it", known.stat().st_mode & 0o022, 0)
    status, _, said = approve(hold(destination=GOOD.replace("a9b7", "A9B7")))
    checks.check("then it is known, in capitals too", status == 0 and "DANGER" not in said and "approved this destination before" in said, said)
    for name, like in (("poisoned", POISON), ("one letter", GOOD[:-9] + "1" + GOOD[-8:]), ("one less", GOOD[:20] + GOOD[21:]),
                       ("another alphabet", GOOD.replace("c3a9", "с3а9"))):
        checks.check(f"{name}: it is another", like != GOOD)
        path = hold(destination=like)
        status, out, said = approve(path)
        checks.check(f"{name}: a yes is not enough", status == 1 and out == "" and "looks like one that you approved before" in said, (status, said))
        checks.check(f"{name}: both are shown, with marks", GOOD in said and "^" in said, said)
        status, out, said = approve(path, "--yes")
        checks.check(f"{name}: nor one in advance", status == 1 and out == "" and "--yes does not go" in said, (status, said))
    lines = approve(hold(destination=POISON))[2].splitlines()
    at = next(i for i, line in enumerate(lines) if line.split()[:1] == ["this"])
    checks.equal("the marks stand below what differs", lines[at + 1][17:], "".join("^" if a != b else " " for a, b in zip(POISON, GOOD)).rstrip())
    checks.equal("and were not remembered", len(known.read_text().splitlines()), 2)
    status, out, _ = approve(hold(destination=POISON), typed=POISON[-6:].encode() + b"\n")
    checks.check("its last six letters are", status == 0 and json.loads(out)["approver"] == "ito", (status, out))
    other = folder / "other.known"
    checks.check("another file knows nobody", "never approved" in approve(hold(), "--known", other)[2] and other.exists())
    other.write_text("{}\n")
    status, out, said = approve(hold(), "--known", other)
    checks.check("a damaged file is no empty one", status == 1 and out == "" and "line 1" in said, (status, said))


def amounts():
    path = folder / "amounts.known"
    approve(hold(amount="2"), "--known", path)
    checks.check("ten times is usual", "ten times" not in approve(hold(amount="20"), "--known", path)[2])
    said = approve(hold(amount="200.000001"), "--known", path)[2]
    checks.check("more is not", "DANGER: more than ten times" in said, said)
    said = approve(hold(amount="123456.5"), "--policy", POLICY)[2]
    checks.check("in base units, in groups", "123456500000" in said and "1234 5650 0000" in said, said)
    said = approve(hold(ago=3600))[2]
    checks.check("an old request", "DANGER: more than 30 minutes ago" in said, said)
    checks.check("a fresh one", "minutes ago" not in approve(hold())[2])


def bytes_to_be_signed():
    good = eip1559(TOKEN, data=call("transfer(address,uint256)", GOOD, 1500000))
    status, out, said = approve(hold(payload=good), "--policy", POLICY)
    checks.check("what is as asked is signed", status == 0 and "transfer 1500000" in said and "DANGER" not in said, (status, said))
    status, out, said = approve(hold(payload=good))
    checks.check("nothing without the assets", status == 1 and out == "" and "--policy FILE" in said, (status, said))
    theft = safe("0x" + "c" * 40, data=call("transfer(address,uint256)", GOOD, 0), operation=1)
    for more in ((), ("--yes",)):
        status, out, said = approve(hold(payload=theft), "--policy", POLICY, *more)
        checks.check("what differs is never signed", status == 1 and out == "" and "not what was asked for" in said, (status, said))
        checks.check("and is shown", "DANGER: delegatecall to 0xcccc" in said, said)
    status, out, said = approve(hold(payload=theft, show={"payload": "0x" + good.hex()}), "--policy", POLICY)
    checks.check("bytes that are not the hold's", status == 1 and out == "" and "does not belong" in said, (status, said))
    status, out, said = approve(hold(payload=theft, show={"payload": None}), "--policy", POLICY)
    checks.check("nor may they be left out", status == 1 and out == "" and "does not belong" in said, (status, said))
    checks.check("on a terminal it is red", b"\033[1;31m" in on_terminal(hold(payload=theft)))
    checks.check("not elsewhere", "\033" not in approve(hold(payload=theft), "--policy", POLICY)[2])
    said = approve(hold(show={"reasons": {"en": ["\033[2J all is fine"]}, "row": "\u202e"}))[2]
    checks.check("texts of the file are plain letters", "\033" not in said and "\\u{1B}[2J" in said and "\\u{202E}" in said, said)


def on_terminal(path):
    """Standard error as a person's terminal gets it."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([HINOMI, "approve", "--key", str(KEY), "--policy", str(POLICY), str(path)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        try:
            while more := os.read(ours, 4096):
                said += more
        except OSError:
            pass # the other end is closed
        process.wait()
    os.close(ours)
    return said


checks.equal("a key", run("approve", "--new-key", KEY)[0], 0)
addresses()
amounts()
bytes_to_be_signed()
checks.finish()
