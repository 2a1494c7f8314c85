#!/usr/bin/env python3
"""Export in every format and back: the same bytes in the same order, the same fields with the same types."""
import base64
import calendar
import csv
import ctypes
import datetime
import decimal
import io
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile

import parquet_read
from harness import HINOMI, Checks, Server, run, search

PEERS = pathlib.Path(os.environ.get("HINOMI_PEERS", "node_modules"))
GUARDED = ("=", "+", "-", "@", "\t", "\r", "=", "+", "-", "@")
checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-export-"))


def export(data, name, *args):
    """(status, bytes, what was said)"""
    path = tmp / name
    path.unlink(missing_ok=True)
    status, out, err = run("export", "--dir", data, "--out", path, *args)
    return status, path.read_bytes() if path.exists() else None, out + err


def value_of(value):
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


def lines_of(data):
    return [json.loads(line, parse_float=decimal.Decimal) for line in data.splitlines()]


def original(event):
    value = value_of(event["event.original"])
    return value if isinstance(value, bytes) else value.encode()


def nasty_lines():
    """Events of all kinds of values: what JSON, CSV and Parquet each find hard."""
    pick = random.Random(7)
    yield b'{"@timestamp":"2026-01-02T03:04:05.123456789Z","amount":1.50,"big":123456789012345678901234567890,"many":[1,"two",null,3.5],"ok":true}'
    yield b'{"@timestamp":"2026-01-02T03:04:06Z","amount":-20.000000000000000001,"n":-9223372036854775808,"source.ip":"10.0.0.1","peer":"10.0.0.2"}'
    yield b'{"@timestamp":"2026-01-02T03:04:07Z","amount":7,"n":9223372036854775807,"source.ip":"no address","related.ip":["10.0.0.1","::1","x"]}'
    yield b'{"@timestamp":"2026-01-02T03:04:08Z","message":"bytes \xff\xfe that are no UTF-8","k\xffy":"name that is none"}'
    yield b'{"@timestamp":"2026-01-02T03:04:09Z","hinomi.types":{"message":"integer"},"hinomi.other":[1,2],"":"no name","a\\"b":"quote","mixed":"text"}'
    yield b'{"@timestamp":"2026-01-02T03:04:10Z","mixed":17,"event.created":"2026-01-01T00:00:00Z","event.start":"yesterday","tls.established":false}'
    yield '{"@timestamp":"2026-01-02T03:04:11Z","message":"口座から出金 ﾛｸﾞｲﾝ失敗 \\u0000\\u001f\\u2028\\ud83d\\udd25","user.name":"佐藤"}'.encode()
    for i, start in enumerate(GUARDED):
        yield json.dumps({"@timestamp": f"2026-01-02T03:05:{i:02}Z", "user.name": start + 'cmd|" /C calc"!A0', "tags": [start + "a", "b,c\nd"]}).encode()
    yield b"a line that nobody understands, with a tab\t and a quote \""
    yield b"<34>Oct 11 22:14:15 host su: 'su root' failed for lonvick on /dev/pts/8"
    yield b"\xff\x00\x01\x02"
    yield b" "
    yield b'{"@timestamp":"1969-12-31T23:59:59.999Z","message":"before the epoch"}'
    yield b'{"@timestamp":"2026-01-02T03:06:00Z","message":"' + b"long " * 30000 + b'"}'
    for i in range(3000):
        yield json.dumps({"@timestamp": f"2026-01-0{1 + i % 3}T00:{i // 60:02}:{i % 60:02}Z", "event.action": pick.choice(["login", "withdraw", "trade"]),
                          "amount": pick.randrange(10**6) / 100, "source.ip": f"10.{i % 7}.{i % 11}.{i % 250}", "user.name": f"u{pick.randrange(400)}",
                          f"rare.{i % 40}": i, "flag": i % 2 == 0}).encode()


def without(event, *names):
    return {k: v for k, v in event.items() if k not in names}


