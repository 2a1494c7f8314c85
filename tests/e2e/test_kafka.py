#!/usr/bin/env python3
"""Topics of Kafka, read from librdkafka's own test brokers (no broker can be had from Debian) through kills: each message is there once."""
import ctypes
import os
import pathlib
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import certificates
import harness
import kafka_guard

MESSAGES = int(os.environ.get("KAFKA_MESSAGES", "100000"))


class Cluster:
    """Three brokers inside this process, and a producer for them."""

    def __init__(self, partitions):
        self.lib = lib = ctypes.CDLL("librdkafka.so.1")
        for name in ("conf_new", "new", "mock_cluster_new", "mock_cluster_bootstraps", "topic_new"):
            getattr(lib, "rd_kafka_" + name).restype = ctypes.c_void_p
        self.why = ctypes.create_string_buffer(256)
        self.owner = self.client({})
        self.cluster = ctypes.c_void_p(lib.rd_kafka_mock_cluster_new(self.owner, 3))
        lib.rd_kafka_mock_cluster_bootstraps.argtypes = [ctypes.c_void_p]
        self.brokers = ctypes.string_at(lib.rd_kafka_mock_cluster_bootstraps(self.cluster)).decode()
        lib.rd_kafka_mock_topic_create(self.cluster, b"logs", partitions, 3)
        self.producer = self.client({"bootstrap.servers": self.brokers, "linger.ms": "5", "enable.idempotence": "true",
                                     "queue.buffering.max.messages": "1000000"})
        self.topic = ctypes.c_void_p(lib.rd_kafka_topic_new(self.producer, b"logs", None))

    def client(self, options):
        conf = ctypes.c_void_p(self.lib.rd_kafka_conf_new())
        for name, value in options.items():
            assert self.lib.rd_kafka_conf_set(conf, name.encode(), value.encode(), self.why, 256) == 0, self.why.value
        return ctypes.c_void_p(self.lib.rd_kafka_new(0, conf, self.why, 256))

    def produce(self, first, count):
        for i in range(first, first + count):
            data, key = b'{"n":%d,"message":"made by the test"}' % i, b"key-%d" % (i % 10)
            copy = 0x2
            assert self.lib.rd_kafka_produce(self.topic, ctypes.c_int32(-1), copy, data, ctypes.c_size_t(len(data)), key, ctypes.c_size_t(len(key)), None) == 0
            if i % 1000 == 0:
                self.lib.rd_kafka_poll(self.producer, 0)
        assert self.lib.rd_kafka_flush(self.producer, 60000) == 0


def counts(server, source="topics"):
    page = server.query(f"hinomi.source={source} | stats count dc(n)")
    return tuple(int(cell) for cell in page["rows"][0]) if page["rows"] else (0, 0)


