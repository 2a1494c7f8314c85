#!/usr/bin/env python3
"""100,000 documents over _bulk (with HINOMI_FULL a million), from two connections at once as shippers with two workers have them: stored =
sent, each once, found by its own number. Prints the rate until the last one was durable, and until it was searchable."""
import http.client
import json
import os
import threading
import time

from harness import Checks, Server, wait_for

DOCS = 1_000_000 if os.environ.get("HINOMI_FULL") else 100_000
BATCH, SENDERS = 5_000, 2
checks = Checks()


def batch(first):
    """With ids: what a sender that retries would send, too."""
    lines = []
    for n in range(first, first + BATCH):
        lines.append('{"create":{"_index":"many","_id":"m-%d"}}' % n)
        lines.append('{"@timestamp":"2026-03-01T09:%02d:%02d.%03dZ","message":"user u%d opened order %d","event":{"action":"open","category":["web"]},'
                     '"user":{"name":"u%d"},"source":{"ip":"192.0.2.%d"},"n":%d}' % (n // 60000 % 60, n // 1000 % 60, n % 1000, n % 977, n, n % 977, n % 250, n))
    return ("\n".join(lines) + "\n").encode()


def send(port, token, bodies, failures):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    for number, body in enumerate(bodies):
        for _ in range(2 if number % 10 == 0 else 1): # some are sent again, as after a lost answer
            connection.request("POST", "/_bulk?filter_path=errors", body, {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200 or json.loads(text) != {"errors": False}:
                failures.append((answer.status, text[:300]))


def main():
    bodies = [batch(first) for first in range(0, DOCS, BATCH)]
    server = Server().start()
    server.sign_in()
    token = server.token("hec")
    failures = []
    threads = [threading.Thread(target=send, args=(server.hec_port, token, bodies[n::SENDERS], failures)) for n in range(SENDERS)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    durable = time.monotonic() - began
    checks.equal("all were taken", failures, [])
    books = lambda: next(s for s in server.request("GET", "/v1/sources")[1]["sources"] if s["name"] == "elasticsearch")
    wait_for(lambda: books()["stored"] >= DOCS, 600)
    searchable = time.monotonic() - began
    print(f"{DOCS} documents, {sum(map(len, bodies)) / DOCS:.0f} bytes each with its action: durable {DOCS / durable:,.0f}/s, searchable {DOCS / searchable:,.0f}/s")
    row = server.query("hinomi.source=elasticsearch | stats count, dc(n) as numbers, dc(event.id) as ids, sum(n) as total", wait=300)["rows"][0]
    checks.equal("each once", [int(float(v)) for v in row], [DOCS, DOCS, DOCS, DOCS * (DOCS - 1) // 2])
    last = server.query(f"event.id=m-{DOCS - 1} | table message source.ip user.name")["rows"]
    checks.equal("with its fields", last, [[f"user u{(DOCS - 1) % 977} opened order {DOCS - 1}", f"192.0.2.{(DOCS - 1) % 250}", f"u{(DOCS - 1) % 977}"]])
    checks.equal("received and stored", (books()["received"], books()["stored"]), (DOCS, DOCS))
    checks.equal("it stops cleanly", server.stop(), 0)
    server.close()
    checks.finish()


main()
