#!/usr/bin/env python3
"""What following a file costs: CPU seconds of `hinomi serve` for lines that are added to a file, parsed, durable and searchable at the end, beside
rsyslog's imfile for copying the same lines to another file unparsed.

  python3 bench/collect_files.py [--lines 1000000] [--rounds 3]
"""
import argparse
import pathlib
import shutil
import sys
import tempfile
import time

from collect import cpu, ingested, lines_of, settled
import harness
import senders
from test_collect import count

IMFILE = """module(load="imfile" mode="inotify")
template(name="raw" type="string" string="%%rawmsg%%\\n")
main_queue(queue.type="LinkedList" queue.size="100000" queue.dequeueBatchSize="1024")
input(type="imfile" File="%s" Tag="bench" addMetadata="off")
action(type="omfile" file="%s" template="raw")
"""
PIECE = 1 << 16


def write(path, data):
    """As a busy program does: many writes."""
    with open(path, "ab", buffering=0) as file:
        for at in range(0, len(data), PIECE):
            file.write(data[at:at + PIECE])


def imfile(data):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-bench-"))
    path, out = folder / "in.log", folder / "out.log"
    path.touch()
    try:
        with senders.rsyslog(IMFILE % (path, out), folder) as running:
            write(path, b"begin\n")
            harness.wait_for(lambda: out.exists() and out.stat().st_size)
            before, begun = cpu(running.process.pid), time.monotonic()
            write(path, data)
            if not harness.wait_for(lambda: out.stat().st_size >= len(data) * 0.99, 120):
                sys.exit("rsyslog did not read all of it")
            wall = time.monotonic() - begun
            time.sleep(0.5)
            return cpu(running.process.pid) - before, wall
    finally:
        shutil.rmtree(folder)


def hinomi(data, number):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-bench-"))
    path = folder / "in.log"
    path.touch()
    server = harness.Server(config=f'collect:\n  - {{kind: file, name: tail, paths: ["{path}"]}}\n').start()
    try:
        server.sign_in()
        before, begun = settled(server), time.monotonic()
        write(path, data)
        harness.wait_for(lambda: ingested(server) >= number, 300)
        wall = time.monotonic() - begun
        used = settled(server) - before
        there = count(server, "hinomi.source=tail")
        assert there == number, (there, number)
        return used, wall
    finally:
        server.close()
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    why = senders.fetch()
    if why:
        sys.exit(why)
    data = lines_of(args.lines)
    print(f"{args.lines} lines of 400 bytes added to a file, {args.rounds} rounds by turns")
    print("| | CPU s | seconds | lines/s | ratio of CPU |\n|---|---|---|---|---|")
    for _ in range(args.rounds):
        theirs, their_wall = imfile(data)
        ours, wall = hinomi(data, args.lines)
        print(f"| rsyslog's imfile to a file, unparsed | {theirs:.2f} | {their_wall:.2f} | {args.lines / their_wall:,.0f} | 1 |")
        print(f"| hinomi, parsed, durable, searchable | {ours:.2f} | {wall:.2f} | {args.lines / wall:,.0f} | {ours / theirs:.2f} |", flush=True)


if __name__ == "__main__":
    main()
