#!/usr/bin/env python3
"""hinomi watch: a server that is killed is told of within seconds, one that comes back as well, and a hiccup is not."""
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from harness import HINOMI, Checks, Server, run

checks = Checks()


def stamp(off_s=0):
    now = time.time_ns() + off_s * 10**9
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9)) + f".{now % 10**9:09}Z"


class Listener(threading.Thread):
    """An HTTP server that answers what it is told to, and keeps what was posted."""

    def __init__(self):
        super().__init__(daemon=True)
        self.status, self.body, self.posted, self.asked, self.clock_off_s, self.heads = 200, None, [], 0, 0, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                outer.asked += 1
                body = outer.body.replace("NOW", stamp()) if outer.body is not None else json.dumps({"status": "ok", "time": stamp(outer.clock_off_s)})
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def do_GET(self):
                self.answer()

            def do_POST(self):
                data = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.status == 200:
                    outer.posted.append((time.monotonic(), json.loads(data)))
                    outer.heads.append(dict(self.headers, raw=data))
                self.answer()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.start()

    def run(self):
        self.server.serve_forever()


class Watch:
    def __init__(self, *args):
        self.err = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([HINOMI, "watch", *map(str, args)], stderr=self.err)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(20)
        self.err.seek(0)
        return status, self.err.read()


