#!/usr/bin/env python3
"""What detection costs; see bench/README.md.

  bench/detect.py [--data DIR] [--events N] [--mixed FILE]

DIR has Sigma rules and events as rules.tar.zst and events.tar.zst (evtx/, nxlog/ with a JSON event a line). Without it the rules of
content/ are taken, and only the mixed stream. Events are copies with other ids, process numbers and command lines each time: what is
remembered from one copy to the next is what comes again in real logs, too."""
import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
GUID = re.compile(rb"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b")
NUMBER = re.compile(rb'("(?:[A-Za-z]*ProcessI[dD]|ThreadI[dD]|EventRecordID|RecordNumber|SourcePort|port|LogonId|[A-Za-z]*LogonId|TargetProcessId)": ?"?)(\d+)')
COMMAND = re.compile(rb'("(?:Parent)?CommandLine": ?")((?:[^"\\]|\\.)+)"')


def varied(line, copy):
    """The same event with other ids, process numbers and command lines."""
    if not copy:
        return line
    line = GUID.sub(lambda m: b"%08x" % ((int(m[0][:8], 16) + copy * 2654435761) & 0xffffffff) + m[0][8:], line)
    line = NUMBER.sub(lambda m: m[1] + b"%d" % (int(m[2]) % 60000 + copy), line)
    return COMMAND.sub(lambda m: m[1] + m[2] + b' #%d"' % copy, line)


def copies(lines, count):
    for i in range(count):
        yield varied(lines[i % len(lines)], i // len(lines))


def child_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def detect_cpu(hinomi, rules, path, lines):
    """CPU seconds of the whole command over these lines, and its matches."""
    with open(path, "wb") as events:
        events.writelines(lines)
    before = child_cpu()
    with tempfile.TemporaryFile() as out:
        subprocess.run([hinomi, "detect", "--rules", rules, "--format", "jsonl", path], cwd=ROOT, stdout=out, stderr=subprocess.DEVNULL,
                       check=True)
        cpu = child_cpu() - before
        out.seek(0)
        return cpu, sum(1 for _ in out)


def alone(build, rules, events, rounds=1):
    """Decoding and detection timed apart, in one process."""
    done = subprocess.run([build / "bench/detect_bench", rules, ROOT / "content", events, str(rounds)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


# ---- ten times the rules ----

def other_rule(text, copy):
    """The same rule about other things: words and numbers of its detection are other ones."""
    letter = "bdfhjlnprtvxz"[copy % 13]
    head, _, rest = text.partition("\ndetection:")
    body, condition, tail = rest.partition("\n    condition:")

    def other_value(m):
        return m[1] + re.sub(r"[a-z]{4,}", lambda w: w[0] + "q" + letter, re.sub(r"(?<![\w.])\d{3,}(?![\w.])", lambda n: n[0] + str(copy), m[2]))
    body = re.sub(r"^(\s*(?:- )?(?:[\w.|-]+:)? ?)(.*)$", other_value, body, flags=re.M)
    head = re.sub(r"^(id: .{8})", lambda m: m[1][:-2] + f"{copy:02}", head, flags=re.M)
    return head + "\ndetection:" + body + condition + tail


def multiply(rules, to, times):
    for path in sorted(pathlib.Path(rules).rglob("*.yml")):
        text = path.read_text(encoding="utf8")
        for copy in range(times):
            out = to / str(copy) / path.relative_to(rules)
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(other_rule(text, copy) if copy else text, encoding="utf8")
    return to


# ---- the table ----

def unpack(archive, to):
    to.mkdir()
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", to], check=True)
    return to


def read_lines(folder):
    return [line for path in sorted(folder.rglob("*.jsonl")) for line in path.read_bytes().splitlines(keepends=True) if line.strip()]


def row(name, figures):
    print(f"| {name} | {figures['rules']} | {figures['decode_us']:.2f} | {figures['detect_us']:.2f} | {1e6 / figures['detect_us']:,.0f} | "
          f"{figures['values']:.1f} | {figures['memo_hit_rate'] * 100:.1f} % | {figures['offered']:.0f} | {figures['evaluated']:.2f} | {figures['matched']:.4f} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--data", default=str(ROOT.parent / "shared/data/sigma"))
    parser.add_argument("--events", type=int, default=500000)
    parser.add_argument("--mixed", default=os.environ.get("HINOMI_BENCH_EVENTS"), help="a file of mixed events; the first 200,000 are taken")
    args = parser.parse_args()
    build, data = pathlib.Path(args.build).resolve(), pathlib.Path(args.data)
    with tempfile.TemporaryDirectory(prefix="hinomi-detect-") as tmp:
        tmp = pathlib.Path(tmp)
        corpora = {}
        rules = ROOT / "content/rules"
        if (data / "rules.tar.zst").exists():
            rules = unpack(data / "rules.tar.zst", tmp / "rules")
            events = unpack(data / "events.tar.zst", tmp / "events")
            corpora = {"EVTX files as JSON": read_lines(events / "evtx"), "Security-Datasets (nxlog)": read_lines(events / "nxlog")}
        start, _ = detect_cpu(build / "hinomi", rules, tmp / "events.jsonl", [])
        print(f"| whole program: hinomi detect, output included, start ({start:.2f} s) apart | events | events per CPU second | findings |\n|---|---|---|---|")
        for name, lines in corpora.items():
            cpu, found = detect_cpu(build / "hinomi", rules, tmp / "events.jsonl", copies(lines, args.events))
            print(f"| {name} | {args.events:,} | {args.events / (cpu - start):,.0f} | {found:,} |", flush=True)
        print("\n| per event, µs of CPU | rules | decoding | detection | detection alone, events per s | values looked up | known from before |"
              " rules offered | conditions evaluated | matches |\n|---|---|---|---|---|---|---|---|---|---|")
        if args.mixed:
            with open(args.mixed, "rb") as source:
                corpora["mixed stream"] = [line for line, _ in zip(source, range(200000))]
        figures = None
        for name, lines in corpora.items():
            path = tmp / "events.jsonl"
            with open(path, "wb") as out:
                out.writelines(copies(lines, max(140000, len(lines))))
            figures = alone(build, rules, path)
            row(name, figures)
            more = alone(build, multiply(rules, tmp / "more", 10) if not (tmp / "more").exists() else tmp / "more", path)
            row(name + ", ten times the rules", more)
        if figures:
            print(f"\nLoading {figures['rules']} rules: {figures['load_cpu_s']:.2f} CPU s, {figures['load_mib']:.0f} MiB resident, of it the plan "
                  f"{figures['plan_mib']:.0f} MiB with {figures['predicates']:,} predicates; ten times: {more['load_cpu_s']:.2f} s, {more['load_mib']:.0f} MiB.")


main()
