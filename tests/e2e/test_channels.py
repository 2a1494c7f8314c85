#!/usr/bin/env python3
"""Every kind of notifier against a real server on this machine: HTTPS, SMTP with TLS and STARTTLS, syslog by TLS, TCP and UDP;
and servers that are slow, broken, redirect or break off."""
import base64
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

import certificates
from harness import Checks, Server, run, wait_for

checks = Checks()
FOLDER = tempfile.mkdtemp(prefix="hinomi-channels-")
certificates.make(FOLDER)
SECRET = "a secret of a test, long enough"


class Http(threading.Thread):
    """An HTTPS server that answers every POST as it is told to: (status, headers, body), or a word: hang, close, cut."""

    def __init__(self, answer=(200, {}, b"ok")):
        super().__init__(daemon=True)
        self.answer, self.asked = answer, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.append((self.path, dict(self.headers), body))
                if outer.answer == "hang":
                    time.sleep(30)
                    return
                if outer.answer in ("close", "cut"):
                    if outer.answer == "cut":
                        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
                    self.wfile.flush()
                    self.connection.close()
                    self.close_connection = True
                    return
                status, headers, data = outer.answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.server.socket = certificates.server_context(FOLDER).wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}"
        self.start()

    def run(self):
        self.server.serve_forever()


class Smtp(threading.Thread):
    """A mail server; tls: "at once", "starttls", "stripped" (does not offer it). says: answers by the command's first word."""

    def __init__(self, tls, host="127.0.0.1", says=None):
        super().__init__(daemon=True)
        self.tls, self.says, self.mails, self.words = tls, says or {}, [], []
        self.socket = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            connection, _ = self.socket.accept()
            try:
                self.serve(connection)
            except (OSError, ValueError):
                pass
            finally:
                connection.close()

    def serve(self, connection):
        context = certificates.server_context(FOLDER)
        secure = self.tls == "at once"
        if secure:
            connection = context.wrap_socket(connection, server_side=True)
        stream = connection.makefile("rwb")
        put = lambda text: (stream.write(text.encode() + b"\r\n"), stream.flush())
        put("220 mail.test ready")
        mail = {}
        while line := stream.readline().decode():
            word, line = line.split(" ")[0].strip().upper(), line.strip()
            self.words.append(("secret " if secure else "plain ") + line)
            if word in self.says:
                put(self.says[word])
                if self.says[word].startswith("421"):
                    return
            elif word == "EHLO":
                put("250-mail.test")
                if self.tls == "starttls" and not secure:
                    put("250-STARTTLS")
                put("250 AUTH PLAIN LOGIN")
            elif word == "STARTTLS":
                put("220 go")
                connection = context.wrap_socket(connection, server_side=True)
                stream, secure = connection.makefile("rwb"), True
                put = lambda text: (stream.write(text.encode() + b"\r\n"), stream.flush())
            elif word == "AUTH":
                if line.upper() == "AUTH PLAIN":
                    put("334 ")
                    stream.readline()
                put("235 in")
            elif word == "DATA":
                put("354 go on")
                data = b""
                while (part := stream.readline()) not in (b".\r\n", b""):
                    data += part[1:] if part.startswith(b".") else part
                put(self.says.get("end", "250 2.0.0 Ok: queued as 4QX1"))
                if "end" not in self.says:
                    self.mails.append({**mail, "data": data})
            elif word == "QUIT":
                put("221 bye")
                return
            else:
                mail[word] = line
                put("250 fine")


class Syslog(threading.Thread):
    def __init__(self, kind):
        super().__init__(daemon=True)
        self.kind, self.bytes = kind, b""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM) if kind == "udp" else socket.create_server(("127.0.0.1", 0))
        if kind == "udp":
            self.socket.bind(("127.0.0.1", 0))
        self.url = f"{kind}://127.0.0.1:{self.socket.getsockname()[1]}"
        self.start()

    def run(self):
        while True:
            if self.kind == "udp":
                self.bytes += self.socket.recv(65536)
                continue
            connection, _ = self.socket.accept()
            try:
                if self.kind == "tls":
                    connection = certificates.server_context(FOLDER).wrap_socket(connection, server_side=True)
                while part := connection.recv(65536):
                    self.bytes += part
            except OSError:
                pass
            connection.close()