def until(condition, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end and not condition():
        time.sleep(0.02)
    return condition()


def real_server():
    pager = Listener()
    server = Server().start()
    status, body, headers = server.request("GET", "/v1/health")
    checks.check("health without signing in", status == 200 and set(body) == {"status", "time", "problems"} and (body["status"], body["problems"]) == ("ok", []), body)
    checks.equal("once", run("watch", f"http://127.0.0.1:{server.api_port}", "--once")[0], 0)
    server.config.write_text(re.sub(r"api: \{port: 0\}", f"api: {{port: {server.api_port}}}", server.config.read_text()))
    watch = Watch(f"http://127.0.0.1:{server.api_port}/", "--every", "200ms", "--after", 3, "--webhook", pager.url)
    time.sleep(1)
    checks.equal("nothing to tell", pager.posted, [])
    killed = time.monotonic()
    server.kill()
    checks.check("told that it is gone", until(lambda: pager.posted), pager.posted)
    when, told = pager.posted[0]
    checks.check("not at the first failed check, but soon", 0.3 < when - killed < 5, when - killed)
    checks.equal("what was told", (told["event"], told["state"]), ("down", "gone"))
    checks.check("in both languages", "3 checks in a row" in told["text"] and "応答しません" in told["text_ja"], told)
    time.sleep(1)
    checks.equal("once only", len(pager.posted), 1)
    server.setup_code = None
    server.start()
    checks.check("told that it is back", until(lambda: len(pager.posted) == 2), pager.posted)
    checks.equal("as recovered", (pager.posted[1][1]["event"], pager.posted[1][1]["since"]), ("recovered", told["since"]))
    status, err = watch.stop()
    checks.check("sentences on the terminal, status 0 when all is well", status == 0 and "is gone since" in err and "is back" in err, (status, err))
    server.stop()
    checks.equal("once, and gone", run("watch", f"http://127.0.0.1:{server.api_port}", "--once")[0], 1)
    server.close()


def degraded_and_odd():
    pager, server = Listener(), Listener()
    watch = Watch(server.url, "--every", "100ms", "--webhook", pager.url + "/hook")
    until(lambda: server.asked > 3)
    pager.status = 500
    server.status, server.body = 503, '{"status":"degraded","time":"NOW"}'
    time.sleep(1)
    checks.equal("the pager is down itself", pager.posted, [])
    server.status, server.body = 200, None
    time.sleep(0.5)
    pager.status = 200
    checks.check("both are told later, in order", until(lambda: len(pager.posted) == 2) and [p[1]["event"] for p in pager.posted] == ["down", "recovered"], pager.posted)
    checks.equal("degraded, not gone", pager.posted[0][1]["state"], "degraded")
    for name, status, body in (("an old answer again and again", 200, '{"status":"ok","time":"2026-01-01T00:00:00Z"}'), ("another program", 200, "<html>ok</html>"),
                               ("a missing page", 404, "{}"), ("ok without a time", 200, '{"status":"ok"}')):
        told = len(pager.posted)
        server.status, server.body = status, body
        checks.check(f"{name} is not ok", until(lambda: len(pager.posted) == told + 1), pager.posted[told:])
        server.status, server.body = 200, None
        checks.check(f"{name}: recovered", until(lambda: len(pager.posted) == told + 2), pager.posted[told:])
    server.status = 500
    until(lambda: len(pager.posted) % 2 == 1)
    status, err = watch.stop()
    checks.equal("status 1 when it is down at the end", status, 1)


class Hole(threading.Thread):
    """Takes connections and never says a word."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket, self.taken = socket.create_server(("127.0.0.1", 0)), []
        self.url = f"https://127.0.0.1:{self.socket.getsockname()[1]}/hook"
        self.start()

    def run(self):
        while True:
            self.taken.append(self.socket.accept()[0])


SECRET = "a secret of the watch"


def row(name, url, **more):
    return json.dumps({"kind": "webhook", "name": name, "url": url, "secret": SECRET, "allow_private": True, **more})


def genuine(headers, body):
    version, t, nonce, mac = headers["X-Hinomi-Signature"].split(",")
    return version == "v1" and hmac.compare_digest(mac, hmac.new(SECRET.encode(), f"{t}.{nonce}.".encode() + body, hashlib.sha256).hexdigest())


class Case(threading.Thread):
    """A watch with its default settings and three channels, of which one is dead, one hangs and one works."""

    def __init__(self, name, url, break_it, mend):
        super().__init__()
        self.name, self.url, self.break_it, self.mend = name, url, break_it, mend
        self.pager, self.hole = Listener(), Hole()
        self.folder = tempfile.mkdtemp(prefix="hinomi-watch-")
        dead = socket.create_server(("127.0.0.1", 0))
        config = pathlib.Path(self.folder, "watch.yaml")
        config.write_text("notifiers:\n" + "".join(f"  - {r}\n" for r in (
            row("dead", f"https://127.0.0.1:{dead.getsockname()[1]}/"), row("hole", self.hole.url), row("pager", self.pager.url))))
        dead.close()
        self.watch = Watch(url, "--config", config, "--state", f"{self.folder}/state")
        self.start()

    def run(self):
        state = pathlib.Path(self.folder, "state")
        until(state.exists)
        time.sleep(1)
        self.broken = time.monotonic()
        self.break_it()
        until(lambda: self.pager.posted, 120)
        self.told = self.pager.posted[0] if self.pager.posted else (self.broken + 999, {"title": {"en": ""}})
        self.mend()
        until(lambda: len(self.pager.posted) > 1, 60)
        until(lambda: json.loads(state.read_text())["state"] == "ok", 60)
        self.state = json.loads(state.read_text())
        self.status, self.err = self.watch.stop()
        shutil.rmtree(self.folder)

    def judge(self, words):
        seconds = self.told[0] - self.broken
        print(f"{self.name}: told after {seconds:.0f} s")
        checks.check(f"{self.name}: told within 90 s", seconds < 90, seconds)
        told = self.told[1]
        checks.check(f"{self.name}: what is wrong", words in told["title"]["en"] and told.get("event") == "down", told)
        checks.check(f"{self.name}: past the channels that do not work", "dead was not reached" in self.err and "hole was not reached" in self.err and "pager took it (HTTP 200)" in self.err, self.err)
        checks.check(f"{self.name}: back again", [p[1]["event"] for p in self.pager.posted][-1] == "recovered", self.pager.posted)
        checks.check(f"{self.name}: signed, with a key of its own", all(genuine(h, h["raw"]) and h["Idempotency-Key"] for h in self.pager.heads), self.pager.heads)
        checks.equal(f"{self.name}: the state file", (self.state["state"], self.state["untold"]), ("ok", 0))


def fill(folder):
    with open(folder + "/filler", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * (1 << 20))
        except OSError:
            pass


def full_disk(folder):
    """Within a mount of its own: the server's port on standard output; a line on standard input fills the disk, the next one empties it."""
    server = Server(folder).start()
    print(server.api_port, flush=True)
    sys.stdin.readline()
    fill(folder)
    sys.stdin.readline()
    os.unlink(folder + "/filler")
    sys.stdin.readline()
    server.close()


class Disk:
    """A server on a disk of 340 MB that nobody else sees; port is None where such a one cannot be made."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="hinomi-watch-disk-")
        unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
        script = f'mount -t tmpfs -o size=340m tmpfs {self.folder} && exec {sys.executable} {__file__} --full-disk {self.folder}'
        self.process = subprocess.Popen([*unshare, "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port = int(line) if line.strip().isdigit() else None

    def say(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        os.rmdir(self.folder)


def keep_port(server):
    server.config.write_text(re.sub(r"api: \{port: 0\}", f"api: {{port: {server.api_port}}}", server.config.read_text()))
    server.setup_code = None


def within_90_s():
    """Killed, stopped, without room, with a clock of its own: told with the default settings, whatever channels are dead."""
    killed, stopped, disk, clock = Server().start(), Server().start(), Disk(), Listener()
    keep_port(killed)
    def step(seconds):
        clock.clock_off_s = seconds
    cases = [
        (Case("killed", f"http://127.0.0.1:{killed.api_port}", killed.kill, killed.start), "is gone since"),
        (Case("stopped", f"http://127.0.0.1:{stopped.api_port}", lambda: stopped.process.send_signal(signal.SIGSTOP), lambda: stopped.process.send_signal(signal.SIGCONT)), "is gone since"),
        (Case("clock", clock.url, lambda: step(-45), lambda: step(0)), "s behind ours"),
    ]
    if disk.port:
        cases.append((Case("disk", f"http://127.0.0.1:{disk.port}", disk.say, disk.say), "its disk is full"))
    else:
        checks.skip("a full disk", "no mount of its own is possible here")
    for case, words in cases:
        case.join()
        case.judge(words)
    for server in (killed, stopped):
        server.close()
    disk.close()


def nobody_to_tell():
    """A watch whose channels are all dead says so, and keeps what it has to tell."""
    folder, server = tempfile.mkdtemp(prefix="hinomi-watch-"), Listener()
    config, state = pathlib.Path(folder, "watch.yaml"), pathlib.Path(folder, "state")
    pager = Listener()
    config.write_text("notifiers:\n  - " + row("pager", pager.url) + "\n")
    pager.status = 500
    server.status = 500
    watch = Watch(server.url, "--config", config, "--state", state, "--every", "100ms", "--again", "300ms")
    untold = lambda: state.exists() and json.loads(state.read_text())["untold"]
    checks.check("the state file says that nobody was told", until(untold), state.read_text() if state.exists() else "")
    pager.status = 200
    checks.check("and is told when somebody can be", until(lambda: pager.posted and not untold()), pager.posted)
    checks.check("it is told again while it lasts", until(lambda: len([p for p in pager.posted if "still gone" in p[1]["title"]["en"]]) > 1), pager.posted)
    server.status = 200
    until(lambda: pager.posted[-1][1]["event"] == "recovered")
    bodies, keys = [p[1] for p in pager.posted], [h["Idempotency-Key"] for h in pager.heads]
    checks.check("each message has a key of its own", len(set(keys)) == len({json.dumps(b) for b in bodies}), keys)
    status, err = watch.stop()
    checks.check("it is said aloud", "NOBODY WAS TOLD" in err, err)
    status, _, err = run("watch", server.url, "--config", config, "--test")
    checks.check("a test of the channels", status == 0 and "pager took it" in err and pager.posted[-1][1]["event"] == "test", err)
    pager.status = 500
    checks.equal("a test that fails", run("watch", server.url, "--config", config, "--test")[0], 1)
    server.status = 500
    checks.equal("once, and nobody to tell", run("watch", server.url, "--config", config, "--once")[0], 1)
    config.write_text("notifiers:\n  - {kind: webhook, name: x}\n")
    status, _, err = run("watch", server.url, "--config", config, "--once")
    checks.check("a mistake in the file is told with its line", status == 1 and "line 2" in err, err)
    shutil.rmtree(folder)


def usage():
    for args, words in (([], "one URL"), (["ftp://example.jp"], ""), (["http://127.0.0.1:1", "--every", "soon"], "--every"), (["http://127.0.0.1:1", "--after", "0"], "--after"),
                        (["http://127.0.0.1:1", "--webhook", "nothing"], "--webhook")):
        status, out, err = run("watch", *args)
        checks.check(f"usage {args}", status == 2 and words in err, (status, err))


if len(sys.argv) == 3 and sys.argv[1] == "--full-disk":
    full_disk(sys.argv[2])
    sys.exit(0)
real_server()
nobody_to_tell()
within_90_s()
degraded_and_odd()
usage()
checks.finish()
