#!/usr/bin/env python3
"""hinomi verify and hinomi ledger: every changed byte is found and named, a running server is not disturbed, the books balance."""
import json
import pathlib
import random
import re
import shutil
import tempfile
import threading

from harness import Checks, Server, run

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-verify-"))
rng = random.Random(11)


def verify(data):
    status, out, err = run("verify", "--dir", data)
    return status, out + err


def make_store(name):
    lines = [json.dumps({"@timestamp": f"2026-01-0{1 + i % 3}T00:{i % 60:02}:00Z", "n": i, "user": {"name": f"u{i % 70}"},
                         "message": f"line {i} {rng.random()}"}) for i in range(20_000)]
    path = tmp / "in.jsonl"
    path.write_text("\n".join(lines))
    status, out, err = run("import", "--dir", tmp / name, path)
    assert status == 0, err
    return tmp / name


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ (1 << rng.randrange(8))]))


def whole_and_damaged():
    data = make_store("whole")
    status, out = verify(data)
    checks.check("a whole store", status == 0 and "20000 events" in out, out)
    segments = sorted((data / "store/segments").iterdir())
    found = named = tried = 0
    for segment in segments:
        size = segment.stat().st_size
        for at in [0, 9, 25, 33, size - 1, size - 20, size - 40] + [rng.randrange(32, size) for _ in range(25)]:
            copy = segment.read_bytes()
            flip(segment, at)
            status, out = verify(data)
            tried += 1
            found += status == 1
            ranges = re.findall(r"bytes (\d+) to (\d+)", out)
            named += segment.name in out and (not ranges or any(int(a) <= at < int(b) for a, b in ranges))
            segment.write_bytes(copy)
    checks.equal("every flipped bit of a segment is found", found, tried)
    checks.equal("the file and its range are named", named, tried)
    segment = segments[0]
    copy = segment.read_bytes()
    segment.write_bytes(copy[:-1])
    checks.check("a shorter file", verify(data)[0] == 1 and "instead of" in verify(data)[1], verify(data)[1])
    segment.unlink()
    checks.check("a missing file", verify(data)[0] == 1 and "is missing" in verify(data)[1], verify(data)[1])
    segment.write_bytes(segments[1].read_bytes())
    checks.equal("another segment in its place", verify(data)[0], 1)
    segment.write_bytes(copy)
    manifest = data / "store/manifest"
    copy = manifest.read_bytes()
    for at in (3, 9, 13, 40, len(copy) - 1):
        flip(manifest, at)
        checks.check(f"the manifest, byte {at}", verify(data)[0] == 1 and "manifest" in verify(data)[1])
        manifest.write_bytes(copy)
    checks.equal("whole again", verify(data)[0], 0)
    checks.equal("a wrong word", run("verify", "--dir", data, "now")[0], 2)
    checks.equal("no folder", run("verify")[0], 2)
    checks.equal("no store", run("verify", "--dir", tmp / "none")[0], 1)


def beside_a_server():
    server = Server().start()
    server.sign_in()
    data = pathlib.Path(server.dir, "data")
    token = server.token("hec")
    stop = threading.Event()
    sent = [0]

    def send():
        while not stop.is_set():
            if server.hec(token, [{"n": sent[0] + i, "pad": "x" * 300} for i in range(500)])[0] == 200:
                sent[0] += 500

    sender = threading.Thread(target=send)
    sender.start()
    for i in range(8):
        status, out = verify(data)
        checks.check(f"beside a busy server, {i}", status == 0, out)
    stop.set()
    sender.join()
    checks.check("it was busy", sent[0] > 5000, sent[0])
    server.kill()
    journal = sorted((data / "journal").glob("*.journal"))[0]
    checks.check("after a kill", verify(data)[0] == 0, verify(data)[1])
    copy = journal.read_bytes()
    flip(journal, 5000)
    status, out = verify(data)
    checks.check("a changed byte of the journal", status == 1 and journal.name in out and re.search(r"bytes \d+ to \d+ are no record", out), out)
    journal.write_bytes(copy)
    keep = data / "journal/keep"
    if keep.exists():
        flip(keep, 20)
        checks.equal("batch ids", verify(data)[0], 1)
        flip(keep, 20)
    server.setup_code = None
    server.start()
    server.stop()
    checks.check("after a clean stop", verify(data)[0] == 0, verify(data)[1])
    server.close()


whole_and_damaged()
beside_a_server()
shutil.rmtree(tmp)
checks.finish()
