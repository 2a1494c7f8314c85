#!/usr/bin/env python3
"""The same events and rules give the same findings, whichever way they come: files, a folder, standard input, a pipe that is slow, events
one to a file, rules in other orders and alone, a file import, and a running server over HEC."""
import json
import pathlib
import random
import re
import subprocess
import tempfile
import threading
import time

import evtx_maker
from harness import HINOMI, Checks, Server, run, wait_for

checks = Checks()
rng = random.Random(42)
WIN = "{product: windows, category: process_creation}"


def rule(title, source, detection):
    return f"title: {title}\nid: same-{title.replace(' ', '-')}\nname: {title.replace(' ', '_')}\nlogsource: {source}\ndetection:\n  {detection}\nlevel: low\n"


RULES = {
    "image": rule("image", WIN, "s: {Image|endswith: '\\tool.exe'}\n  f: {User|contains: svc}\n  condition: s and not f"),
    "line": rule("line", WIN, "s: {CommandLine|windash|contains|all: [' -enc', 'http']}\n  r: {CommandLine|re: 'x{3}$'}\n  condition: 1 of them"),
    "parent": rule("parent", WIN, "s: {ParentImage|exists: false, Image|contains: odd}\n  condition: s"),
    "own log": rule("own log", "{product: windows}", "s: {EventID: 4000, word|startswith: alpha}\n  condition: s"),
    "own number": rule("own number", "{product: windows}", "s: {number|gte: 50, number|lt: 60}\n  condition: s"),
    "sshd": rule("sshd", "{product: linux, service: sshd}", "k: ['Failed password', 'Invalid user']\n  condition: k"),
    "sudo": rule("sudo", "{product: linux}", "k: {'|all': [COMMAND, /bin/sh]}\n  condition: k"),
    "action": rule("action", "{product: ecs}", "s: {event.action: [withdraw, transfer], wallet.amount|gt: 100}\n  condition: s"),
    "address": rule("address", "{product: ecs}", "s: {source.ip|cidr: 10.0.0.0/8}\n  n: {user.name: null}\n  condition: s and n"),
}


