#!/usr/bin/env python3
"""The command line on files: what goes in comes out, and what is wrong is said in one sentence."""
import gzip
import decimal
import json
import pathlib
import random
import subprocess
import tempfile

from harness import HINOMI, Checks, run, search

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-cli-"))


def write(name, data):
    path = tmp / name
    path.write_bytes(data)
    return path


def import_formats():
    lines = [json.dumps({"@timestamp": f"2026-01-0{1 + i % 9}T00:00:{i % 60:02}Z", "n": i, "message": f"line {i} 残高"}, ensure_ascii=False).encode() for i in range(5000)]
    plain = write("plain.jsonl", b"\n".join(lines) + b"\n")
    packed = tmp / "packed.jsonl.gz"
    packed.write_bytes(gzip.compress(b"\n".join(lines[:1000])))
    zst = tmp / "z.jsonl.zst"
    subprocess.run(["zstd", "-q", "-f", str(plain), "-o", str(zst)], check=True)
    status, out, err = run("import", "--dir", tmp / "formats", plain, packed, zst)
    checks.equal("import exits 0", status, 0)
    checks.check("import counts", out.startswith("11000 events"), out + err)
    checks.equal("all are found", search(tmp / "formats", "* | stats count"), [{"count": 11000}])
    got = search(tmp / "formats", "残高 n=4999 | table _raw n")
    checks.equal("raw bytes are kept", [r["_raw"] for r in got], [lines[4999].decode()] * 2)


def import_dirty():
    """Broken, huge and non-UTF-8 lines are all stored, byte for byte."""
    lines = [b'{"broken": ', b"plain text", b"\xff\xfe bytes", b'{"a":' * 200, b"x" * 900_000, b'{"ok":1}', b"\x00nul", b'{"dup":1,"dup":2}',
             "日本語のログ".encode("cp932")]
    path = write("dirty.log", b"\n".join(lines))
    status, out, err = run("import", "--dir", tmp / "dirty", path)
    checks.equal("dirty import exits 0", status, 0)
    checks.equal("dirty lines are all there", search(tmp / "dirty", "* | stats count"), [{"count": len(lines)}])
    status, out, err = run("decode", path)
    checks.equal("decode prints a line each", len(out.splitlines()), len(lines))
    import base64
    raw = [json.loads(line)["event.original"] for line in out.splitlines()]
    raw = [base64.b64decode(r["base64"]) if isinstance(r, dict) else r.encode() for r in raw]
    checks.equal("decode keeps the bytes", raw, lines)


def long_line():
    path = write("long.log", b"a" * (3 << 20) + b"\nend\n")
    status, out, err = run("import", "--dir", tmp / "long", path)
    checks.equal("a 3 MiB line is imported", status, 0)
    rows = search(tmp / "long", "* | eval n=len(_raw) | stats sum(n) as bytes")
    checks.equal("none of it is lost", rows, [{"bytes": (3 << 20) + 3}])


def ranges():
    """Blocks are left out by the smallest and largest number, never with a row that counts."""
    rng = random.Random(4)
    amounts = [f"{rng.randrange(-10**9, 10**9)}.{rng.randrange(100):02}" for _ in range(3000)]
    path = write("amounts.jsonl", b"\n".join(json.dumps({"@timestamp": f"2026-01-0{1 + i % 4}T00:00:00Z", "n": i, "amount": "@", "peer": {"ip": f"198.18.{i // 256}.{i % 256}"}})
                                             .replace('"@"', a).encode() for i, a in enumerate(amounts)))
    status, _, err = run("import", "--dir", tmp / "ranges", path)
    checks.equal("amounts are imported", status, 0)
    exact = [decimal.Decimal(a) for a in amounts]
    low, high = min(exact), max(exact)
    for text in [str(low), str(high), str(high + 1), str(low - 1), "0", "123456.78", amounts[7]]:
        limit = decimal.Decimal(text)
        for sign, holds in ((">", lambda a: a > limit), (">=", lambda a: a >= limit), ("<", lambda a: a < limit), ("<=", lambda a: a <= limit), ("=", lambda a: a == limit)):
            rows = search(tmp / "ranges", f"amount{sign}{text} | stats count")
            checks.equal(f"amount {sign} {text}", rows, [{"count": sum(map(holds, exact))}])
    status, out, err = run("search", "--dir", tmp / "ranges", "--explain", f"amount>{high} | stats count")
    checks.check("all blocks are skipped", "blocks   4, 4 of them skipped" in err, err)
    for network, want in (("198.18.3.0/24", 256), ("10.0.0.0/8", 0), ("198.18.11.184/29", 0), ("198.18.11.176/28", 8), ("0.0.0.0/0", 3000), ("2001:db8::/32", 0)):
        checks.equal(f"addresses in {network}", search(tmp / "ranges", f"peer.ip={network} | stats count"), [{"count": want}])


