#!/usr/bin/env python3
"""From receipt to finding with six hundred rules while events come: the 99th percentile is below a second, at a rate that a shared machine
carries (HINOMI_FULL=1: at 50,000 events a second)."""
import os
import sys

from harness import ROOT, Checks

sys.path.insert(0, str(ROOT / "bench"))
import probes  # noqa: E402

checks = Checks()
FULL = os.environ.get("HINOMI_FULL") == "1"
server, token, active = probes.serve("600")
try:
    checks.check("rules are active", active >= 600, active)
    figures = probes.measure(server, token, 50000 if FULL else 10000, 30 if FULL else 3)
    print({key: round(value, 3) for key, value in figures.items()})
    checks.check("the rate was kept", figures["rate"] > (45000 if FULL else 5000), figures["rate"])
    checks.equal("every probe is stored and found", (figures["stored"], figures["missing"]), (figures["probes"], 0))
    checks.check("p99 below a second", figures["p99"] < 1, figures["p99"])
finally:
    server.close()
checks.finish()
