#!/usr/bin/env python3
"""Scenarios streamed over HEC into a running server find what `hinomi replay` finds in the file: days of event time in seconds. HINOMI_FULL: all of
them, and the shared ones whole.

The same are rule, severity, entities, event time, words, evidence, holds, and whether a finding goes on with or takes back another. Only ids differ:
the first evidence's hinomi.seq is in them, and stored findings take numbers of their own. What the end means differs, too: where a file ends,
windows that are open are judged as they stand, and graces and silences beyond its newest event are not known; a stream does not end, event time goes
on from the newest event with the clock. So both get a last event far behind all others, and everything is over by event time.

    test_stream.py [NAME...]"""
import collections
import datetime
import http.client
import importlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from harness import ROOT, SHARED, Checks, Server, run, wait_for

sys.path.insert(0, str(ROOT / "tests/scenarios"))

FULL = bool(os.environ.get("HINOMI_FULL"))
A_REQUEST = 3000
# (module, scenario, seed, at most so many seconds late)
USUAL = [("thefts", "key_taken", 1, 0), ("thefts", "several_assets", 2, 0), ("thefts", "altered", 1, 110), ("thefts", "screen", 3, 0), ("accounts", "intrusion", 1, 0)]
ALL = [(module, name, seed, late) for module, names in (("thefts", ("key_taken", "several_assets", "keys_outside", "altered", "screen")),
       ("accounts", ("intrusion", "stolen_keys", "stuffing", "broker", "insider", "flood"))) for name in names for seed, late in ((1, 0), (2, 0), (1, 110))]
OVER = datetime.timedelta(days=40)  # longer than any window, grace or silence of a rule
checks = Checks()


def many(value):
    return [] if value is None else value if isinstance(value, list) else [value]


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def replayed(path):
    """Findings of a replay, in the scorer's form, and its actions."""
    status, out, err = run("replay", "--rules", ROOT / "content/rules", "--format", "jsonl", path)
    checks.equal(f"{path.name}: replay", (status, err), (0, ""))
    rows = [json.loads(line) for line in out.splitlines()]
    return [row for row in rows if "action" not in row["hinomi"]], [row for row in rows if "action" in row["hinomi"]]


