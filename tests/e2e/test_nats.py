#!/usr/bin/env python3
"""Messages of JetStream, read from a real nats-server through kills of both sides: each is there once."""
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import certificates
import harness
import nats_keys
import senders

MESSAGES = int(os.environ.get("NATS_MESSAGES", "200000"))


PASSWORD = {"user": "hinomi", "pass": "pass word"}


class Nats:
    """A server with JetStream, on a port that stays when it is started again."""
    all = []

    def __init__(self, folder, who='authorization { users = [ {user: hinomi, password: "pass word"} ] }', identity=None, context=None):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        folder.mkdir(exist_ok=True)
        (folder / "nats.conf").write_text(f'listen: "127.0.0.1:{self.port}"\njetstream {{ store_dir: "{folder}/js", max_file: 4G }}\n{who}\n')
        self.folder, self.process, self.identity, self.context = folder, None, identity or PASSWORD, context
        Nats.all.append(self)
        self.start()

    def client(self):
        return Client(self.port, self.identity, self.context)

    def answers(self):
        try:
            self.client().close()
            return True
        except (OSError, AssertionError):
            return False

    def start(self):
        self.process = subprocess.Popen([senders.program("nats", "usr/sbin/nats-server"), "-c", str(self.folder / "nats.conf")],
                                        stdout=open(self.folder / "nats.out", "ab"), stderr=subprocess.STDOUT)
        assert harness.wait_for(self.answers, 30), (self.folder / "nats.out").read_text()[-2000:]

    def kill(self):
        self.process.kill()
        self.process.wait()


class Client:
    """The text protocol of NATS, as much of it as is needed to make streams and publish."""

    def __init__(self, port, identity, context=None):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(60)
        greeting = b""
        while not greeting.endswith(b"\r\n"):  # not a byte more: what follows may be TLS
            byte = self.socket.recv(1)
            assert byte
            greeting += byte
        assert greeting.startswith(b"INFO")
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.file = self.socket.makefile("rb")
        who = identity(json.loads(greeting[5:])["nonce"]) if callable(identity) else identity
        self.send(b"CONNECT " + json.dumps({"verbose": False, "pedantic": False, "headers": True, **who}).encode() + b"\r\nSUB _INBOX.t.> 1\r\nPING\r\n")
        for line in self.file:
            assert not line.startswith(b"-ERR"), line
            if line.startswith(b"PONG"):
                return
        raise OSError("the server has gone")

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


def make_stream(client):
    answer = client.request("$JS.API.STREAM.CREATE.LOGS", {"name": "LOGS", "subjects": ["logs.>"], "storage": "file"})
    assert "error" not in answer, answer


def counts(server, what="n"):
    page = server.query(f"hinomi.source=bus | stats count dc({what})")
    return tuple(int(cell) for cell in page["rows"][0]) if page["rows"] else (0, 0)


def check_kills(checks, folder):
    nats = Nats(folder)
    client = nats.client()
    make_stream(client)
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
        client = nats.client()
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


# ---- who we are, and whom we believe

def authority(keys):
    """An operator, an account that may have streams, and a user, with their signed claims."""
    claim = lambda issuer, subject, kind, **more: keys.token({"jti": kind, "iat": int(time.time()), "iss": issuer.public, "name": kind, "sub": subject.public,
                                                              "nats": {"type": kind, "version": 2, **more}}, issuer)
    operator, account, system, user = keys.Key("O"), keys.Key("A"), keys.Key("A"), keys.Key("U")
    none = {name: -1 for name in ("subs", "data", "payload", "imports", "exports", "conn", "leaf", "mem_storage", "disk_storage", "streams", "consumer")}
    tokens = {one.public: claim(operator, one, "account", limits=limits) for one, limits in ((account, {**none, "wildcards": True}), (system, {}))}
    config = (f"operator: {claim(operator, operator, 'operator')}\nresolver: MEMORY\nsystem_account: {system.public}\n"
              f"resolver_preload: {{ {', '.join(f'{name}: {text}' for name, text in tokens.items())} }}")
    return config, claim(account, user, "user", pub={}, sub={}, subs=-1, data=-1, payload=-1), user


