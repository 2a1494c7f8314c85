#!/usr/bin/env python3
"""Data folders of every released format open and give the same rows; one from a newer program is refused and left as it is."""
import hashlib
import json
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile

from harness import HINOMI, ROOT, Checks, Server, run

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-formats-"))
GOLDEN = ROOT / "tests/golden/formats"
FIELDS = "table hinomi.seq _time _raw host user.name source.ip n message event.action"


def rows(data, where="hinomi.seq<=120"):
    status, out, err = run("search", "--dir", data, "--format", "jsonl", f"search index=* {where} | sort hinomi.seq | {FIELDS}")
    assert status == 0, err
    return [json.loads(line) for line in out.splitlines()]


def digest(folder):
    """Of every file but the lock, which is there to be taken."""
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(folder.rglob("*")) if p.is_file() and p.name != "lock"}


def opens(version):
    golden = GOLDEN / f"version-{version}"
    want = [json.loads(line) for line in (golden / "rows.jsonl").read_text().splitlines()]
    server = Server(config="retention_days: 0\n")
    data = pathlib.Path(server.dir, "data")
    shutil.copytree(golden / "data", data)
    checks.equal(f"version {version}: the same rows", rows(data), want)
    status, out, err = run("verify", "--dir", data)
    checks.check(f"version {version}: whole", status == 0 and "120 events" in out + err, out + err)
    more = tmp / "more.jsonl"
    more.write_text('{"n": 1, "message": "one more"}\n')
    checks.equal(f"version {version}: takes more", run("import", "--dir", data, more)[0], 0)
    server.start()
    server.sign_in()
    page = server.query(f"search index=* | stats count", limit=10)
    checks.equal(f"version {version}: a server has all", (page["complete"], page["rows"]), (True, [[121]]))
    server.stop()
    checks.equal(f"version {version}: the same rows afterwards", rows(data), want)
    status, out, err = run("ledger", "--dir", data)
    checks.check(f"version {version}: the books balance", status == 0 and "121 received" in err, err)
    backup = tmp / f"backup-{version}"
    checks.equal(f"version {version}: backed up", run("backup", "--dir", data, backup)[0], 0)
    server.close()


def serve(data):
    done = subprocess.run([HINOMI, "serve", "--dir", data, "--config", tmp / "ports.yaml", "--allow-root"], capture_output=True, timeout=60)
    return done.returncode, done.stderr.decode()


def refuses(name, change, words, commands):
    data = tmp / "future" / name
    shutil.copytree(GOLDEN / "version-2/data", data)
    change(data)
    before = digest(data)
    status, err = serve(data)
    checks.check(f"{name}: a server does not start and says why", status == 1 and words in err, (status, err))
    checks.equal(f"{name}: nothing has changed", digest(data), before)
    line = tmp / "line.jsonl"
    line.write_text("{}\n")
    for command, args in commands.items():
        status, out, err = run(command, *[str(a).replace("DATA", str(data)).replace("LINE", str(line)) for a in args])
        checks.check(f"{name}: {command} refuses", status == 1 and words in out + err, (command, status, out, err))
        checks.equal(f"{name}: {command} has changed nothing", digest(data), before)


def newer_manifest(data):
    path = data / "store/manifest"
    content = path.read_bytes()
    path.write_bytes(content[:7] + b"3" + content[8:])


def crc32c(data, crc=0):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def newer_segment(data):
    path = sorted((data / "store/segments").iterdir())[-1]
    content = bytearray(path.read_bytes())
    content[-12:-8] = (99).to_bytes(4, "little")
    place = bytes(content[8:16]) + bytes(8)
    content[-8:-4] = crc32c(bytes(content[-32:-8]), crc32c(place)).to_bytes(4, "little")
    path.write_bytes(content)


def newer_state(data):
    assert run("user", "add", "--dir", data, "--role", "admin", "admin", data=b"correct horse battery\n")[0] == 0
    database = sqlite3.connect(data / "state.db")
    database.execute("PRAGMA user_version=1000")
    database.close()


def main():
    for version in (1, 2, 3):
        opens(version)
    (tmp / "ports.yaml").write_text("version: 1\n" + "".join(f"{k}: {{port: 0}}\n" for k in ("api", "http", "syslog", "syslog_tls")))
    reading = {"search": ["--dir", "DATA", "search index=*"], "verify": ["--dir", "DATA"], "backup": ["--dir", "DATA", tmp / "none"],
               "ledger": ["--dir", "DATA"], "import": ["--dir", "DATA", "LINE"]}
    refuses("manifest", newer_manifest, "newer hinomi (version 3", reading)
    refuses("segment", newer_segment, "newer hinomi (segments of version 99", {"import": reading["import"]})
    refuses("state", newer_state, "newer version", {"user": ["list", "--dir", "DATA"]})


try:
    main()
finally:
    shutil.rmtree(tmp, ignore_errors=True)
checks.finish()
