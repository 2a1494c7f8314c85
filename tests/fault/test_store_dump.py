#!/usr/bin/env python3
"""The second reader and hinomi search agree on every decoder's sample log: each event's bytes and every field that both
can name. The second reader is what the crash tests trust, so it has to be right about every encoding."""
import json
import pathlib
import shutil
import tempfile

from producer import run, search
from harness import ROOT, Checks
import store_dump

LINES = 6000
checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-dump-"))


def tokens(n):
    """What skeletons tell in a way of its own: numbers, hexadecimal, ids, addresses, times, words, escapes."""
    stamp = f"2026-01-0{1 + n % 2}T{n % 24:02}:{n % 60:02}:00.{n % 1000:03}Z"
    return json.dumps({"@timestamp": stamp, "n": n * 7919, "user": {"name": f"u{n % 70}"}, "source": {"ip": f"10.{n % 3}.{n % 250}.{n % 7}"},
                       "id": f"{n * 2654435761 % 2**32:08x}-{n % 65536:04x}-4abc-8def-{n * 1099511628211 % 2**48:012x}",
                       "hash": f"{n * 0x9E3779B97F4A7C15 % 2**64:016X}", "amount": n / 100, "sparse": n if n % 31 == 0 else None,
                       "text": "a \"b\"\n%d" % (n % 9), "list": list(range(n % 4)),
                       "message": f"worker {n % 5} took 0x{n:x} and {n}.{n % 90 + 10} ms at {stamp} from 192.168.{n % 4}.{n % 99}: {'yes' if n % 3 else 'no'}"})


def plain(value):
    kind, v = value
    if kind in (store_dump.STRING, store_dump.IP, store_dump.DECIMAL, store_dump.TIME):
        return store_dump.value_text(value).decode(errors="replace")
    return v


def rows_of(data):
    """seq -> fields, each a list of values."""
    rows = {}
    for segment in store_dump.segments_of(data)[0]:
        for block in segment.blocks:
            fields = [{} for _ in range(block.rows)]
            for name in {segment.names[chunk.column] for chunk in block.chunks}:
                for row, value in block.column(name):
                    fields[row].setdefault(name, []).append(value)
            for one in fields:
                rows[one["hinomi.seq"][0][1]] = one
    return rows


def encodings(data):
    return {chunk.encoding for segment in store_dump.segments_of(data)[0] for block in segment.blocks for chunk in block.chunks}


def compare(name, files):
    data = tmp / name
    status, _, err = run("import", "--dir", data, *files)
    checks.check(f"{name}: imported", status == 0, err)
    dumped = rows_of(data)
    answers = search(data, "* | sort 0 hinomi.seq | table hinomi.seq event.original event.dataset user.name source.ip process.name")
    checks.equal(f"{name}: events", sorted(dumped), [row["hinomi.seq"] for row in answers])
    wrong = []
    for answer in answers:
        own = dumped.get(answer["hinomi.seq"], {})
        for field, told in answer.items():
            mine = [plain(v) for v in own.get(field, [])]
            told = told if isinstance(told, list) else [] if told is None else [told]
            if mine != told and not any(isinstance(v, dict) for v in told):
                wrong.append((answer["hinomi.seq"], field, mine, told))
    checks.check(f"{name}: every field that was asked for", not wrong, f"{len(wrong)}, {wrong[:2]}")
    return data


made = tmp / "made.jsonl"
made.write_text("\n".join(tokens(n) for n in range(LINES)))
data = compare("made", [made])
originals = {row["event.original"][0][1].decode() for row in rows_of(data).values()}
checks.equal("made: every line byte for byte", originals, set(made.read_text().split("\n")))
checks.check("made: several encodings", len(encodings(data)) >= 5, encodings(data))
compare("samples", sorted((ROOT / "content/decoders").glob("*.log")))
segment = next((data / "store/segments").glob("*.segment"))
segment.write_bytes(segment.read_bytes()[:-1])
try:
    rows_of(data)
    checks.check("it notices a file that is cut", False)
except store_dump.Damaged:
    checks.check("it notices a file that is cut", True)
shutil.rmtree(tmp)
checks.finish()
