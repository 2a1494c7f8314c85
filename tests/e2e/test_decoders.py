#!/usr/bin/env python3
"""Decoders as people use them: the tutorial of docs/decoders.md, hinomi recognise, own decoders, samples as tests, records of several
lines, columns named by a file, and input that is meant to hurt."""
import gzip
import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

from harness import HINOMI, ROOT, SHARED, Checks, Server, run

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-decoders-"))
MIB = 1 << 20


def write(name, data):
    path = tmp / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def decode(path, *options):
    status, out, err = run("decode", *options, path)
    checks.check(f"decode {path.name}", status == 0, err)
    return [json.loads(line) for line in out.splitlines()]


def tutorial():
    """What the page says is what happens."""
    page = (ROOT / "docs/decoders.md").read_text()
    lines = re.search(r"nobody knows them:\n\n```\n(.*?)```", page, re.S).group(1)
    first = re.search(r"```yaml\n(name: wallet.*?)```", page, re.S).group(1)
    second = re.search(r"```yaml\n(  - set: \{_stamp.*?)```", page, re.S).group(1)
    log = write("wallet.log", lines)
    status, out, err = run("recognise", log)
    checks.check("recognise: generic-kv", status == 0 and "generic-kv 100.0 %" in out and "without a zone" in out, out + err)
    own = write("my/wallet.yaml", first + second).parent
    events = decode(log, "--decoders", own)
    got = [(e["@timestamp"], e["user.name"], e["source.ip"], e["source.port"], e["event.outcome"], e["wallet.amount"]) for e in events]
    checks.equal("the wallet's events", got, [("2026-03-01T00:00:00.123Z", "aoi", "192.0.2.4", 51514, "unknown", "0.50000000"),
                                              ("2026-03-01T00:00:02.871Z", "ren", "198.51.100.7", 40022, "success", "120.5")])
    status, out, err = run("decode", "--decoders", own, "--explain", log)
    checks.check("explain: who took it, what each step did",
                 "decoder wallet@1" in out and "it would also fit generic-kv" in out and 'user.name = "aoi"' in out, out[:400])
    write("my/wallet.log", lines)
    status, out, err = run("rules", "test", own)
    checks.check("a sample without its events fails", status == 1 and "0 passed, 1 failed" in out, out + err)
    status, out, err = run("rules", "test", "--write", own)
    checks.check("they are written", status == 0 and (own / "wallet.json").read_text().count("\n") == 2, out + err)
    status, out, err = run("rules", "test", own)
    checks.check("and then they hold", status == 0 and "1 passed, 0 failed" in out, out + err)
    write("my/wallet.yaml", (first + second).replace("HELD: unknown", "HELD: failure"))
    status, out, err = run("rules", "test", own)
    checks.check("until the decoder gives another result", status == 1 and "event 1 of the sample" in out, out + err)


def own_decoders():
    """Those of a data folder come before the built-in ones of the same name."""
    data = tmp / "data"
    own = write("data/content/decoders/mine.yaml",
                "name: json\nversion: 9\nrecognise: {format: json, priority: 90}\nsteps:\n  - json: {under: mine}\n")
    log = write("one.json", '{"a": 1}\n')
    status, out, err = run("import", "--dir", data, log)
    status, out, err = run("search", "--dir", data, "--format", "jsonl", "* | table mine.a hinomi.decoder")
    checks.equal("an own decoder takes the place of the built-in one", [json.loads(line) for line in out.splitlines()],
                 [{"mine.a": 1, "hinomi.decoder": "json@9"}])
    own.write_text("name: json\nversion: 9\nsteps: [{jsn: }]\n")
    status, out, err = run("import", "--dir", data, log)
    checks.check("a broken one is a sentence with its file and line", status == 1 and "mine.yaml" in err and "line 3" in err and "jsn" in err, err)


