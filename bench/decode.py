#!/usr/bin/env python3
"""What decoding alone costs: lines to finished batches on one core, all decoders loaded, no source named.

    python3 bench/decode.py                       the samples beside the decoders; more from ../shared/data/decode where that is
    python3 bench/decode.py --data DIR            DIR/STREAM/CASE/input.log
    python3 bench/decode.py --lines 20000 --runs 5

A corpus repeats the lines of its streams as often as the others'. Lines of JSON, of key=value and CSV, and those cut by regular
expressions come twice: a stream after the other, as sources send them, and shuffled with a seed, each line of another source
than the last. The other corpora are shuffled. Every figure is the best of
some runs of build/bench/decode_bench, which take turns. Beside it: jq -c . on the JSON lines, a loop of one regular expression on
access lines (build/bench/regex_bench), and the same corpus with no other decoders loaded than those that it needs.
"""
import argparse
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
DECODERS = ROOT / "content/decoders"
STREAMS = {
    "JSON": "aws.cloudtrail aws.guardduty aws.route53_resolver_logs azure.signinlogs gcp.audit github.audit google_workspace.admin "
            "o365.audit okta.system suricata.eve zeek.connection zeek.dns zeek.http crowdstrike.falcon m365_defender.event",
    "key=value and CSV": "fortinet_fortigate.log panw.panos pfsense.log iptables.log checkpoint.firewall juniper_srx.log",
    "cut by regex": "cisco_asa.log cisco_ftd.log apache.access haproxy.log system.auth postgresql.log mysql.error snort.log "
                    "infoblox_nios.log",
}


def is_whole(line):
    """Not a part of a JSON text that goes over several lines."""
    try:
        return line[0] not in "{}[] " or isinstance(json.loads(line), dict)
    except ValueError:
        return False


def lines_of(paths):
    return [line for path in paths for line in path.read_text(errors="surrogateescape").split("\n") if line and is_whole(line)]


def drawn(streams, count, seed):
    """As many lines of each stream, drawn with repetition, a stream after the other."""
    dice = random.Random(seed)
    return [dice.choice(lines) for lines in streams for _ in range(count // len(streams))]


def shuffled(streams, count, seed):
    lines = drawn(streams, count, seed)
    random.Random(seed).shuffle(lines)
    return lines


def own_corpora(count):
    streams = [lines_of([path]) for path in sorted(DECODERS.glob("*.log"))]
    parts = {is_json: [part for s in streams if (part := [line for line in s if line.startswith("{") == is_json])]
             for is_json in (True, False)}
    yield "samples, JSON", shuffled(parts[True], count, 7)
    yield "samples, text", shuffled(parts[False], count, 7)
    yield "samples, all", shuffled(parts[True] + parts[False], count, 7)


def given_corpora(data, count):
    every = []
    for name, streams in STREAMS.items():
        found = [lines for s in streams.split() if (lines := lines_of(sorted((data / s).glob("*/input.log"))))]
        every += found
        if found:
            yield f"{name}, by source", drawn(found, count, 7)
            yield f"{name}, shuffled", shuffled(found, count, 7)
    if every:
        yield "mixed", shuffled(every, count, 7)
    access = lines_of(sorted((data / "apache.access").glob("*/input.log")))
    if access:
        yield "access lines", shuffled([access], count, 7)


def cpu_of(command, path):
    with open(path, "rb") as text, open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(command, stdin=text, stdout=nowhere)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} failed")
    return usage.ru_utime + usage.ru_stime


def rate(*command):
    """What a bench program prints before "/CPU-s"."""
    text = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, check=True, text=True).stdout
    return float(re.search(r"(\d+) (?:events|lines)/CPU-s", text)[1])


def scalars(node):
    if isinstance(node, dict):
        for key, value in node.items():
            yield from scalars(value)
    elif isinstance(node, list):
        for value in node:
            yield from scalars(value)
    elif isinstance(node, str):
        yield node


def needed_files(names):
    """Files of these decoders, and of the decoders and tables that they name."""
    file_of, texts_of = {}, {}
    for path in sorted(DECODERS.rglob("*.yaml")):
        documents = [d for d in yaml.load_all(path.read_text(), yaml.BaseLoader) if isinstance(d, dict)]
        texts_of[path] = set(scalars(documents))
        for document in documents:
            for key in ("name", "table"):
                if isinstance(document.get(key), str):
                    file_of[document[key]] = path
    files, left = set(), {file_of[n] for n in names if n in file_of}
    while left:
        path = left.pop()
        files.add(path)
        left |= {file_of[t] for t in texts_of[path] if t in file_of} - files
    return files


def decoders_in_use(hinomi, path, folder):
    """A folder with no more decoders than the corpus needs."""
    text = subprocess.run([str(hinomi), "decode", str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=False, text=True, errors="replace").stdout
    labels = {json.loads(line).get("hinomi.decoder", "") for line in text.splitlines()}
    files = needed_files({label.split("@")[0] for label in labels} | {"syslog"})
    for file in files:
        shutil.copy(file, folder / file.name)
    return len(files)


def measure(build, path, runs):
    with tempfile.TemporaryDirectory() as folder:
        used = decoders_in_use(build / "hinomi", path, pathlib.Path(folder))
        bench, best, alone = build / "bench/decode_bench", 0, 0
        for _ in range(runs):
            best = max(best, rate(bench, DECODERS, path, 1))
            alone = max(alone, rate(bench, folder, path, 1))
    return best, alone, used


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data/decode")
    parser.add_argument("--lines", type=int, default=20000)
    parser.add_argument("--runs", type=int, default=7)
    args = parser.parse_args()
    corpora = list(own_corpora(args.lines))
    if args.data.is_dir():
        corpora += given_corpora(args.data, args.lines)
    else:
        print(f"{args.data} is not there: only the samples are measured\n")
    print("| corpus | bytes an event | events / CPU s | ns an event | MB/s | needed decoders' files alone | all cost | beside it |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in corpora:
            path = pathlib.Path(folder) / "corpus.log"
            path.write_text("\n".join(lines) + "\n", errors="surrogateescape")
            size, beside = path.stat().st_size / len(lines), ""
            best, alone, used = measure(args.build, path, args.runs)
            if "JSON" in name:
                beside = "jq -c .: it is not installed"
                if shutil.which("jq"):
                    beside = f"jq -c .: {len(lines) / min(cpu_of(['jq', '-c', '.'], path) for _ in range(3)):,.0f}"
            if name == "access lines":
                beside = f"one regex: {max(rate(args.build / 'bench/regex_bench', path, 3) for _ in range(args.runs)):,.0f}"
            print(f"| {name} | {size:,.0f} | {best:,.0f} | {1e9 / best:,.0f} | {best * size / 1e6:,.0f} | {alone:,.0f} ({used}) "
                  f"| {alone / best - 1:+.0%} | {beside} |", flush=True)


if __name__ == "__main__":
    main()
