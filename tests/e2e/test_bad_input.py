#!/usr/bin/env python3
"""Bad input of every kind, into the commands and into the running server: it is said in a sentence, every byte is stored or
refused (so that the sender still has it), and the next good event is taken."""
import gzip
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from harness import HINOMI, ROOT, Checks, Server, octets, run, search

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-bad-"))
GOOD = b'{"good":1}'
MIB = 1 << 20
JAPANESE = "2026-01-01 ログイン失敗 表示 user=山田 ソ"  # 表 and ソ hold a backslash byte in CP932


def write(name, data):
    path = tmp / name
    path.write_bytes(data)
    return path


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout


# name, bytes of the file, options, exit status, words on standard error, the events' bytes (None: not compared)
FILES = [
    ("broken JSON", b'{"a":1}\n{"a": \n' + GOOD, [], 0, "event 2 is kept as it came: JSON ends at byte 6", [b'{"a":1}', b'{"a": ', GOOD]),
    ("much broken JSON", b'{"a": \n' * 5 + GOOD, [], 0, "4 more events could not be decoded", [b'{"a": '] * 5 + [GOOD]),
    ("a line of 1 MiB", b"x" * MIB + b"\n" + GOOD, [], 0, "", [b"x" * MIB, GOOD]),
    ("not UTF-8", b"\xff\xfe\x80 bytes\n\xc3\x28\n" + GOOD, ["--source", "json"], 0, "", [b"\xff\xfe\x80 bytes", b"\xc3\x28", GOOD]),
    ("CP932 unsaid", JAPANESE.encode("cp932") + b"\r\n" + GOOD, [], 0, "", [JAPANESE.encode("cp932"), GOOD]),
    ("CP932", JAPANESE.encode("cp932") + b"\r\n" + GOOD, ["--encoding", "CP932"], 0, "", [JAPANESE.encode("cp932"), GOOD]),
    ("UTF-16LE", b"\xff\xfe" + f"{JAPANESE}\r\n{GOOD.decode()}".encode("utf-16-le"), [], 0, "", [JAPANESE.encode("utf-16-le"), GOOD.decode().encode("utf-16-le")]),
    ("UTF-16BE", b"\xfe\xff" + f"{JAPANESE}\n{GOOD.decode()}\n".encode("utf-16-be"), [], 0, "", [JAPANESE.encode("utf-16-be"), GOOD.decode().encode("utf-16-be")]),
    ("UTF-16 that ends early", b"\xff\xfe" + "a\nb".encode("utf-16-le") + b"\x00", [], 0, "", ["a".encode("utf-16-le"), "b".encode("utf-16-le") + b"\0"]),
    ("a byte order mark", b"\xef\xbb\xbf" + GOOD, [], 0, "", [b"\xef\xbb\xbf" + GOOD]),
    ("NUL bytes", b"a\0b\n\0\n" + GOOD, [], 0, "", [b"a\0b", b"\0", GOOD]),
    ("an unknown decoder", GOOD, ["--source", "linux.outh"], 0, "--source linux.outh (the nearest name is linux.auth)", [GOOD]),
    ("an empty file", b"", [], 0, "", []),
    ("only line ends", b"\r\n\n\n", [], 0, "", []),
    ("gzip that ends early", gzip.compress(b"line\n" * 3)[:-9], [], 1, "damaged or ends early", None),
    ("gzip of nothing", b"\x1f\x8b\x08\x00broken", [], 1, "damaged or ends early", []),
    ("zstd that ends early", zstd(os.urandom(1000) + b"\n")[:-200], [], 1, "damaged or ends early", None),
    ("zstd of nothing", b"\x28\xb5\x2f\xfd" + b"\xff" * 20, [], 1, "damaged or ends early", []),
    ("an event log that ends early", (ROOT / "tests/fuzz/corpus/fuzz_evtx/two_records").read_bytes()[:-300], [], 1, "the file ends within chunk 1 at byte 4096", None),
    ("an event log's first bytes", b"ElfFile\0" + b"x" * 50, [], 1, "the file header is missing or damaged", []),
    ("no such zone", GOOD, ["--tz", "Asia/Tokio"], 2, "there is no time zone 'Asia/Tokio'", []),
    ("no such encoding", GOOD, ["--encoding", "shift"], 2, "there is no encoding 'shift'", []),
]


def one_sentence(name, err, words):
    lines = [line for line in err.splitlines() if not line.startswith("Try: ")]
    checks.check(f"{name}: says {words!r}", words in err if words else not err, repr(err[:300]))
    checks.check(f"{name}: in few words", len(lines) <= 2 and all(len(line) < 400 and line.startswith("hinomi") for line in lines), repr(err[:600]))


