#!/usr/bin/env python3
"""Windows event log files: all types of values, all ways to be packed, and what is read of damaged ones."""
import gzip
import json
import os
import pathlib
import re
import resource
import struct
import subprocess
import tempfile
import time

import evtx_maker as maker
from harness import HINOMI, ROOT, SHARED, Checks, run

checks = Checks()
DATA = "winlog.event_data."

VALUES = {
    "null": (maker.NULL, b"", ""),
    "string": (maker.STRING, maker.u16("a<b>&\"c\" 火の見"), "a<b>&\"c\" 火の見"),
    "string with its zero": (maker.STRING, maker.u16("abc\0"), "abc"),
    "pair of surrogates": (maker.STRING, maker.u16("🔥"), "🔥"),
    "lone surrogate": (maker.STRING, maker.u16("a\ud800b"), "a\ufffdb"),
    "ansi": (maker.ANSI, b"abc \xe9\0", "abc é"),
    "i8": (maker.I8, b"\xff", "-1"),
    "u8": (maker.U8, b"\xff", "255"),
    "i16": (maker.I16, struct.pack("<h", -300), "-300"),
    "u16": (maker.U16, struct.pack("<H", 65535), "65535"),
    "i32": (maker.I32, struct.pack("<i", -2**31), "-2147483648"),
    "u32": (maker.U32, struct.pack("<I", 2**32 - 1), "4294967295"),
    "i64": (maker.I64, struct.pack("<q", -2**63), "-9223372036854775808"),
    "u64": (maker.U64, struct.pack("<Q", 2**64 - 1), "18446744073709551615"),
    "f32": (maker.F32, struct.pack("<f", 0.5), "5.000000e-001"),
    "f64": (maker.F64, struct.pack("<d", 3199.234), "3.199234e+003"),
    "infinite": (maker.F64, struct.pack("<d", float("-inf")), "-1.#INF"),
    "true": (maker.BOOL, struct.pack("<I", 1), "true"),
    "false": (maker.BOOL, struct.pack("<I", 0), "false"),
    "short bool": (maker.BOOL, b"\1", "true"),
    "binary": (maker.BINARY, b"\0\xab\xff", "00ABFF"),
    "guid": (maker.GUID, bytes(range(16)), "{03020100-0504-0706-0809-0a0b0c0d0e0f}"),
    "size": (maker.SIZE, struct.pack("<Q", 0x1000), "0x1000"),
    "filetime": (maker.FILETIME, struct.pack("<Q", maker.EPOCH + 1), "1970-01-01T00:00:00.000000100Z"),
    "systemtime": (maker.SYSTEMTIME, struct.pack("<8H", 2026, 3, 0, 1, 12, 34, 56, 789), "2026-03-01T12:34:56.789000000Z"),
    "sid": (maker.SID, bytes([1, 2, 0, 0, 0, 0, 0, 5]) + struct.pack("<II", 32, 544), "S-1-5-32-544"),
    "hex32": (maker.HEX32, struct.pack("<I", 0x1fffff), "0x1fffff"),
    "hex64": (maker.HEX64, struct.pack("<Q", 2**63), "0x8000000000000000"),
    "handle": (0x20, struct.pack("<I", 16), "0x10"),
    "xml text": (0x23, maker.u16("<a/>"), "<a/>"),
    "strings": (maker.ARRAY | maker.STRING, maker.u16("one\0two\0"), ["one", "two"]),
    "numbers": (maker.ARRAY | maker.U16, struct.pack("<3H", 1, 2, 3), ["1", "2", "3"]),
    "guids": (maker.ARRAY | maker.GUID, bytes(32), ["{00000000-0000-0000-0000-000000000000}"] * 2),
    "hexes": (maker.ARRAY | maker.HEX64, struct.pack("<2Q", 1, 255), ["0x1", "0xff"]),
    "sizes": (maker.ARRAY | maker.SIZE, struct.pack("<2Q", 1, 255), ["0x1", "0xff"]),
    "sids": (maker.ARRAY | maker.SID, (bytes([1, 1, 0, 0, 0, 0, 0, 5]) + struct.pack("<I", 18)) * 2, ["S-1-5-18"] * 2),
    "times": (maker.ARRAY | maker.FILETIME, struct.pack("<2Q", maker.EPOCH, maker.EPOCH), ["1970-01-01T00:00:00.000000000Z"] * 2),
}


