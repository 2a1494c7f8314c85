#!/usr/bin/env python3
"""The shared 2,000-line logs: no line is refused, every byte is kept."""
import json
import tempfile

from harness import SHARED, Checks, run

checks = Checks()
folder = SHARED / "data/loghub"
files = sorted(folder.glob("*/input.log")) if folder.exists() else []
for path in files:
    lines = [line for line in path.read_bytes().split(b"\n") if line.rstrip(b"\r")]
    lines = [line[:-1] if line.endswith(b"\r") else line for line in lines]
    directory = tempfile.mkdtemp(prefix="hinomi-loghub-")
    status, out, err = run("import", "--dir", directory, path)
    status2, out2, err2 = run("search", "--dir", directory, "--format", "jsonl", "* | sort hinomi.seq | table _raw")
    stored = [json.loads(line)["_raw"] for line in out2.splitlines()]
    checks.equal(f"{path.parent.name}: {len(lines)} lines", (status, status2, stored == [l.decode() for l in lines]), (0, 0, True))
if not files:
    checks.skip("loghub", "the shared logs are not here")
checks.finish()