def files():
    for number, (name, data, options, want, words, events) in enumerate(FILES):
        path = write(f"file-{number}.log", data)
        store = tmp / f"store-{number}"
        for command in (["decode"], ["import", "--dir", store]):
            status, out, err = run(*command, *options, path)
            checks.equal(f"{name}: {command[0]}: exit status", status, want)
            one_sentence(f"{name}: {command[0]}", err, words)
            if words and want < 2 and "--source" not in words:
                checks.check(f"{name}: {command[0]}: names the file", path.name in err, err)
            if command[0] == "decode" and events is not None:
                checks.equal(f"{name}: decoded bytes", [octets(json.loads(line)["event.original"]) for line in out.splitlines()], events)
        if want == 2:
            continue
        stored = [octets(row["_raw"]) for row in search(store, "* | table _raw")]
        if events is not None:
            checks.check(f"{name}: stored bytes", sorted(stored) == sorted(events), repr(stored)[:200])
        again = write("good.json", b'{"good":"again"}\n')
        checks.equal(f"{name}: the next file", run("import", "--dir", store, again)[0], 0)
        checks.equal(f"{name}: the next event is found", search(store, "good=again | stats count"), [{"count": 1}])
    in_utf8 = search(tmp / "store-5", "message=*ログイン失敗* | stats count"), search(tmp / "store-6", "message=*表示* | stats count"), search(tmp / "store-6", "good=1 | stats count")
    checks.equal("other encodings are searched as text", in_utf8, ([{"count": 1}],) * 3)


