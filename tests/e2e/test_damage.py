#!/usr/bin/env python3
"""Damage on disk: a search never gives a wrong row and never keeps silent; the rest stays readable, by command line and API."""
import json
import pathlib
import random
import re
import tempfile

from harness import Checks, Server, run

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-damage-"))
rng = random.Random(5)
EVENTS = 6000


def event(i):
    return {"@timestamp": f"2026-01-0{1 + i % 3}T{i % 24:02}:{i % 60:02}:00Z", "n": i, "user": {"name": f"u{i % 70}"},
            "message": f"line {i} of {i * 7919 % 10007}"}


def make_store(data):
    path = tmp / "in.jsonl"
    path.write_text("\n".join(json.dumps(event(i)) for i in range(EVENTS)))
    status, _, err = run("import", "--dir", data, path)
    assert status == 0, err
    return sorted((data / "store/segments").iterdir())


def ask(data, spl):
    status, out, err = run("search", "--dir", data, "--format", "json", "--limit", EVENTS, spl)
    return status, json.loads(out) if out else [], err


def by_command_line(data, segments):
    told = 0
    for segment in segments:
        whole = segment.read_bytes()
        for at in [rng.randrange(64, len(whole) - 64) for _ in range(20)]:
            hurt = bytearray(whole)
            hurt[at] ^= 1 << rng.randrange(8)
            segment.write_bytes(hurt)
            status, rows, err = ask(data, "* | table _time n user.name message")
            wrong = [r for r in rows if "n" in r and "message" in r and r["message"] != event(int(r["n"]))["message"]]
            checks.equal(f"no wrong row, byte {at} of {segment.name}", wrong, [])
            complete = len(rows) == EVENTS and all(len(r) == 4 for r in rows)
            told += "INCOMPLETE" in err
            checks.check(f"not silent, byte {at} of {segment.name}", complete or (status == 1 and "INCOMPLETE" in err), err)
            status, rows, err = ask(data, "n=17 OR n=18 OR n=19 | table n")
            checks.check("the other days are there", len(rows) >= 2 and (len(rows) == 3 or "INCOMPLETE" in err), err)
        segment.write_bytes(whole)
    checks.check("damage was seen", told > 20, str(told))


def by_api(data, segments):
    segment = segments[1]
    whole = segment.read_bytes()
    segment.write_bytes(whole[:64] + bytes(len(whole) // 2) + whole[64 + len(whole) // 2:])
    server = Server(str(data.parent))
    (data.parent / "data").mkdir(exist_ok=True)
    server.start()
    server.sign_in()
    page = server.query("* | stats count by user.name")
    texts = [m["text"] for m in page["messages"] if m["code"] == "incomplete"]
    checks.check("a finished search says that it is incomplete", not page["complete"] and texts, json.dumps(page)[:600])
    checks.check("with the range and the file", any(re.search(r"rows from 2026-01-0\dT.* to 2026-01-0\dT", t) and segment.name in t for t in texts), str(texts))
    page = server.query("* | sort -_time | head 5")  # newest first, window by window
    checks.check("windows do not forget it", page["complete"] or any(m["code"] == "incomplete" for m in page["messages"]), json.dumps(page)[:600])
    page = server.query("* | join n [search n<100 | fields n]")
    checks.check("nor do subsearches", any(m["code"] == "incomplete" for m in page["messages"]), str(page["messages"]))
    checks.check("what it cost is said", page["blocks"] >= 3 and page["bytes_read"] > 0, str(page["blocks"]))
    server.stop()
    segment.write_bytes(whole)


data = tmp / "data"
files = make_store(data)
by_command_line(data, files)
by_api(data, files)
checks.finish()
