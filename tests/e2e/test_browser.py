#!/usr/bin/env python3
"""The console in Chromium against a running demo: tests/browser with its environment set."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from harness import HINOMI, ROOT, Checks

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


def main():
    folder = tempfile.mkdtemp(prefix="hinomi-browser-")
    process, text = start_demo(folder)
    try:
        url = re.search(r"Console\s+(http://[\d.]+:\d+)/", text).group(1)
        code = re.search(r"Setup code (\S+)", text).group(1)
        time.sleep(3)
        done = subprocess.run(["node", "--test", "--test-reporter=tap", "console.test.mjs"], cwd=browser, capture_output=True, text=True, timeout=400,
                              env={**os.environ, "HINOMI_URL": url, "HINOMI_SETUP_CODE": code})
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)
    count = lambda word: int((re.findall(rf"^# {word} (\d+)", done.stdout, flags=re.M) or [0])[-1])
    checks.passed, checks.failed, checks.skipped = count("pass"), count("fail"), count("skipped")
    if checks.failed or not checks.passed:
        checks.failed = checks.failed or 1
        print(done.stdout[-6000:], done.stderr[-2000:])


if not shutil.which("chromium") or not (browser / "node_modules").exists():
    checks.skip("browser", "Chromium or playwright-core is not installed")
else:
    main()
checks.finish()