def round_trip(data, sent):
    status, exported, said = export(data, "a.ndjson")
    checks.check("export ndjson", status == 0 and "events, " in said, said)
    events = lines_of(exported)
    checks.equal("as many events", len(events), len(sent))
    checks.check("every original, byte for byte", [original(e) for e in sorted(events, key=lambda e: e["hinomi.seq"])] == sent)
    back = tmp / "back"
    status, out, err = run("import", "--dir", back, "--exported", tmp / "a.ndjson")
    checks.check("import --exported", status == 0, out + err)
    status, again, said = export(back, "b.ndjson")
    again = sorted(lines_of(again), key=lambda e: e["hinomi.seq"])
    checks.check("arrival order is the file's", [original(e) for e in again] == [original(e) for e in events])
    differ = [(a, b) for a, b in zip(events, again) if without(a, "hinomi.seq") != without(b, "hinomi.seq")]
    checks.check("the same fields of the same types", not differ, str(differ[:1]))
    status, out, err = run("verify", "--dir", back)
    checks.check("what came back is a whole store", status == 0, out + err)
    status, out, err = run("ledger", "--dir", back)
    checks.check("its books balance", status == 0, out + err)
    status, raw, said = export(data, "a.raw", "--format", "raw")
    checks.check("raw", status == 0 and sorted(raw.split(b"\n")[:-1]) == sorted(sent), said)
    run("import", "--dir", tmp / "raw", tmp / "a.raw")
    _, plain, _ = export(tmp / "raw", "c.ndjson")
    plain = sorted(lines_of(plain), key=lambda e: e["hinomi.seq"])
    checks.check("raw, imported, has the same originals in the file's order", [original(e) for e in plain] == raw.split(b"\n")[:-1])
    return events


def forms(events):
    """What the forensic form promises, on single values."""
    by = {original(e)[:60]: e for e in events}

    def of(start):
        return next(e for key, e in by.items() if key.startswith(start))
    first, second, third = (of(b'{"@timestamp":"2026-01-02T03:04:0%d' % n) for n in (5, 6, 7))
    checks.equal("nine digits of a second", first["@timestamp"], "2026-01-02T03:04:05.123456789Z")
    checks.equal("a decimal as written", str(first["amount"]), "1.50")
    checks.equal("30 digits", first["big"], 123456789012345678901234567890)
    checks.equal("several values, with a gap", first["many"], [1, "two", None, decimal.Decimal("3.5")])
    checks.equal("i64's ends", (second["n"], third["n"]), (-2**63, 2**63 - 1))
    checks.equal("text in an address's field stays text", (third["source.ip"], second["source.ip"]), ("no address", "10.0.0.1"))
    checks.equal("bytes that are no UTF-8", value_of(of(b'{"@timestamp":"2026-01-02T03:04:08')["message"]), b"bytes \xff\xfe that are no UTF-8")
    other = of(b'{"@timestamp":"2026-01-02T03:04:09')["hinomi.other"]
    checks.check("an event's own hinomi.types is no note of ours", {"hinomi.other", "hinomi.types.message"} & {o["name"] for o in other} or
                 "hinomi.types.message" in of(b'{"@timestamp":"2026-01-02T03:04:09'), other)


def text_of(value):
    value = value_of(value)
    if isinstance(value, bool):
        return str(value).lower().encode()
    return value if isinstance(value, bytes) else str(value).encode()


def cell_of(value):
    """What a CSV cell has to be."""
    many = value if isinstance(value, list) else [value]
    text = b"\n".join(b"" if v is None else text_of(v) for v in many)
    number = not isinstance(value, list) and isinstance(value, (int, decimal.Decimal))
    guard = not number and text.startswith(tuple(g.encode() for g in GUARDED))
    return (b"'" + text if guard else text).decode("latin-1")


def fields(event):
    """Fields with names as a table's columns have them."""
    named = {k: v for k, v in event.items() if k not in ("hinomi.types", "hinomi.other")}
    for other in event.get("hinomi.other", []):
        name = other["name"]
        named["base64:" + name["base64"] if isinstance(name, dict) else name] = other["value"]
    return named


