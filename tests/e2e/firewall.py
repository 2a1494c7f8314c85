"""A mock of a firewall or an identity provider: takes signed requests, and works, fails, hangs or dies by a plan."""
import hashlib
import hmac
import http.server
import json
import threading
import time

SECRET = "sixteen bytes or more"


class Mock:
    """Blocks what it is told, once a key. plan: what to do with the next requests; then it works."""

    def __init__(self):
        mock = self
        self.blocked, self.keys, self.asked, self.plan, self.wrong = set(), {}, [], [], []
        self.lock = threading.Lock()
        self.kill = None
        self.verify_after = 0
        self.go_on = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    mock.take(self, body)
                except (BrokenPipeError, ConnectionResetError):
                    pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *args: None  # a killed server breaks connections off
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def genuine(self, headers, body):
        version, t, nonce, mac = headers["X-Hinomi-Signature"].split(",")
        want = hmac.new(SECRET.encode(), f"{t}.{nonce}.".encode() + body, hashlib.sha256).hexdigest()
        return version == "v1" and abs(time.time() - int(t)) <= 300 and hmac.compare_digest(mac, want)

    def effect(self, path, key, document):
        with self.lock:
            known = key in self.keys
            self.keys[key] = self.keys.get(key, 0) + 1
            value = document.get("address") or document.get("entity.value")
            if not known and path == "/do":
                self.blocked.add(value)
            if not known and path == "/undo":
                self.blocked.discard(value)

    def take(self, handler, body):
        document, key = json.loads(body), handler.headers["Idempotency-Key"]
        if not self.genuine(handler.headers, body):
            self.wrong.append(body)
        if handler.path == "/verify":
            with self.lock:
                self.verify_after -= 1
                disabled = document["entity.value"] in self.blocked and self.verify_after < 0
            return self.answer(handler, 200, b'{"disabled": true}' if disabled else b'{"disabled": false}')
        with self.lock:
            self.asked.append((handler.path, document, key))
            mode = self.plan.pop(0) if self.plan else "work"
        if mode == "hang":
            self.go_on.wait(30)
            return self.answer(handler, 200)
        if mode.isdigit():
            return self.answer(handler, int(mode))
        if mode == "kill before":
            self.kill()
            return None
        self.effect(handler.path, key, document)
        if mode == "die":
            handler.close_connection = True
            return None
        if mode == "kill after":
            self.answer(handler, 200)
            self.kill()
            return None
        return self.answer(handler, 200)

    def answer(self, handler, status, body=b"{}"):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