def send(server, token, path):
    """The lines as they are, in requests as a forwarder makes them. Returns how many."""
    connection, count, lines = http.client.HTTPConnection("127.0.0.1", server.hec_port, timeout=60), 0, []

    def flush():
        connection.request("POST", "/services/collector/event", ("\n".join('{"event":%s}' % line for line in lines)).encode(), {"Authorization": f"Splunk {token}"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError((answer.status, body))

    with open(path, encoding="utf-8") as file:
        for line in file:
            lines.append(line.strip())
            count += 1
            if len(lines) == A_REQUEST:
                flush()
                lines = []
    if lines:
        flush()
    connection.close()
    return count


def settle(server, token, count, last):
    """Everything is walked, then a mark is sent: findings that were raised until then stand before it in the journal, so what is found with
    it is all there is."""
    def walked():
        see = server.request("GET", "/v1/overview")[1]["see"]
        return see["stored"] >= count and see["lag_ms"] == 0
    checks.check("everything is walked", wait_for(walked, 600))
    server.hec(token, [{"@timestamp": last, "event": {"dataset": "stream.mark"}}])
    checks.check("the mark is there", wait_for(lambda: server.query("event.dataset=stream.mark | table event.dataset")["rows"], 60))


def nested(row):
    """A stored finding in the form of `replay`, which is the scorer's; holds are texts as they are stored."""
    about = {"finding": row["event.id"], "entity": [v for name in sorted(row) if name.startswith("hinomi.entity.") for v in many(row[name])], "evidence": many(row.get("hinomi.evidence"))}
    about |= {name: row[f"hinomi.{name}"] for name in ("catalogue", "severity", "events", "retracts", "follows") if f"hinomi.{name}" in row}
    return {"@timestamp": row["@timestamp"], "rule": {"id": row.get("rule.id"), "title": row["rule.name"]}, "message": row["message"], "hinomi": about, "holds": many(row.get("hinomi.hold"))}


def streamed(path, last):
    """Findings that the server stores for these events, in the form of replayed()."""
    server = Server().start()
    try:
        server.sign_in()
        token = server.token("hec")
        began = time.monotonic()
        count = send(server, token, path)
        settle(server, token, count, last)
        took = time.monotonic() - began
        page = server.query("index=findings event.dataset=hinomi.finding | table event.original hinomi.seq", limit=10000)
        checks.equal("every event is stored once", int(server.query("event.dataset!=hinomi.* event.dataset!=stream.mark | stats count")["rows"][0][0]), count)
        print(f"{path.name}: {count} events in {took:.1f} s")
        return [nested(json.loads(line)) for line, _ in sorted(page["rows"], key=lambda row: int(row[1]))]
    finally:
        server.close()


def same(finding):
    about = finding["hinomi"]
    return json.dumps([finding["@timestamp"], finding["rule"].get("id"), about.get("catalogue"), about["severity"], sorted(set(about["entity"])), finding["message"], about["evidence"],
                       about.get("events"), "retracts" in about, "follows" in about], ensure_ascii=False)


def held(findings):
    """(time, scope, target) of what findings, as they were raised, want held; each told once."""
    told = {}
    for finding in findings:
        for hold in finding["holds"]:
            told.setdefault(("global", "all") if hold == "all" else tuple(hold.split(":", 1)), finding["@timestamp"])
    return {(at, *what) for what, at in told.items()}


def compare(name, path):
    """Findings of the server, and the time of the newest event but the one that ends it."""
    with open(path, encoding="utf-8") as lines:
        newest = max(json.loads(line)["@timestamp"] for line in lines)
    last = (when(newest) + OVER).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with open(path, "a", encoding="utf-8") as out:
        out.write(json.dumps({"@timestamp": last, "event": {"id": "over", "dataset": "stream.over"}}) + "\n")
    by_file, actions = replayed(path)
    by_stream = streamed(path, last)
    of_file, of_stream = (collections.Counter(map(same, findings)) for findings in (by_file, by_stream))
    checks.check(f"{name}: there are findings", of_file)
    checks.equal(f"{name}: only in the file", sorted((of_file - of_stream).elements())[:5], [])
    checks.equal(f"{name}: only in the stream", sorted((of_stream - of_file).elements())[:5], [])
    checks.equal(f"{name}: holds", held(by_stream), {(a["@timestamp"], a["hinomi"]["scope"], a["hinomi"]["target"]) for a in actions})
    print(f"{name}: {len(by_file)} findings in the file, {len(by_stream)} in the stream")
    return by_stream, newest


def own(folder, module, name, seed, late):
    path = pathlib.Path(folder, f"{name}-{seed}-{late}.jsonl")
    getattr(importlib.import_module(module), name)(seed).write(path, late)
    compare(f"{name} {seed}" + (f", up to {late} s late" if late else ""), path)
    path.unlink()


def scored(name, findings, folder):
    """The scorer's closing line for these findings, and all that it says."""
    path = pathlib.Path(folder, f"{name}.findings")
    actions = [{"@timestamp": at, "hinomi": {"action": "hold", "scope": scope, "target": target}} for at, scope, target in held(findings)]
    path.write_text("".join(json.dumps(row) + "\n" for row in findings + actions))
    done = subprocess.run([sys.executable, str(SHARED / "score/score_scenario.py"), "--truth", str(SHARED / "scenario" / name / "truth.json"), "--findings", str(path)], capture_output=True, text=True)
    return done.stdout.strip().splitlines()[-1], done.stdout


def shared(folder, name, passed):
    generator = SHARED / "scenario" / name / "gen.py"
    if not generator.exists():
        checks.skip(name, "the shared scenario is not here")
        return
    if not FULL and name not in sys.argv:
        checks.skip(name, "whole with HINOMI_FULL")
        return
    path = pathlib.Path(folder, f"{name}.jsonl")
    subprocess.run([sys.executable, str(generator), "--out", str(path)], check=True, capture_output=True)
    findings, newest = compare(name, path)
    line, text = scored(name, [f for f in findings if when(f["@timestamp"]) <= when(newest)], folder)
    print("\n".join(text.splitlines()[-8:]))
    checks.equal(f"{name}: the scorer, of the server's event stream", line, f"{passed} passed, 0 failed")


with tempfile.TemporaryDirectory() as place:
    for one in ALL if FULL or sys.argv[1:] else USUAL:
        if not sys.argv[1:] or one[1] in sys.argv:
            own(place, *one)
    for scenario, least in (("coincheck", 27), ("apikey", 17)):
        if not sys.argv[1:] or scenario in sys.argv:
            shared(place, scenario, least)
checks.finish()
