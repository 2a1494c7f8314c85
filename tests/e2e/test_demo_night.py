#!/usr/bin/env python3
"""The demo's theft with nobody at the phone: the first person is called, the second at the minute the plan says, the gate tightens
by itself, and the record shows every step."""
import os
import re
import shutil
import subprocess
import tempfile
import time

from harness import HINOMI, PASSWORD, Checks, http_request, wait_for

checks = Checks()
RING = re.compile(r"(\d\d):(\d\d):(\d\d)Z  the phone of (\w+) rings.*\[(\w+)\] (INC-\d+)")


class Demo:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="hinomi-demo-")
        self.process = subprocess.Popen([HINOMI, "demo", "--days", "1", "--speed", "3600", "--port", "0", "--dir", self.folder + "/data",
                                         "--allow-root"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = ""

    def read(self):
        part = self.process.stdout.read()
        self.text += part.decode() if part else ""
        return self.text

    def rings(self, incident=None):
        return [(int(h) * 3600 + int(m) * 60 + int(s), person, severity, inc)
                for h, m, s, person, severity, inc in RING.findall(self.read()) if incident in (None, inc)]

    def close(self):
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)


def ask(port, method, path, body=None, headers=None):
    import json
    return http_request(port, method, path, None if body is None else json.dumps(body),
                        {"Content-Type": "application/json", **(headers or {})}, 30)


def main():
    demo = Demo()
    try:
        found = wait_for(lambda: re.search(r"Console\s+http://[\d.]+:(\d+)/[\s\S]*Setup code (\S+)", demo.read()), 60)
        checks.check("the demo starts", found, demo.text)
        port, code = int(found.group(1)), found.group(2)
        status, body, headers = ask(port, "POST", "/v1/setup", {"code": code, "name": "admin", "password": PASSWORD})
        checks.check("an administrator signs in", status in (200, 201), body)
        signed = {"Cookie": headers["Set-Cookie"].split(";")[0], "X-Hinomi-CSRF": body["csrf"]}
        first = wait_for(lambda: [ring for ring in demo.rings() if ring[1] == "sato"], 120)
        checks.check("the person on call is called", first, demo.text[-3000:])
        incident = first[0][3]
        second = wait_for(lambda: [ring for ring in demo.rings(incident) if ring[1] == "suzuki"], 90)
        checks.check("the second person a minute later", second and 59 <= (second[0][0] - first[0][0]) % 86400 <= 62, (first, second))
        state = lambda: ask(port, "GET", "/v1/gate/tightening", headers=signed)[1]
        checks.equal("the gate is not tightened yet", state()["on"], False)
        tightened = wait_for(lambda: state()["on"], 80)
        now = time.gmtime()
        after = (now.tm_hour * 3600 + now.tm_min * 60 + now.tm_sec - first[0][0]) % 86400
        checks.check("after two minutes the gate tightens by itself", tightened and 119 <= after <= 124, after)
        checks.equal("for that incident", state()["cause"], incident)
        record = "\n".join(entry["text"]["en"] for entry in ask(port, "GET", f"/v1/incidents/{incident}", headers=signed)[1]["timeline"])
        for words in ("sato is to be woken by phone", "phone sato was told (page)", "suzuki is to be woken by phone",
                      "phone suzuki was told (page)", "Nobody answered for 2 minutes: the gate was tightened"):
            checks.check(f"the record: {words}", words in record, record)
        page = ask(port, "GET", "/v1/waking", headers=signed)[1]["pages"]
        checks.check("the page still runs", any(p["incident"] == incident and p["state"] == "running" for p in page), page)
    finally:
        demo.close()
    checks.finish()


main()
