#!/usr/bin/env python3
"""Import and query figures of the whole program; see bench/README.md."""
import argparse
import calendar
import json
import os
import pathlib
import random
import resource
import shutil
import subprocess
import tempfile
import time

QUERIES = [
    ("count by two fields", "* | stats count by event.dataset event.action"),
    ("count by one field, top 10", "* | stats count by source.ip | sort -count | head 10"),
    ("field equality, rare value", 'user.name="needle-user" | stats count'),
    ("term in the original", "needle | stats count"),
    ("timechart", "* | timechart span=1m count"),
    ("distinct count", "* | stats dc(source.ip)"),
    ("numeric range", "http.response.body.bytes>100000 | stats avg(http.response.body.bytes)"),
    ("last 100 events, whole", "* | head 100"),
]

# For a corpus with the fields of MIXED_FIELDS: the question's id in a result of the peers, SPL, and a range.
MIXED_FIELDS = {"source.ip", "event.dataset", "event.outcome", "url.path", "user_agent.original", "event.duration", "host.name"}
MIXED = [
    ("q01", "7qzx41vd9kmf | stats count", ()),
    ("q01", 'message="*7qzx41vd9kmf*" | stats count', ()),
    ("q02", 'user.name="svc-legacy-backup" | stats count', ()),
    ("q03", "source.ip=* | stats count by source.ip | sort -count source.ip | head 10", ()),
    ("q04", "* | stats count by event.dataset event.outcome", ()),
    ("q05", "* | timechart span=1m count", ()),
    ("q06", "* | stats dc(source.ip)", ()),
    ("q07", '* | regex url.path="/(admin|wp-login|search|xmlrpc)[^ ]*[.]php" | stats count', ()),
    ("q08", 'user_agent.original="Mozilla/5.0 (Windows NT 6.1*" | stats count', ()),
    ("q09", "event.dataset=nginx.access http.response.status_code>=400 http.response.status_code<=599"
            " | stats count avg(event.duration) p95(event.duration)", ()),
    ("q10", "* | head 100", ()),
    ("q11", 'event.dataset=sshd event.outcome=failure source.ip=203.0.113.77 message="*Failed password*" | stats count', ()),
    ("q12", "source.ip=10.1.0.0/20 | stats count", ()),
    ("q13", 'message="*union%20select*" | stats count', ()),
    ("q14", "event.dataset=sshd event.action=ssh_login_failed | stats count by source.ip | where count>20 | sort -count", ()),
    ("q15", 'host.name="web-01.prod.example.net" | stats count by event.action | sort -count',
     ("--from", "2026-03-04T09:00:00Z", "--to", "2026-03-04T10:00:00Z")),
]


