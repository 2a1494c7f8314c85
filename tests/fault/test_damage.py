#!/usr/bin/env python3
"""Files of a data folder, of a backup and of evidence that come back other than they were written: a flipped bit, an end that is
missing, a page of zeros, two blocks exchanged (as tests/unit/damage.h does to the files below the store's own reader). The programs that
are to find it must: hinomi-verify, hinomi verify, hinomi ledger. HINOMI_FULL tries 3,000 of each kind of file, HINOMI_SEED names a run.

One command for the campaign over every kind of file: tests/check.py --full --only damage"""
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from harness import HINOMI, Checks, Server, run  # noqa: E402

TRIALS = 3000 if os.environ.get("HINOMI_FULL") else 60
VERIFY = str(pathlib.Path(HINOMI).with_name("hinomi-verify"))
seed = int(os.environ.get("HINOMI_SEED", "1"))
rng = random.Random(seed)
checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-damage-"))
KINDS = ("flip", "cut", "zeros", "swap")


def damage(content, kind):
    """The bytes with some damage that makes them others; where that kind cannot (a file of zeros), a flipped bit."""
    for attempt in range(10):
        kind = "flip" if attempt == 9 else kind
        now = bytearray(content)
        block = 4096 if len(now) > 16384 else 512 if len(now) > 2048 else max(1, len(now) // 4)
        a, b = (rng.randrange(max(1, len(now) // block)) * block for _ in range(2))
        if kind == "flip":
            now[rng.randrange(len(now))] ^= 1 << rng.randrange(8)
        elif kind == "cut":
            del now[rng.randrange(len(now)):]
        elif kind == "zeros":
            now[a:a + block] = bytes(len(now[a:a + block]))
        elif a + block <= len(now) and b + block <= len(now):
            now[a:a + block], now[b:b + block] = now[b:b + block], now[a:a + block]
        if now != content:
            return bytes(now)
    raise AssertionError("nothing to damage")


def make_world():
    """A data folder with something in every kind of file, its backup and its audit trail."""
    server = Server().start()
    server.sign_in()
    token = server.token("hec")
    for i in range(12):
        server.hec(token, [{"n": i * 400 + k, "text": f"event {rng.getrandbits(64):x} of {i}", "user.name": f"u{k % 50}"} for k in range(400)], key=f"k{i}")
    for i in range(20):
        server.query(f"text=*{i}* | head 3")
        server.token("hec", name=f"token-{i}")
    server.stop()
    data = pathlib.Path(shutil.copytree(server.dir + "/data", tmp / "data"))
    server.close()
    status, out, err = run("backup", "--dir", data, "--copy", tmp / "backup")
    assert status == 0, out + err
    status, out, err = run("audit", "--dir", data, "--export", tmp / "trail")
    assert status == 0, out + err
    return data


def verdict(*words):
    """0, 1 or 2, and what was said; a program that dies of a signal counts as a failure of the test."""
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, errors="replace", timeout=60)
    if done.returncode < 0:
        checks.check(f"{words[0]} lives", False, f"signal {-done.returncode}")
    return done.returncode, done.stdout + done.stderr


def campaign(name, files, asked, missed=None):
    """Damages one of the files at a time and asks; what was not told goes to missed(), or is a failure."""
    files, untold, failed = [pathlib.Path(f) for f in files], 0, []
    content = {f: f.read_bytes() for f in files}
    whole, said = verdict(*asked)
    checks.check(f"{name}: whole before", whole == 0, said)
    for trial in range(TRIALS):
        path = rng.choice([f for f in files if content[f]])
        kind = KINDS[trial % len(KINDS)]
        if len(content[path]) < 64 and kind == "swap":
            kind = "flip"
        path.write_bytes(damage(content[path], kind))
        status, said = verdict(*asked)
        if status == 0:
            untold += 1
            why = missed(path) if missed else "not told"
            if why:
                failed.append((path.name, kind, why))
        path.write_bytes(content[path])
    checks.check(f"{name}: {TRIALS} damages", not failed, str(failed[:3]))
    print(f"{name}: {TRIALS} damages of {len(files)} files, {TRIALS - untold} told", flush=True)


def in_folder(folder, *patterns):
    return sorted(f for pattern in patterns for f in folder.glob(pattern) if f.is_file() and f.stat().st_size)


def audit_rows(path):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return database.execute("SELECT * FROM audit ORDER BY id").fetchall()
    finally:
        database.close()


try:
    data = make_world()
    backup = tmp / "backup"
    listed = subprocess.run(["sha256sum", str(backup / "BACKUP.json")], capture_output=True, text=True, check=True).stdout.split()[0]
    head = verdict(VERIFY, tmp / "trail")[1].split("head ")[1].strip()
    for kind, patterns in (("segments", ["store/segments/*"]), ("journal", ["journal/*"]), ("manifest with the ledger", ["store/manifest"]), ("checkpoints", ["memory/*"]),
                           ("gate", ["gate/*"]), ("state.db", ["state.db*"]), ("list", ["BACKUP.json"])):
        campaign(f"backup, {kind}", in_folder(backup, *patterns), [VERIFY, "--sha256", listed, backup])
    campaign("exported audit trail", [tmp / "trail"], [VERIFY, "--head", head, tmp / "trail"])
    campaign("ledger", [data / "store/manifest"], [HINOMI, "ledger", "--dir", data])
    before = audit_rows(data / "state.db")
    # SQLite has no checksum over its pages: what verify does not tell must not have touched the trail
    campaign("state.db", [data / "state.db"], [HINOMI, "verify", "--dir", data], lambda path: None if audit_rows(path) == before else "the audit trail differs")
finally:
    shutil.rmtree(tmp, ignore_errors=True)
print(f"seed {seed}")
checks.finish()
