#!/usr/bin/env python3
"""The sample receivers of docs/samples, in Python, JavaScript and C: what the program signs is genuine for each of them, and
what was changed, is old, came before or was signed with another secret is not."""
import base64
import hashlib
import hmac
import http.server
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading

from harness import ROOT, Checks, run

checks = Checks()
SAMPLES = ROOT / "docs/samples"
OLD, NEW, FOREIGN = "the old secret of a test", "the new secret of a test", "some other secret of a test"


def real_requests(folder):
    """What hinomi sends: signed with one secret, and with two while it is changed."""
    taken = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            taken.append((self.headers["X-Hinomi-Signature"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = pathlib.Path(folder, "watch.yaml")
    row = f'kind: webhook, url: "http://127.0.0.1:{server.server_port}/", allow_private: true, secret: "{OLD}"'
    config.write_text(f'notifiers:\n  - {{name: a, {row}}}\n  - {{name: b, {row}, secret_next: "{NEW}"}}\n')
    status, _, err = run("watch", "https://siem.example.jp", "--config", config, "--test")
    checks.check("hinomi sends", status == 0 and len(taken) == 2, err)
    return taken


def sign(secrets, t, nonce, body):
    return ",".join(["v1", str(t), nonce, *(hmac.new(s.encode(), f"{t}.{nonce}.".encode() + body, hashlib.sha256).hexdigest() for s in secrets)])


def cases(taken):
    """(now, header, body, what it is) for a receiver that has the old and the new secret."""
    rand, t, body = random.Random(1), 1516924802, '{"incident":"INC-7","題":"\\u0000"}'.encode() + b"\xff\x00"
    nonce = lambda: rand.randbytes(16).hex()
    shape, foreign, late, again = "no signature of a known shape", "not signed with a secret of ours", "too old, or from the future", "seen before"
    for header, sent in taken:
        now = int(header.split(",")[1])
        yield now, header, sent, "genuine"
        yield now + 1, header, sent, again
        yield now, header, sent + b" ", foreign
    for secrets in ([OLD], [NEW], [OLD, NEW], [FOREIGN, NEW]):
        yield t, sign(secrets, t, nonce(), body), body, "genuine"
    yield t, sign([FOREIGN], t, nonce(), body), body, foreign
    yield t, sign([FOREIGN, FOREIGN], t, nonce(), body), body, foreign
    for apart, what in ((300, "genuine"), (-300, "genuine"), (301, late), (-301, late), (10**6, late)):
        yield t + apart, sign([OLD], t, nonce(), body), body, what
    once = nonce()
    yield t, sign([OLD], t, once, body), body, "genuine"
    yield t + 299, sign([OLD], t, once, body), body, again
    yield t, sign([OLD], t + 1, once, body), body, again
    stolen = sign([OLD], t, nonce(), body)
    version, seconds, n, mac = stolen.split(",")
    yield t, f"{version},{int(seconds) + 1},{n},{mac}", body, foreign
    yield t, f"{version},{seconds},{nonce()},{mac}", body, foreign
    yield t, f"{version},{seconds},{n},{mac[:-1]}{'0' if mac[-1] != '0' else '1'}", body, foreign
    for broken in ("", "v1", f"v2,{seconds},{n},{mac}", f"{version},{seconds},{n}", f"{version},{seconds},{n},{mac},", f"{version},{seconds},{n},{mac},{mac},{mac}",
                   f"{version},,{n},{mac}", f"{version},-1,{n},{mac}", f"{version},{seconds},{n[:-1]},{mac}", f"{version},{seconds},{n},{mac.upper()}",
                   f" {stolen}", f"{stolen} ", f"{version},{seconds},{n},{mac[:-2]}", f"{version},{seconds}.0,{n},{mac}", f"{version},{'9' * 40},{n},{mac}"):
        yield t, broken, body, shape
    yield t, stolen, body, "genuine"  # none of those above has used it up
    yield t, sign([OLD], t, nonce(), b""), b"", "genuine"


def judge(name, command, rows):
    lines = "".join(f"{now}\t{header}\t{base64.b64encode(body).decode()}\n" for now, header, body, _ in rows)
    done = subprocess.run([*command, OLD, NEW], input=lines.encode(), capture_output=True, timeout=60)
    said = done.stdout.decode().splitlines()
    checks.equal(f"{name}: lines", (done.returncode, len(said)), (0, len(rows)))
    for (now, header, body, want), got in zip(rows, said):
        checks.equal(f"{name}: {now} {header}", got, want)


folder = tempfile.mkdtemp(prefix="hinomi-samples-")
try:
    all_cases = list(cases(real_requests(folder)))
    judge("Python", [sys.executable, str(SAMPLES / "verify_webhook.py")], all_cases)
    if shutil.which("node"):
        judge("JavaScript", ["node", str(SAMPLES / "verify_webhook.js")], all_cases)
    else:
        checks.skip("JavaScript", "there is no node here")
    built = subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-O1", str(SAMPLES / "verify_webhook.c"), "-lsodium", "-o", f"{folder}/verify"], capture_output=True, text=True)
    checks.equal("C: compiles", (built.returncode, built.stderr), (0, ""))
    judge("C", [f"{folder}/verify"], all_cases)
finally:
    shutil.rmtree(folder)
checks.finish()