def check_kills(checks, cluster):
    cluster.produce(0, MESSAGES // 2)
    began = time.monotonic()
    server = harness.Server(config=f'collect:\n  - {{kind: kafka, name: topics, brokers: "{cluster.brokers}", topics: [logs], '
                                   'properties: {session.timeout.ms: 6000}}\n').start()
    try:
        server.sign_in()
        feeder = threading.Thread(target=cluster.produce, args=(MESSAGES // 2, MESSAGES - MESSAGES // 2))
        feeder.start()
        for share in (8, 2):
            harness.wait_for(lambda: counts(server)[0] > MESSAGES // share, 90)
            server.kill()
            server.start()
            server.sign_in()
        feeder.join()
        harness.wait_for(lambda: counts(server)[1] >= MESSAGES, 120)
        print(f"{MESSAGES} messages in {time.monotonic() - began:.1f} s with two kills")
        checks.equal("each message is there once", counts(server), (MESSAGES, MESSAGES))
        page = server.query("hinomi.source=topics | stats dc(kafka.offset) by kafka.partition, kafka.topic")
        checks.equal("by their offsets too", (len(page["rows"]), sum(int(row[-1]) for row in page["rows"])), (4, MESSAGES))
        checks.equal("the books balance", (server.stop(), harness.run("ledger", "--dir", server.dir + "/data")[0]), (0, 0))
    finally:
        server.close()


GUARDED = 2000


def check_identity(checks, cluster, folder):
    """Over TLS, with each way to say who we are; and what is said when that is not enough. The brokers know neither: Guard does."""
    certificates.make(folder)
    ca, client, user = f"tls: true, ca_file: {folder}/ca.pem", f"certificate: {folder}/client.pem, key: {folder}/client.key", 'user: hinomi, password: "pass word"'
    plain, asks, elsewhere = (certificates.server_context(folder, name, ask) for name, ask in (("server", False), ("server", True), ("elsewhere", False)))
    good = {"tls": (plain, None, ca), "mutual": (asks, None, f"{ca}, {client}"), "sasl_plain": (plain, "PLAIN", f"{ca}, sasl: PLAIN, {user}"),
            "scram_256": (plain, "SCRAM-SHA-256", f"{ca}, sasl: SCRAM-SHA-256, {user}"), "scram_512": (None, "SCRAM-SHA-512", f"sasl: SCRAM-SHA-512, {user}")}
    bad = {"wrong_ca": (plain, None, f"tls: true, ca_file: {folder}/other-ca.pem", "certificate verify failed"),
           "wrong_name": (elsewhere, None, ca, "certificate verify failed"), "no_certificate": (asks, None, ca, "client's certificate"),
           "wrong_password": (plain, "PLAIN", f"{ca}, sasl: PLAIN, user: hinomi, password: guessed", "who are you"),
           "wrong_way": (plain, "PLAIN", f"{ca}, sasl: SCRAM-SHA-256, {user}", "PLAIN")}
    guards = {name: kafka_guard.Guard(cluster.brokers, *way[:2]) for name, way in {**good, **bad}.items()}
    entry = lambda name, given: f'  - {{kind: kafka, name: {name}, group: {name}, brokers: "{guards[name].brokers}", topics: [logs], {given}}}\n'
    cluster.produce(0, GUARDED)
    server = harness.Server(config="collect:\n" + "".join(entry(name, way[2]) for name, way in {**good, **bad}.items())).start()
    try:
        server.sign_in()
        for name in good:
            checks.check(f"{name}: all is read", harness.wait_for(lambda: counts(server, name) == (GUARDED, GUARDED), 60), f"{counts(server, name)}")
        said = lambda name: [line for line in pathlib.Path(server.dir, "stderr").read_text().splitlines() if f"collector {name}: " in line]
        for name, (_, _, _, sentence) in bad.items():
            checks.check(f"{name}: is said", harness.wait_for(lambda: any(sentence in line.split(": ", 2)[2] for line in said(name)), 30), f"{said(name)}")
            print("\n".join(said(name)))
            checks.equal(f"{name}: nothing is read", counts(server, name), (0, 0))
            checks.check(f"{name}: and not again and again", len(said(name)) <= 3, f"{len(said(name))}")
        checks.check("the ways were those that were asked for", [guards[name].seen[0] for name in ("sasl_plain", "scram_256", "scram_512")] ==
                     ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], f"{[guard.seen[:2] for guard in guards.values()]}")
        checks.equal("it ends well", server.stop(), 0)
    finally:
        server.close()
        for guard in guards.values():
            guard.close()


def main():
    checks = harness.Checks()
    try:
        cluster, guarded = Cluster(4), Cluster(4)
    except OSError as problem:
        checks.skip("Kafka", problem)
        checks.finish()
    with tempfile.TemporaryDirectory(prefix="hinomi-kafka-") as name:
        check_identity(checks, guarded, pathlib.Path(name))
    check_kills(checks, cluster)
    checks.finish()


if __name__ == "__main__":
    main()