def bad_input():
    write("bad.yml", b"title: [unclosed\n")
    write("empty.gz", b"\x1f\x8b\x08\x00broken")
    cases = [
        (["nonsense"], 2, "no command 'nonsense'"),
        (["import", "x"], 2, "--dir needs"),
        (["import", "--dri", "x"], 2, "did you mean --dir"),
        (["import", "--dir", tmp / "b1", tmp / "missing.log"], 1, "missing.log"),
        (["import", "--dir", tmp / "b2", tmp], 1, "is a folder"),
        (["import", "--dir", tmp / "b3", tmp / "empty.gz"], 1, "damaged"),
        (["import", "--dir", "/proc/nowhere", tmp / "plain.jsonl"], 1, "/proc/nowhere"),
        (["search", "--dir", tmp / "nowhere", "*"], 1, "no store in"),
        (["search", "--dir", tmp / "formats", "* | stat count"], 1, "stats"),
        (["search", "--dir", tmp / "formats", "* | where upper("], 1, ""),
        (["detect", "--rules", tmp / "none", tmp / "plain.jsonl"], 1, "none"),
        (["serve", "--config", tmp / "bad.yml", "--allow-root"], 1, "line"),
        (["decode", "--received", "yesterday", "-"], 2, "--received"),
    ]
    for args, want, words in cases:
        status, out, err = run(*args, data=b"")
        name = " ".join(map(str, args[:4]))
        checks.equal(f"{name}: status", status, want)
        checks.check(f"{name}: says why", words in err and len(err) < 2000, repr(err))
    status, out, err = run("rules", "check", "--format", "jsonl", tmp / "bad.yml")
    checks.check("a broken rule is refused with its line", '"status":"refused"' in out and "line" in out, out + err)


def helps():
    """What the program says of its search language."""
    for words in (("detect", "--help"), ("rules", "check", "--help"), ("search", "-h")):
        status, out, err = run(*words)
        checks.check(f"{' '.join(words)} is help", status == 0 and f"hinomi {words[0]} " in out and not err, out[:200] + err)
    status, out, err = run("help", "search")
    checks.check("help search lists commands", status == 0 and "  timechart        statistics over time\n" in out and " percentile" not in out, out[:300] + err)
    status, out, err = run("help", "search", "timechart")
    checks.check("help of a command: options with defaults, notes, examples", status == 0 and all(words in out for words in (
        "timechart [options] AGGREGATE ... [by FIELD [where PICK]]", "bins=N", "at most so many buckets (100)", "Notes", "empty buckets are rows", '"count":0')), out + err)
    status, out, err = run("help", "search", "distinct_count")
    checks.check("help of a statistics function by its other name", status == 0 and "dc(FIELD)" in out, out + err)
    status, out, err = run("help", "search", "eval:replace")
    checks.check("help of one kind", status == 0 and "eval function" in out and "(command)" not in out, out + err)
    status, out, err = run("help", "search", "sum")
    checks.check("help of all kinds", status == 0 and "(statistics function)" in out and "(eval function)" in out, out + err)
    for name, nearest in (("timchart", "timechart"), ("stats:avgg", "avg"), ("eval:rond", "round")):
        status, out, err = run("help", "search", name)
        checks.check(f"help of {name}", status == 2 and f"did you mean {nearest}?" in err and not out, out + err)


def full_disk():
    """/dev/full stands for a disk without room: output is an error, not a loss in silence."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run([HINOMI, "decode", str(tmp / "plain.jsonl")], stdout=full, stderr=subprocess.PIPE)
    checks.check("no room for the output is said", b"cannot write" in done.stderr, done.stderr)


import_formats()
import_dirty()
long_line()
ranges()
bad_input()
helps()
full_disk()
checks.finish()