def comma_separated(data, events):
    status, table, said = export(data, "a.csv", "--format", "csv")
    checks.check("export csv", status == 0 and table.endswith(b"\r\n"), said)
    csv.field_size_limit(1 << 30)
    rows = list(csv.reader(io.StringIO(table.decode("latin-1"), newline="")))
    header = [name.encode("latin-1").decode() for name in rows[0]]
    checks.equal("a column's name may look like a formula, too", header[0], "'@timestamp")
    header = [name.removeprefix("'") if name[1:2] in GUARDED else name for name in header]
    checks.equal("a row an event", len(rows) - 1, len(events))
    wrong = []
    for row, event in zip(rows[1:], events):
        want = fields(event)
        wrong += [(name, cell, want.get(name)) for name, cell in zip(header, row) if cell != (cell_of(want[name]) if name in want else "")]
        wrong += [name for name in want if name not in header]
    checks.check("cells are the values, formulas guarded", not wrong, str(wrong[:2])[:500])
    checks.check("there was something to guard", sum(cell.startswith("'") for row in rows for cell in row) >= len(GUARDED))


def shown(column, value):
    """A value of the forensic form as the Parquet column has it."""
    if isinstance(value, list):
        return [None if v is None else shown(column, v) for v in value]
    if column.is_time():
        return time_ns(value)
    if column.type in (0, 2):
        return value
    if column.type == 7:
        return decimal.Decimal(value)
    text = text_of(value)
    return text.decode() if 1 in column.logical else text


def time_ns(text):
    whole, _, rest = text.rstrip("Z").partition(".")
    return calendar.timegm(datetime.datetime.fromisoformat(whole).timetuple()) * 10**9 + int(rest.ljust(9, "0") if rest else 0)


def parquet(data, events):
    status, table, said = export(data, "a.parquet", "--format", "parquet")
    checks.check("export parquet", status == 0, said)
    columns, rows = parquet_read.read(tmp / "a.parquet")
    by_name = {c.name: c for c in columns}
    wrong = []
    for row, event in zip(rows, events):
        want = fields(event)
        for name, value in want.items():
            expect = shown(by_name[name], value if not by_name[name].multi or isinstance(value, list) else [value])
            if row.get(name) != expect:
                wrong.append((name, row.get(name), expect))
        wrong += [name for name in row if name not in want]
    checks.check("parquet, by our second reader: all rows and values", len(rows) == len(events) and not wrong, str(wrong[:2])[:500])
    kinds = {name: (c.type, c.multi, sorted(c.logical)) for name, c in by_name.items()}
    checks.equal("types of columns", [kinds[n] for n in ("@timestamp", "amount", "n", "flag", "user.name", "message", "mixed", "many")],
                 [(2, False, [8]), (7, False, [5]), (2, False, []), (0, False, []), (6, False, [1]), (6, False, []), (6, False, [1]), (6, True, [1])])
    duckdb(rows, by_name)


def duckdb(rows, columns):
    """The same file by an engine that others use."""
    found = sorted(PEERS.glob("@duckdb/node-bindings-*/libduckdb.so"))
    if not found:
        checks.skip("parquet by DuckDB", f"no libduckdb.so below {PEERS} (HINOMI_PEERS; npm install @duckdb/node-bindings-linux-x64)")
        return
    library = ctypes.CDLL(str(found[0]))
    database, connection = ctypes.c_void_p(), ctypes.c_void_p()
    library.duckdb_open(None, ctypes.byref(database))
    library.duckdb_connect(database, ctypes.byref(connection))
    library.duckdb_result_error.restype = ctypes.c_char_p

    def ask(sql):
        result = ctypes.create_string_buffer(64)
        state = library.duckdb_query(connection, f"COPY ({sql}) TO '{tmp}/duck.json' (FORMAT json)".encode(), result)
        error = library.duckdb_result_error(result)
        library.duckdb_destroy_result(result)
        if state:
            raise RuntimeError(error)
        return [json.loads(line) for line in open(tmp / "duck.json")]
    table = f"'{tmp}/a.parquet'"
    times = [f'epoch_ns("{n}") AS "{n}"' for n, c in columns.items() if c.is_time() and not c.multi]
    texts = [f'CAST("{n}" AS VARCHAR) AS "{n}"' for n, c in columns.items() if c.type == 7 and not c.multi]
    plain = [n for n, c in columns.items() if not c.multi and not c.is_time() and (c.type in (0, 2) or 1 in c.logical) and n and '"' not in n]
    got = ask("SELECT " + ", ".join(times + texts + [f'"{n}"' for n in plain]) + f" FROM {table}")
    names = [n for n, c in columns.items() if (c.is_time() or c.type == 7) and not c.multi] + plain

    def duck(name, value):
        if value is None or not (columns[name].is_time() or columns[name].type == 7):
            return value
        return str(value) if columns[name].type == 7 else value // 1000 * 1000  # DuckDB 1.5 keeps microseconds of UTC times
    wrong = [(n, a.get(n), b.get(n)) for a, b in zip(got, rows) for n in names if a.get(n) != duck(n, b.get(n))]
    checks.check(f"parquet by DuckDB: {len(names)} columns of {len(got)} rows", len(got) == len(rows) and not wrong, str(wrong[:2])[:400])
    lists = ask(f"SELECT many, tags FROM {table}")
    checks.check("lists by DuckDB", [r.get("many") for r in lists] == [r.get("many") for r in rows] and [r.get("tags") for r in lists] == [r.get("tags") for r in rows])
    bound = ask(f"SELECT count(*) AS n FROM {table} WHERE \"event.action\" = 'login' AND n IS NULL AND amount > 5000")
    want = sum(r.get("event.action") == "login" and r.get("n") is None and r.get("amount", 0) > 5000 for r in rows)
    checks.equal("a filter that uses the statistics", int(bound[0]["n"]), want)
    digest = ask(f'SELECT octet_length("event.original") AS n FROM {table}')
    checks.check("original bytes by DuckDB", [int(r["n"]) for r in digest] == [len(r["event.original"].encode() if isinstance(r["event.original"], str) else r["event.original"]) for r in rows])


