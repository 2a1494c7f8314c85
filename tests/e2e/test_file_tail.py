#!/usr/bin/env python3
"""Files that are followed: every line that was written is stored once, whatever rotation does to its file and whenever the
server is killed. HINOMI_SEED names the run."""
import bz2
import collections
import gzip
import lzma
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import threading
import time

from evtx_maker import log, plain_log
from harness import Checks, Server, octets, search, wait_for

FULL = bool(os.environ.get("HINOMI_FULL"))
KILLS = int(os.environ.get("KILLS", "50" if FULL else "12"))
ROTATION_S = float(os.environ.get("ROTATION_S", "0" if FULL else "1"))  # at least so long between two of one log
WAIT = int(os.environ.get("WAIT", "60"))
seed = int(os.environ.get("HINOMI_SEED", "1"))
rng = random.Random(seed)
checks = Checks()


class Tail:
    """A server that follows files of a folder of its own."""

    def __init__(self, paths="*.log", options="", start=True):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-tail-"))
        self.logs = self.base / "logs"
        self.logs.mkdir()
        (self.base / "server").mkdir()
        wanted = ", ".join(f'"{self.logs}/{path}"' for path in paths.split())
        self.server = Server(str(self.base / "server"), f"collect:\n  - {{kind: file, name: t, paths: [{wanted}]{options}}}\n")
        if start:
            self.start()

    def start(self):
        self.server.start()
        self.server.sign_in()

    def write(self, name, data, mode="ab"):
        path = self.logs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, mode) as file:
            file.write(data if isinstance(data, bytes) else data.encode())

    def count(self):
        rows = self.server.query("hinomi.source=t | stats count")["rows"]
        return int(rows[0][0]) if rows else 0

    def wait(self, name, count, seconds=WAIT):
        checks.equal(f"{name}: as many as there are", wait_for(lambda: self.count() == count and count, seconds) or self.count(), count)

    def rows(self, columns="event.original"):
        self.server.stop()
        return search(str(self.base / "server/data"), f"hinomi.source=t | table {columns}")

    def texts(self):
        return [octets(row["event.original"]).decode() for row in self.rows()]

    def notes(self):
        return (self.base / "server/stderr").read_text()

    def close(self):
        self.server.close()
        shutil.rmtree(self.base)


def same(name, got, want):
    got, want = collections.Counter(got), collections.Counter(want)
    checks.equal(f"{name}: lost", sorted((want - got).elements())[:5], [])
    checks.equal(f"{name}: doubled or made up", sorted((got - want).elements())[:5], [])


def lines(prefix, count):
    return [f"2026-03-01 10:00:{n % 60:02} {prefix} {n}" for n in range(count)]


def text(some):
    return "".join(line + "\n" for line in some)


def rename_rotation():
    tail = Tail("app.log")
    first, late, second, third = lines("first", 500), lines("late", 20), lines("second", 500), lines("third", 300)
    tail.write("app.log", text(first))
    tail.wait("rename: first", 500)
    old = open(tail.logs / "app.log", "ab")
    os.rename(tail.logs / "app.log", tail.logs / "app.log.1")
    tail.write("app.log", text(second))
    old.write(text(late).encode())  # who writes has not heard of it yet
    old.close()
    tail.wait("rename: both files", 1020)
    tail.server.kill()
    tail.write("app.log", text(third[:100]))
    os.rename(tail.logs / "app.log.1", tail.logs / "app.log.2")
    os.rename(tail.logs / "app.log", tail.logs / "app.log.1")
    tail.write("app.log", text(third[100:200]))
    subprocess.run(["gzip", tail.logs / "app.log.1"], check=True)
    os.rename(tail.logs / "app.log.1.gz", tail.logs / "app.log.2.gz")
    os.rename(tail.logs / "app.log", tail.logs / "app.log.1")
    tail.write("app.log", text(third[200:]))
    tail.start()
    tail.wait("rename: packed and rotated twice while nobody looked", 1320)
    rows = tail.rows("event.original log.file.path")
    same("rename", [row["event.original"] for row in rows], first + late + second + third)
    checks.equal("rename: all under the path it was written to", {row["log.file.path"] for row in rows}, {str(tail.logs / "app.log")})
    tail.close()


