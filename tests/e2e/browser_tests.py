"""The tests in tests/browser, run by node against a server that a test has started."""
import os
import re
import subprocess

from harness import ROOT

FOLDER = ROOT / "tests/browser"


def run_node(checks, script, env):
    """Adds what node counted to the checks; its report is the detail when something failed, or nothing ran."""
    done = subprocess.run(["node", "--test", "--test-reporter=tap", script], cwd=FOLDER, capture_output=True, text=True, timeout=500,
                          env={**os.environ, **env})
    count = lambda word: int((re.findall(rf"^# {word} (\d+)", done.stdout, flags=re.M) or [0])[-1])
    checks.passed += count("pass")
    checks.failed += count("fail")
    checks.skipped += count("skipped")
    if count("fail") or not count("pass"):
        checks.check("node --test", False, done.stdout[-6000:] + done.stderr[-2000:])
