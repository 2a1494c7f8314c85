#!/usr/bin/env python3
"""hinomi verify and hinomi ledger: every changed byte is found and named, a running server is not disturbed, the books balance."""
import json
import pathlib
import random
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

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
    checks.check("it was busy", sent[0] >= 2000, sent[0])
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


def ledger(data, *args):
    status, out, err = run("ledger", "--dir", data, "--format", "json", *args)
    return status, json.loads(out) if out else None, err


def books():
    """Every kind of input through a server that is killed and started again; then all must balance."""
    server = Server().start()
    server.sign_in()
    data = pathlib.Path(server.dir, "data")
    token = server.token("hec")
    for i in range(20):
        server.hec(token, [{"n": n} for n in range(100)], key=f"k{i}")
    server.hec(token, b"one\ntwo\n" + b"\xff\xfe odd bytes\n" + b"{\"broken\": \n", path="/services/collector/raw")
    server.hec(token, [{"long": "x" * (3 << 20)}])
    with socket.create_connection(("127.0.0.1", server.syslog_port)) as tcp:
        tcp.sendall(b"".join(b"<13>1 2026-01-01T00:00:00Z h app - - - line %d\n" % i for i in range(300)))
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    server.hec(token, [{"@timestamp": now, "event": {"dataset": "wallet.balance", "action": "balance_snapshot"},
                        "wallet": {"asset": "QQQ", "tier": "hot", "address": "hot-q", "chain_balance": 1000000, "ledger_balance": 1000000}},
                       {"@timestamp": now, "event": {"id": "theft-1", "dataset": "chain.transfer", "action": "transfer"},
                        "wallet": {"asset": "QQQ", "from": "hot-q", "to": "thief", "amount": 190000, "txid": "t1"}}])
    time.sleep(0.5)
    server.kill()
    server.setup_code = None
    server.start()
    server.hec(token, [{"n": n} for n in range(100)], key="k0")
    server.hec(token, [{"n": n} for n in range(100)], key="k-new")
    status, rows, err = ledger(data)
    checks.check("beside a running server", status == 0 and "the books balance" in err, (status, err))
    server.stop()
    status, rows, err = ledger(data, "--by", "source")
    by = {r["source"]: r for r in rows}
    checks.equal("all of HEC", (by["hec"]["received"], by["hec"]["difference"]), (2000 + 4 + 1 + 2 + 100, 0))
    checks.equal("all of syslog", (by["syslog"]["received"], by["syslog"]["stored"]), (300, 300))
    checks.check("its own findings balance, too", by["hinomi.finding"]["stored"] >= 1 and by["hinomi.finding"]["difference"] == 0, by)
    checks.equal("it balances", (status, "the books balance" in err), (0, True))
    whole = sum(r["received"] for r in rows)
    for args in ([], ["--by", "minute"]):
        status, rows, err = ledger(data, *args)
        checks.equal(f"the same sum {args}", (status, sum(r["received"] for r in rows)), (0, whole))
        checks.check(f"rows in order of time {args}", [r["time"] for r in rows] == sorted(r["time"] for r in rows))
    checks.equal("nothing tomorrow", ledger(data, "--from", "+1d")[1], [])
    checks.equal("nothing before", ledger(data, "--to", "-1d")[1], [])
    checks.equal("a wrong word", run("ledger", "--dir", data, "--by", "day")[0], 2)
    checks.equal("no store", run("ledger", "--dir", tmp / "none")[0], 1)
    forged = cook_the_books(data)
    status, rows, err = ledger(data)
    checks.check("books that do not balance", status == 1 and "do not balance in 1 places" in err and sum(r["difference"] for r in rows) == forged, (status, err))
    server.close()


def cook_the_books(data):
    """One event more (or less) received than stored, under right checksums."""
    path = data / "store/manifest"
    content = bytearray(subprocess.run(["zstd", "-dc"], input=path.read_bytes()[16:], capture_output=True, check=True).stdout)
    at = content.rindex(b"\x06syslog") + 7
    change = -1 if content[at] & 0x7f == 0x7f else 1
    content[at] += change
    packed = struct.pack("<I", len(content)) + subprocess.run(["zstd", "-c", "-q", "--no-check", f"--stream-size={len(content)}"], input=bytes(content), capture_output=True, check=True).stdout
    path.write_bytes(b"HINMANI1" + struct.pack("<I", crc32c(packed)) + packed)
    return change


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def memory_and_gate():
    server = Server().start()
    server.sign_in()
    data = pathlib.Path(server.dir, "data")
    hec, gate = server.token("hec"), server.token("gate")
    for i in range(20):
        server.hec(hec, [{"n": i}])
        server.request("POST", "/v1/gate/decide", {"request_id": f"r{i}", "action": "withdrawal", "account": "u1", "asset": "XEM", "amount": "5",
                                                   "destination": "addr"}, headers={"Authorization": f"Bearer {gate}"})
    checks.check("beside the server", verify(data)[0] == 0, verify(data)[1])
    server.stop()
    status, out = verify(data)
    checks.check("checkpoints and the gate's journal are counted", status == 0 and re.search(r"checkpoints\s+\d+ files, \d+ bytes", out)
                 and re.search(r"gate journal\s+\d+ files, \d+ commits, \d+ records", out), out)
    files = sorted((data / "memory").glob("checkpoint.[01]"))
    checks.check("there are checkpoints", files, list((data / "memory").iterdir()))
    for path in files:
        size = path.stat().st_size
        for at in [0, 8, 24, 32, size - 1] + [rng.randrange(size) for _ in range(10)]:
            flipped(data, path, at)
    journal = data / "gate/gate.journal"
    commits = [m.start() for m in re.finditer(b"HGJ2", journal.read_bytes())]
    checks.check("the gate has decided", len(commits) > 10, len(commits))
    for at in [0, 4, 9, 13] + [rng.randrange(commits[-2]) for _ in range(20)]:
        flipped(data, journal, at, f"byte {max(c for c in commits if c <= at)}")
    whole = journal.read_bytes()
    journal.write_bytes(whole[:commits[-1] + 10])
    status, out = verify(data)
    checks.check("a commit that was torn is a warning", status == 0 and "are no whole commit" in out, out)
    journal.write_bytes(whole)
    (data / "memory/lost").write_text("x")
    checks.check("a lost memory is said", verify(data)[0] == 1 and "lost" in verify(data)[1])
    server.close()


def flipped(data, path, at, place=""):
    copy = path.read_bytes()
    flip(path, at)
    status, out = verify(data)
    checks.check(f"a changed byte of {path.name}", status == 1 and f"{path}" in out and place in out, (at, out))
    path.write_bytes(copy)


whole_and_damaged()
beside_a_server()
memory_and_gate()
books()
shutil.rmtree(tmp)
checks.finish()
