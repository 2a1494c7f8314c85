#!/usr/bin/env python3
"""How long a start takes that finds a full journal: from the program's start until everything in it is checked and its
events are found by a search.

    python3 bench/restart.py [--mib 1024] [--events FILE] [--rounds 3] [--keep DIR]

The journal is written by bench/journal_fill (no segment, no checkpoint: what a kill -9 leaves of a server whose pipeline has
fallen back so far) and read by `hinomi serve` with all its rules. Prints wall and CPU seconds until the ports are open
(every frame checked), and until the search finds all events.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))
import native  # noqa: E402
import harness  # noqa: E402


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def threads_of(pid, least=0.1):
    """CPU seconds by thread name, of those that used so many."""
    sums = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        text = (task / "stat").read_text()
        fields = text.rsplit(")", 1)[1].split()
        name = text.split("(", 1)[1].rsplit(")", 1)[0]
        sums[name] = sums.get(name, 0) + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return {name: seconds for name, seconds in sorted(sums.items(), key=lambda kv: -kv[1]) if seconds >= least}


def one(filled, count):
    folder = tempfile.mkdtemp(prefix="hinomi-restart-", dir=filled.parent)
    shutil.copytree(filled, folder + "/data")
    server = harness.Server(folder)
    start = time.monotonic()
    server.start(wait=120)
    pid = server.process.pid
    opened = time.monotonic() - start, cpu_of(pid)
    server.sign_in()
    while True:
        page = server.query("index=main | stats count")
        found = int(page["rows"][0][0]) if page["rows"] else 0
        if found >= count:
            break
        if time.monotonic() - start > 300:
            raise SystemExit(f"{found} of {count} events after five minutes")
        time.sleep(0.1)
    all_found = time.monotonic() - start, cpu_of(pid)
    threads = threads_of(pid)
    assert found == count, (found, count)
    server.kill()
    shutil.rmtree(folder)
    print(f"| {opened[0]:.2f} | {opened[1]:.2f} | {all_found[0]:.2f} | {all_found[1]:.2f} | " + ", ".join(f"{n} {s:.1f}" for n, s in threads.items()) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--events", help="a file of events; without it syslog lines are made")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hinomi-restart-") as folder:
        events, filled = args.events, pathlib.Path(folder, "filled")
        if not events:
            events = folder + "/lines"
            with open(events, "w") as out:
                out.writelines(line + "\n" for line in native.syslog_ietf(2, 200000))
        text = subprocess.run([str(ROOT / args.build / "bench/journal_fill"), str(filled), events, str(args.mib)], capture_output=True, text=True, check=True).stdout
        print(text)
        print("| ports open, s | CPU s | all events found, s | CPU s | CPU s by thread |\n|---|---|---|---|---|")
        for _ in range(args.rounds):
            one(filled, int(text.split()[0]))


if __name__ == "__main__":
    main()
