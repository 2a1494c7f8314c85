#!/usr/bin/env python3
"""Backup while events arrive, restore elsewhere: everything acknowledged before the backup began is there once."""
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import threading
import time

from harness import HINOMI, PASSWORD, Checks, Server, run

FULL = bool(os.environ.get("HINOMI_FULL"))
checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-backup-"))
BATCH = 500


class Sender(threading.Thread):
    def __init__(self, server, token):
        super().__init__(daemon=True)
        self.server, self.token, self.acked, self.over = server, token, 0, False

    def send(self, number):
        events = [{"n": number * BATCH + i, "pad": f"{i}-" + "x" * 150} for i in range(BATCH)]
        return self.server.hec(self.token, events, key=f"b{number}")[0]

    def run(self):
        while not self.over:
            if self.send(self.acked // BATCH) == 200:
                self.acked += BATCH


def counts(server, spl):
    page = server.query(f"{spl} | stats count dc(n) as distinct", wait=120)
    return tuple(int(v) for v in page["rows"][0])


def restored_server(name):
    server = Server(str(tmp / name))
    server.start()
    server.sign_in()
    return server


def under_load():
    server = Server().start()
    server.sign_in()
    data = pathlib.Path(server.dir, "data")
    sender = Sender(server, server.token("hec"))
    sender.start()
    backups = []
    rounds = 12 if FULL else 4
    for i in range(rounds):
        until = time.monotonic() + (5 if FULL else 1.5)
        while time.monotonic() < until:
            time.sleep(0.05)
        before = sender.acked
        target = tmp / f"backup-{i}"
        status, out, err = run("backup", "--dir", data, target, *(["--copy"] if i % 2 else []))
        checks.check(f"backup {i} beside a busy server", status == 0 and "SHA-256" in out, out + err)
        backups.append((target, before, sender.acked))
    sender.over = True
    sender.join()
    key = (data / "gate/gate.key").read_bytes()
    server.stop()
    for i, (target, before, after) in enumerate(backups):
        (tmp / f"restored-{i}").mkdir()
        status, out, err = run("restore", target, "--dir", tmp / f"restored-{i}" / "data")
        checks.check(f"restore {i}", status == 0, out + err)
        again = restored_server(f"restored-{i}")
        for _ in range(200):  # it reads the journal's tail first
            if counts(again, f"n<{before}")[0] >= before:
                break
            time.sleep(0.1)
        all_rows, distinct = counts(again, "n=*")
        early, early_distinct = counts(again, f"n<{before}")
        checks.equal(f"restored {i}: each of {before} acknowledged events, once", (early, early_distinct), (before, before))
        checks.check(f"restored {i}: nothing twice", all_rows == distinct and before <= all_rows <= after + BATCH, (all_rows, distinct, before, after))
        sender.server = again
        checks.equal(f"restored {i}: a batch sent again is known", sender.send(0), 200)
        checks.equal(f"restored {i}: and not doubled", counts(again, f"n<{before}")[0], before)
        fresh = 10_000_000 + i
        checks.equal(f"restored {i}: new events", again.hec(sender.token, [{"n": fresh}])[0], 200)
        checks.equal(f"restored {i}: are found", waited(again, f"n={fresh}"), (1, 1))
        own = (tmp / f"restored-{i}/data/gate/gate.key").read_bytes()
        checks.check(f"restored {i}: the gate is another one, with a key of its own", len(own) == len(key) and own != key)
        checks.equal(f"restored {i}: stops", again.stop(), 0)
        checks.equal(f"restored {i}: verified", run("verify", "--dir", tmp / f"restored-{i}/data")[0], 0)
        checks.check(f"restored {i}: the books", run("ledger", "--dir", tmp / f"restored-{i}/data", "--by", "source")[0] == 0)
        again.close()
    server.close()
    print(f"      {sender.acked} events sent, {len(backups)} backups of {[b[1] for b in backups]} and more")
    return backups[-1][0]


def waited(server, spl):
    for _ in range(100):
        got = counts(server, spl)
        if got[0]:
            break
        time.sleep(0.05)
    return got


def untouched(backup):
    """What the server did after the backup has not changed it: every file still has its digest."""
    listed = json.loads((backup / "BACKUP.json").read_text())
    for file in listed["files"]:
        bytes = (backup / file["path"]).read_bytes()
        if hashlib.sha256(bytes).hexdigest() != file["sha256"] or len(bytes) != file["size"]:
            checks.check(f"{file['path']} is as it was", False)
    on_disk = {str(p.relative_to(backup)) for p in backup.rglob("*") if p.is_file()} - {"BACKUP.json"}
    checks.equal("the list is complete", on_disk, {f["path"] for f in listed["files"]})
    checks.equal("only its owner gets in", oct(backup.stat().st_mode & 0o777), "0o700")
    checks.equal("keys stay their owner's", oct((backup / "gate/gate.key").stat().st_mode & 0o777), "0o600")


def proof(backup, listed):
    """hinomi-verify names every file that is wrong, and notices another list."""
    verify = lambda *args: subprocess.run([HINOMI + "-verify", *map(str, args)], capture_output=True, text=True)
    noted = hashlib.sha256((backup / "BACKUP.json").read_bytes()).hexdigest()
    checks.equal("proved", [verify(backup).returncode, verify("--sha256", noted, backup).returncode], [0, 0])
    checks.equal("another list than the one noted", verify("--sha256", "0" * 64, backup).returncode, 1)
    wrong = [backup / f["path"] for f in listed["files"] if f["size"]][:2]
    copies = [path.read_bytes() for path in wrong]
    for path, copy in zip(wrong, copies):
        path.unlink()
        path.write_bytes(copy[:-1] + bytes([copy[-1] ^ 4]))
    done = verify(backup)
    checks.check("each is named", done.returncode == 1 and all(str(path) in done.stderr for path in wrong), done)
    for path, copy in zip(wrong, copies):
        path.write_bytes(copy)
        path.chmod(0o600)
    checks.equal("no backup", verify(backup.parent).returncode, 1)


def refused(backup):
    target = tmp / "not"
    restore = lambda source=backup, to=target: run("restore", source, "--dir", to)
    (tmp / "full").mkdir()
    (tmp / "full/x").write_text("x")
    cases = [
        (["backup", "--dir", tmp / "none", tmp / "t1"], 1, "no folder"),
        (["backup", "--dir", backup, tmp / "full"], 1, "is not empty"),
        (["backup", "--dir", backup, backup / "inner"], 1, "lies within"),
        (["backup", "--dir", backup], 2, "TARGET"),
        (["backup", tmp / "t2"], 2, "--dir"),
        (["restore", tmp / "none", "--dir", target], 1, "no finished backup"),
        (["restore", backup, "--dir", tmp / "full"], 1, "is not empty"),
        (["restore", "--dir", target], 2, "SOURCE"),
        (["restore", backup], 2, "--dir"),
    ]
    for args, want, words in cases:
        status, out, err = run(*args)
        checks.check(f"{args[0]}: {words}", status == want and words in err, (status, err))
    (backup / "inner").rmdir()
    listed = json.loads((backup / "BACKUP.json").read_text())
    rng = random.Random(5)
    for file in listed["files"]:
        path = backup / file["path"]
        if file["size"] == 0:
            continue
        copy = path.read_bytes()
        at = rng.randrange(len(copy))
        path.unlink()  # it may be a link to the server's own
        path.write_bytes(copy[:at] + bytes([copy[at] ^ 1]) + copy[at + 1:])
        status, out, err = restore()
        checks.check(f"a changed byte in {file['path']}", status == 1 and file["path"] in err and not target.exists() and not pathlib.Path(f"{target}.restoring").exists(), err)
        path.unlink()
        status, out, err = restore()
        checks.check(f"{file['path']} missing", status == 1 and file["path"] in err and not target.exists(), err)
        path.write_bytes(copy)
        path.chmod(file["mode"])
    proof(backup, listed)
    whole = (backup / "BACKUP.json").read_text()
    for name in ("../outside", "/etc/passwd", "gate/../../outside", "a//b", "BACKUP.json", ""):
        listed["files"][0]["path"] = name
        (backup / "BACKUP.json").write_text(json.dumps(listed))
        status, out, err = restore()
        checks.check(f"a list that names {name!r}", status == 1 and "no name for a file" in err and not target.exists(), err)
    (backup / "BACKUP.json").write_text(whole)
    target.mkdir()
    checks.equal("into an empty folder", restore()[0], 0)
    checks.equal("but not twice", restore()[0], 1)


backup = under_load()
untouched(backup)
refused(backup)
shutil.rmtree(tmp)
checks.finish()