def windows_events(count):
    """As Winlogbeat writes them, and flat."""
    for i in range(count):
        data = {"Image": f"C:\\x\\{rng.choice(['tool', 'other', 'odd'])}.exe", "User": rng.choice(["svc_a", "anna"]),
                "CommandLine": rng.choice(["p /enc http://x", "p -enc", "a xxx", "b"])}
        if rng.random() < 0.5:
            data["ParentImage"] = "C:\\p.exe"
        when = f"2026-03-01T10:{i // 60 % 60:02}:{i % 60:02}Z"
        if i % 2:
            yield {"@timestamp": when, "winlog": {"channel": "Microsoft-Windows-Sysmon/Operational", "event_id": 1, "computer_name": "h", "event_data": data}, "n": f"mark-w{i}"}
        else:
            yield {"@timestamp": when, "Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1, "Hostname": "h", "SourceName": "Microsoft-Windows-Sysmon", **data, "n": f"mark-w{i}"}


def ecs_events(count):
    for i in range(count):
        event = {"@timestamp": f"2026-03-01T11:{i // 60 % 60:02}:{i % 60:02}Z", "event": {"action": rng.choice(["withdraw", "login", "transfer"])},
                 "source": {"ip": f"{rng.choice([10, 11])}.0.0.{i % 250}"}, "wallet": {"amount": rng.choice([5, 500, "101.5"])}, "n": f"mark-e{i}"}
        if rng.random() < 0.5:
            event["user"] = {"name": f"u{i % 7}"}
        yield event


def syslog_lines(count):
    for i in range(count):
        what = rng.choice(["sshd[12]: Failed password for root from 10.0.0.1 port 22 ssh2", "sshd[12]: Accepted password for anna from 10.0.0.2 port 22 ssh2",
                           "sudo: anna : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh", "CRON[5]: (root) CMD (x)"])
        yield f"<38>Mar  1 12:{i // 60 % 60:02}:{i % 60:02} host{i % 3} {what} mark-s{i}"


def own_log():
    chunk = evtx_maker.Chunk()
    for i in range(1, 61):
        values = [(evtx_maker.STRING, evtx_maker.u16(f"{rng.choice(['alpha', 'beta'])} mark-v{i - 1}")), (evtx_maker.U32, (i + 10).to_bytes(4, "little"))]
        evtx_maker.event(chunk, i, values, names=["word", "number"])
    return evtx_maker.log([chunk])


def write(folder):
    (folder / "rules").mkdir()
    (folder / "logs").mkdir()
    for name, text in RULES.items():
        (folder / f"rules/{name}.yml").write_text(text)
    lines = {"windows.jsonl": [json.dumps(e) for e in windows_events(400)], "ecs.jsonl": [json.dumps(e) for e in ecs_events(400)], "auth.log": list(syslog_lines(300))}
    for name, texts in lines.items():
        (folder / "logs" / name).write_text("".join(t + "\n" for t in texts))
    (folder / "logs/own.evtx").write_bytes(own_log())
    return lines


def found(*args, data=None):
    """(rule, file, record) of each match."""
    status, out, err = run("detect", *args, data=data)
    hits = [(f["rule"]["title"], pathlib.Path(f["log"]["file"]["path"]).name, f["hinomi"]["record"]) for f in map(json.loads, out.splitlines())]
    checks.check("detect ran, nothing twice", status == 0 and len(hits) == len(set(hits)), err[-300:])
    return set(hits)


def check_files(folder, lines):
    rules, logs = folder / "rules", folder / "logs"
    whole = found("--rules", rules, logs)
    checks.equal("every rule finds something", {rule for rule, _, _ in whole}, set(RULES))
    names = sorted(p.name for p in logs.iterdir())
    checks.equal("file by file", set().union(*(found("--rules", rules, logs / name) for name in names)), whole)
    checks.equal("files in another order", found("--rules", rules, *(logs / name for name in reversed(names))), whole)
    for name in names:
        here = {(rule, "-", record) for rule, file, record in whole if file == name}
        raw = (logs / name).read_bytes()
        checks.equal(f"{name} on standard input", found("--rules", rules, "-", data=raw), here)
        checks.equal(f"{name}: detect RULES < LOG", found(rules, data=raw), here)
        checks.equal(f"{name}: detect --rules RULES < LOG", found("--rules", rules, data=raw), here)
    check_rules(folder, whole)
    check_single(folder, lines, whole)
    return whole


def check_rules(folder, whole):
    logs = folder / "logs"
    alone = set().union(*(found("--rules", folder / f"rules/{name}.yml", logs) for name in RULES))
    checks.equal("each rule alone", alone, whole)
    for turn in range(3):
        mixed = folder / f"mixed {turn}.yml"
        order = list(RULES.values())
        rng.shuffle(order)
        mixed.write_text("---\n".join(order))
        checks.equal(f"rules in another order, in one file ({turn})", found("--rules", mixed, logs), whole)


def check_single(folder, lines, whole):
    """An event a file is a batch of one event."""
    apart = folder / "apart"
    apart.mkdir()
    for name, texts in lines.items():
        for i, text in enumerate(texts):
            (apart / f"{name}~{i}").write_text(text + "\n")
    got = {(rule, file.split("~")[0], int(file.split("~")[1])) for rule, file, _ in found("--rules", folder / "rules", apart)}
    checks.equal("events one to a file", got, {h for h in whole if h[1] in lines})


def check_pipe(folder, lines):
    """A match is told while the writer of a pipe is still at it."""
    hits, told = [], threading.Event()
    process = subprocess.Popen([HINOMI, "detect", "--rules", str(folder / "rules"), "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def read():
        for line in process.stdout:
            hits.append(json.loads(line)["hinomi"]["record"])
            told.set()

    reader = threading.Thread(target=read)
    reader.start()
    match = json.dumps({"@timestamp": "2026-03-01T00:00:00Z", "source": {"ip": "10.0.0.1"}, "user": None})
    process.stdin.write((match + "\n").encode())
    process.stdin.flush()
    checks.check("a match is told while the pipe is open", told.wait(20))
    for piece in (match + "\n" + match[:20], match[20:] + "\n", "{}\n" + match):
        process.stdin.write(piece.encode())
        process.stdin.flush()
        time.sleep(0.3)
    process.stdin.close()
    reader.join(30)
    checks.equal("events in pieces are whole", (hits, process.wait(30)), ([0, 1, 2, 4], 0))


def mark(text):
    return re.search(r"mark-[a-z]\d+", text).group()


def check_server(folder, lines, whole):
    """Findings of a store name their events; those have the line that came."""
    data = folder / "server/data"
    (data / "content/rules").mkdir(parents=True)
    server = Server(str(folder / "server"))
    for name, text in RULES.items():
        (data / f"content/rules/{name}.yml").write_text(text)
    status, _, err = run("import", "--detect", "--dir", data, folder / "logs/own.evtx", folder / "logs/ecs.jsonl")
    checks.equal("import", (status, err[-200:] if status else ""), (0, ""))
    server.start()
    try:
        server.sign_in()
        token = server.token()
        server.hec(token, [json.loads(line) for line in lines["windows.jsonl"]])
        server.hec(token, "\n".join(lines["auth.log"]).encode(), path="/services/collector/raw")
        query = "index=findings rule.id=same-* | table rule.id hinomi.evidence"
        wait_for(lambda: len(server.query(query, limit=5000)["rows"]) >= len(whole), 60)
        marks = dict((ident, mark(original)) for ident, original in
                     server.query("NOT index=findings | table event.id event.original", limit=5000)["rows"])
        got = [(name.removeprefix("same-").replace("-", " "), marks[evidence if isinstance(evidence, str) else evidence[0]])
               for name, evidence in server.query(query, limit=5000)["rows"]]
        letters = {"windows.jsonl": "w", "ecs.jsonl": "e", "auth.log": "s", "own.evtx": "v"}
        checks.equal("a server finds the same in the same events", sorted(got), sorted((r, f"mark-{letters[f]}{n}") for r, f, n in whole))
    finally:
        server.close()


with tempfile.TemporaryDirectory() as place:
    folder = pathlib.Path(place)
    made = write(folder)
    all_found = check_files(folder, made)
    check_pipe(folder, made)
    check_server(folder, made, all_found)
checks.finish()
