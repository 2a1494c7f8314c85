#!/usr/bin/env python3
"""A log source that is cut: the rules that need it are blind within a minute, the others are not; when it comes back they see again, and a restart
blinds nobody."""
import datetime
import os
import pathlib
import threading
import time

from harness import Checks, Server, wait_for

checks = Checks()
SOURCES = """title: busy
logsource: {category: dns}
detection: {s: {query: x}, condition: s}
---
title: other
logsource: {product: windows, category: process_creation}
detection: {s: {Image|endswith: x}, condition: s}
"""
DNS = {"dns": {"question": {"name": "a.example"}}}
PROCESS = {"host": {"os": {"type": "windows"}}, "event": {"category": ["process"], "type": ["start"]}, "process": {"executable": "C:\\a.exe"}}


class Sender(threading.Thread):
    """Events of every kind in .kinds, some a second."""

    def __init__(self, server, token):
        super().__init__(daemon=True)
        self.server, self.token, self.kinds, self.on = server, token, [DNS, PROCESS], True

    def run(self):
        while self.on:
            now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            if self.kinds:
                self.server.hec(self.token, [{"@timestamp": now, **kind} for kind in self.kinds])
            time.sleep(0.5)

    def stop(self):
        self.on = False
        self.join()


def blind(server):
    return {rule["title"]: rule["blind_reason"] for rule in server.request("GET", "/v1/rules")[1]["rules"] if rule["title"] in ("busy", "other")}


def silent(server):
    return sorted(title for title, reason in blind(server).items() if "silent since" in reason)


server = Server()
try:
    own = pathlib.Path(server.dir, "data/content/rules")
    own.mkdir(parents=True)
    (own / "sources.yml").write_text(SOURCES)
    server.start()
    server.sign_in()
    token = server.token()
    sender = Sender(server, token)
    sender.start()
    until = time.monotonic() + 26  # ten pauses, looked at every two seconds
    while time.monotonic() < until:
        if silent(server):
            checks.check("nothing is silent while it is heard", False, blind(server))
            break
        time.sleep(1)
    sender.kinds = [PROCESS]
    cut = time.monotonic()
    checks.equal("cut off, its rules are blind, and only those", wait_for(lambda: silent(server), 60), ["busy"])
    after = time.monotonic() - cut
    checks.check("within a minute, not at once", 20 < after < 60, after)
    sender.kinds = [PROCESS, DNS]
    checks.check("heard again, they see", wait_for(lambda: not silent(server), 10), blind(server))
    sender.stop()
    server.stop()
    server.start()
    server.sign_in()
    time.sleep(5)
    checks.equal("a restart blinds nobody", silent(server), [])
    print(f"blind {after:.0f} s after its source was cut")
    if os.environ.get("HINOMI_FULL") == "1":
        checks.equal("all cut off: the clock goes on", wait_for(lambda: silent(server) == ["busy", "other"] and "both", 60), "both")
finally:
    server.close()
checks.finish()
