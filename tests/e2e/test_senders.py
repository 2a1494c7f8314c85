#!/usr/bin/env python3
"""Programs that people have: Elasticsearch's client, pino, winston and a GELF library of Node.js, and curl; each sends a known set, and every
event is found with the right fields. The packages are those of senders/package-lock.json, kept in a cache outside of the repository."""
import os
import shutil
import socket
import subprocess

import npm_senders
from harness import ROOT, Checks, Server, wait_for

SENDERS = ROOT / "tests/e2e/senders"
EVENTS = 500
checks = Checks()


def run_sender(folder, name, env):
    done = subprocess.run(["node", f"{name}.mjs"], cwd=folder, capture_output=True, text=True, timeout=300, env={**os.environ, "EVENTS": str(EVENTS), **env})
    checks.equal(f"{name} ended well", (done.returncode, done.stderr[-1500:] if done.returncode else ""), (0, ""))


def expect(server, what, spl, wanted, *fields):
    """The rows, as a set of tuples of texts."""
    def found():
        page = server.query(f"{spl} | table {' '.join(fields)}", limit=10000)
        return page["rows"] if len(page["rows"]) >= len(wanted) else None
    table = wait_for(found, 60) or server.query(f"{spl} | table {' '.join(fields)}", limit=10000)["rows"]
    got = sorted(tuple(str(v) for v in row) for row in table)
    wanted = sorted(tuple(str(v) for v in row) for row in wanted)
    first = next(((a, b) for a, b in zip(got, wanted) if a != b), None)
    checks.check(f"{what}: every event with its fields", got == wanted, f"{len(got)} of {len(wanted)}, first difference {first}")


def elasticsearch(server, folder, env):
    run_sender(folder, "elasticsearch", env)
    expect(server, "the client's bulk helper", "hinomi.sent_index=js-client event.id=js-*",
           [(f"js-{n}", f"js {n}", n, f"u{n % 7}", '日本語 "quoted" \\ \n') for n in range(EVENTS)], "event.id", "message", "n", "user.name", "text")
    expect(server, "its single documents", "hinomi.sent_index=js-client NOT event.id=js-*",
           [("js one", EVENTS), ("js own", EVENTS + 1), ("js mixed", EVENTS + 2)], "message", "n")


def pino(server, folder, env):
    run_sender(folder, "pino", env)
    expect(server, "pino", "hinomi.sent_index=pino-logs", [(f"pino {n}", n, f"u{n % 7}", "warn", socket.gethostname()) for n in range(EVENTS)],
           "message", "n", "user.name", "log.level", "host")


def winston(server, folder, env):
    run_sender(folder, "winston", env)
    expect(server, "winston-elasticsearch", "hinomi.source=elasticsearch message=\"winston *\"", [(f"winston {n}", n) for n in range(EVENTS)], "message", "fields.n")
    expect(server, "winston's HTTP transport", "hinomi.source=ingest sourcetype=winston", [(f"winston {n}", n) for n in range(EVENTS)], "message", "n")


def gelf(server, folder, env):
    run_sender(folder, "gelf", env)
    expect(server, "gelf-pro", "hinomi.source=gelf", [(f"{way} {n}", n, "warning") for n in range(EVENTS) for way in ("udp", "tcp")],
           "message", "gelf._n", "log.level")


def curl(server, token, env):
    if not shutil.which("curl"):
        checks.skip("curl", "it is not here")
        return
    text = b'{"n":1,"message":"by curl"}\n{"n":2,"message":"by curl"}\n'
    for path, kind in (("/v1/ingest?host=c1", "application/x-ndjson"), ("/v1/ingest?host=c2", "application/x-www-form-urlencoded")):
        done = subprocess.run(["curl", "-sS", "--fail", "-u", f"sender:{token}", "-H", f"Content-Type: {kind}", "--data-binary", "@-", env["URL"] + path],
                              input=text, capture_output=True)
        checks.check(f"curl {kind}", done.returncode == 0 and b'"accepted":2' in done.stdout, done.stderr + done.stdout)
    bulk = b'{"index":{"_index":"curl"}}\n{"n":3,"message":"by curl"}\n'
    done = subprocess.run(["curl", "-sS", "--fail", "-u", f"sender:{token}", "-H", "Content-Type: application/x-ndjson", "--data-binary", "@-", env["URL"] + "/_bulk"],
                          input=bulk, capture_output=True)
    checks.check("curl _bulk", done.returncode == 0 and b'"errors":false' in done.stdout, done.stderr + done.stdout)
    expect(server, "curl", 'message="by curl"', [(n,) for n in (1, 2, 1, 2, 3)], "n")


def main():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(config=f"collect:\n  - {{kind: gelf, name: gelf, port: {port}}}\n").start()
    server.sign_in()
    token = server.token("hec")
    env = {"URL": f"http://127.0.0.1:{server.hec_port}", "TOKEN": token, "GELF_PORT": str(port)}
    curl(server, token, env)
    folder, why = npm_senders.installed(SENDERS)
    for sender in (elasticsearch, pino, winston, gelf):
        if folder:
            sender(server, folder, env)
        else:
            checks.skip(sender.__name__, why)
    checks.equal("it stops cleanly", server.stop(), 0)
    server.close()
    checks.finish()


main()