def copytruncate():
    tail = Tail("app.log")
    first, second, third = lines("first", 400), lines("second", 400), lines("third", 400)
    tail.write("app.log", text(first))
    tail.wait("copytruncate: first", 400)
    tail.server.kill()
    tail.write("app.log", text(second[:200]))
    shutil.copy(tail.logs / "app.log", tail.logs / "app.log.1")
    os.truncate(tail.logs / "app.log", 0)
    tail.write("app.log", text(second[200:]))
    tail.start()
    tail.wait("copytruncate: while it did not run", 800)
    shutil.copy(tail.logs / "app.log", tail.logs / "app.log.2")
    os.truncate(tail.logs / "app.log", 0)
    tail.write("app.log", text(third * 1))  # longer than what was read: only its bytes tell
    tail.wait("copytruncate: while it ran", 1200)
    same("copytruncate", tail.texts(), first + second + third)
    tail.close()


def deleted_and_reborn():
    tail = Tail("*.log")
    first, second = lines("first", 100), lines("second", 100)
    tail.write("a.log", text(first))
    tail.wait("deleted: first", 100)
    with open(tail.logs / "a.log", "ab") as file:
        os.unlink(tail.logs / "a.log")
        file.write(text(second[:50]).encode())
    tail.wait("deleted: read to the end", 150)
    tail.write("a.log", text(second[50:]))  # maybe with the same inode
    tail.wait("deleted: a new one", 200)
    same("deleted", tail.texts(), first + second)
    tail.close()


def patterns():
    tail = Tail("**/*.log single.txt", ', exclude: ["*debug*"]')
    want = []
    for name in ("a.log", "x/b.log", "x/y/z/c.log", "single.txt", "x/debug.log", "x/d.txt"):
        tail.write(name, text(lines(name, 10)))
        want += lines(name, 10) if name not in ("x/debug.log", "x/d.txt") else []
    tail.wait("patterns", 40)
    tail.write("later/e.log", text(lines("e", 10)))
    tail.wait("patterns: a folder that came later", 50)
    same("patterns", tail.texts(), want + lines("e", 10))
    tail.close()


def unfinished_lines():
    tail = Tail("*.log", ", unfinished: 3s, join: none")
    tail.write("a.log", "one\ntwo\nthr")
    tail.wait("unfinished: whole lines", 2)
    tail.write("a.log", "ee\nfo")
    tail.wait("unfinished: taken after a while", 4)
    tail.write("a.log", "ur\nfive\n")
    tail.wait("unfinished: the rest", 6)
    tail.write("b.log", "x" * 3000000 + "\nshort\n")
    tail.wait("over-long in parts", 10)
    texts = tail.texts()
    checks.equal("unfinished", [t for t in reversed(texts) if len(t) < 100], ["one", "two", "three", "fo", "ur", "five", "short"])
    checks.equal("over-long", sum(len(t) for t in texts if t.startswith("xx")), 3000000)
    tail.close()


def records_of_lines():
    tail = Tail("*.log", r', record_begins: "^\\d{4}-"')
    records = [f"2026-03-01 10:00:0{n} ERROR broken\n  at A({n})\n  at B({n})" for n in range(5)]
    tail.write("a.log", text(records[:3]))
    tail.write("a.log", records[3] + "\n")
    tail.wait("joined: the last one when nothing follows", 4)
    tail.server.kill()
    tail.write("a.log", text(records[4:]))
    tail.start()
    tail.wait("joined: after a restart", 5)
    same("joined", tail.texts(), records)
    tail.close()


def columns():
    tail = Tail("*.log")
    head = "#Software: X\n#Fields: date time cs-username sc-status\n"
    tail.write("w3c.log", head + "2026-03-01 10:00:00 taro 200\n")
    tail.wait("columns: first", 3)
    tail.server.kill()
    tail.write("w3c.log", "2026-03-01 10:00:01 hanako 404\n")
    tail.start()
    tail.wait("columns: after a restart", 4)
    rows = tail.rows("event.original cs-username user.name")
    found = [row for row in rows if "hanako" in octets(row["event.original"]).decode()]
    checks.check("columns: known in the middle of a file", found and "hanako" in (found[0].get("cs-username"), found[0].get("user.name")), found)
    tail.close()


