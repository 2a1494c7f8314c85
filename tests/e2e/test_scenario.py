#!/usr/bin/env python3
"""The January night of the shared scenario: counts as Python counts, findings when the truth says."""
import collections
import datetime
import json
import subprocess
import sys
import tempfile

from harness import SHARED, Checks, run, search

checks = Checks()
generator = SHARED / "scenario/coincheck/gen.py"


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def main():
    tmp = tempfile.mkdtemp(prefix="hinomi-scenario-")
    events = tmp + "/events.jsonl"
    subprocess.run([sys.executable, str(generator), "--out", events], check=True, capture_output=True)
    counts = collections.Counter()
    with open(events) as lines:
        for line in lines:
            counts[json.loads(line)["event"]["dataset"]] += 1
    status, out, err = run("import", "--dir", tmp + "/store", events)
    checks.equal("import", (status, out.split()[0]), (0, str(sum(counts.values()))))
    rows = search(tmp + "/store", "* | stats count by event.dataset")
    checks.equal("counts by dataset", {r["event.dataset"]: r["count"] for r in rows}, dict(counts))
    truth = json.loads((SHARED / "scenario/coincheck/truth.json").read_text())
    status, out, err = run("replay", events)
    findings = [row for row in map(json.loads, out.splitlines()) if "action" not in row["hinomi"]]
    for detection in truth["detections"]:
        found = [f for f in findings if f["hinomi"].get("catalogue") == detection["id"] and
                 when(f["@timestamp"]) <= when(detection["deadline"]) and
                 (detection["trigger_event"] in f["hinomi"]["evidence"] or set(detection["entity"].split(" -> ")) & set(f["hinomi"]["entity"]))]
        checks.check(f"{detection['id']} in time", found, detection["deadline"])
    planned = {b["event_id"] for b in truth["benign_lookalikes"]}
    loud = [f for f in findings if f["hinomi"]["severity"] in ("high", "critical") and planned & set(f["hinomi"]["evidence"])]
    checks.equal("no page on a lookalike", loud, [])


if generator.exists():
    main()
else:
    checks.skip("scenario", "the shared scenario is not here")
checks.finish()
