#!/usr/bin/env python3
"""The console in Chromium against a running demo: tests/browser with its environment set."""
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from browser_tests import run_node
from harness import HINOMI, PASSWORD, ROOT, Checks, Server

checks = Checks()
browser = ROOT / "tests/browser"


def start_demo(folder):
    out = open(folder + "/out", "wb")
    process = subprocess.Popen([HINOMI, "demo", "--days", "2", "--speed", "600", "--port", "0", "--dir", folder + "/data", "--allow-root"],
                               stdout=out, stderr=out)
    for _ in range(600):
        text = pathlib.Path(folder, "out").read_text()
        if "a fifth of the hot wallet" in text or process.poll() is not None:
            break
        time.sleep(0.1)
    return process, text


def set_up(url, code):
    """The first administrator, a token for events and one for the gate."""
    server = Server.__new__(Server)
    server.api_port, server.cookie, server.csrf, server.setup_code = int(url.rsplit(":", 1)[1]), None, None, code
    server.sign_in()
    return server.token("hec"), server.token("gate")


def main():
    folder = tempfile.mkdtemp(prefix="hinomi-browser-")
    process, text = start_demo(folder)
    try:
        url = re.search(r"Console\s+(http://[\d.]+:\d+)/", text).group(1)
        code = re.search(r"Setup code (\S+)", text).group(1)
        hec = re.search(r"HTTP \(HEC\) ([\d.]+:\d+)", text).group(1)
        time.sleep(3)
        token, gate = set_up(url, code)
        env = {"HINOMI_URL": url, "HINOMI_USER": "admin", "HINOMI_PASSWORD": PASSWORD,
               "HINOMI_HEC": f"http://{hec}/services/collector/event", "HINOMI_HEC_TOKEN": token, "HINOMI_GATE_TOKEN": gate}
        for script in ("screens.test.mjs", "console.test.mjs"):
            run_node(checks, script, env)
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


if not shutil.which("chromium") or not (browser / "node_modules").exists():
    checks.skip("browser", "Chromium or playwright-core is not installed")
else:
    main()
checks.finish()