def write(folder, name, data):
    path = pathlib.Path(folder, name)
    path.write_bytes(data)
    return str(path)


def decode(*args, data=None):
    status, out, err = run("decode", *args, data=data)
    return status, [json.loads(line) for line in out.splitlines()], err


def as_list(value):
    return value if isinstance(value, list) else [value]


def check_values(folder):
    chunk = maker.Chunk()
    names = [name.replace(" ", "") for name in VALUES]
    maker.event(chunk, 1, [(kind, data) for kind, data, _ in VALUES.values()], names=names)
    status, events, err = decode(write(folder, "values.evtx", maker.log([chunk])))
    checks.equal("all kinds of values are read", (status, len(events), err), (0, 1, ""))
    for name, (_, _, want) in zip(names, VALUES.values()):
        got = events[0].get(DATA + name, "")
        checks.equal(f"value {name}", [str(v).lower() for v in as_list(got)], [v.lower() for v in as_list(want)])


def check_content(folder):
    """References, CDATA, processing instructions, attributes made of parts, XML in values with its own template."""
    chunk = maker.Chunk()
    name = chunk.name
    inner = chunk.instance("inner", [chunk.element("Inner", content=[maker.value(0)])], [(maker.STRING, maker.u16("deep"))])
    body = [chunk.element("Event", content=[
        chunk.element("System", content=[chunk.element("Channel", content=[maker.text("Own")])]),
        chunk.element("EventData", content=[
            chunk.element("Data", [("Name", [maker.text("refs")])], [maker.text("a"), b"\x08" + struct.pack("<H", 38), b"\x09", name("lt"), maker.text("z")]),
            chunk.element("Data", [("Name", [maker.text("cdata")])], [b"\x07" + struct.pack("<H", 3) + maker.u16("<x>")]),
            chunk.element("Data", [("Name", [maker.text("made"), maker.value(0)])], [maker.text("v")]),
            chunk.element("Data", [("Name", [maker.text("some")]), ("Gone", [maker.value(1, optional=True)])], [b"\x0a", name("pi"), b"\x0b" + struct.pack("<H", 1) + maker.u16("?"), maker.text("w")])]),
        chunk.element("UserData", content=[maker.value(2)])])]
    chunk.record(1, [chunk.instance("outer", body, [(maker.STRING, maker.u16("Up")), (maker.NULL, b""), (maker.XML, [b"\x0f\x01\x01\0", inner, b"\0"])])])
    _, events, err = decode(write(folder, "content.evtx", maker.log([chunk])))
    event = events[0]
    checks.equal("content", ([event.get(DATA + n) for n in ("refs", "cdata", "madeUp", "some")], err), (["a&<z", "<x>", "v", "w"], ""))
    checks.check("XML in a value", "<UserData><Inner>deep</Inner></UserData>" in event["event.original"], event["event.original"])
    checks.check("an attribute without a value is left out", "Gone" not in event["event.original"], event["event.original"])


def ids(events):
    return [int(e["winlog.record_id"]) for e in events]