def tls_of(folder, name="server", verify=False):
    return f'tls {{ cert_file: "{folder}/{name}.pem", key_file: "{folder}/{name}.key", ca_file: "{folder}/ca.pem", verify: {str(verify).lower()} }}\n'


def servers_of(folder):
    """A server for each way to say who we are, all with TLS."""
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.load_cert_chain(folder / "client.pem", folder / "client.key")
    lax = ssl._create_unverified_context()
    config, token, user = authority(nats_keys)
    simple = nats_keys.Key("U")
    (folder / "user.creds").write_text(user.credentials(token))
    (folder / "user.seed").write_text(simple.seed)
    signed = lambda nonce: {"jwt": token, "sig": user.sign(nonce)}
    users = f'authorization {{ users = [ {{user: hinomi, password: "pass word"}}, {{nkey: {simple.public}}} ] }}'
    return simple, {
        "users": Nats(folder / "users", tls_of(folder) + users, PASSWORD, context),
        "token": Nats(folder / "token", tls_of(folder, verify=True) + 'authorization { token: "a token" }', {"auth_token": "a token"}, context),
        "operator": Nats(folder / "operator", tls_of(folder) + config, signed, context),
        "elsewhere": Nats(folder / "elsewhere", tls_of(folder, "elsewhere") + users, PASSWORD, lax),
    }


IDENTITY_MESSAGES = 50


def check_identity(checks, folder):
    certificates.make(folder)
    simple, servers = servers_of(folder)
    ca, client = f"ca_file: {folder}/ca.pem", f"certificate: {folder}/client.pem, key: {folder}/client.key"
    password = 'user: hinomi, password: "pass word"'
    good = {"password": ("users", f"tls: true, {ca}, {password}"), "nkey": ("users", f"{ca}, nkey: {simple.public}, nkey_seed: {folder}/user.seed"),
            "token": ("token", f"{ca}, {client}, token: a token"), "creds": ("operator", f"{ca}, credentials: {folder}/user.creds")}
    bad = {"wrong_ca": ("users", f"ca_file: {folder}/other-ca.pem, {password}", "unable to get local issuer certificate"),
           "wrong_name": ("elsewhere", f"{ca}, {password}", "address mismatch"),
           "wrong_password": ("users", f"{ca}, user: hinomi, password: guessed", "Authorization Violation"),
           "no_certificate": ("token", f"{ca}, token: a token", "give certificate and key"),
           "wrong_seed": ("users", f"{ca}, nkey: {nats_keys.Key('U').public}, nkey_seed: {folder}/user.seed", "Authorization Violation")}
    entry = lambda name, to, given: f'  - {{kind: nats, name: {name}, servers: ["tls://127.0.0.1:{servers[to].port}"], stream_name: LOGS, consumer: {name}, {given}}}\n'
    server = harness.Server(config="collect:\n" + "".join(entry(name, *rest[:2]) for name, rest in {**good, **bad}.items()))
    try:
        for nats in servers.values():
            make_stream(nats.client())
            publish(nats.client(), 0, IDENTITY_MESSAGES)
        server.start().sign_in()
        count = lambda name: server.query(f"hinomi.source={name} | stats count dc(n)")["rows"]
        for name in good:
            checks.check(f"{name}: all is read", harness.wait_for(lambda: count(name) == [[IDENTITY_MESSAGES] * 2], 30), f"{count(name)}")
        said = lambda name: [line for line in pathlib.Path(server.dir, "stderr").read_text().splitlines() if f"collector {name}: " in line]
        for name, (_, _, sentence) in bad.items():
            checks.check(f"{name}: is said", harness.wait_for(lambda: any(sentence in line.split(": ", 2)[2] for line in said(name)), 30), f"{said(name)}")
            print("\n".join(said(name)))
            checks.equal(f"{name}: nothing is read", count(name), [[0, 0]])
    finally:
        server.close()


def main():
    checks = harness.Checks()
    why = senders.fetch()
    if why:
        checks.skip("NATS", why)
        checks.finish()
    with tempfile.TemporaryDirectory(prefix="hinomi-nats-") as name:
        try:
            check_identity(checks, pathlib.Path(name))
            check_kills(checks, pathlib.Path(name))
        finally:
            for nats in Nats.all:
                nats.kill()
    checks.finish()


if __name__ == "__main__":
    main()
