#!/usr/bin/env python3
"""Checks the signature of Hinomi's webhooks. Needs nothing but Python.

    verifier = Verifier([b"the secret", b"the next secret"])
    why = verifier.check(request.headers["X-Hinomi-Signature"], request.body)     the bytes as they came
    if why: return 401

X-Hinomi-Signature is v1,SECONDS,NONCE,MAC[,MAC]: MAC is HMAC-SHA256(secret, "SECONDS.NONCE." + body) in hex, a second one is
there while the sender changes its secret. A receiver that runs as several processes gives them one store of nonces
(an INSERT into a table with a unique key, a SET NX in Redis).

As a program it reads lines of NOW, header and body in base64, separated by tabs, and says what each is:
    verify_webhook.py SECRET [SECRET] < lines
"""
import base64
import hashlib
import hmac
import re
import sys
import threading
import time

WINDOW_S = 300  # what is older, or from the future, is refused; so nonces need no longer memory
SHAPE = re.compile(r"v1,(\d{1,12}),([0-9a-f]{32}),([0-9a-f]{64})(?:,([0-9a-f]{64}))?")


class Nonces:
    """Those seen within the window, of one process."""

    def __init__(self):
        self.seen, self.lock = {}, threading.Lock()

    def is_new(self, nonce, now):
        with self.lock:
            self.seen = {n: t for n, t in self.seen.items() if t >= now - 2 * WINDOW_S}
            if nonce in self.seen:
                return False
            self.seen[nonce] = now
            return True


class Verifier:
    def __init__(self, secrets, nonces=None):
        self.secrets, self.nonces = secrets, nonces or Nonces()

    def check(self, header, body, now=None):
        """None when it is genuine, else why not. The nonce is noted last: nobody can fill the store without the secret."""
        now = time.time() if now is None else now
        parts = SHAPE.fullmatch(header or "")
        if not parts:
            return "no signature of a known shape"
        seconds, nonce, *macs = parts.groups()
        if abs(now - int(seconds)) > WINDOW_S:
            return "too old, or from the future"
        signed = f"{seconds}.{nonce}.".encode() + body
        wanted = [hmac.new(secret, signed, hashlib.sha256).hexdigest() for secret in self.secrets]
        genuine = [hmac.compare_digest(mac, want) for mac in macs if mac for want in wanted]
        if not any(genuine):
            return "not signed with a secret of ours"
        return None if self.nonces.is_new(nonce, now) else "seen before"


def main():
    verifier = Verifier([word.encode() for word in sys.argv[1:]])
    for line in sys.stdin:
        now, header, body = line.rstrip("\n").split("\t")
        print(verifier.check(header, base64.b64decode(body), int(now)) or "genuine")


if __name__ == "__main__":
    main()