def parts(data, events):
    for spl in ("event.action=login", "event.action=withdraw amount>5000 | where amount<9000", "佐藤"):
        status, some, said = export(data, "part.ndjson", spl)
        want = int(search(data, f"{spl} | stats count")[0]["count"])
        checks.check(f"export of {spl}", status == 0 and want > 0 and len(lines_of(some)) == want, f"{want} {said}")
    status, some, _ = export(data, "part.ndjson", "--from", "2026-01-02T03:04:06Z", "--to", "2026-01-02T03:04:08Z")
    checks.equal("export of a range", len(lines_of(some)), 2)
    status, table, _ = export(data, "part.csv", "--format", "csv", "佐藤")
    checks.check("only the columns that the chosen events have", b"amount" not in table and "佐藤".encode() in table)
    status, some, said = export(data, "part.parquet", "--format", "parquet", "no such word anywhere")
    checks.equal("nothing found is an empty table", (status, parquet_read.read(tmp / "part.parquet")[1]), (0, []))
    status, some, _ = export(data, "part.ndjson", "--stream", "other")
    checks.equal("another stream", (status, some), (0, b""))
    for words, say in ((["* | head 5"], "no other command"), (["--stream", "main", "index=main x"], "once"), (["--format", "xml"], "there is no format"), (["--from", "soon"], "soon")):
        status, some, said = export(data, "part.ndjson", *words)
        checks.check(f"refused: {words}", status != 0 and some is None and say in said, said)
    (tmp / "there").write_text("mine")
    status, _, err = run("export", "--dir", data, "--out", tmp / "there")
    checks.check("a file that is there is left alone", status == 1 and (tmp / "there").read_text() == "mine", err)
    status, out, err = run("export", "--dir", tmp / "nowhere")
    checks.check("no store", status == 1 and "no store" in err, err)


def refused_lines():
    path = tmp / "odd.ndjson"
    good = b'{"@timestamp":"2026-01-01T00:00:00Z","event.original":"x","event.ingested":"2026-01-01T00:00:01Z","hinomi.stream":"s","hinomi.source":"t"}\n'
    bad = [b"nonsense\n", b'{"@timestamp":"2026-01-01T00:00:00Z","event.original":5}\n', b'{"@timestamp":"2026-01-01T00:00:00Z","event.original":"\x1f"}\n', b'[1]\n']
    path.write_bytes(good + b"".join(bad) + good)
    status, out, err = run("import", "--dir", tmp / "odd", "--exported", path)
    checks.check("lines that are none are told and left out", status == 1 and "4 lines were left out; the first is line 2" in err and out.startswith("2 events"), out + err)
    status, some, _ = export(tmp / "odd", "odd2.ndjson", "--stream", "s")
    checks.equal("stream and input come back", [(e["hinomi.source"], e["event.ingested"]) for e in lines_of(some)], [("t", "2026-01-01T00:00:01Z")] * 2)
    status, _, err = run("import", "--dir", tmp / "odd", "--exported", "--stream", "z", path)
    checks.equal("--exported and --stream", status, 2)