def tell(*rows, url="https://siem.example.jp:7171"):
    """hinomi watch --test with these notifiers: (exit status, what it says, seconds)."""
    config = pathlib.Path(FOLDER, "config.yaml")
    text = "notifiers:\n"
    for i, row in enumerate(rows):
        text += "  - " + json.dumps({"name": f"c{i}", "allow_private": True, "ca_file": FOLDER + "/ca.pem", **row}) + "\n"
    config.write_text(text)
    begun = time.monotonic()
    status, _, err = run("watch", url, "--config", config, "--test")
    return status, err, time.monotonic() - begun


def tells(name, row, receipt):
    status, err, _ = tell(row)
    checks.check(f"{name}: sent, with its receipt", status == 0 and f"c0 took it ({receipt})" in err, err)


def shapes():
    """What is on the wire, for each kind over HTTPS."""
    server = Http()
    last = lambda: server.asked[-1]
    tells("webhook", {"kind": "webhook", "url": server.url + "/hook", "secret": SECRET, "secret_next": SECRET[::-1]}, "HTTP 200")
    path, headers, body = last()
    version, t, nonce, *macs = headers["X-Hinomi-Signature"].split(",")
    want = [hmac.new(s.encode(), f"{t}.{nonce}.".encode() + body, hashlib.sha256).hexdigest() for s in (SECRET, SECRET[::-1])]
    checks.equal("webhook: signed with both keys", (path, version, macs), ("/hook", "v1", want))
    tells("slack", {"kind": "slack", "url": server.url + "/services/x"}, "HTTP 200")
    checks.check("slack: blocks", {b["type"] for b in json.loads(last()[2])["blocks"]} == {"header", "section", "actions"}, last())
    server.answer = (200, {"Content-Type": "application/json"}, b'{"ok":true,"ts":"1.2"}')
    tells("slack by a bot", {"kind": "slack", "url": server.url + "/api/chat.postMessage", "secret": "xoxb-1", "to": "C024BE7LH"}, "ts 1.2")
    checks.equal("slack by a bot: whose", (last()[1]["Authorization"], json.loads(last()[2])["channel"]), ("Bearer xoxb-1", "C024BE7LH"))
    server.answer = (202, {"x-ms-workflow-run-id": "0858"}, b"")
    tells("teams", {"kind": "teams", "url": server.url + "/workflows/1"}, "workflow run 0858")
    checks.equal("teams: a card", json.loads(last()[2])["attachments"][0]["content"]["type"], "AdaptiveCard")
    server.answer = (200, {}, b'{"id":"1191"}')
    tells("discord", {"kind": "discord", "url": server.url + "/api/webhooks/1/x"}, "message 1191")
    checks.equal("discord: nobody is mentioned", (last()[0], json.loads(last()[2])["allowed_mentions"]), ("/api/webhooks/1/x?wait=true", {"parse": []}))
    server.answer = (200, {"x-line-request-id": "91d1"}, b"{}")
    tells("line", {"kind": "line", "url": server.url + "/push", "secret": "tok", "to": "U" + "0" * 32}, "request 91d1")
    server.answer = (409, {"x-line-accepted-request-id": "91d1"}, b'{"message":"The retry key is already accepted"}')
    tells("line, the second time", {"kind": "line", "url": server.url + "/push", "secret": "tok", "to": "U" + "0" * 32}, "request 91d1")
    server.answer = (200, {}, b'{"id":"sPs7"}')
    tells("ntfy", {"kind": "ntfy", "url": server.url + "/soc", "secret": "tk_1"}, "message sPs7")
    checks.equal("ntfy: the topic", (last()[0], json.loads(last()[2])["topic"]), ("/", "soc"))
    server.answer = (202, {}, b'{"status":"success","dedup_key":"k"}')
    tells("pagerduty", {"kind": "pagerduty", "url": server.url + "/v2/enqueue", "secret": "0" * 32}, "dedup_key k")
    checks.equal("pagerduty: what", json.loads(last()[2])["event_action"], "trigger")
    server.answer = (202, {}, b'{"requestId":"43a2"}')
    tells("opsgenie", {"kind": "opsgenie", "url": server.url + "/v2/alerts", "secret": "key"}, "request 43a2")
    server.answer = (201, {}, b'{"sid":"SM9"}')
    phone = {"user": "AC1", "password": "tok", "from": "+815012345678", "to": "+819011112222", "url": server.url}
    tells("sms", {"kind": "sms", **phone}, "sid SM9")
    path, headers, body = last()
    checks.equal("sms: where and who", (path, headers["Authorization"]), ("/2010-04-01/Accounts/AC1/Messages.json", "Basic " + base64.b64encode(b"AC1:tok").decode()))
    form = urllib.parse.parse_qs(body.decode())
    checks.equal("sms: a form", (form["To"], form["From"], "試験" in form["Body"][0]), (["+819011112222"], ["+815012345678"], True))
    tells("voice", {"kind": "voice", **phone}, "sid SM9")
    twiml = urllib.parse.parse_qs(last()[2].decode())["Twiml"][0]
    import xml.etree.ElementTree as tree
    said = [e.text for e in tree.fromstring(twiml).iter("Say")]
    checks.check("voice: reads it twice", said[0] == said[1] and "試験" in said[0], twiml)
    checks.check("each has a key", all(h["Idempotency-Key"] for _, h, _ in server.asked))


