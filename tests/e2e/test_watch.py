#!/usr/bin/env python3
"""hinomi watch: a server that is killed is told of within seconds, one that comes back as well, and a hiccup is not."""
import http.server
import json
import re
import signal
import subprocess
import tempfile
import threading
import time

from harness import HINOMI, Checks, Server, run

checks = Checks()


class Listener(threading.Thread):
    """An HTTP server that answers what it is told to, and keeps what was posted."""

    def __init__(self):
        super().__init__(daemon=True)
        self.status, self.body, self.posted, self.asked = 200, None, [], 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                outer.asked += 1
                body = outer.body if outer.body is not None else json.dumps({"status": "ok", "time": f"2026-01-01T00:00:00.{outer.asked:06}Z"})
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
    checks.check("health without signing in", status == 200 and set(body) == {"status", "time"} and body["status"] == "ok", body)
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
    server.status, server.body = 503, '{"status":"degraded","time":"2026-01-01T00:00:00Z"}'
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


def usage():
    for args, words in (([], "one URL"), (["ftp://example.jp"], ""), (["http://127.0.0.1:1", "--every", "soon"], "--every"), (["http://127.0.0.1:1", "--after", "0"], "--after"),
                        (["http://127.0.0.1:1", "--webhook", "nothing"], "--webhook")):
        status, out, err = run("watch", *args)
        checks.check(f"usage {args}", status == 2 and words in err, (status, err))


real_server()
degraded_and_odd()
usage()
checks.finish()