def windows_texts():
    """A rendered message, with either line end, gives what the event's XML gives; so does one on a line."""
    text = (ROOT / "content/decoders/windows_text.log").read_text()
    begin = text.index("03/01/2026 09:01:00 AM")
    failed = text[begin:text.index("03/01/2026 09:02:00 AM")]
    data = {"SubjectUserSid": "S-1-0-0", "SubjectUserName": "-", "SubjectDomainName": "-", "SubjectLogonId": "0x0", "TargetUserSid": "S-1-0-0",
            "TargetUserName": "administrator", "TargetDomainName": "EXAMPLE", "Status": "0xC000006D", "FailureReason": "%%2313", "SubStatus": "0xC000006A",
            "LogonType": "3", "LogonProcessName": "NtLmSsp", "AuthenticationPackageName": "NTLM", "WorkstationName": "OPS-3", "TransmittedServices": "-",
            "LmPackageName": "-", "KeyLength": "0", "ProcessId": "0x0", "ProcessName": "-", "IpAddress": "198.51.100.7", "IpPort": "49876"}
    xml = ('<Event><System><Provider Name="Microsoft-Windows-Security-Auditing"/><EventID>4625</EventID><Level>0</Level><Keywords>0x8010000000000000'
           '</Keywords><TimeCreated SystemTime="2026-03-01T09:01:00Z"/><Channel>Security</Channel><Computer>dc-1.example.com</Computer></System><EventData>'
           + "".join(f'<Data Name="{name}">{value}</Data>' for name, value in data.items()) + "</EventData></Event>\n")
    (wanted,) = decode(write("failed.xml", xml))
    ours = ("event.created", "event.ingested", "event.original", "winlog.level", "winlog.keywords", "winlog.time_created", "log.", "hinomi.")
    wanted = {key: value for key, value in wanted.items() if not key.startswith(ours)}
    del wanted["winlog.event_data.FailureReason"]
    line = re.sub(r"[\n\t]", " ", failed[failed.index("An account"):].replace("\n", "  ").replace("\t\t", " \t"))
    snare = f"<14>Mar  1 09:01:00 dc-1 MSWinEventLog\t1\tSecurity\t7\tSun Mar 01 09:01:00 2026\t4625\tMicrosoft-Windows-Security-Auditing\tN/A\tN/A\tFailure Audit\tdc-1.example.com\tLogon\t\t{line}\t9\n"
    for name, log in (("lines.log", failed), ("crlf.log", failed.replace("\n", "\r\n")), ("snare.log", snare)):
        events = decode(write(name, log))
        got = {key: events[0].get(key) for key in wanted}
        got["winlog.logon.failure.reason"] = got["winlog.logon.failure.reason"] and wanted["winlog.logon.failure.reason"]
        checks.equal(f"{name}: one event with the fields of the XML", (len(events), got), (1, wanted))
    both = decode(write("both.log", failed + failed), "--source", "WinEventLog:Security")
    checks.equal("each record is an event", [e["event.code"] for e in both], ["4625", "4625"])


def delivered():
    """Which deliveries keep a record of several lines together, as docs/decoders.md says."""
    text = (ROOT / "content/decoders/windows_text.log").read_text()
    failed = text[text.index("03/01/2026 09:01:00 AM"):text.index("03/01/2026 09:02:00 AM")]
    entry = (ROOT / "content/decoders/journald_export.log").read_bytes().split(b"\n\n")[0].decode()
    server = Server()
    try:
        server.start()
        server.sign_in()
        token = server.token()
        for body in ({"event": failed, "sourcetype": "WinEventLog:Security"}, {"event": failed}, {"event": entry}, {"event": "joined hec\n\tat A\n\tat B"}):
            server.hec(token, json.dumps(body).encode())
        server.hec(token, b"joined raw\n\tat A joined raw\n\tat B joined raw\n", path="/services/collector/raw")
        frame = b"<13>Mar  1 09:00:00 host app: joined tcp\n\tat A\n\tat B"
        with socket.create_connection(("127.0.0.1", server.syslog_port)) as tcp:
            tcp.sendall(b"%d %s" % (len(frame), frame) + frame.replace(b"tcp", b"lines").replace(b"at", b"joined lines at") + b"\n")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(frame.replace(b"tcp", b"udp"), ("127.0.0.1", server.syslog_port))
        until, counts = time.monotonic() + 30, {}
        wanted = {"hec": 1, "raw": 3, "tcp": 1, "lines": 3, "udp": 1}
        while counts != wanted and time.monotonic() < until:
            counts = {word: len(server.query(f'"joined {word}"')["rows"]) for word in wanted}
        checks.equal("lines of an event, a counted frame and a datagram stay together; of a raw body and a stream of lines they do not", counts, wanted)
        rows = server.query('event.code=4625 | table user.name source.ip hinomi.decoder')["rows"]
        checks.equal("a message of several lines in an event, with and without its sourcetype", len(rows), 2)
        rows = server.query('hinomi.decoder=sshd* | table journald._PID')["rows"]
        checks.equal("an entry of the journal in an event", len(rows), 1)
    finally:
        server.close()