def make_events(path, count, seed=1):
    """A mixture of firewall, web, DNS, sign-in and exchange events; the same seed gives the same bytes."""
    rng = random.Random(seed)
    start = 1767225600
    users = [f"user{int(rng.paretovariate(1.1)) % 5000:04}" for _ in range(4000)]
    addresses = [f"198.18.{rng.randrange(256)}.{rng.randrange(1, 255)}" for _ in range(3000)]
    with open(path, "w") as out:
        for i in range(count):
            when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(start + i * 7 * 86400 // count)) + f".{rng.randrange(1000):03}Z"
            kind = rng.random()
            event = {"@timestamp": when, "event.id": f"{rng.getrandbits(64):016x}", "host.name": f"host-{rng.randrange(60):02}",
                     "source.ip": rng.choice(addresses), "user.name": rng.choice(users)}
            if kind < 0.3:
                event |= {"event.dataset": "firewall.flow", "event.action": rng.choice(["allow", "deny"]), "destination.ip": f"10.0.{rng.randrange(4)}.{rng.randrange(255)}",
                          "destination.port": rng.choice([22, 53, 80, 443, 8443]), "network.bytes": rng.randrange(60, 90000), "message": "flow closed after idle timeout"}
            elif kind < 0.6:
                event |= {"event.dataset": "nginx.access", "event.action": "request", "http.request.method": "GET", "url.path": f"/api/v2/markets/{rng.randrange(90)}/book",
                          "http.response.status_code": rng.choice([200, 200, 200, 304, 404, 500]), "http.response.body.bytes": rng.randrange(200, 200000),
                          "user_agent.original": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"}
            elif kind < 0.85:
                event |= {"event.dataset": "dns.query", "event.action": "query", "dns.question.name": f"cdn{rng.randrange(800)}.example.net", "dns.response_code": "NOERROR"}
            else:
                event |= {"event.dataset": "exchange.order", "event.action": "order_placed", "exchange.symbol": "BTC/JPY", "exchange.quantity": rng.randrange(1, 99999) / 10000}
            if i in (count // 3, count // 2):
                event |= {"user.name": "needle-user", "message": "a needle in a haystack"}
            out.write(json.dumps(event) + "\n")


def run(*command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command}: {done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, after.ru_maxrss, done.stdout


def size(folder):
    return sum(p.stat().st_size for p in pathlib.Path(folder).rglob("*") if p.is_file())


def is_mixed(path):
    """Whether the first events have, together, every field that the questions of MIXED ask about."""
    seen = set()
    with open(path, "rb") as lines:
        for line, _ in zip(lines, range(5000)):
            seen |= json.loads(line).keys()
    return MIXED_FIELDS <= seen


def best_of(times, *command):
    """Least wall and CPU milliseconds."""
    runs = [run(*command) for _ in range(times)]
    return min(r[0] for r in runs) * 1000, min(r[1] for r in runs) * 1000


def seconds(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def warm_cpu(build, store, questions):
    """Least CPU ms of each question asked again and again in one open process, as a service or another engine is."""
    lines = [(f"{seconds(span[1])} {seconds(span[3])} " if span else "") + spl for _, spl, span in questions]
    out = subprocess.run([pathlib.Path(build) / "bench/search_bench", store, "9"], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True).stdout
    return [float(line.split()[1]) for line in out.splitlines()]


def print_queries(build, directory, mixed, peers):
    """Warm figures of all are of a question asked again in an open process; ours as a program holds the start of it and the opening of the store."""
    hinomi = pathlib.Path(build) / "hinomi"
    questions = MIXED if mixed else [(name, spl, ()) for name, spl in QUERIES]
    print("| query | program: wall ms | CPU ms | warm: CPU ms |" + "".join(f" {p['peer']} {p['version']} |" for p in peers) + (" of the best peer |" if peers else ""))
    print("|---|---|---|---|" + "---|" * (len(peers) + bool(peers)))
    wall, cpu = best_of(5, hinomi, "version")
    print(f"| the program's start | {wall:.0f} | {cpu:.0f} | |" + " |" * (len(peers) + bool(peers)))
    for (name, spl, span), warm in zip(questions, warm_cpu(build, directory + "/store", questions)):
        wall, cpu = best_of(5, hinomi, "search", "--dir", directory, "--format", "json", *span, spl)
        theirs = [p["queries"][name]["warm_cpu_s"] * 1000 for p in peers if name in p["queries"]]
        shown = spl.replace("|", "\\|")
        print(f"| {name}: `{shown}` | {wall:.0f} | {cpu:.0f} | {warm:.1f} |" + "".join(f" {t:.0f} |" for t in theirs) + (f" {warm / min(theirs):.2f} |" if theirs else ""))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", metavar="RESULT.json", help="figures of other engines on the same events, shown beside ours")
    parser.add_argument("--build", default="build")
    parser.add_argument("--events", type=int, default=300000)
    args = parser.parse_args()
    hinomi = pathlib.Path(args.build) / "hinomi"
    tmp = tempfile.mkdtemp(prefix="hinomi-bench-")
    path = os.environ.get("HINOMI_BENCH_EVENTS")
    if not path:
        path = tmp + "/events.jsonl"
        make_events(path, args.events)
    count = sum(1 for _ in open(path, "rb"))
    raw = os.path.getsize(path)
    wall, cpu, rss, _ = run(hinomi, "import", "--dir", tmp + "/store", path)
    disk = size(tmp + "/store/store")
    print(f"{count} events, {raw / count:.0f} bytes each\n")
    print("| import | |\n|---|---|")
    print(f"| events per CPU second | {count / cpu:,.0f} |\n| events per second | {count / wall:,.0f} |")
    print(f"| peak memory | {rss / 1024:.0f} MiB |\n| bytes per event on disk | {disk / count:.1f} |\n")
    peers = json.loads(pathlib.Path(args.peers).read_text())["peers"] if args.peers else []
    print_queries(args.build, tmp + "/store", is_mixed(path), peers)
    shutil.rmtree(tmp)


main()