def failures():
    """Slow, broken, redirecting, breaking off: the next channel has its turn within ten seconds."""
    good, bad = Http(), Http()
    hook = lambda server: {"kind": "webhook", "url": server.url + "/hook", "secret": SECRET}
    for name, answer, why in (("500", (500, {}, b"broken"), "HTTP 500: broken"), ("429", (429, {"Retry-After": "30"}, b""), "HTTP 429"),
                              ("a redirect", (302, {"Location": good.url}, b""), "redirects are not followed"), ("closed", "close", "127.0.0.1"),
                              ("cut off", "cut", "127.0.0.1"), ("an endless answer", (200, {}, b"x" * 3_000_000), None),
                              ("words for a terminal", (400, {}, b'{"message":"\x1b[2J no\\r\\nsuch"}'), "HTTP 400"), ("hanging", "hang", "127.0.0.1")):
        bad.answer, before = answer, len(good.asked)
        status, err, seconds = tell(hook(bad), hook(good))
        taken = "c0 took it" in err if why is None else "c0 was not reached" in err and why in err
        checks.check(f"{name}: what is said", taken and "c1 took it" in err and "\x1b" not in err, err)
        checks.check(f"{name}: the next has its turn within 10 s", len(good.asked) == before + 1 and seconds < 10 + 3, seconds)
    silent = socket.create_server(("127.0.0.1", 0))  # takes connections and says nothing
    port = silent.getsockname()[1]
    for row in ({"kind": "mail", "url": f"smtp://127.0.0.1:{port}", "from": "a@example.jp", "to": "b@example.jp"}, {"kind": "mail", "url": f"smtps://127.0.0.1:{port}", "from": "a@example.jp", "to": "b@example.jp"},
                {"kind": "syslog", "url": f"tls://127.0.0.1:{port}"}):
        status, err, seconds = tell(row, hook(good))
        checks.check(f"{row['kind']} to a silent server: the next has its turn within 10 s", "c0 was not reached" in err and "c1 took it" in err and seconds < 10 + 3, (err, seconds))
    silent.close()
    checks.check("a redirect leads nowhere", all(path == "/hook" for path, _, _ in good.asked))
    other = {**hook(good), "ca_file": FOLDER + "/other-ca.pem"}
    status, err, _ = tell(other)
    checks.check("a certificate of nobody we know", status == 1 and "not reached" in err and "certificate" in err.lower(), err)
    plain = {**hook(good), "allow_private": False}
    status, err, _ = tell(plain)
    checks.check("this machine is not asked without the word", status == 1 and "port" in err, err)


def parsed(mail):
    message = email.message_from_bytes(mail["data"], policy=email.policy.default)
    return message, message.get_content()


