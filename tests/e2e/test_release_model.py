#!/usr/bin/env python3
"""The release of holds as a model (tests/model/release.pml): spin finds no way to break a property, and finds one as soon as a guard is left out."""
import pathlib
import re
import shutil
import subprocess
import tempfile

from harness import Checks

checks = Checks()
MODEL = pathlib.Path(__file__).resolve().parents[1] / "model/release.pml"
REFUTED = {  # what is left out: the assertion that must break
    "LEAVE_OUT_DISTINCT": "ok_not_twice", "LEAVE_OUT_OWN": "ok_own", "LEAVE_OUT_K": "ok_k_distinct",
    "LEAVE_OUT_REQUEST_EXPIRY": "ok_request_in_time", "LEAVE_OUT_CLOCK": "ok_request_in_time", "LEAVE_OUT_CONSUMED": "ok_once",
    "LEAVE_OUT_COMMIT_FIRST": "ok_durable", "LEAVE_OUT_ROUND": "ok_durable", "LEAVE_OUT_FAILED_COMMIT": "ok_durable",
    "LEAVE_OUT_REPLAY": "ok_same", "LEAVE_OUT_SIGNATURE": "ok_their_word", "LEAVE_OUT_HOLD": "ok_their_word",
    "LEAVE_OUT_GATE_ID": "ok_their_word", "LEAVE_OUT_EXPIRY": "ok_in_time", "LEAVE_OUT_KEY_AGAIN": "ok_known",
    "RESTORES LEAVE_OUT_IDENTITY": "ok_k_distinct",
}


def explore(defines=""):
    """(errors, states, the assertion that broke or None); errors is None when the way through was not complete."""
    with tempfile.TemporaryDirectory(prefix="hinomi-model-") as folder:
        subprocess.run(["spin", "-a", *(f"-D{define}" for define in defines.split()), str(MODEL)], cwd=folder, check=True, capture_output=True)
        subprocess.run(["gcc", "-O2", "-w", "-DSAFETY", "-DNOREDUCE", "-DCOLLAPSE", "-DVECTORSZ=512", "-o", "pan", "pan.c"], cwd=folder, check=True)
        out = subprocess.run(["./pan", "-m1000000"], cwd=folder, capture_output=True, text=True, timeout=300).stdout
    errors = re.search(r"errors: (\d+)", out)
    states = re.search(r"(\d+) states, stored", out)
    broken = re.search(r"assertion violated (\w+)", out)
    whole = errors and states and "max search depth too small" not in out
    return int(errors[1]) if whole else None, int(states[1]) if states else 0, broken and broken[1]


def main():
    if not shutil.which("spin"):
        checks.skip("the model of releases", "spin is not installed")
        checks.finish()
    for defines in ("", "RESTORES"):
        errors, states, broken = explore(defines)
        print(f"{states} states {defines}")
        checks.check(f"every way through the model keeps all properties {defines}", errors == 0 and broken is None and states > 100000)
    for defines, assertion in REFUTED.items():
        errors, states, broken = explore(defines)
        checks.check(f"{defines}: {assertion} breaks (found: {broken})", errors == 1 and broken == assertion)
    checks.finish()


if __name__ == "__main__":
    main()
