#!/usr/bin/env python3
"""The journal of systemd, followed: journals are written by systemd-journal-remote, so no systemd has to run here."""
import os
import pathlib
import shutil
import subprocess
import tempfile

from harness import Checks, Server, octets, search, wait_for

REMOTE = "/lib/systemd/systemd-journal-remote"
checks = Checks()


def entry(n, more=b""):
    head = (f"__REALTIME_TIMESTAMP={1790000000000000 + n * 1000000}\n__MONOTONIC_TIMESTAMP={n * 1000000 + 5}\n"
            f"_BOOT_ID=0123456789abcdef0123456789abcdef\nMESSAGE=entry {n}\nPRIORITY=6\n_HOSTNAME=own\nSYSLOG_IDENTIFIER=maker\n"
            f"_SYSTEMD_UNIT={'even' if n % 2 == 0 else 'odd'}.service\n")
    return head.encode() + more + b"\n"


class Journal:
    def __init__(self, options=""):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-journald-"))
        self.folder = self.base / "journal"
        self.folder.mkdir()
        (self.base / "server").mkdir()
        self.server = Server(str(self.base / "server"), f'collect:\n  - {{kind: journald, name: j, directory: "{self.folder}"{options}}}\n')

    def write(self, entries, name="system"):
        made = subprocess.run([REMOTE, "-o", str(self.folder / f"{name}.journal"), "-"], input=b"".join(entries), capture_output=True)
        assert made.returncode == 0, made.stderr

    def start(self):
        self.server.start()
        self.server.sign_in()

    def wait(self, name, count):
        def stored():
            rows = self.server.query("hinomi.source=j | stats count")["rows"]
            return int(rows[0][0]) if rows else 0
        checks.equal(name, wait_for(lambda: stored() == count and count) or stored(), count)

    def rows(self, columns):
        self.server.stop()
        return search(str(self.base / "server/data"), f"hinomi.source=j | table {columns}")

    def notes(self):
        return (self.base / "server/stderr").read_text()

    def close(self):
        self.server.close()
        shutil.rmtree(self.base)


def follows():
    journal = Journal()
    binary = b"OWN_BYTES\n" + (6).to_bytes(8, "little") + b"a\nb\0\xffc\n"
    journal.write([entry(n) for n in range(100)])
    journal.start()
    journal.wait("all that is there", 100)
    journal.write([entry(n, binary) for n in range(100, 150)])
    journal.wait("what is added", 150)
    for at in range(150, 200, 10):
        journal.server.kill()
        journal.write([entry(n) for n in range(at, at + 10)])
        journal.start()
        journal.wait(f"after a kill at {at}", at + 10)
    rows = journal.rows("message host.name service.name journald.OWN_BYTES event.original")
    checks.equal("each once", sorted(row["message"] for row in rows), sorted(f"entry {n}" for n in range(200)))
    checks.equal("fields", {row["host.name"] for row in rows}, {"own"})
    checks.equal("units", {row["service.name"] for row in rows}, {"odd.service", "even.service"})
    some = next(row for row in rows if row["message"] == "entry 120")
    checks.check("bytes that are no text", b"OWN_BYTES\n\x06\0\0\0\0\0\0\0a\nb\0\xffc" in octets(some["event.original"]), some)
    checks.equal("no complaint", [line for line in journal.notes().splitlines() if "collector" in line], [])
    journal.close()


def chooses():
    journal = Journal(", units: [even]")
    journal.write([entry(n) for n in range(20)])
    journal.start()
    journal.wait("one unit", 10)
    checks.equal("one unit: which", {row["service.name"] for row in journal.rows("service.name")}, {"even.service"})
    journal.close()
    journal = Journal(', start: end, matches: ["PRIORITY=6", "_HOSTNAME=own"]')
    journal.write([entry(n) for n in range(20)])
    journal.start()
    journal.server.kill()
    journal.write([entry(n) for n in range(20, 25)])
    journal.start()
    journal.wait("from the end, across a kill", 5)
    journal.close()


def says_what_is_missing():
    journal = Journal()
    journal.write([entry(n) for n in range(30)])
    journal.start()
    journal.wait("before the gap", 30)
    journal.server.kill()
    journal.write([entry(n) for n in range(30, 40)])  # of another count than the first file's, as after a new start
    os.rename(journal.folder / "system.journal", journal.base / "old.journal")
    shutil.copy(journal.base / "old.journal", journal.folder / "system.journal")
    journal.start()
    journal.wait("a copied journal goes on", 40)
    journal.server.kill()
    (journal.folder / "system.journal").unlink()
    journal.write([entry(n) for n in range(50, 60)], "other")
    journal.start()
    journal.wait("another journal", 50)
    checks.check("what was removed is said", wait_for(lambda: "not in the journal any more" in journal.notes()), journal.notes()[-300:])
    journal.close()


if os.path.exists(REMOTE):
    follows()
    chooses()
    says_what_is_missing()
else:
    checks.skip("journald", "systemd-journal-remote is not installed")
checks.finish()
