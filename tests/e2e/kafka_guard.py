"""What stands before brokers of Kafka that know neither TLS nor users: it ends TLS, checks who asks (SASL PLAIN or SCRAM) and passes on the rest."""
import base64
import hashlib
import hmac
import os
import select
import socket
import socketserver
import struct
import threading

HANDSHAKE, API_VERSIONS, AUTHENTICATE = 17, 18, 36
ADDED = ((HANDSHAKE, 0, 1), (AUTHENTICATE, 0, 1))


def read_exactly(stream, count):
    data = b""
    while len(data) < count:
        part = stream.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def read_frame(stream):
    return read_exactly(stream, struct.unpack(">i", read_exactly(stream, 4))[0])


def framed(data):
    return struct.pack(">i", len(data)) + data


class Scram:
    """The server's side of RFC 5802, for one exchange; as lax as brokers before Kafka 4.0: librdkafka before 2.6.1 writes its nonce twice."""

    def __init__(self, name, user, password):
        self.hash, self.user, self.password, self.salt, self.first = name, user, password, os.urandom(16), None

    def answer(self, message):
        """(what is answered, whether it is done) or None: refused."""
        fields = dict(part.split("=", 1) for part in message.decode().split(",") if "=" in part)
        if self.first is None:
            self.bare = message.decode().split(",,", 1)[1]
            self.nonce = fields["r"] + base64.b64encode(os.urandom(12)).decode()
            self.first = f"r={self.nonce},s={base64.b64encode(self.salt).decode()},i=4096"
            return self.first.encode(), False
        digest = lambda key, text: hmac.new(key, text.encode(), self.hash).digest()
        salted = hashlib.pbkdf2_hmac(self.hash, self.password.encode(), self.salt, 4096)
        everything = f"{self.bare},{self.first},c=biws,r={fields['r']}"
        client = digest(salted, "Client Key")
        signature = hmac.new(hashlib.new(self.hash, client).digest(), everything.encode(), self.hash).digest()
        proof = bytes(a ^ b for a, b in zip(client, signature))
        if not fields["r"].endswith(self.nonce) or base64.b64decode(fields["p"]) != proof or f"n={self.user}," not in self.bare:
            return None
        return b"v=" + base64.b64encode(digest(digest(salted, "Server Key"), everything)), True


class Guard:
    """Before the brokers of a list "127.0.0.1:PORT,..."; its own list is .brokers."""

    def __init__(self, brokers, tls=None, mechanism=None, user="hinomi", password="pass word"):
        self.ports, self.servers, self.seen = {}, [], []
        guard = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    stream = tls.wrap_socket(self.request, server_side=True) if tls else self.request
                    Conversation(guard, stream, self.server.broker, mechanism, user, password).run()
                except (OSError, EOFError, struct.error):
                    pass

        for broker in brokers.split(","):
            server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
            server.daemon_threads, server.broker = True, int(broker.split(":")[1])
            self.ports[server.broker] = server.server_address[1]
            self.servers.append(server)
            threading.Thread(target=server.serve_forever, daemon=True).start()
        self.brokers = ",".join(f"127.0.0.1:{port}" for port in self.ports.values())

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def own_addresses(self, data):
        """Answers with the addresses of brokers name ours instead."""
        for port, own in self.ports.items():
            data = data.replace(b"127.0.0.1" + struct.pack(">i", port), b"127.0.0.1" + struct.pack(">i", own))
        return data


class Conversation:
    def __init__(self, guard, stream, port, mechanism, user, password):
        self.guard, self.stream, self.mechanism, self.user, self.password = guard, stream, mechanism, user, password
        self.broker = socket.create_connection(("127.0.0.1", port))
        self.version_asks, self.known, self.scram = {}, mechanism is None, None

    def run(self):
        """One thread reads and writes both: a TLS connection is not for two at once."""
        held = getattr(self.stream, "pending", lambda: 0)
        try:
            while True:
                ready = [self.stream] if held() else select.select([self.stream, self.broker], [], [])[0]
                if self.stream in ready and not self.forth(read_frame(self.stream)):
                    return
                if self.broker in ready:
                    self.back(read_frame(self.broker))
        finally:
            self.broker.close()

    def forth(self, frame):
        key, version, correlation = struct.unpack(">hhi", frame[:8])
        if key == API_VERSIONS:
            self.version_asks[correlation] = version
        if key in (HANDSHAKE, AUTHENTICATE):
            self.stream.sendall(framed(struct.pack(">i", correlation) + self.authenticate(key, version, frame[8:])))
        elif self.known or key == API_VERSIONS:
            self.broker.sendall(framed(frame))
        else:
            self.guard.seen.append("unknown")
            return False
        return True

    def back(self, frame):
        version = self.version_asks.pop(struct.unpack(">i", frame[:4])[0], None)
        if version is not None and self.mechanism and frame[4:6] == b"\0\0":
            frame = self.more_versions(frame, version)
        self.stream.sendall(framed(self.guard.own_addresses(frame)))

    @staticmethod
    def more_versions(frame, version):
        """The brokers' list of what they understand, with what we do."""
        tagged = version >= 3
        added = b"".join(struct.pack(">hhh", *one) + b"\0" * tagged for one in ADDED)
        if tagged:
            return frame[:6] + bytes([frame[6] + len(ADDED)]) + added + frame[7:]
        return frame[:6] + struct.pack(">i", struct.unpack(">i", frame[6:10])[0] + len(ADDED)) + added + frame[10:]

    def authenticate(self, key, version, rest):
        rest = rest[2 + max(0, struct.unpack(">h", rest[:2])[0]):]  # the client's id
        if key == HANDSHAKE:
            asked = rest[2:].decode()
            self.guard.seen.append(asked)
            mine = self.mechanism.encode()
            return struct.pack(">hih", 0 if asked == self.mechanism else 33, 1, len(mine)) + mine
        answered = self.answer_to(rest[4:])
        lifetime = struct.pack(">q", 0) if version >= 1 else b""
        if answered is None:
            self.guard.seen.append("refused")
            words = b"who are you"
            return struct.pack(">hh", 58, len(words)) + words + struct.pack(">i", 0) + lifetime
        text, self.known = answered
        return struct.pack(">hhi", 0, -1, len(text)) + text + lifetime

    def answer_to(self, message):
        if self.mechanism == "PLAIN":
            return (b"", True) if message.decode() == f"\0{self.user}\0{self.password}" else None
        self.scram = self.scram or Scram({"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}[self.mechanism], self.user, self.password)
        return self.scram.answer(message)