def encodings():
    tail = Tail("*.log", ", encoding: CP932")
    tail.write("sjis.log", "ログイン失敗 太郎\n".encode("cp932"))
    tail.write("wide.log", "﻿ログイン成功\r\n二行目\r\n".encode("utf-16-le"))
    tail.wait("encodings", 3)
    rows = tail.rows("message event.original")
    checks.equal("encodings: understood", sorted(row["message"] for row in rows), sorted(["ログイン失敗 太郎", "ログイン成功", "二行目"]))
    tail.close()


def from_the_end():
    tail = Tail("*.log", ", start: end", start=False)
    tail.write("old.log", text(lines("old", 50)))
    tail.start()
    wait_for(lambda: (tail.base / "server/data/collect/t.start").exists())
    tail.write("old.log", text(lines("new", 5)))
    tail.write("new.log", text(lines("whole", 5)))
    tail.wait("end: only what came later", 10)
    tail.server.kill()
    tail.write("old.log", text(lines("meanwhile", 5)))
    tail.write("newer.log", text(lines("newer", 5)))
    tail.start()
    tail.wait("end: also what came while it did not run", 20)
    same("end", tail.texts(), lines("new", 5) + lines("whole", 5) + lines("meanwhile", 5) + lines("newer", 5))
    tail.close()


def packed_files():
    tail = Tail("*")
    tail.write("a.log.3.gz", gzip.compress(text(lines("oldest", 100)).encode()))
    os.utime(tail.logs / "a.log.3.gz", (1000, 1000))
    tail.write("a.log.2", text(lines("older", 100)))
    os.utime(tail.logs / "a.log.2", (2000, 2000))
    tail.write("a.log", text(lines("present", 100)))
    whole = gzip.compress(text(lines("alone", 20000)).encode())
    tail.write("alone.gz", whole[:1000])
    tail.write("alone.gz", whole[1000:])
    tail.wait("packed", 20300)
    for n in range(30):  # names move on, nothing is read again
        for name in sorted(os.listdir(tail.logs), reverse=True):
            if name.startswith("a.log."):
                number = int(name.split(".")[2])
                os.rename(tail.logs / name, str(tail.logs / name).replace(f".{number}", f".{number + 1}"))
        os.rename(tail.logs / "a.log", tail.logs / "a.log.1")
        tail.write("a.log", f"2026-03-01 10:00:00 turn {n}\n")
        time.sleep(rng.uniform(0, 0.2))
    tail.wait("packed: after 30 turns", 20330)
    want = lines("oldest", 100) + lines("older", 100) + lines("present", 100) + lines("alone", 20000)
    same("packed", tail.texts(), want + [f"2026-03-01 10:00:00 turn {n}" for n in range(30)])
    tail.close()


def pack(path, ending, packer):
    """As a packing program does: beside the file, with its time, which goes when the packed one is whole."""
    packed = path.with_name(path.name + ending)
    packed.write_bytes(packer(path.read_bytes()))
    shutil.copystat(path, packed)
    path.unlink()


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True).stdout


# name of the log, of its n-th rotated file, and how that is packed
STYLES = {"a.log": ("old/a.log.{n}", "", None), "b.log": ("old/b.log.{n}", ".gz", gzip.compress), "c.log": ("c.log.{n}", ".bz2", bz2.compress),
          "d.log": ("d.log.{n}", ".xz", lzma.compress), "e.log": ("e.log-2026030{n}", "", None), "f.log": ("f.log-2026030{n}", ".zst", zstd),
          "g.log": ("g-2026030{n}.log", "", None), "h.log": ("h-2026030{n}.log", ".xz", lzma.compress)}


def styles_of_rotation():
    tail = Tail("*.log", ', olddir: old, exclude: ["?-*"]')
    (tail.logs / "old").mkdir()
    want = []

    def write(count, word):
        for name in STYLES:
            want.extend(lines(f"{name} {word}", count))
            tail.write(name, text(lines(f"{name} {word}", count)))

    def rotate(n):
        for name, (rotated, ending, packer) in STYLES.items():
            path = tail.logs / rotated.format(n=n)
            os.rename(tail.logs / name, path)
            if packer:
                pack(path, ending, packer)

    write(100, "first")
    tail.wait("styles: first", len(want))
    tail.server.kill()
    write(2000, "behind that")
    rotate(1)
    write(50, "seen by nobody")
    rotate(2)
    write(50, "present")
    tail.start()
    tail.wait("styles: while it did not run", len(want))
    write(50, "at the end")
    rotate(3)
    write(50, "last")
    tail.wait("styles: while it ran", len(want))
    same("styles", tail.texts(), want)
    tail.close()