def check_ways(folder):
    whole = maker.log(maker.plain_log())
    everything = list(range(1, 121))
    path = write(folder, "whole.evtx", whole)
    for name, args, data in (("a file", [path], None), ("standard input", ["-"], whole), ("gzip", [write(folder, "w.gz", gzip.compress(whole))], None),
                             ("without its ending", [write(folder, "w.bin", whole)], None)):
        status, events, err = decode(*args, data=data)
        checks.equal(f"read as {name}", (status, ids(events), err), (0, everything, ""))
    for name, data, want, sentence in (
            ("more chunks than the header counts", maker.log(maker.plain_log(), count=1), everything, ""),
            ("no file header", whole[4096:], everything, "the file header is missing"),
            ("header zeroed", bytes(4096) + whole[4096:], everything, "the file header is missing"),
            ("shifted", b"x" * 777 + whole, everything, "the file header is missing"),
            ("a chunk's header zeroed", whole[:4096 + 65536] + bytes(512) + whole[4096 + 65536 + 512:], everything, "there is no chunk at byte 69632"),
            ("a chunk zeroed", whole[:4096 + 65536] + bytes(65536) + whole[4096 + 131072:], everything[:40] + everything[80:], "there is no chunk at byte 69632"),
            ("cut within the second chunk", whole[:4096 + 65536 + 4096], None, "the file ends within chunk 2"),
            ("empty", b"", [], "the file is empty"),
            ("nothing but garbage", b"\0\1\2" * 5000, [], "there is no chunk")):
        status, events, err = decode(write(folder, "d.evtx", data))
        checks.check(f"{name}: reported, if it is damage", status == (1 if sentence else 0) and sentence in err, (status, err))
        if want is None:
            checks.check(f"{name}: what is there is read", ids(events)[:40] == everything[:40] and 40 < len(events) < 80, ids(events))
        else:
            checks.equal(f"{name}: what is there is read", ids(events), want)
    hole = bytearray(whole)
    at = whole.index(b"**\0\0", 4096 + 6000)
    hole[at:at + 100] = bytes(100)
    status, events, err = decode(write(folder, "d.evtx", bytes(hole)))
    checks.check("a record overwritten: the others are read", status == 1 and len(events) == 119 and "chunk 1" in err and "1 broken" in err, (len(events), err))


def check_dirty(folder):
    """Copied while it was open: the chunk's header is from before the last records."""
    old, new = maker.plain_log(1, 30)[0], maker.plain_log(1, 40)[0]
    data = bytearray(maker.log([new], flags=1))
    data[4096:4096 + 512] = old.bytes()[:512]
    status, events, err = decode(write(folder, "dirty.evtx", bytes(data)))
    checks.equal("records that a stale header does not count are read", (status, len(events), err), (0, 40, ""))


def check_hostile(folder):
    """Templates that name each other a hundred times each: 10^10 elements in a few KiB."""
    chunk = maker.Chunk()
    inner = chunk.instance("t0", [chunk.element("x")], [])
    for level in range(1, 6):
        inner = chunk.instance(f"t{level}", [chunk.element("Event", content=[maker.value(0)] * 100)], [(maker.XML, [b"\x0f\x01\x01\0", inner, b"\0"])])
    chunk.record(1, [inner])
    maker.event(chunk, 2, [(maker.U8, b"\1")])
    started = time.monotonic()
    status, events, err = decode(write(folder, "hostile.evtx", maker.log([chunk])))
    checks.check("templates that multiply end", status == 1 and ("more work" in err or "too many nested" in err) and time.monotonic() - started < 20, (status, err))


def limit(name):
    """A number of src/base/limits.h."""
    found = re.search(rf"{name}(?: =)? \(?(\d+)( \* MIB)?", (ROOT / "src/base/limits.h").read_text())
    return int(found[1]) * (1 << 20 if found[2] else 1)


def read_bomb(folder, name, chunk, sentence):
    """Reads it, with a harmless chunk behind; how many records of it were read."""
    behind = maker.Chunk()
    maker.event(behind, 100001, [(maker.U8, b"\1")])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    status, events, err = decode(write(folder, "bomb.evtx", maker.log([chunk, behind])))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    checks.check(f"{name}: refused by its bound in {cpu:.1f} CPU s", status == 1 and sentence in err and cpu < 8, (status, cpu, err))
    checks.check(f"{name}: the chunk behind it is read", ids(events[-1:]) == [100001], (len(events), err))
    return len(events) - 1


