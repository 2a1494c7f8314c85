"""Load and oracle of the crash tests: producers outside the server write down what they sent and what was
acknowledged, every event can be computed again from its producer and number, and the store is read by two paths
that share no code (hinomi search and store_dump)."""
import hashlib
import http.client
import json
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from harness import Server, run, search  # noqa: E402
import store_dump  # noqa: E402

BATCH = 20


def event(pid, n):
    """The bytes of event n of a producer."""
    payload = hashlib.blake2b(f"{pid}-{n}".encode(), digest_size=12).hexdigest()
    return json.dumps({"pid": pid, "n": n, "payload": payload, "@timestamp": f"2026-01-0{1 + n // BATCH % 3}T00:00:{n % 60:02}Z"}).encode()


class Producer(threading.Thread):
    """Sends batches with keys while it is told to, and the same batch again after an answer that did not come."""

    def __init__(self, journal, pid):
        super().__init__(daemon=True)
        self.journal, self.pid, self.next = open(journal, "a", buffering=1), pid, 0
        self.port = self.token = None
        self.may, self.idle, self.ended = threading.Event(), threading.Event(), False
        self.start()

    def send(self, connection):
        numbers = range(self.next, self.next + BATCH)
        self.journal.write(f"sent {self.pid} {self.next}\n")
        body = b"".join(b'{"event":' + event(self.pid, n) + b"}" for n in numbers)
        connection.request("POST", "/services/collector/event", body,
                           {"Authorization": f"Splunk {self.token}", "Idempotency-Key": f"{self.pid}-{self.next}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            self.journal.write(f"acked {self.pid} {self.next}\n")
            self.next += BATCH

    def run(self):
        while not self.ended:
            self.idle.set()
            self.may.wait()
            self.idle.clear()
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                while self.may.is_set():
                    self.send(connection)
            except (OSError, http.client.HTTPException):
                time.sleep(0.001)
            connection.close()


class Load:
    """A server, its producers and the journal of what they did."""

    def __init__(self, folder, journal, producers=2, env=None):
        self.journal = pathlib.Path(journal)
        self.journal.write_text("")
        self.env = env
        self.server = Server(str(folder)).start(env=env)
        self.server.sign_in()
        self.token = self.server.token("hec")
        self.producers = [Producer(journal, pid) for pid in range(producers)]

    def go(self):
        for producer in self.producers:
            producer.port, producer.token = self.server.hec_port, self.token
            producer.may.set()

    def halt(self):
        """No producer sends when it returns; call it after the server is gone."""
        for producer in self.producers:
            producer.may.clear()
        for producer in self.producers:
            producer.idle.wait(10)

    def start(self):
        self.server.start(env=self.env)

    def close(self):
        for producer in self.producers:
            producer.ended = True
            producer.port = 1
            producer.may.set()
            producer.join(10)
            producer.journal.close()
        if self.server.process.poll() is None:
            self.server.kill()

    def kill_somewhere(self, rng):
        """kill -9 while events arrive, while it starts, or while it stops (everything goes into segments then)."""
        where = rng.randrange(10)
        if where == 0:
            self.server.spawn(self.env)
            time.sleep(rng.uniform(0, 0.1))
            self.server.kill()
            return "start"
        self.start()
        self.go()
        time.sleep(rng.uniform(0.002, 0.06))
        if where < 4:
            self.server.process.terminate()
            time.sleep(rng.uniform(0, 0.04))
        self.server.kill()
        self.halt()
        return "stop" if where < 4 else "load"

    def oracle(self):
        sent, acked = set(), set()
        for line in self.journal.read_text().splitlines():
            word, pid, first = line.split()
            (sent if word == "sent" else acked).update((int(pid), n) for n in range(int(first), int(first) + BATCH))
        return sent, acked


def judge(originals, sent, acked):
    """What is wrong with the events found, as counts; originals: the bytes of each."""
    seen, wrong = {}, {"lost": 0, "altered": 0, "doubled": 0, "invented": 0}
    for raw in originals:
        try:
            body = json.loads(raw)
            name = (body["pid"], body["n"])
        except (ValueError, KeyError, TypeError):
            name = None
        if name is None or event(*name) != raw:
            wrong["altered"] += 1
            continue
        seen[name] = seen.get(name, 0) + 1
    wrong["doubled"] = sum(n - 1 for n in seen.values())
    wrong["lost"] = len(acked - seen.keys())
    wrong["invented"] = len(seen.keys() - sent)
    return wrong


def by_dump(data):
    """The producers' events as the second reader finds them: one list entry per place."""
    return [raw for places in store_dump.dump(data).values() for _, source, raw in places if source == b"hec"]


def by_search(data):
    return [row["event.original"].encode() for row in search(data, "hinomi.source=hec | table event.original")]


def judge_folder(load, checks, name):
    """After the last fault: the files as they lie, then a start, a clean stop, and both readers. Returns acknowledged events."""
    data = load.server.dir + "/data"
    sent, acked = load.oracle()
    nothing = {"lost": 0, "altered": 0, "doubled": 0, "invented": 0}
    try:
        found = by_dump(data)
        checks.equal(f"{name}: the files as they lie", judge(found, sent, acked), nothing)
        load.start()
        checks.equal(f"{name}: it stops cleanly", load.server.stop(), 0)
        again, searched = by_dump(data), by_search(data)
        checks.equal(f"{name}: the files after a clean stop", judge(again, sent, acked), nothing)
        checks.equal(f"{name}: hinomi search", judge(searched, sent, acked), nothing)
        checks.equal(f"{name}: both readers", sorted(again), sorted(searched))
        checks.equal(f"{name}: nothing came or went by the restart", sorted(again), sorted(found))
        checks.equal(f"{name}: hinomi verify", run("verify", "--dir", data)[0], 0)
    except (store_dump.Damaged, RuntimeError) as why:
        checks.check(name, False, f"{why!r} in {data}")
    return len(acked)