def mails():
    row = lambda server, scheme="smtp", host="127.0.0.1": {"kind": "mail", "url": f"{scheme}://{host}:{server.port}", "from": "hinomi@example.jp",
                                                           "to": "soc@example.jp", "user": "u", "password": "p"}
    for name, tls, scheme in (("TLS", "at once", "smtps"), ("STARTTLS", "starttls", "smtp"), ("plain, on this machine", "stripped", "smtp")):
        server = Smtp(tls)
        tells(f"mail by {name}", row(server, scheme), "250 2.0.0 Ok: queued as 4QX1")
        checks.check(f"mail by {name}: one mail", len(server.mails) == 1, server.words)
        message, text = parsed(server.mails[0])
        checks.check(f"mail by {name}: whole", message["From"] == "Hinomi <hinomi@example.jp>" and message["To"] == "<soc@example.jp>" or str(message["To"]) == "soc@example.jp", str(message))
        checks.check(f"mail by {name}: both languages", "監視の試験" in text and "A test of hinomi watch" in text, text)
        checks.check(f"mail by {name}: the subject", "(test)" in message["Subject"] or "試験" in message["Subject"], message["Subject"])
        checks.check(f"mail by {name}: no program answers it", message["Auto-Submitted"] == "auto-generated" and message["Message-ID"].endswith("@example.jp>"), str(message))
        secrets = [w for w in server.words if "AUTH" in w or "DATA" in w]
        checks.check(f"mail by {name}: the password", all(w.startswith("secret") for w in secrets) or tls == "stripped", server.words)
    for name, says, why in (("full", {"RCPT": "452 4.2.2 mailbox full"}, "452"), ("unknown", {"RCPT": "550 5.1.1 no such user"}, "550"),
                            ("not signed in", {"AUTH": "535 5.7.8 wrong"}, "127.0.0.1"), ("not after all", {"end": "554 5.7.1 refused as spam"}, "554"),
                            ("busy", {"EHLO": "421 busy", "HELO": "421 busy"}, "127.0.0.1")):
        server = Smtp("starttls", says=says)
        status, err, _ = tell(row(server))
        checks.check(f"mail: {name}", status == 1 and "c0 was not reached" in err and why in err, err)
    server = Smtp("starttls")
    status, err, _ = tell({**row(server), "ca_file": FOLDER + "/other-ca.pem"})
    checks.check("mail: a certificate of nobody we know", status == 1 and not server.mails, err)
    outward = next((a for a in subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split() if a.startswith(("10.", "192.168.", "172.", "fd"))), None)
    if not outward:
        checks.skip("mail without STARTTLS", "no private address of this machine but loopback")
        return
    server = Smtp("stripped", host=outward)
    status, err, _ = tell(row(server, host=f"[{outward}]" if ":" in outward else outward))
    checks.check("mail: nothing is sent where STARTTLS is not offered", status == 1 and not server.mails and not any("AUTH" in w or "MAIL" in w for w in server.words), (err, server.words))


def logs():
    for kind in ("tls", "tcp", "udp"):
        server = Syslog(kind)
        status, err, _ = tell({"kind": "syslog", "url": server.url})
        checks.check(f"syslog by {kind}: sent", status == 0 and "syslog does not confirm" in err, err)
        wait_for(lambda: server.bytes)
        time.sleep(0.1)
        line = server.bytes
        if kind != "udp":
            length, _, line = line.partition(b" ")
            checks.equal(f"syslog by {kind}: counted", int(length), len(line))
        checks.check(f"syslog by {kind}: one line", line.startswith(b"<110>1 20") and b" test [hinomi@32473 " in line and b"\n" not in line, line)
    server = Syslog("tls")
    status, err, _ = tell({"kind": "syslog", "url": server.url, "ca_file": FOLDER + "/other-ca.pem"})
    checks.check("syslog: a certificate of nobody we know", status == 1 and not server.bytes, err)


def words():
    """Help, secrets from files and the environment, mistakes with their line."""
    status, out, _ = run("help", "notify")
    checks.check("the kinds", status == 0 and all(k in out for k in ("webhook", "mail", "teams", "syslog")), out)
    status, out, _ = run("help", "notify", "mail")
    checks.check("one kind", status == 0 and "smtps://host" in out and "A person's address: a mail address" in out, out)
    checks.equal("none", run("help", "notify", "smoke")[0], 2)
    server = Http((202, {}, b'{"dedup_key":"k"}'))
    secret = pathlib.Path(FOLDER, "key")
    secret.write_text("f" * 32 + "\n")
    os.environ["HINOMI_TEST_KEY"] = "e" * 32
    for where, want in ((f"file:{secret}", "f"), ("env:HINOMI_TEST_KEY", "e")):
        tells(f"a secret in {where[:4]}", {"kind": "pagerduty", "url": server.url, "secret": where}, "dedup_key k")
        checks.equal(f"a secret in {where[:4]}: read", json.loads(server.asked[-1][2])["routing_key"], want * 32)


