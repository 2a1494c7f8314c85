#!/usr/bin/env python3
"""How soon a rule finds what has come in, while many rules see many events.

    python3 bench/probes.py [--rules 600 | --rules DIR] [--rates 10000,25000,50000] [--seconds 15] [--senders 2]

A server with so many rules (generated ones, or those of a folder) takes JSON over HTTP at each rate; one event of every batch of a
thousand is a probe, which a rule of its own finds. Measured from event.ingested of the probe, when it was received, to event.ingested of its
finding, when that was handed on to be stored and told: both by the server's clock, looked up afterwards. One line a rate: events
acknowledged a second, p50, p99 and the longest, probes that were not found, CPU seconds of the server a million events, and how busy
its pipeline was. Rate 0 is as fast as the server answers.
"""
import argparse
import http.client
import json
import pathlib
import shutil
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))
import harness  # noqa: E402
from restart import cpu_of, threads_of  # noqa: E402

BATCH = 1000
PROBE = """title: probe
id: 00000000-0000-4000-8000-00000000d001
logsource: {product: ecs}
detection: {s: {kind: probe}, condition: s}
level: low
hinomi: {explain: {en: "probe {probe}", ja: "probe {probe}"}}
"""
# Of every sort that published rules have: words in texts, ends of paths, lists, numbers, exceptions.
SHAPES = ["s: {{path|contains: [/admin{0}/, /hidden{0}]}}\n  condition: s", "s: {{agent|endswith: tool/{0}}}\n  condition: s",
          "s: {{user: [root{0}, svc{0}, batch{0}], action: login}}\n  condition: s", "s: {{message|contains|all: [failed {0}, from]}}\n  f: {{status: 200}}\n  condition: s and not f",
          "s: {{src_ip|cidr: 172.{0}.0.0/16}}\n  condition: s", "s: {{bytes|gt: 90{0}000, action: upload}}\n  condition: s", "s: {{message|re: 'code=[a-f]{{3}}{0}\\b'}}\n  condition: s"]


def write_rules(folder, count):
    folder.mkdir(parents=True)
    (folder / "probe.yml").write_text(PROBE)
    for i in range(count - 1):
        (folder / f"rule{i}.yml").write_text(f"title: rule {i}\nlogsource: {{product: ecs}}\nlevel: low\ndetection:\n  {SHAPES[i % len(SHAPES)].format(i % 250)}\n")


def template(number):
    return "".join(json.dumps({"event": {
        "user": f"user{(i * 7 + number) % 200:03}", "action": ["view", "login", "upload"][i % 3], "status": [200, 404, 500][i % 3],
        "src_ip": f"10.{number % 200}.{i % 250}.{i % 99}", "n": i, "bytes": i * 37, "path": f"/v1/orders/{i * 131 % 1000}",
        "message": f"request {i} of the session was answered in {i % 90} ms by worker {i % 8}", "agent": "Mozilla/5.0 (X11; Linux x86_64) bench"}})
        for i in range(BATCH - 1)).encode()