def many_files():
    """In one folder, and below many."""
    count = 10000
    names = [f"{n}.log" if n % 2 else f"{n % 40}/{n}.log" for n in range(count)]
    tail = Tail("**/*.log", start=False)
    for n, name in enumerate(names):
        tail.write(name, text(lines(f"file {n}", 2)))
    began = time.monotonic()
    tail.start()
    tail.wait("many files", 2 * count, 120)
    took = time.monotonic() - began
    for n, name in enumerate(names):
        tail.write(name, f"2026-03-01 11:00:00 again {n}\n")
    tail.wait("many files: again", 3 * count, 120)
    tail.server.kill()
    for n in range(0, count, 10):
        os.rename(tail.logs / names[n], tail.logs / (names[n] + ".1"))
        tail.write(names[n], f"2026-03-01 11:00:00 renamed {n}\n")
    tail.start()
    tail.wait("many files: a tenth of them renamed", 3 * count + count // 10, 120)
    status = pathlib.Path(f"/proc/{tail.server.process.pid}/status").read_text()
    opened = len(os.listdir(f"/proc/{tail.server.process.pid}/fd"))
    checks.check("many files: a bound on open ones", opened < 800, opened)
    print(f"{count} files: started and read in {took:.1f} s, {opened} descriptors open, {status.split('VmRSS:')[1].split()[0]} kB resident")
    texts = tail.texts()
    checks.equal("many files: each once", (len(set(texts)), len(texts)), (3 * count + count // 10,) * 2)
    tail.close()


def event_logs():
    tail = Tail("*.evtx")
    chunks = plain_log(4, 20)
    tail.write("Security.evtx", log(chunks[:2]))
    tail.wait("evtx", 40)
    tail.server.kill()
    ring = [chunks[3], chunks[1], chunks[2]]  # the oldest chunk is used anew
    tail.write("Security.evtx", log(ring), "wb")
    tail.write("Archive.evtx", log(plain_log(1, 5)))
    tail.start()
    tail.wait("evtx: goes on by its numbers", 85)
    tail.write("Security.evtx", log([plain_log(8, 20)[7]]), "wb")
    tail.wait("evtx: after a gap", 105)
    checks.check("evtx: the gap is said", wait_for(lambda: "60 records are missing" in tail.notes()), tail.notes()[-300:])
    gaps = lambda: [s["gaps"] for s in tail.server.request("GET", "/v1/sources")[1]["sources"] if s["name"] == "t" and "gaps" in s]
    checks.check("evtx: and in the books of its input", wait_for(lambda: gaps() and gaps()[0]["missing"] == 60), gaps())
    told = lambda: tail.server.query("event.dataset=hinomi.gap | table hinomi.gap.source hinomi.gap.numbers hinomi.gap.missing")["rows"]
    checks.check("evtx: and an event", wait_for(lambda: [[str(v) for v in row] for row in told()] == [["t", "file", "60"]]), told())
    checks.equal("evtx: each once but for two logs that begin alike", len(set(tail.texts())), 100)
    tail.close()


class Writer(threading.Thread):
    """Numbered lines into one log, rotated in a way that loses none by itself."""

    def __init__(self, folder, kind):
        super().__init__(daemon=True)
        self.path, self.kind, self.rng = folder / f"{kind}.log", kind, random.Random(seed)
        self.written, self.ended = [], threading.Event()

    def shift(self):
        kept = [p for p in self.path.parent.iterdir() if p.name.startswith(self.path.name + ".")]
        for path in sorted(kept, key=lambda p: -int(p.name.split(".")[2])):
            parts = path.name.split(".")
            parts[2] = str(int(parts[2]) + 1)
            path.rename(path.with_name(".".join(parts)))

    def rotate(self):
        kind = self.rng.choice(["rename", "copy", "packed"]) if self.kind == "mixed" else self.kind
        self.shift()
        first = self.path.with_name(self.path.name + ".1")
        if kind == "copy":
            shutil.copy(self.path, first)
            os.truncate(self.path, 0)
            return
        self.path.rename(first)
        second = self.path.with_name(self.path.name + ".2")
        ending, packer = self.rng.choice([(".gz", None), (".gz", None), (".bz2", bz2.compress), (".xz", lzma.compress), (".zst", zstd)])
        if kind == "packed" and second.exists() and packer:
            pack(second, ending, packer)
        elif kind == "packed" and second.exists():
            subprocess.run(["gzip", second], check=True)

    def run(self):
        n, rotated = 0, time.monotonic()
        while not self.ended.is_set():
            some = [f"2026-03-01 10:00:00 {self.kind} {n + i} {'x' * self.rng.randrange(300)}" for i in range(self.rng.randrange(1, 200))]
            data = text(some).encode()
            cut = self.rng.randrange(len(data))
            with open(self.path, "ab", buffering=0) as file:
                file.write(data[:cut])
                file.write(data[cut:])
            self.written += some
            n += len(some)
            if time.monotonic() - rotated > ROTATION_S and self.rng.random() < 0.08:
                self.rotate()
                rotated = time.monotonic()
            time.sleep(0.02)


def kills():
    tail = Tail("*.log")
    writers = [Writer(tail.logs, kind) for kind in os.environ.get("KINDS", "rename copy packed mixed").split()]
    for writer in writers:  # what was rotated before a log was ever seen is nobody's
        writer.written = [f"2026-03-01 10:00:00 {writer.kind} first"]
        writer.path.write_text(text(writer.written))
    tail.wait("kills: first", len(writers))
    tail.server.kill()
    for writer in writers:
        writer.start()
    start = time.monotonic()
    for _ in range(KILLS):
        tail.server.start()
        time.sleep(rng.uniform(0, 0.5))
        tail.server.kill()
    for writer in writers:
        writer.ended.set()
        writer.join()
    tail.start()
    written = [line for writer in writers for line in writer.written]
    wait_for(lambda: tail.count() >= len(written), 120)
    got, by_kind = collections.defaultdict(list), collections.defaultdict(list)
    for line in tail.texts():
        got[line.split()[2]].append(line)
    for line in written:
        by_kind[line.split()[2]].append(line)
    for kind, lines_of_kind in by_kind.items():
        missing = collections.Counter(lines_of_kind) - collections.Counter(got[kind])
        more = collections.Counter(got[kind]) - collections.Counter(lines_of_kind)
        checks.equal(f"kills, seed {seed}, {kind}: lost", sorted(missing.elements())[:3], [])
        checks.equal(f"kills, seed {seed}, {kind}: doubled or made up", sorted(more.elements())[:3], [])
    checks.check(f"kills, seed {seed}: nothing is said to be lost", "is lost" not in tail.notes(), [line for line in tail.notes().splitlines() if "is lost" in line][:3])
    print(f"seed {seed}: {KILLS} kills, {len(written)} lines, {sum(1 for _ in tail.logs.iterdir())} files, {time.monotonic() - start:.0f} s")
    tail.close()


def gone_while_it_did_not_run():
    """Moved, with nothing in its place; or deleted, which is said."""
    tail = Tail("*.log")
    for name in ("moved.log", "deleted.log"):
        tail.write(name, text(lines(f"{name} first", 10)))
    tail.wait("gone: first", 20)
    tail.server.kill()
    for name in ("moved.log", "deleted.log"):
        tail.write(name, text(lines(f"{name} second", 10)))
    os.rename(tail.logs / "moved.log", tail.logs / "moved.log.1")
    os.unlink(tail.logs / "deleted.log")
    tail.write("deleted.log", text(lines("deleted.log third", 10)))
    tail.start()
    tail.wait("gone: what is there", 40)
    checks.check("gone: what is lost is said", wait_for(lambda: "is lost" in tail.notes()), tail.notes()[-300:])
    checks.check("gone: and of no other", "moved.log: the file" not in tail.notes(), tail.notes()[-300:])
    same("gone", tail.texts(), lines("moved.log first", 10) + lines("moved.log second", 10) + lines("deleted.log first", 10) + lines("deleted.log third", 10))
    tail.close()


ALL = [rename_rotation, copytruncate, deleted_and_reborn, patterns, unfinished_lines, records_of_lines, columns, encodings,
       from_the_end, packed_files, styles_of_rotation, many_files, event_logs, gone_while_it_did_not_run, kills]
only = os.environ.get("ONLY", "")
for test in ALL:
    if only in test.__name__:
        test()
checks.finish()
