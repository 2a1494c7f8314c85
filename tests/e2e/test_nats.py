#!/usr/bin/env python3
"""Messages of JetStream, read from a real nats-server through kills of both sides: each is there once."""
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness
import senders

MESSAGES = int(os.environ.get("NATS_MESSAGES", "200000"))


class Nats:
    """A server with JetStream, on a port that stays when it is started again."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "nats.conf").write_text(f'listen: "127.0.0.1:{self.port}"\njetstream {{ store_dir: "{folder}/js", max_file: 4G }}\n'
                                          'authorization { users = [ {user: hinomi, password: "pass word"} ] }\n')
        self.folder, self.process = folder, None
        self.start()

    def start(self):
        self.process = subprocess.Popen([senders.program("nats", "usr/sbin/nats-server"), "-c", str(self.folder / "nats.conf")],
                                        stdout=open(self.folder / "nats.out", "ab"), stderr=subprocess.STDOUT)
        harness.wait_for(lambda: Client.answers(self.port), 30)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Client:
    """The text protocol of NATS, as much of it as is needed to make streams and publish."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(60)
        self.file = self.socket.makefile("rb")
        assert self.file.readline().startswith(b"INFO")
        self.send(b'CONNECT {"verbose":false,"pedantic":false,"user":"hinomi","pass":"pass word","headers":true}\r\nSUB _INBOX.t.> 1\r\nPING\r\n')
        while not self.file.readline().startswith(b"PONG"):
            pass

    @staticmethod
    def answers(port):
        try:
            Client(port).close()
            return True
        except (OSError, AssertionError):
            return False

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        while True:
            line = self.file.readline()
            if not line:
                raise OSError("the server has gone")
            if line.startswith(b"PING"):
                self.send(b"PONG\r\n")
            elif line.startswith(b"MSG"):
                length = int(line.split()[-1])
                return self.file.read(length + 2)[:length]

    def request(self, subject, body):
        data = json.dumps(body).encode()
        self.send(f"PUB {subject} _INBOX.t.1 {len(data)}\r\n".encode() + data + b"\r\n")
        return json.loads(self.answer())


def publish(client, first, count):
    """Returns when the server has acknowledged all of them."""
    for start in range(first, first + count, 500):
        end = min(start + 500, first + count)
        batch = b""
        for i in range(start, end):
            data = b'{"n":%d,"message":"made by the test","user":{"name":"u%d"}}' % (i, i % 50)
            batch += b"PUB logs.app%d _INBOX.t.p %d\r\n%s\r\n" % (i % 3, len(data), data)
        client.send(batch)
        for _ in range(start, end):
            assert b'"seq"' in client.answer()


def counts(server, what="n"):
    page = server.query(f"hinomi.source=bus | stats count dc({what})")
    return tuple(int(cell) for cell in page["rows"][0]) if page["rows"] else (0, 0)


def check_kills(checks, folder):
    nats = Nats(folder)
    client = Client(nats.port)
    assert "error" not in client.request("$JS.API.STREAM.CREATE.LOGS", {"name": "LOGS", "subjects": ["logs.>"], "storage": "file"})
    publish(client, 0, MESSAGES // 2)
    server = harness.Server(config=f'collect:\n  - {{kind: nats, name: bus, servers: ["nats://127.0.0.1:{nats.port}"], stream_name: LOGS, user: hinomi, '
                                   'password: "pass word", ack_wait: 2s}\n')
    began = time.monotonic()
    server.start()
    try:
        server.sign_in()
        feeder = threading.Thread(target=publish, args=(client, MESSAGES // 2, MESSAGES - MESSAGES // 2))
        feeder.start()
        for share in (8, 4, 2):
            harness.wait_for(lambda: counts(server)[0] > MESSAGES // share, 60)
            server.kill()
            server.start()
            server.sign_in()
        feeder.join()
        client.close()
        nats.kill()
        nats.start()
        harness.wait_for(lambda: counts(server)[1] >= MESSAGES, 180)
        print(f"{MESSAGES} messages in {time.monotonic() - began:.1f} s with three kills of one side and one of the other")
        client = Client(nats.port)
        publish(client, MESSAGES, 1000)
        client.request("$JS.API.STREAM.MSG.DELETE.LOGS", {"seq": MESSAGES + 500})
        harness.wait_for(lambda: counts(server)[1] >= MESSAGES + 1000, 60)
        got = counts(server)
        checks.check("each message is there once", got[0] == got[1] and got[1] in (MESSAGES + 1000, MESSAGES + 999), f"{got}")
        checks.equal("by their numbers too", counts(server, "nats.sequence")[1], got[0])
        info = client.request("$JS.API.CONSUMER.INFO.LOGS.hinomi", {})
        checks.check("all are acknowledged", harness.wait_for(
            lambda: client.request("$JS.API.CONSUMER.INFO.LOGS.hinomi", {})["num_ack_pending"] == 0, 30), f"{info}")
        checks.equal("the books balance", (server.stop(), harness.run("ledger", "--dir", server.dir + "/data")[0]), (0, 0))
    finally:
        server.close()
        client.close()
        nats.kill()


def main():
    checks = harness.Checks()
    why = senders.fetch()
    if why:
        checks.skip("NATS", why)
        checks.finish()
    with tempfile.TemporaryDirectory(prefix="hinomi-nats-") as name:
        check_kills(checks, pathlib.Path(name))
    checks.finish()


if __name__ == "__main__":
    main()