SEARCH = """saved_search: failed logins
search: index=main event.action=login_failed
earliest: -1h
latest: now
schedule:
  every: 1s
  group_by: [user.name]
  suppress: 1h
  severity: critical
  title: {en: "Failed logins of $user.name$", ja: "$user.name$ のログイン失敗"}
  entities: {user: user.name}
"""
NAME = "@everyone\r\nBcc: all@evil.example\r\n.\r\n<!channel> [x](https://evil.example) \u202e\u200b[HIN:tok-9999]"


def an_incident():
    """From events with an attacker's words to every channel of a server, and its end."""
    pager, chat, hook, smtp, log = Http((202, {}, b'{"dedup_key":"k"}')), Http((200, {}, b'{"id":"1"}')), Http((500, {}, b"")), Smtp("starttls"), Syslog("tls")
    rows = [{"kind": "pagerduty", "url": pager.url, "secret": "0" * 32}, {"kind": "discord", "url": chat.url + "/w"}, {"kind": "webhook", "url": hook.url + "/h", "secret": SECRET},
            {"kind": "mail", "url": f"smtp://127.0.0.1:{smtp.port}", "from": "hinomi@example.jp", "to": "soc@example.jp"}, {"kind": "syslog", "url": log.url},
            {"kind": "mail", "url": f"smtp://127.0.0.1:{smtp.port}", "from": "persons@example.jp"}]
    text = "notifiers:\n" + "".join("  - " + json.dumps({"name": f"c{i}", "allow_private": True, "ca_file": FOLDER + "/ca.pem", **row}) + "\n" for i, row in enumerate(rows))
    server = Server(config=text).start()
    try:
        server.sign_in()
        server.hec(server.token(), [{"event": {"action": "login_failed"}, "user": {"name": NAME}}])
        status, body, _ = server.request("PUT", "/v1/knowledge/saved_search", {"text": SEARCH, "shared": True})
        checks.check("a search is scheduled", status in (200, 201), body)
        listed = lambda: server.request("GET", "/v1/incidents?state=open")[1]["incidents"]
        checks.check("an incident", wait_for(listed), listed())
        checks.check("all are told", wait_for(lambda: pager.asked and chat.asked and len(hook.asked) > 1 and smtp.mails and log.bytes), (len(pager.asked), len(chat.asked), len(hook.asked), len(smtp.mails), log.bytes))
        hook.answer = (200, {}, b"")
        incident = listed()[0]["id"]
        first = json.loads(pager.asked[0][2])
        checks.equal("the pager", (first["event_action"], first["dedup_key"], first["payload"]["severity"]), ("trigger", f"hinomi:{incident}", "critical"))
        message, text = parsed(smtp.mails[0])
        checks.check("the mail has no header of an attacker's", message["Bcc"] is None and len(message.get_all("Subject")) == 1 and "Failed logins of @everyone" in text, str(message))
        said = json.loads(chat.asked[0][2])["content"]
        for name, words in (("mail", text + message["Subject"]), ("chat", said), ("pager", json.dumps(first, ensure_ascii=False)), ("log", log.bytes.decode())):
            checks.check(f"{name}: words only", "https://evil" not in words and "\u202e" not in words and "[HIN:" not in words and "\r\nBcc" not in words, words)
        checks.check("one frame a message", log.bytes.count(b"<106>1 ") == 1 and b"\n" not in log.bytes, log.bytes)
        checks.check("nobody is told by a row without a `to`", all("persons" not in str(m) for m in smtp.mails))
        checks.check("the webhook's attempts have one key, and signatures of their own", wait_for(lambda: hook.asked[-1][1]["X-Hinomi-Signature"]) and len({h["Idempotency-Key"] for _, h, b in hook.asked}) == 1
                     and len({h["X-Hinomi-Signature"] for _, h, _ in hook.asked}) == len(hook.asked) and len({b for _, _, b in hook.asked}) == 1, hook.asked)
        checks.check("its JSON has the words as they are", NAME in json.loads(hook.asked[0][2])["title"]["en"], hook.asked[0][2])
        server.request("POST", f"/v1/incidents/{incident}/close", {"comment": "a test"})
        checks.check("it is resolved at the pager", wait_for(lambda: any(json.loads(b)["event_action"] == "resolve" and json.loads(b)["dedup_key"] == f"hinomi:{incident}" for _, _, b in pager.asked)), pager.asked)
    finally:
        server.close()


try:
    an_incident()
    shapes()
    failures()
    mails()
    logs()
    words()
finally:
    shutil.rmtree(FOLDER)
checks.finish()
