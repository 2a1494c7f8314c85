"""What the end-to-end tests share: a real server in a folder of its own, and a count of checks."""
import http.client
import base64
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HINOMI = os.environ.get("HINOMI", str(ROOT / "build/hinomi"))
SHARED = ROOT.parent / "shared"
PASSWORD = "correct horse battery"


class Checks:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, ok, detail=""):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAIL {name} {detail}")

    def equal(self, name, got, want):
        self.check(name, got == want, f"got {got!r}, want {want!r}")

    def skip(self, name, why):
        self.skipped += 1
        print(f"skip {name}: {why}")

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        sys.exit(self.failed > 0)


def run(*args, data=None, timeout=600, env=None):
    """A hinomi command; text in, (status, out, err) out."""
    done = subprocess.run([HINOMI, *map(str, args)], input=data, capture_output=True, timeout=timeout,
                          env={**os.environ, **(env or {})})
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def wait_for(what, seconds=40):
    """What it says as soon as that is true, or at the end."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    return what()


def http_request(port, method, path, data, headers, timeout):
    """(status, JSON or else bytes, headers)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    connection.request(method, path, data, headers)
    answer = connection.getresponse()
    raw = answer.read()
    connection.close()
    try:
        parsed = json.loads(raw) if raw else None
    except ValueError:
        parsed = raw
    return answer.status, parsed, answer.headers


def octets(value):
    """event.original as bytes; one that is not UTF-8 is {"base64": ...}."""
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode()


def search(directory, spl):
    status, out, err = run("search", "--dir", directory, "--format", "json", spl)
    if status != 0:
        raise RuntimeError(f"{spl}: exit {status}: {err}")
    return json.loads(out)


class Server:
    """`hinomi serve` on free ports."""

    def __init__(self, directory=None, config=""):
        self.own = directory is None
        self.dir = directory or tempfile.mkdtemp(prefix="hinomi-e2e-")
        self.config = pathlib.Path(self.dir) / "hinomi.yaml"
        self.config.write_text("version: 1\ngate_mode: enforce\n" + "".join(f"{k}: {{port: 0}}\n" for k in ("api", "http", "syslog", "syslog_tls")) + config)
        self.process = None
        self.cookie = self.csrf = self.setup_code = None

    def spawn(self, env=None):
        self.process = subprocess.Popen([HINOMI, "serve", "--config", str(self.config), "--dir", self.dir + "/data", "--allow-root"],
                                        stdout=subprocess.PIPE, stderr=open(self.dir + "/stderr", "ab"), env={**os.environ, **(env or {})})

    def start(self, wait=30, env=None):
        self.spawn(env)
        text, until = "", time.monotonic() + wait
        os.set_blocking(self.process.stdout.fileno(), False)
        while time.monotonic() < until:
            part = self.process.stdout.read()
            text += part.decode() if part else ""
            found = re.search(r"Console\s+https?://[\d.]+:(\d+)/\s+HTTP \(HEC\) [\d.]+:(\d+)\s+syslog [\d.]+:(\d+)", text)
            if found and "Certificate" in text:
                time.sleep(0.05)
                part = self.process.stdout.read()
                text += part.decode() if part else ""
                self.api_port, self.hec_port, self.syslog_port = map(int, found.groups())
                code = re.search(r"Setup code (\S+)", text)
                self.setup_code = code.group(1) if code else None
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise RuntimeError("the server did not start: " + pathlib.Path(self.dir, "stderr").read_text()[-2000:])

    def request(self, method, path, body=None, port=None, headers=None, timeout=30):
        sent = {"Content-Type": "application/json", **(headers or {})}
        if port is None and self.cookie:
            sent["Cookie"] = self.cookie
            sent["X-Hinomi-CSRF"] = self.csrf
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        return http_request(port or self.api_port, method, path, data, sent, timeout)

    def sign_in(self):
        if self.setup_code:
            status, body, headers = self.request("POST", "/v1/setup", {"code": self.setup_code, "name": "admin", "password": PASSWORD})
        else:
            status, body, headers = self.request("POST", "/v1/login", {"name": "admin", "password": PASSWORD})
        assert status in (200, 201), (status, body)
        self.cookie = headers["Set-Cookie"].split(";")[0]
        self.csrf = body["csrf"]

    def token(self, kind="hec", **more):
        status, body, _ = self.request("POST", "/v1/tokens", {"name": kind, "kind": kind, **more})
        assert status == 201, (status, body)
        return body["token"]

    def hec(self, token, events, key=None, path="/services/collector/event"):
        body = events if isinstance(events, bytes) else "".join(json.dumps({"event": e}) for e in events).encode()
        headers = {"Authorization": f"Splunk {token}"}
        if key:
            headers["Idempotency-Key"] = key
        return self.request("POST", path, body, port=self.hec_port, headers=headers)

    def query(self, spl, wait=60, limit=1000):
        status, body, _ = self.request("POST", "/v1/search", {"query": spl, "from": "0", "to": "2200-01-01T00:00:00Z"})
        assert status == 201, (status, body)
        until = time.monotonic() + wait
        while time.monotonic() < until:
            status, page, _ = self.request("GET", f"/v1/search/{body['id']}?limit={limit}")
            if status != 200 or page["state"] != "running":
                return page
            time.sleep(0.02)
        raise RuntimeError("the search did not end")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, wait=60):
        self.process.terminate()
        return self.process.wait(wait)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.own:
            shutil.rmtree(self.dir, ignore_errors=True)