def parts():
    """20 MiB without a line end: stored in linked parts, in order, none of it lost."""
    block = bytes(range(33, 127)) * 256
    line = (block * (20 * MIB // len(block) + 1))[:20 * MIB]
    path = write("long.log", line + b"\n" + GOOD)
    status, out, err = run("decode", path)
    pieces = [octets(json.loads(text)["event.original"]) for text in out.splitlines()]
    checks.check("20 MiB: parts are the line", status == 0 and b"".join(pieces[:-1]) == line and pieces[-1] == GOOD, (status, len(pieces), err[:200]))
    checks.equal("20 MiB: import", run("import", "--dir", tmp / "long", path)[0], 0)
    checks.equal("20 MiB: stored", search(tmp / "long", "NOT good=1 | eval n=len(_raw) | stats sum(n) as bytes"), [{"bytes": 20 * MIB}])


def paths():
    good = write("good.log", GOOD + b"\n")
    (tmp / "folder").mkdir()
    (tmp / "in-the-way").write_bytes(b"")
    cases = [
        ("a missing file", ["import", "--dir", tmp / "p1", tmp / "missing.log"], "cannot open", "missing.log"),
        ("a folder", ["import", "--dir", tmp / "p2", tmp / "folder"], "is a folder; name the files in it", "folder"),
        ("a store below a file", ["import", "--dir", tmp / "in-the-way/store", good], "in-the-way", "Not a directory"),
        ("no store", ["search", "--dir", tmp / "nowhere", "*"], "nowhere", "no store in"),
        ("no rules", ["detect", "--rules", tmp / "nowhere.yml", good], "nowhere.yml", "No such file"),
        ("no configuration", ["serve", "--allow-root", "--config", tmp / "nowhere.yaml"], "nowhere.yaml", "No such file"),
    ]
    for name, command, *words in cases:
        status, out, err = run(*command)
        checks.equal(f"{name}: exit status", status, 1)
        for word in words:
            one_sentence(name, err, word)
    status, out, err = run("import", "--dir", tmp / "p1", tmp / "missing.log", good)
    checks.check("a missing file does not hide the next", status == 1 and "1 events" in out, out + err)
    unreadable()


def unreadable():
    """A file without permission, read by a user whom that stops."""
    path = write("secret.log", GOOD)
    path.chmod(0)
    command = [HINOMI, "decode", str(path)]
    if os.geteuid() == 0:
        tmp.chmod(0o755)
        if not shutil.which("setpriv") or subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", HINOMI, "version"], capture_output=True).returncode:
            checks.skip("an unreadable file", "root reads everything, and setpriv cannot start the program as another user")
            return
        command = ["setpriv", "--reuid=65534", "--clear-groups", *command]
    done = subprocess.run(command, capture_output=True, text=True)
    checks.equal("an unreadable file: exit status", done.returncode, 1)
    one_sentence("an unreadable file", done.stderr, "secret.log: Permission denied")


# what is written, file of content/ that it replaces, words that must be said (with the line)
DECODERS = [
    ("YAML", "name: [open\n", "line 2"),
    ("a step", "name: x\nversion: 1\nrecognise: {sources: [x]}\nsteps:\n  - renam: {a: b}\n", "line 5: there is no step 'renam'"),
    ("an option", "name: x\nversion: 1\nrecognise: {sources: [x]}\nsteps:\n  - json: {form: a}\n", "line 5: 'json' has no option 'form'"),
    ("a pattern", "name: x\nversion: 1\nrecognise: {sources: [x]}\nsteps:\n  - regex: '(?<a>'\n", "line 5"),
    ("a condition", "name: x\nversion: 1\nrecognise: {sources: [x]}\nsteps:\n  - drop: a\n    when: b = (\n", "line 6"),
    ("a decoder", "name: x\nversion: 1\nrecognise: {sources: [x]}\nsteps:\n  - decoder: nobody\n", "line 5: there is no decoder 'nobody'"),
]
RULES = [
    ("YAML", "title: [open\n", "line 2"),
    ("a modifier", "title: t\nlogsource: {product: windows}\ndetection:\n  s: {a|nosuch: 1}\n  condition: s\n", "line 4: a|nosuch: there is no modifier 'nosuch'"),
    ("a condition", "title: t\nlogsource: {product: windows}\ndetection:\n  s: {a: 1}\n  condition: s and (\n", "character 8"),
    ("a name", "title: t\nlogsource: {product: windows}\ndetection:\n  s: {a: 1}\n  condition: t\n", "'t'"),
    ("no detection", "title: t\nlogsource: {product: windows}\n", "detection"),
]
QUERIES = ["* |", "* | stats", "* | where a=", "foo | eval a=1+", "* | nosuch", '"open', "(a=1", '* | rex "("', "* | stats count by", "* | head x", "* | eval a=nosuch(1)"]


def content():
    folder = tmp / "content"
    shutil.copytree(ROOT / "content", folder)
    good = write("good.log", GOOD)
    for name, text, words in DECODERS:
        (folder / "decoders/broken.yaml").write_text(text)
        status, out, err = run("decode", good, env={"HINOMI_CONTENT": str(folder)})
        checks.equal(f"decoder, {name}: exit status", status, 1)
        one_sentence(f"decoder, {name}", err, words)
        checks.check(f"decoder, {name}: names the file", "broken.yaml" in err, err)
    for number, (name, text, words) in enumerate(RULES):
        path = write(f"rule-{number}.yml", text.encode())
        status, out, err = run("rules", "check", "--format", "jsonl", path)
        row = json.loads(out.splitlines()[0])
        checks.check(f"rule, {name}: refused", status == 1 and row["status"] == "refused" and words in row["reason"] and path.name in row["path"], out)
        status, out, err = run("detect", "--rules", path, good)
        one_sentence(f"rule, {name}", err, "'hinomi rules check' says why")
    for query in QUERIES:
        status, out, err = run("search", "--dir", tmp / "store-0", query)
        checks.check(f"query {query}", status == 1 and "^" in err and query in err and not out, (status, err))


# ---- the running server ----

def hec_cases(token):
    """Name, headers, body, status, words of the answer, bytes that are stored (none when refused)."""
    key = {"Authorization": f"Splunk {token}"}
    event = lambda text: json.dumps({"event": text}).encode()
    long_text = "".join(chr(33 + i % 90) for i in range(20 * MIB)).replace('"', "'").replace("\\", "/")
    return [
        ("broken JSON", key, event("kept? no") + b'{"event": ', 400, '"invalid-event-number": 1', []),
        ("half an event", key, b'{"event": "kept? no', 400, "closing quote at byte 19", []),
        ("not UTF-8", key, b'{"event": "\xff\xfe \x83\x5c\x5c"}', 200, "", [b"\xff\xfe \x83\x5c"]),
        ("an event of 1 MiB", key, event("m" * MIB), 200, "", [b"m" * MIB]),
        ("an event of 20 MiB", key, event(long_text), 200, "", [long_text.encode()]),
        ("40 MiB", key, event("x" * (40 * MIB)), 413, "large", []),
        ("broken gzip", {**key, "Content-Encoding": "gzip"}, gzip.compress(event("kept? no"))[:-9], 400, "damaged or ends early", []),
        ("broken zstd", {**key, "Content-Encoding": "zstd"}, b"\x28\xb5\x2f\xfdxxxx", 400, "damaged or ends early", []),
        ("an unknown compression", {**key, "Content-Encoding": "snap"}, b"x", 415, "gzip", []),
        ("a wrong token", {"Authorization": "Splunk hin_hec_x_y"}, event("kept? no"), 403, "Invalid token", []),
        ("no token", {}, event("kept? no"), 401, "Token is required", []),
        ("another content type", {**key, "Content-Type": "application/x-www-form-urlencoded"}, event("form"), 200, "", [b"form"]),
        ("nothing", key, b"", 400, "No data", []),
    ]


def everything(server, want):
    """Bytes of all events but the good ones; parts of one event in their order, put together."""
    for _ in range(200):
        page = server.query("NOT next=good NOT event.dataset=hinomi.finding | sort 0 hinomi.seq | table _raw", limit=1000)
        rows = [octets(row[0]) for row in page["rows"]]
        if sum(map(len, rows)) >= want:
            break
        time.sleep(0.05)
    return rows


def good_one(server, token, name):
    status, _, _ = server.hec(token, [{"next": "good"}])
    checks.equal(f"{name}: the next good event", status, 200)


def hec(server, token):
    want = []
    for name, headers, body, status, words, events in hec_cases(token):
        got, answer, _ = server.request("POST", "/services/collector/event", body, port=server.hec_port, headers=headers, timeout=60)
        checks.equal(f"HEC, {name}: status", got, status)
        checks.check(f"HEC, {name}: says {words!r}", words in json.dumps(answer), str(answer)[:300])
        want += events
        good_one(server, token, f"HEC, {name}")
    rows = everything(server, sum(map(len, want)))
    checks.check("HEC: every byte of what was acknowledged, nothing of what was refused", b"".join(rows) == b"".join(want), [(len(r), r[:20]) for r in rows])
    return want


# Name, bytes sent before the connection is closed, the events that must come of it.
SYSLOG = [
    ("a count that is too large", b"999 <34>1 - h a - - - short", [b"<34>1 - h a - - - short"]),
    ("a count that is too small", b"5 <34>1 - h a - - - small\n", [b"<34>1", b" - h a - - - small"]),
    ("a count without its space", b"12<34>1 - h a\n", [b"12<34>1 - h a"]),
    ("a count of many digits", b"0000012345678901 <34>1 x\n", [b"0000012345678901 <34>1 x"]),
    ("zero", b"0 <34>1 zero\n", [b"0 <34>1 zero"]),
    ("CP932", b"<34>1 - h a - - - " + JAPANESE.encode("cp932") + b"\n", [b"<34>1 - h a - - - " + JAPANESE.encode("cp932")]),
    ("not UTF-8, no syslog", b"\xff\xfe\x80\x81\n", [b"\xff\xfe\x80\x81"]),
    ("a line without its end", b"<34>1 - h a - - - cut", [b"<34>1 - h a - - - cut"]),
    ("1 MiB", b"<34>1 - h a - - - " + b"m" * MIB + b"\n", [b"<34>1 - h a - - - " + b"m" * MIB]),
    ("20 MiB", b"<34>1 - h a - - - " + b"n" * (20 * MIB) + b"\n", [b"<34>1 - h a - - - " + b"n" * (20 * MIB)]),
]


def syslog(server, token, want):
    for name, data, events in SYSLOG:
        with socket.create_connection(("127.0.0.1", server.syslog_port), timeout=30) as tcp:
            tcp.sendall(data)
        want = want + events
        rows = everything(server, sum(map(len, want)))
        checks.check(f"syslog, {name}: the bytes", b"".join(rows) == b"".join(want), [(len(r), r[:60]) for r in rows[-3:]])
        good_one(server, token, f"syslog, {name}")
    return want


def ports_in_use(server):
    taken = {"api": server.api_port, "http": server.hec_port, "syslog": server.syslog_port}
    for name, port in taken.items():
        others = "".join(f"{k}: {{port: 0}}\n" for k in ("api", "http", "syslog", "syslog_tls") if k != name)
        config = write(f"{name}.yaml", f"version: 1\n{name}: {{port: {port}}}\n{others}".encode())
        status, out, err = run("serve", "--allow-root", "--config", config, "--dir", tmp / f"other-{name}", timeout=60)
        checks.check(f"{name}: its port is in use", status == 1 and f"cannot listen on 127.0.0.1 port {port}" in err, (status, err))
    status, out, err = run("serve", "--allow-root", "--config", server.config, "--dir", server.dir + "/data", timeout=60)
    checks.check("the folder is in use", status == 1 and "data" in err, (status, err))


def the_server():
    server = Server().start()
    try:
        server.sign_in()
        token = server.token("hec")
        want = hec(server, token)
        want = syslog(server, token, want)
        ports_in_use(server)
        for name, body, kind, status in (("broken JSON", b'{"query": ', "application/json", 400), ("a list", b"[]", "application/json", 400),
                                         ("a form", b"query=x", "application/x-www-form-urlencoded", 415)):
            got, answer, _ = server.request("POST", "/v1/search", body, headers={"Content-Type": kind})
            checks.check(f"API, {name}", got == status and answer["error"]["message"], (got, answer))
        server.kill()
        server.setup_code = None
        server.start()
        server.sign_in()
        checks.check("after kill -9 every byte is there", b"".join(everything(server, sum(map(len, want)))) == b"".join(want))
    finally:
        server.close()


for part in (files, parts, paths, content, the_server):
    try:
        part()
    except Exception as why:  # one part must not hide the others
        checks.check(part.__name__, False, repr(why))
shutil.rmtree(tmp, ignore_errors=True)
checks.finish()
