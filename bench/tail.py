#!/usr/bin/env python3
"""How soon a live search shows an event, and what it costs the taking in of events.

    python3 bench/tail.py [--rate 50000] [--seconds 15] [--tails 0,1,4] [--every 50] [--filter SPL]

Events (JSON over HTTP, about 400 bytes) come at the rate, each batch with the time at which it is sent; every 50th of them
passes the filter. For each number of tails one line: the rate that was acknowledged, the server's CPU seconds a million
events and that of the tails' threads, and from the sending of an event's batch until its line is read by the client p50, p99 and the
longest, with events that are missing, come twice or out of order, or were skipped (which the server says). --rate 0 sends as fast
as the server answers: what the tails take off the rate.
"""
import argparse
import http.client
import json
import os
import pathlib
import sys
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))
import harness  # noqa: E402
from restart import cpu_of, threads_of  # noqa: E402

BATCH = 500
SENDERS = 2
USERS = [f"user{i:03}" for i in range(200)]


def template(every, number):
    """A batch; @SENT@ and @FROM@ are filled in when it goes."""
    events = []
    for i in range(BATCH):
        hit = i % every == 0
        events.append(json.dumps({"event": {
            "user": USERS[(i * 7 + number) % len(USERS)], "action": "withdraw" if hit else "view", "status": [200, 404, 500][i % 3],
            "src_ip": f"10.{number % 200}.{i % 250}.{i % 99}", "sent": "@SENT@", "batch": "@FROM@", "n": i, "bytes": i * 37, "path": f"/v1/orders/{i * 131 % 1000}",
            "message": f"request {i} of the session was answered in {i % 90} ms by worker {i % 8}", "agent": "Mozilla/5.0 (X11; Linux x86_64) bench"}}))
    return "".join(events).encode()


class Tail(threading.Thread):
    def __init__(self, server, spl):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", server.api_port, timeout=60)
        self.connection.request("GET", "/v1/search/tail?q=" + urllib.parse.quote(spl), headers={"Cookie": server.cookie})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        assert b'"start"' in self.answer.readline()
        self.times, self.seen, self.twice, self.disorder, self.skipped, self.last = [], set(), 0, 0, 0, 0
        self.start()

    def run(self):
        try:
            while line := self.answer.readline():
                now = time.time()
                record = json.loads(line)
                if "event" in record:
                    event = record["event"]
                    key = event["batch"], event["n"]
                    self.twice += key in self.seen
                    self.seen.add(key)
                    self.disorder += event["hinomi.seq"] <= self.last
                    self.last = event["hinomi.seq"]
                    self.times.append(now - float(event["sent"]))
                elif "skipped" in record:
                    self.skipped += record["skipped"]["events"]
        except (OSError, ValueError, AttributeError):
            pass


class Sender(threading.Thread):
    def __init__(self, server, token, name, rate, seconds, every):
        super().__init__(daemon=True)
        self.server, self.token, self.prefix, self.rate, self.seconds = server, token, name, rate, seconds
        self.bodies = [template(every, i) for i in range(16)]
        self.sent = 0
        self.start()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.hec_port, timeout=60)
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < self.seconds:
            due = self.sent / self.rate if self.rate else 0
            if due > passed:
                time.sleep(due - passed)
            number = self.sent // BATCH
            body = self.bodies[number % len(self.bodies)].replace(b"@FROM@", f"{self.prefix}-{number}".encode())
            body = body.replace(b"@SENT@", f"{time.time():.6f}".encode())
            connection.request("POST", "/services/collector/event", body, {"Authorization": f"Splunk {self.token}"})
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                self.sent += BATCH
        connection.close()
        self.took = time.monotonic() - begin


def at(times, share):
    return f"{sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000:.0f}" if times else "-"


def measure(server, token, count, options, number):
    tails = [Tail(server, options.filter) for _ in range(count)]
    cpu, threads = cpu_of(server.process.pid), threads_of(server.process.pid, 0)
    senders = [Sender(server, token, f"{number}.{i}", options.rate / SENDERS, options.seconds, options.every) for i in range(SENDERS)]
    for sender in senders:
        sender.join()
    sent = sum(sender.sent for sender in senders)
    time.sleep(2)
    # Threads that ended have left their time to the process: the tails still run.
    cpu = cpu_of(server.process.pid) - cpu
    tail_cpu = threads_of(server.process.pid, 0).get("tail", 0) - threads.get("tail", 0)
    for tail in tails:
        tail.connection.sock.close() if tail.connection.sock else None
        tail.answer.close()
    times = [t for tail in tails for t in tail.times]
    missing = sum(sent // options.every - len(tail.seen) for tail in tails)
    print(f"{count:5} {sent / max(s.took for s in senders):9.0f} {cpu / sent * 1e6:11.2f} {tail_cpu / sent * 1e6:10.2f} {len(times):9} "
          f"{at(times, .5):>7} {at(times, .99):>7} {at(times, 1):>7} {missing:8} {sum(t.twice for t in tails):6} "
          f"{sum(t.disorder for t in tails):9} {sum(t.skipped for t in tails):8}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=50000)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--tails", default="0,1,4")
    parser.add_argument("--every", type=int, default=50)
    parser.add_argument("--filter", default="action=withdraw")
    options = parser.parse_args()
    server = harness.Server().start()
    server.sign_in()
    token = server.token()
    print(f"{os.cpu_count()} processors, {options.rate or 'all'} events/s for {options.seconds:.0f} s, {options.filter}")
    print("tails  events/s  CPU s/1M ev tails' CPU    events  p50 ms  p99 ms  max ms  missing  twice disordered skipped")
    for number, count in enumerate(options.tails.split(",")):
        measure(server, token, int(count), options, number)
    server.stop()
    server.close()


if __name__ == "__main__":
    main()
