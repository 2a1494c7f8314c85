#!/usr/bin/env python3
"""The shared Sigma corpora: at least 99 % of the expected (file, rule, count) rows, on EVTX files and on JSON events."""
import re
import subprocess
import sys

from harness import HINOMI, ROOT, SHARED, Checks

checks = Checks()
scorer = SHARED / "score/score_sigma.py"
if scorer.exists():
    done = subprocess.run([sys.executable, str(scorer), "--data", str(SHARED / "data/sigma"), "--only", "evtx,json", "--show", "3",
                           "--cmd", HINOMI + " detect --rules {rules} --format jsonl {paths}"],
                          cwd=ROOT, capture_output=True, text=True, timeout=1200)
    found = re.findall(r"(\d+) passed, (\d+) failed", done.stdout)
    passed, failed = map(int, found[-1]) if found else (0, 1)
    checks.check(f"{passed} of {passed + failed} rows", passed >= 0.99 * (passed + failed), done.stdout[-2000:])
else:
    checks.skip("sigma", "the shared corpora are not here")
checks.finish()