def journal():
    """Entries come out while the writer of the pipe goes on, also when it pauses within one; and all of them from gzip."""
    log = (ROOT / "content/decoders/journald_export.log").read_bytes()
    half = log.index(b"PRIORITY=3")
    process = subprocess.Popen([HINOMI, "decode", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(log[:half])
    process.stdin.flush()
    time.sleep(0.5)
    out, _ = process.communicate(log[half:])
    events = [json.loads(line) for line in out.splitlines()]
    checks.equal("a pipe that pauses", [e.get("process.name") for e in events], ["sshd", "signer", "backupd"])
    packed = decode(write("journal.gz", gzip.compress(log)))
    checks.equal("the same from gzip", [e["journald.__CURSOR"] for e in packed], [e["journald.__CURSOR"] for e in events])
    dump = b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1772355600000000\nCOREDUMP\n" + (3 * MIB).to_bytes(8, "little") + b"\n" * (3 * MIB) + b"\nMESSAGE=dumped\n\n"
    events = decode(write("dump.export", dump + log))
    checks.equal("behind an entry over the limit the next one begins", [e.get("process.name") for e in events][-3:], ["sshd", "signer", "backupd"])
    checks.check("whose parts are all there", len(events) > 3 + 3 and events[0]["journald.__CURSOR"] == "s=1", len(events))


def records():
    trace = write("trace.log", "2026-03-01 09:00:00 ERROR it broke\n  at Main.run(Main.java:7)\nCaused by: x\n2026-03-01 09:00:01 INFO next\n")
    checks.equal("a stack trace is one event", [e["event.original"].count("\n") for e in decode(trace)], [2, 0])
    many = write("many.log", "".join(f"2026-03-01 09:{i // 60:02}:{i % 60:02} INFO {i}\n\tmore {i}\n\tand {'x' * 300}\n" for i in range(3000)))
    events = decode(many)
    checks.equal("over the borders of what is read at once", ([len(events)] + sorted({e["event.original"].count("\n") for e in events})), [3000, 2])
    assets = write("assets.csv", "name,ip address,owner,bought\n" + "".join(f"srv-{i},192.0.2.{i},sato,2024-01-0{i}\n" for i in range(1, 4)))
    got = [(e["hinomi.decoder"], e.get("host.ip"), e.get("user.name")) for e in decode(assets)]
    checks.equal("columns by a header, of an asset list", got, [("file-header@1", None, None)] + [("it-assets@1", f"192.0.2.{i}", "sato") for i in range(1, 4)])
    other = write("other.csv", "when;client ip;login;what\n2026-03-01 09:00:00;192.0.2.1;aoi;logon\n")
    got = [(e["hinomi.decoder"], e.get("source.ip"), e.get("user.name"), e.get("csv.what")) for e in decode(other)]
    checks.equal("and of anything", got[1:], [("generic-csv-semicolon@2", "192.0.2.1", "aoi", "logon")])
    w3c = write("proxy.log", "#Software: Proxy\n#Fields: date time c-ip cs-username x-action\n2026-03-01 00:00:01 192.0.2.7 sato DENIED\n"
                             "#Fields: date time cs-username c-ip\n2026-03-01 00:00:02 aoi 192.0.2.8\n")
    got = [(e.get("@timestamp"), e.get("source.ip"), e.get("user.name"), e.get("event.outcome")) for e in decode(w3c)[2:]]
    checks.equal("columns by #Fields, which may change", got, [("2026-03-01T00:00:01Z", "192.0.2.7", "sato", "failure"), (None, None, None, None),
                                                              ("2026-03-01T00:00:02Z", "192.0.2.8", "aoi", None)])


def recognised():
    japanese = [f"2026-03-01T09:00:0{i}+09:00 web-1 app[7]: ログイン失敗 山田さん {i}" for i in range(5)]
    for encoding, name in (("cp932", "CP932"), ("euc_jp", "EUC-JP"), ("iso2022_jp", "ISO-2022-JP")):
        path = write(f"ja.{encoding}", "\n".join(japanese).encode(encoding))
        status, out, err = run("recognise", "--format", "json", path)
        told = json.loads(out)
        checks.equal(f"{encoding}: told", (told["encodings"], told["decoders"][0]["name"]), ([{"name": name, "events": 5, "share": 1}], "syslog"))
    now = time.time()
    local = time.strftime("%b %d %H:%M:%S", time.gmtime(now + 9 * 3600))
    path = write("zone.log", f"{local} web-1 sshd[7]: Failed password for root from 192.0.2.1 port 5 ssh2\n")
    told = json.loads(run("recognise", "--format", "json", path)[1])
    checks.equal("the zone of stamps without one", (told["without_zone"], told["offset_s"], told["decoders"][0]["name"]), (1, 9 * 3600, "sshd"))
    path = write("odd.log", "".join(f"zz {i} something nobody knows\n" for i in range(7)) + "!!\n")
    told = json.loads(run("recognise", "--format", "json", path)[1])
    checks.equal("what nobody understands, by its shape", [(s["events"], s["shape"]) for s in told["samples"]], [(7, "zz # something nobody knows"), (1, "!!")])
    status, out, err = run("recognise", tmp / "missing")
    checks.check("a file that is not there", status == 1 and "cannot open" in err, err)


FAILED_LOGINS = [
    '<86>Mar  1 09:00:01 jump-01 sshd[3402]: Failed password for aoi from 192.0.2.10 port 63673 ssh2',
    '{"winlog":{"channel":"Security","event_id":"4625","provider_name":"Microsoft-Windows-Security-Auditing","computer_name":"dc1.example.com",'
    '"event_data":{"TargetUserName":"aoi","TargetDomainName":"CORP","IpAddress":"192.0.2.10","LogonType":"3","Status":"0xc000006d"}},'
    '"@timestamp":"2026-03-01T00:00:02Z"}',
    '{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","userName":"aoi"},"eventTime":"2026-03-01T00:00:03Z","eventSource":"signin.amazonaws.com",'
    '"eventName":"ConsoleLogin","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.10","responseElements":{"ConsoleLogin":"Failure"},'
    '"errorMessage":"Failed authentication","eventID":"e1","eventType":"AwsConsoleSignIn"}',
    '{"actor":{"alternateId":"aoi","type":"User","displayName":"Aoi"},"client":{"ipAddress":"192.0.2.10"},"eventType":"user.session.start",'
    '"displayMessage":"User login to Okta","outcome":{"result":"FAILURE","reason":"INVALID_CREDENTIALS"},"published":"2026-03-01T00:00:04Z",'
    '"severity":"WARN","uuid":"u1","version":"0","legacyEventType":"core.user_auth.login_failed"}',
    '<166>Mar  1 09:00:05 fw-1 %ASA-6-113005: AAA user authentication Rejected : reason = Invalid password : server = 10.0.0.5 : user = aoi : user IP = 192.0.2.10',
    '2026-03-01T00:00:06Z app=portal event=login user=aoi src=192.0.2.10 result=failed',
]


def one_question():
    """A failed login is one thing, whoever says it."""
    log = write("logins.log", "".join(line + "\n" for line in FAILED_LOGINS))
    data = tmp / "logins"
    run("import", "--dir", data, log)
    status, out, err = run("search", "--dir", data, "--format", "jsonl", "event.outcome=failure user.name=aoi source.ip=192.0.2.10 | stats count by hinomi.decoder")
    took = sorted(json.loads(line)["hinomi.decoder"].split("@")[0] for line in out.splitlines())
    checks.equal("the failed logins of six sources", took, ["aws.cloudtrail", "cisco-asa", "generic-kv", "okta.system", "sshd", "winlogbeat"])
    out = run("search", "--dir", data, "--format", "jsonl", "event.category=authentication event.outcome=failure | stats count")[1]
    checks.check("and as ECS sorts them, of five", json.loads(out)["count"] >= 5, out)


def hostile():
    """Memory stays bounded and nothing is lost."""
    cases = {
        "a JSON object with 100,000 keys": b"{" + b",".join(b'"k%d":%d' % (i, i) for i in range(100000)) + b"}",
        "JSON 100,000 deep": b'{"a":' * 100000 + b"1" + b"}" * 100000,
        "a number of a million digits": b'{"n":' + b"9" * 1000000 + b"}",
        "key=value with 100,000 keys": b" ".join(b"k%d=%d" % (i, i) for i in range(100000)),
        "an open quote": b"a=\"" + b"x" * (MIB - 10),
        "a million separators": b"=" * 1000000,
        "CEF with a million backslashes": b"CEF:0|a|b|1|2|n|5|msg=" + b"\\" * 900000,
        "a syslog header of structured data": b"<1>1 2026-03-01T00:00:00Z h a 1 m [x" + b' a="b"' * 100000 + b"] end",
    }
    for name, line in cases.items():
        start = time.monotonic()
        events = decode(write("hostile.log", line + b"\n" + b'{"good":1}\n'))
        checks.check(f"{name}: within 5 s", time.monotonic() - start < 5)
        raw = b"".join(e["event.original"].encode() for e in events[:-1])
        checks.check(f"{name}: every byte is there, and the next event is taken", raw == line and events[-1].get("good") == 1, str(len(events)))
    keys = decode(write("hostile.log", cases["key=value with 100,000 keys"]))[0]
    checks.check("fields over the bound are told", "_fields_left" in str(keys["tags"]), str(keys["tags"]))
    keys = decode(write("hostile.log", cases["a JSON object with 100,000 keys"]))[0]
    checks.check("and so is JSON with more values than are read", "JSON" in keys["error.message"], str(keys["error.message"]))
    bomb = write("bomb.gz", gzip.compress(b"a" * (256 * MIB)))
    status, out, err = run("import", "--dir", tmp / "bomb", bomb)
    checks.check("256 MiB without a line end in 256 KiB of gzip: parts", status == 0 and out.startswith("256 events"), out + err)


def shared_sources():
    """With nothing said, the decoder is one that the stream names."""
    folder = SHARED / "data/decode"
    if not folder.is_dir():
        checks.skip("recognition of known sources", "shared data is not here")
        return
    decoders = json.loads(run("decoders", "--format", "json")[1])
    files = {d["name"]: d["file"] for d in decoders}
    streams = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    good = []
    for stream in streams:
        wanted = {d["file"] for d in decoders if stream.name in d["sources"]}
        took = [(e.get("hinomi.decoder") or "").split("@")[0] for case in stream.iterdir() for path in case.glob("input.*") for e in
                map(json.loads, run("decode", path)[1].splitlines())]
        if sum(files.get(name) in wanted for name in took) >= 0.9 * len(took):
            good.append(stream.name)
    missed = sorted({s.name for s in streams} - set(good))
    checks.check(f"{len(good)} of {len(streams)} sources recognised", len(good) >= 0.95 * len(streams), f"not {missed}")


def shared_programs():
    """Lines of many programs: a decoder of its own takes nine of ten; JSON families are JSON."""
    path = SHARED / "data/wazuh/cases.ndjson"
    if not path.exists():
        checks.skip("recognition of many programs", "shared data is not here")
        return
    cases = [json.loads(line) for line in path.open(encoding="utf8")]
    log = write("programs.log", "".join(case["log"].replace("\n", " ") + "\n" for case in cases))
    events = decode(log)
    names = [(e.get("hinomi.decoder") or "none").split("@")[0] for e in events]
    known = sum(name not in ("none", "syslog", "generic-kv") and (name not in ("json", "envelope") or case["decoder"].startswith("json"))
                for name, case in zip(names, cases))
    checks.check(f"{known} of {len(cases)} lines by a decoder of their own", len(events) == len(cases) and known >= 0.9 * len(cases))


try:
    tutorial()
    own_decoders()
    windows_texts()
    journal()
    delivered()
    records()
    recognised()
    one_question()
    hostile()
    shared_sources()
    shared_programs()
finally:
    shutil.rmtree(tmp, ignore_errors=True)
checks.finish()
