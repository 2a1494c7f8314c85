#!/usr/bin/env python3
"""What different corpora cost: a row each with bytes per event on disk, rate and memory, beside zstd on the same bytes.

    python3 bench/corpora.py                      the native formats, made here (bench/native.py)
    HINOMI_BENCH_EVENTS=mixed.jsonl python3 bench/corpora.py
    python3 bench/corpora.py --data DIR           also what is in DIR: sigma/evtx.tar.zst, loghub/*/input.log, wazuh/cases.ndjson
    python3 bench/corpora.py --only CEF

Each import is a program of its own into an empty store, with everything included: reading, decode, journal with fsync, segments,
originals. The CPU seconds of the program's start are taken off, since some corpora are small. What is absent is said and skipped.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import native

ZSTD_19_BYTES_MAX = 64 << 20  # of a larger corpus its beginning: level 19 takes a minute for as much


def run(*command):
    """(wall s, CPU s, peak bytes, text) of one program. The system counts a child's memory before exec as its own, so this
    program must stay small itself."""
    start = time.monotonic()
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = process.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"{command}: {text}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, text


def packed_bytes(path, part, level):
    head = subprocess.Popen(["head", "-c", str(part), str(path)], stdout=subprocess.PIPE)
    zstd = subprocess.Popen(["zstd", f"-{level}", "-c", "-q", "--single-thread"], stdin=head.stdout, stdout=subprocess.PIPE)
    total = 0
    while piece := zstd.stdout.read(1 << 16):
        total += len(piece)
    if head.wait() or zstd.wait():
        raise SystemExit("zstd failed; it has to be installed")
    return total


def zstd_size(path, level):
    """Bytes of the packed file, in proportion where only its beginning was packed."""
    size = path.stat().st_size
    part = min(size, ZSTD_19_BYTES_MAX) if level > 9 else size
    return packed_bytes(path, part, level) * size / part


def disk(folder):
    return sum(p.stat().st_size for p in pathlib.Path(folder).rglob("*") if p.is_file())


def fields_known(hinomi, store):
    """Share of the events that some decoder took, of all."""
    text = subprocess.run([str(hinomi), "search", "--dir", str(store), "--format", "json", "* | stats count, count(eval(tags=\"_not_understood\")) as raw"], capture_output=True, text=True)
    row = json.loads(text.stdout)[0]
    return 1 - int(row["raw"]) / max(1, int(row["count"]))


class Bench:
    def __init__(self, hinomi, tmp):
        self.hinomi, self.tmp = hinomi, tmp
        self.start = min(run(hinomi, "version")[1] for _ in range(5))

    def row(self, name, files, raw=None):
        """raw: what zstd is to pack, where files are no text."""
        store = self.tmp / "data"
        shutil.rmtree(store, ignore_errors=True)
        _, cpu, peak, text = run(self.hinomi, "import", "--dir", store, *files)
        events = int(text.strip().splitlines()[-1].split(" events")[0])
        if raw is None:
            raw = self.tmp / "all"
            with open(raw, "wb") as out:
                for path in files:
                    with open(path, "rb") as one:
                        shutil.copyfileobj(one, out)
        size, cpu = raw.stat().st_size, max(cpu - self.start, 0.001)
        packed = [zstd_size(raw, level) / events for level in (3, 19)]
        print(f"| {name} | {events:,} | {size / events:.0f} | {disk(store / 'store') / events:.1f} | {packed[0]:.1f} | {packed[1]:.1f} | {events / cpu:,.0f} | {size / cpu / 1e6:.0f} | {peak >> 20} | {fields_known(self.hinomi, store):.0%} |", flush=True)


def evtx(bench, data, copies):
    """The test files of Sigma's rules, the whole set as often as said. Their records' XML is the raw form that zstd packs."""
    archive = data / "sigma/evtx.tar.zst"
    if not archive.exists():
        return f"EVTX: no {archive}"
    folder = bench.tmp / "evtx"
    folder.mkdir()
    subprocess.run(["tar", "--zstd", "-xf", str(archive), "-C", str(folder)], check=True)
    files = sorted(folder.rglob("*.evtx"))
    store, raw = bench.tmp / "xml", bench.tmp / "evtx.raw"
    run(bench.hinomi, "import", "--dir", store, *files * copies)
    run(bench.hinomi, "export", "--dir", store, "--format", "raw", "--out", raw)
    shutil.rmtree(store)
    bench.row(f"EVTX: {len(files)} files, {copies} times" if copies > 1 else f"EVTX: {len(files)} files", files * copies, raw)
    return None


def found_files(bench, data):
    logs = sorted(data.glob("loghub/*/input.log"))
    if logs:
        bench.row(f"loghub: {len(logs)} systems", logs)
    cases = data / "wazuh/cases.ndjson"
    if cases.exists():
        path = bench.tmp / "wazuh.log"
        path.write_text("".join(json.loads(line)["log"] + "\n" for line in open(cases)))
        bench.row("Wazuh's test lines: 89 sources", [path])
    table = data / "process/withdrawal.csv"
    if table.exists():
        bench.row("process mining: withdrawals as CSV lines", [table])
    return [f"{name}: nothing in {data}" for name, there in (("loghub", logs), ("Wazuh", cases.exists()), ("process mining", table.exists())) if not there]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--events", type=int, default=200000, help="of each format that is made here")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--data", type=pathlib.Path, help="a folder with corpora of others")
    parser.add_argument("--evtx-copies", type=int, default=1, help="more make the time longer and the bytes per event meaningless")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    skipped = []
    with tempfile.TemporaryDirectory(prefix="hinomi-corpora-") as folder:
        bench = Bench(pathlib.Path(args.build).resolve() / "hinomi", pathlib.Path(folder))
        print("| corpus | events | raw bytes | on disk | zstd -3 | zstd -19 | events / CPU s | MB / CPU s | peak MiB | decoded |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        mixed = os.environ.get("HINOMI_BENCH_EVENTS")
        if not mixed:
            skipped.append("mixed JSON: HINOMI_BENCH_EVENTS names no file")
        elif args.only in "mixed JSON":
            bench.row("mixed JSON", [pathlib.Path(mixed)])
        for name, make in native.LINES.items():
            if args.only in name:
                path = bench.tmp / "lines.log"
                with open(path, "w") as out:
                    out.writelines(line + "\n" for line in make(args.seed, args.events))
                bench.row(f"{name}, made here", [path])
        if args.data and args.only in "EVTX":
            skipped.append(evtx(bench, args.data, args.evtx_copies))
        if args.data and not args.only:
            skipped += found_files(bench, args.data)
        if not args.data:
            skipped.append("EVTX, loghub, Wazuh, process mining: --data names no folder")
    for line in filter(None, skipped):
        print("skipped", line)


main()