class Sender(threading.Thread):
    """Its share of the rate, a batch with a probe in the middle at a time."""

    def __init__(self, server, token, name, rate, seconds):
        super().__init__(daemon=True)
        self.server, self.token, self.prefix, self.rate, self.seconds, self.sent = server, token, name, rate, seconds, 0
        self.bodies = [template(i) for i in range(8)]

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.hec_port, timeout=60)
        begin = time.monotonic()
        while (now := time.monotonic() - begin) < self.seconds:
            ahead = self.sent * BATCH / self.rate - now if self.rate else 0
            if ahead > 0:
                time.sleep(ahead)
            body, probe = self.bodies[self.sent % 8], json.dumps({"event": {"kind": "probe", "probe": f"{self.prefix}-{self.sent}"}}).encode()
            half = body.index(b'}{"event"', len(body) // 2) + 1
            connection.request("POST", "/services/collector/event", body[:half] + probe + body[half:], {"Authorization": f"Splunk {self.token}"})
            answer = connection.getresponse()
            if answer.status != 200:
                raise RuntimeError(answer.read())
            answer.read()
            self.sent += 1
        connection.close()
        self.took = time.monotonic() - begin


def seconds_of(text):
    """Of the day; a run that goes over midnight is measured again."""
    hours, minutes, seconds = text.split("T")[1].rstrip("Z").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def looked_up(server, spl):
    page = server.query(spl, limit=100000)
    return {row[0]: seconds_of(row[1]) for row in page["rows"]}


def measure(server, token, rate, seconds, senders=2):
    """One rate; a dict of figures."""
    run = f"r{time.monotonic_ns()}"
    before, threads = cpu_of(server.process.pid), threads_of(server.process.pid)
    threads_before = dict(threads)
    many = [Sender(server, token, f"{run}-{i}", rate / senders, seconds) for i in range(senders)]
    for one in many:
        one.start()
    for one in many:
        one.join()
    sent, took = sum(one.sent for one in many), max(one.took for one in many)
    came = f'kind=probe probe="{run}-*" | eval when=strftime(\'event.ingested\', "%Y-%m-%dT%H:%M:%S.%6N") | table probe when'
    found = f'event.dataset=hinomi.finding (index=* OR index=_*) message="probe {run}-*" | eval probe=replace(message, "probe ", ""), when=strftime(\'event.ingested\', "%Y-%m-%dT%H:%M:%S.%6N") | table probe when'
    harness.wait_for(lambda: len(looked_up(server, found)) >= sent, 60)
    cpu = cpu_of(server.process.pid) - before
    received, told = looked_up(server, came), looked_up(server, found)
    waits = sorted(told[probe] - received[probe] for probe in received if probe in told) or [float("nan")]
    busy = {name: used - threads_before.get(name, 0) for name, used in threads_of(server.process.pid).items()}
    return {"rate": sent * BATCH / took, "p50": waits[len(waits) // 2], "p99": waits[min(len(waits) - 1, len(waits) * 99 // 100)], "longest": waits[-1],
            "probes": sent, "missing": sent - len(told), "stored": len(received), "cpu": cpu / (sent * BATCH) * 1e6, "pipeline": busy.get("pipeline", 0) / took}


def serve(rules):
    """A server with rules: a number of generated ones, or a folder's; (server, token, rules that are active)."""
    server = harness.Server()
    folder = pathlib.Path(server.dir, "data/content/rules")
    if rules.isdigit():
        write_rules(folder, int(rules))
    else:
        folder.mkdir(parents=True)
        (folder / "probe.yml").write_text(PROBE)
        shutil.copytree(rules, folder / "more")
    server.start()
    server.sign_in()
    active = sum(rule["status"] == "active" for rule in server.request("GET", "/v1/rules", timeout=120)[1]["rules"])
    return server, server.token(), active


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rules", default="600")
    parser.add_argument("--rates", default="10000,25000,50000")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--senders", type=int, default=2)
    args = parser.parse_args()
    server, token, active = serve(args.rules)
    try:
        print(f"{active} active rules\n| events/s wanted | acknowledged | p50 | p99 | longest | probes | not found | CPU s per million | pipeline busy |\n|---|---|---|---|---|---|---|---|---|")
        for rate in map(int, args.rates.split(",")):
            f = measure(server, token, rate, args.seconds, args.senders)
            print(f"| {rate:,} | {f['rate']:,.0f} | {f['p50'] * 1000:.0f} ms | {f['p99'] * 1000:.0f} ms | {f['longest'] * 1000:.0f} ms | {f['probes']} | "
                  f"{f['missing']} | {f['cpu']:.1f} | {f['pipeline'] * 100:.0f} % |", flush=True)
    finally:
        server.close()


if __name__ == "__main__":
    main()