def damage(data):
    broken = tmp / "broken"
    shutil.copytree(data, broken)
    whole = len(lines_of(export(data, "whole.ndjson")[1]))
    path = max((broken / "store/segments").glob("*.segment"), key=lambda p: p.stat().st_size)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0x10
    path.write_bytes(content)
    status, some, said = export(broken, "broken.ndjson")
    checks.check("a flipped bit: incomplete, with the range", status == 1 and "INCOMPLETE" in said and "2026-01" in said and path.name in said, said)
    checks.check("the rest is exported", some is not None and 0 < len(lines_of(some)) <= whole)
    path.unlink()
    status, some, said = export(broken, "broken.parquet", "--format", "parquet")
    checks.check("a missing segment", status == 1 and "INCOMPLETE" in said and path.name in said, said)
    parquet_read.read(tmp / "broken.parquet")


def beside_a_server():
    """Exports while events come in, segments are made, merged and removed; lines inside events stay."""
    server = Server().start()
    server.sign_in()
    token = server.token("hec")
    data = server.dir + "/data"
    sent = 0
    for round_number in range(6):
        for _ in range(5):
            events = [f"event {sent + i}\nwith a second line" for i in range(200)]
            checks.check("sent", server.hec(token, events)[0] == 200)
            sent += len(events)
        if pathlib.Path(data, "store/manifest").exists():
            status, some, said = export(data, "live.ndjson", "index=main")
            checks.check("beside a server", status == 0, said)
    server.stop()
    status, some, said = export(data, "live.ndjson", "index=main")
    got = sorted(lines_of(some), key=lambda e: e["hinomi.seq"])
    checks.check("all of them, once, whole", [e["event.original"] for e in got] == [f"event {i}\nwith a second line" for i in range(sent)], said)
    status, _, said = export(data, "live.raw", "--format", "raw", "index=main")
    checks.check("raw says what lines cannot tell", f"{sent} events have line feeds" in said, said)
    status, out, _ = run("audit", "--dir", data, "--action", "export", "--format", "jsonl")
    checks.check("the audit trail has the exports", out.count("index=main") >= 2, out)
    server.close()


def memory():
    """A store much larger than the bound of memory is exported within it."""
    path = tmp / "large.jsonl"
    pick = random.Random(3)
    with open(path, "w") as out:
        for i in range(250000):
            event = {"@timestamp": f"2026-02-{1 + i // 62500:02}T{i // 2605 % 24:02}:{i // 60 % 60:02}:{i % 60:02}Z", "event.dataset": "large", "id": f"{pick.getrandbits(128):032x}",
                     "url.path": f"/v1/{pick.getrandbits(64):x}/{i}", "message": f"{pick.getrandbits(256):064x} " * 6, f"f{i % 60}": pick.getrandbits(40)}
            out.write(json.dumps(event) + "\n")
    run("import", "--dir", tmp / "large", path)
    for kind in ("ndjson", "csv", "parquet"):
        process = subprocess.Popen([HINOMI, "export", "--dir", str(tmp / "large"), "--format", kind, "--out", str(tmp / f"large.{kind}")], stderr=subprocess.PIPE)
        said = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        checks.check(f"{kind}: {path.stat().st_size >> 20} MiB within 256 MiB of memory", status == 0 and "250000 events" in said and usage.ru_maxrss < 262144, f"{usage.ru_maxrss} KiB {said}")
        if kind != "ndjson":
            (tmp / f"large.{kind}").unlink()


try:
    lines = list(nasty_lines())
    (tmp / "nasty.log").write_bytes(b"\n".join(lines) + b"\n")
    store = tmp / "store"
    code, said, wrong = run("import", "--dir", store, tmp / "nasty.log")
    checks.check("import", code == 0, said + wrong)
    all_events = round_trip(store, lines)
    forms(all_events)
    comma_separated(store, all_events)
    parquet(store, all_events)
    parts(store, all_events)
    refused_lines()
    damage(store)
    beside_a_server()
    memory()
finally:
    shutil.rmtree(tmp, ignore_errors=True)
checks.finish()
