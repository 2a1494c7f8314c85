#!/usr/bin/env python3
"""Replies by mail, read from an IMAP server of this machine over TLS: as mail programs write them, and none but people's."""
import email.message
import email.policy
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading

import certificates
from harness import HINOMI, Checks

checks = Checks()
FOLDER = tempfile.mkdtemp(prefix="hinomi-mailbox-")
certificates.make(FOLDER)
ASK = pathlib.Path(HINOMI).parent / "tests/ask/mailbox_ask"


def reply(token, subject="Re: [critical] INC-7 Coins leave", text="ok", charset="utf-8", way=None, html=False, sender="佐藤 <sato@example.jp>", **headers):
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"] = sender, "hinomi@example.jp"
    message["Subject"] = subject.replace("TOKEN", f"[HIN:{token}]")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    body = text.replace("TOKEN", f"[HIN:{token}]")
    message.set_content(body, charset=charset, **({"cte": way} if way else {}))
    if html:
        message.add_alternative(f"<html><body><p>{body}</p></body></html>", subtype="html")
        message.add_attachment(b"\x89PNG [HIN:not-this-one]", maintype="image", subtype="png", filename="a.png")
    return message.as_bytes()


class Imap(threading.Thread):
    """As much of a server as is asked for; breaks: the command at which it hangs up, once."""

    def __init__(self, mails, breaks=None, no=None, name="server"):
        super().__init__(daemon=True)
        self.mails, self.seen, self.fetched, self.breaks, self.no, self.name_ = mails, set(), [], breaks, no, name
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"imaps://127.0.0.1:{self.socket.getsockname()[1]}/INBOX"
        self.start()

    def run(self):
        while True:
            connection, _ = self.socket.accept()
            try:
                self.serve(certificates.server_context(FOLDER, self.name_).wrap_socket(connection, server_side=True))
            except OSError:
                pass
            connection.close()

    def serve(self, connection):
        stream = connection.makefile("rwb")
        put = lambda data: (stream.write(data if isinstance(data, bytes) else data.encode()), stream.flush())
        put("* OK [CAPABILITY IMAP4rev1] ready\r\n")
        while line := stream.readline().decode().strip():
            tag, words = line.split(" ", 1)
            if self.breaks and words.startswith(self.breaks):
                self.breaks = None
                connection.close()
                return
            if self.no and words.startswith(self.no):
                put(f"{tag} NO [ALERT] not you\r\n")
                continue
            if words.startswith("SELECT"):
                put(f"* {len(self.mails)} EXISTS\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY 42] x\r\n")
            elif found := re.match(r"UID SEARCH UNSEEN UID (\d+):\*", words):
                new = [n for n in range(1, len(self.mails) + 1) if n not in self.seen and (n >= int(found[1]) or n == len(self.mails))]
                put("* SEARCH " + " ".join(map(str, new)) + "\r\n")
            elif found := re.match(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", words):
                n = int(found[1])
                self.fetched.append(n)
                mail = self.mails[n - 1][:int(found[2])]
                put(b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n" % (n, n, len(mail)) + mail + b")\r\n")
            elif found := re.match(r"UID STORE (\d+) \+FLAGS\.SILENT \(\\Seen\)", words):
                self.seen.add(int(found[1]))
            put(f"{tag} OK done\r\n")


def read(server, rounds=1, *more, ca="ca.pem"):
    done = subprocess.run([ASK, server.url, "hinomi", "pass word", f"{FOLDER}/{ca}", str(rounds), *more], capture_output=True, text=True, timeout=120)
    return done.stdout.splitlines()


def dresses():
    quoted = "了解しました、対応します。\n\n2026年1月26日(月) 9:00 Hinomi <hinomi@example.jp>:\n> 送金の異常\n> 次の印を残して返信すると受領になります: TOKEN\n"
    mails = [reply("token-0001", subject="Re: 火の見 TOKEN 送金の異常"), reply("token-0002", text=quoted), reply("token-0003", text=quoted, way="quoted-printable"),
             reply("token-0004", text=quoted, way="base64"), reply("token-0005", text=quoted, charset="iso-2022-jp"), reply("token-0006", text=quoted, charset="shift_jis", way="base64"),
             reply("token-0007", text=quoted, html=True), reply("token-0008", subject="Re: " + "長い件名" * 30 + " TOKEN"), reply("token-0009", text=quoted, sender="ito@example.jp")]
    server = Imap(mails)
    said = read(server, 2)
    want = [f"token-000{n} sato@example.jp" for n in range(1, 9)] + ["token-0009 ito@example.jp", "round 9", "round 0"]
    checks.equal("found in every dress", said, want)
    checks.equal("taken ones are marked as read", server.seen, set(range(1, 10)))


def programs():
    mails = [reply("token-0001", subject="Away: TOKEN", Auto_Submitted="auto-replied"), reply("token-0002", subject="TOKEN", Precedence="bulk"),
             reply("token-0003", subject="Undelivered: TOKEN", Return_Path="<>"), reply("token-0004", subject="TOKEN", X_Autoreply="yes"),
             reply("", subject="an offer"), reply("unknown-token", subject="TOKEN"), b"", b"\xff\xfe nonsense\r\n", reply("token-0009", subject="TOKEN", Auto_Submitted="no"),
             reply("token-0010", text="x" * 300_000 + " TOKEN")]
    server = Imap(mails)
    said = read(server, 2)
    checks.equal("people's only", said, ["unknown-token sato@example.jp", "token-0009 sato@example.jp", "round 1", "round 0"])
    checks.equal("others stay as they are", server.seen, {9})
    checks.equal("and are looked at once", sorted(server.fetched), list(range(1, 11)))


def troubles():
    mail = [reply("token-0001", subject="TOKEN"), reply("token-0002", subject="TOKEN")]
    server = Imap(mail)
    checks.equal("not now: it comes again", read(server, 2, "later"), ["token-0001 sato@example.jp", "token-0002 sato@example.jp", "round 1", "token-0001 sato@example.jp", "round 1"])
    for words in ("LOGIN", "SELECT", "UID SEARCH", "UID FETCH", "UID STORE"):
        server = Imap(list(mail), breaks=words)
        said = read(server, 2)
        checks.check(f"broken off at {words}: the next round has all", "127.0.0.1" in "".join(said) and server.seen == {1, 2} and said[-1].startswith("round"), said)
    said = read(Imap(mail, no="LOGIN"))
    checks.equal("not let in", said, ["signing in: the mail server said: NO [ALERT] not you"])
    said = read(Imap(mail), ca="other-ca.pem")
    checks.check("a certificate of nobody we know", len(said) == 1 and "certificate" in said[0].lower(), said)
    said = read(Imap(mail, name="elsewhere"))
    checks.check("a certificate of another name", len(said) == 1 and "round" not in said[0], said)


try:
    dresses()
    programs()
    troubles()
finally:
    shutil.rmtree(FOLDER)
checks.finish()
