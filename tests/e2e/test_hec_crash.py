#!/usr/bin/env python3
"""kill -9 while events arrive: every acknowledged event is found, once where a batch had a key."""
import json
import os
import random
import threading
import time

from harness import Checks, Server, wait_for

FULL = bool(os.environ.get("HINOMI_FULL"))
ROUNDS = 20 if FULL else 5
EVENTS = 200_000 if FULL else 60_000
BATCH = 200
SENDERS = 3
checks = Checks()


class Sender(threading.Thread):
    """Sends numbered batches, each with a key; repeats one that was not answered."""

    def __init__(self, server, token, number, count):
        super().__init__(daemon=True)
        self.server, self.token, self.number, self.left = server, token, number, count
        self.next, self.acked, self.sent = 0, set(), set()
        self.up = threading.Event()
        self.up.set()

    def run(self):
        while self.next * BATCH < self.left:
            self.up.wait()
            first = self.next * BATCH
            events = [{"pid": self.number, "n": first + i, "payload": f"{self.number}-{first + i}-" + "x" * 40} for i in range(BATCH)]
            self.sent.update(range(first, first + BATCH))
            try:
                status, body, _ = self.server.hec(self.token, events, key=f"s{self.number}-{self.next}")
            except OSError:
                time.sleep(0.02)
                continue
            except Exception:
                time.sleep(0.02)
                continue
            if status == 200:
                self.acked.update(range(first, first + BATCH))
                self.next += 1
            elif status in (503, 507):
                time.sleep(0.05)
            else:
                raise RuntimeError(f"answer {status}: {body}")


server = Server().start()
server.sign_in()
token = server.token("hec")
senders = [Sender(server, token, i, EVENTS // SENDERS // BATCH * BATCH) for i in range(SENDERS)]
for sender in senders:
    sender.start()
rng = random.Random(7)
kills = 0
while kills < ROUNDS and any(s.is_alive() for s in senders):
    time.sleep(rng.uniform(0.05, 0.3))
    for sender in senders:
        sender.up.clear()
    server.kill()
    server.setup_code = None
    server.start()
    for sender in senders:
        sender.up.set()
    kills += 1
for sender in senders:
    sender.join(300)
checks.equal("it was killed often enough", kills, ROUNDS)
server.sign_in()
# what is acknowledged is in the journal; that a search finds it takes as long as it takes to read it again after the last kill
wait_for(lambda: int(server.query("pid=* | stats count", wait=120)["rows"][0][0]) >= sum(s.left for s in senders))
for sender in senders:
    page = server.query(f'pid={sender.number} | stats count dc(n) as distinct min(n) as low max(n) as high', wait=120)
    row = dict(zip(page["columns"], page["rows"][0]))
    checks.check(f"sender {sender.number} was acknowledged in full", len(sender.acked) == sender.left, str(len(sender.acked)))
    checks.equal(f"sender {sender.number}: stored once each", (int(row["count"]), int(row["distinct"])), (sender.left, sender.left))
page = server.query("* payload=* | where payload != pid . \"-\" . n . \"-\" . \"" + "x" * 40 + "\" | stats count", wait=120)
checks.equal("no payload is altered", int(page["rows"][0][0]), 0)
status, books, _ = server.request("GET", "/v1/sources")
hec = next(s for s in books["sources"] if s["name"] == "hec")
checks.equal("the books balance", hec["received"], hec["stored"])
checks.equal("it stops cleanly", server.stop(), 0)
server.close()
checks.finish()
