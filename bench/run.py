#!/usr/bin/env python3
"""Import and query figures of the whole program; see bench/README.md."""
import argparse
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


def main():
    parser = argparse.ArgumentParser()
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
    print("| query | wall ms | CPU ms |\n|---|---|---|")
    for name, spl in QUERIES:
        runs = [run(hinomi, "search", "--dir", tmp + "/store", "--format", "json", spl) for _ in range(5)]
        print(f"| {name}: `{spl}` | {min(r[0] for r in runs) * 1000:.0f} | {min(r[1] for r in runs) * 1000:.0f} |")
    shutil.rmtree(tmp)


main()