def check_bounds(folder):
    """Each bound of the work that a chunk may ask for is reached, and what is within it is read."""
    deep = maker.Chunk()
    inner = deep.instance("d0", [deep.element("x")], [])
    for level in range(1, 12):
        inner = deep.instance(f"d{level}", [deep.element("e", content=[maker.value(0)])], [(maker.XML, [b"\x0f\x01\x01\0", inner, b"\0"])])
    deep.record(1, [inner])
    checks.equal("templates in templates: none of it", read_bomb(folder, "templates in templates", deep, "too many nested templates"), 0)

    steps, parts = limit("EVTX_CHUNK_STEPS_MAX"), 8000
    wide = maker.Chunk()
    for ident in range(1, steps // parts + 20):
        wide.record(ident, [wide.instance("w", [wide.element("Event", content=[maker.value(0, optional=True)] * parts)], [(maker.NULL, b"")])])
    read = read_bomb(folder, "many parts, many records", wide, "more work than an event log's")
    checks.check(f"parts up to the bound are read: {read} records", steps * 0.95 < read * parts <= steps)

    long = maker.Chunk()
    long.record(1, [long.instance("l", [long.element("Event", content=[maker.value(0)] * 1000)], [(maker.STRING, maker.u16("x" * 15000))])])
    checks.equal("a record's XML: none of it", read_bomb(folder, "a record's XML", long, f"longer than {limit('EVTX_RECORD_XML_BYTES_MAX')} bytes"), 0)

    total, each = limit("EVTX_CHUNK_XML_BYTES_MAX"), 1000 * 3900
    many = maker.Chunk()
    for ident in range(1, total // each + 8):
        many.record(ident, [many.instance("m", [many.element("Event", content=[maker.value(0)] * 3900)], [(maker.STRING, maker.u16("x" * 1000))])])
    read = read_bomb(folder, "a chunk's XML", many, "more work than an event log's")
    checks.check(f"XML up to the bound is read: {read} records", abs(read * each - total) < 2 * each)


def check_damages(folder):
    """tests/unit/cut/cut_evtx_damage_test.c over own files, and over the shared corpus where it is."""
    program = pathlib.Path(HINOMI).parent / "tests/cut_evtx_damage_test"
    if not program.exists():
        checks.skip("damages", "cut_evtx_damage_test is not built")
        return
    own, shared = pathlib.Path(folder, "own"), pathlib.Path(folder, "shared")
    own.mkdir()
    shared.mkdir()
    write(own, "plain.evtx", maker.log(maker.plain_log()))
    write(own, "small.evtx", maker.log(maker.plain_log(1, 3)))
    corpus = SHARED / "data/sigma/evtx.tar.zst"
    places = [(own, "1000")]
    if corpus.exists():
        subprocess.run(["tar", "-C", shared, "--zstd", "-xf", corpus], check=True)
        places.append((shared, "1"))
    for place, times in places:
        done = subprocess.run([program], capture_output=True, text=True, cwd=ROOT, env={**os.environ, "HINOMI_EVTX_DIR": str(place), "HINOMI_EVTX_DAMAGES": times})
        found = re.search(r"(\d+) files, (\d+) damages", done.stdout + done.stderr)
        checks.check("damaged logs", done.returncode == 0 and found and int(found[2]) > 1000, done.stdout + done.stderr)


with tempfile.TemporaryDirectory() as tmp, tempfile.TemporaryDirectory() as damaged:
    check_values(tmp)
    check_content(tmp)
    check_ways(tmp)
    check_dirty(tmp)
    check_hostile(tmp)
    check_bounds(tmp)
    check_damages(damaged)
checks.finish()
