#!/usr/bin/env python3
"""How fast the gate decides, alone and beside ingest, over its socket and over HTTP. `bench/gate.py [--seconds N] [--rates 0,20000,50000]`

A real server in a folder of its own with the shipped policy and rules; ordinary withdrawals of a million accounts, each durable before it is answered.
Ingest is HEC, events as an exchange and its hosts send them, paced on the clock."""
import argparse
import http.client
import json
import pathlib
import random
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from harness import HINOMI, Server, wait_for  # noqa: E402

A_REQUEST = 500


def balances(server, token):
    event = {"@timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": {"dataset": "wallet.balance", "action": "balance_snapshot"},
             "wallet": {"asset": "BTC", "tier": "hot", "address": "bc1qhot", "chain_balance": 1000000000, "ledger_balance": 1000000000, "pending_in": 0}}
    server.hec(token, [event])


def batch(generator):
    """Events of five sources, with their own values each time."""
    lines, now = [], time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now))
    for _ in range(A_REQUEST):
        kind, user, n = generator.randrange(5), f"u{generator.randrange(100000):06d}", generator.getrandbits(40)
        if kind == 0:
            event = {"event": {"dataset": "exchange.auth", "action": "login", "outcome": "success", "category": ["authentication"]}, "user": {"id": user},
                     "source": {"ip": f"198.18.{n & 255}.{n >> 8 & 255}"}, "device": {"id": "d" + user}}
        elif kind == 1:
            event = {"event": {"dataset": "exchange.order", "action": "order_placed", "category": ["web"]}, "user": {"id": user},
                     "exchange": {"symbol": "BTC/JPY", "side": "buy", "type": "limit", "quantity": n % 1000 / 100, "price": 10000000 + n % 1000}}
        elif kind == 2:
            event = {"event": {"dataset": "dns.query", "action": "dns_query", "category": ["network"]}, "host": {"name": f"PC-{n % 200}"},
                     "dns": {"question": {"name": f"www{n % 3000}.example", "type": "A"}, "response_code": "NOERROR"}}
        elif kind == 3:
            event = {"event": {"dataset": "exchange.deposit", "action": "deposit_credited", "category": ["web"]}, "user": {"id": user},
                     "exchange": {"asset": "BTC", "amount": n % 1000 / 100, "txid": f"{n:x}"}}
        else:
            event = {"event": {"dataset": "firewall.flow", "action": "network_flow", "category": ["network"]}, "host": {"name": f"web-{n % 9}"},
                     "source": {"ip": f"10.30.1.{n & 255}"}, "destination": {"ip": f"10.30.2.{n >> 8 & 255}", "port": 443}, "network": {"bytes": n % 100000}}
        lines.append(json.dumps({"event": {"@timestamp": stamp, **event}}))
    return "\n".join(lines).encode()


class Ingest:
    """So many events a second, from bodies made beforehand: Python must not be what is measured."""

    def __init__(self, server, token, rate):
        generator = random.Random(7)
        self.bodies = [batch(generator) for _ in range(60)]
        self.server, self.token, self.rate = server, token, rate
        self.stopping, self.sent, self.refused, self.late = False, 0, 0, 0.0
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.hec_port, timeout=60)
        begun, count = time.monotonic(), 0
        while not self.stopping:
            due = begun + count * A_REQUEST / self.rate
            time.sleep(max(0, due - time.monotonic()))
            self.late = max(self.late, time.monotonic() - due)
            connection.request("POST", "/services/collector/event", self.bodies[count % len(self.bodies)], {"Authorization": f"Splunk {self.token}"})
            answer = connection.getresponse()
            answer.read()
            self.sent += A_REQUEST if answer.status == 200 else 0
            self.refused += answer.status != 200
            count += 1
        self.took = time.monotonic() - begun

    def stop(self):
        self.stopping = True
        self.thread.join()
        return f"ingest {self.sent / self.took:,.0f} events/s, {self.refused} refused, at most {self.late * 1000:.0f} ms late"


def over_http(server, token, seconds):
    """One caller that keeps its connection."""
    connection, times, number = http.client.HTTPConnection("127.0.0.1", server.api_port, timeout=30), [], 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        number += 1
        body = json.dumps({"request_id": f"http-{time.monotonic_ns()}", "action": "withdrawal", "account": f"a{number % 5000}", "asset": "BTC",
                           "amount": "0.001", "wallet": "w", "destination": f"d{number % 5000}"})
        begun = time.monotonic()
        connection.request("POST", "/v1/gate/decide", body, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        reply = json.loads(answer.read())
        times.append(time.monotonic() - begun)
        assert reply["decision"] == "allow", reply
    times.sort()
    at = lambda share: times[min(len(times) - 1, int(share * len(times)))] * 1000
    return f"{len(times) / seconds:,.0f} requests/s, ms: p50 {at(0.5):.3f}  p99 {at(0.99):.3f}  p99.9 {at(0.999):.3f}  max {times[-1] * 1000:.3f}"


def bench(server, *words):
    done = subprocess.run([HINOMI, "gate", "bench", "--dir", pathlib.Path(server.dir) / "data", *map(str, words)], capture_output=True, text=True)
    return (done.stdout + done.stderr).strip()


def measure(rate, seconds, parts):
    server = Server()
    server.start()
    try:
        server.sign_in()
        hec, gate = server.token("hec"), server.token("gate")
        balances(server, hec)
        ask = lambda: bench(server, "--connections", 1, "--batch", 1, "--seconds", 1)
        wait_for(lambda: "hold 0" in ask())
        ingest = Ingest(server, hec, rate) if rate else None
        time.sleep(2 if rate else 0)
        print(f"== beside {rate:,} events/s")
        if "single" in parts:
            print("one at a time, 200 a second, so that each waits for nobody:\n" + bench(server, "--connections", 1, "--batch", 1, "--seconds", seconds, "--rate", 200))
            print("four callers, 1,000 a second in all:\n" + bench(server, "--connections", 4, "--batch", 1, "--seconds", seconds, "--rate", 1000))
        if "http" in parts:
            print("HTTP, kept alive: " + over_http(server, gate, seconds))
        if "many" in parts:
            print("as fast as answered:\n" + bench(server, "--connections", 4, "--batch", 64, "--seconds", seconds))
        if ingest:
            print(ingest.stop())
    finally:
        server.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rates", default="0,20000,50000")
    parser.add_argument("--parts", default="single,http,many")
    options = parser.parse_args()
    for rate in options.rates.split(","):
        measure(int(rate), options.seconds, options.parts.split(","))


if __name__ == "__main__":
    main()
