#!/usr/bin/env python3
"""The dialects of the HTTP port over TLS, as senders speak them: with an authority of our own, and with client certificates where they are asked for.
curl, Elasticsearch's client, OpenTelemetry's SDK and winston-loki; gzip, as the OpenTelemetry Collector sends it."""
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import certificates
import harness
import npm_senders
from wire_maker import free_port

EVENTS = 200
checks = harness.Checks()
OTLP = {"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "curl"}}]},
                          "scopeLogs": [{"logRecords": [{"body": {"stringValue": "by curl"}, "timeUnixNano": str(time.time_ns())} for _ in range(2)]}]}]}
LOKI = {"streams": [{"stream": {"app": "curl"}, "values": [[str(time.time_ns()), "by curl"]] * 2}]}
# dialect: path, content type, body, further headers; each has two events
REQUESTS = {
    "hec": ("/services/collector/event", "application/json", b'{"event":"by curl"}{"event":"by curl"}', []),
    "otlp": ("/v1/logs", "application/json", gzip.compress(json.dumps(OTLP).encode()), ["Content-Encoding: gzip"]),
    "loki": ("/loki/api/v1/push", "application/json", json.dumps(LOKI).encode(), []),
    "ingest": ("/v1/ingest", "text/plain", b"by curl\nby curl\n", []),
    "elasticsearch": ("/_bulk", "application/x-ndjson", b'{"create":{"_index":"c"}}\n{"message":"by curl"}\n' * 2, []),
    "gelf": ("/gelf", "application/json", b'{"version":"1.1","host":"h","short_message":"by curl"}', []),
}


def curl(port, folder, path, kind, body, headers, *options):
    """(curl's exit status, HTTP's)."""
    command = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", f"{folder}/ca.pem", *options, "-u", f"any:{TOKEN}", "-H", f"Content-Type: {kind}",
               *[part for header in headers for part in ("-H", header)], "--data-binary", "@-", f"https://127.0.0.1:{port}{path}"]
    done = subprocess.run(command, input=body, capture_output=True)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def count(server, spl):
    return int(server.query(f"{spl} | stats count")["rows"][0][0])


def check_curl(server, folder, plain, asks):
    if not shutil.which("curl"):
        checks.skip("curl", "it is not here")
        return
    known = ("--cert", f"{folder}/client.pem", "--key", f"{folder}/client.key")
    for name, (path, kind, body, headers) in REQUESTS.items():
        for port, options in ((plain, ()), (asks, known)):
            status = curl(port, folder, path, kind, body, headers, *options)
            checks.check(f"{name}: is taken", status[0] == 0 and status[1] in ("200", "202", "204"), f"{status}")
        status = curl(asks, folder, path, kind, body, headers)
        checks.check(f"{name}: without a certificate nothing is taken", status[0] != 0, f"{status}")
        status = curl(plain, folder, path, kind, body, headers, "--cacert", f"{folder}/other-ca.pem")
        checks.equal(f"{name}: curl does not believe another authority", status[0], 60)
        wanted = 1 if name == "gelf" else 2
        for source in (f"open.{name}", f"known.{name}"):
            harness.wait_for(lambda: count(server, f"hinomi.source={source}") >= wanted)
            checks.equal(f"{source}: the events are there", count(server, f"hinomi.source={source} \"by curl\""), wanted)


def check_elasticsearch(server, folder, plain, asks):
    scripts, why = npm_senders.installed(harness.ROOT / "tests/e2e/senders")
    if not scripts:
        checks.skip("Elasticsearch's client", why)
        return
    known = {"CERT": f"{folder}/client.pem", "KEY": f"{folder}/client.key"}
    for index, port, ca, more, said in (("js-tls", plain, "ca", {}, "sent"), ("js-known", asks, "ca", known, "sent"),
                                        ("js-unknown", asks, "ca", {}, "refused"), ("js-other", plain, "other-ca", {}, "refused")):
        env = {**os.environ, "URL": f"https://127.0.0.1:{port}", "TOKEN": TOKEN, "EVENTS": str(EVENTS), "CA": f"{folder}/{ca}.pem", "INDEX": index, **more}
        done = subprocess.run(["node", "elasticsearch_tls.mjs"], cwd=scripts, capture_output=True, text=True, timeout=120, env=env)
        checks.check(f"{index}: {said}", done.returncode == 0 and done.stdout.startswith(said), done.stdout + done.stderr[-1000:])
        wanted = EVENTS if said == "sent" else 0
        harness.wait_for(lambda: count(server, f"hinomi.sent_index={index}") >= wanted)
        checks.equal(f"{index}: its events", count(server, f"hinomi.sent_index={index}"), wanted)


def check_telemetry(server, folder, plain):
    scripts, why = npm_senders.installed(harness.ROOT / "tests/e2e/senders_otel")
    if not scripts:
        checks.skip("OpenTelemetry's SDK and winston-loki", why)
        return
    for script, spl, wanted in (("otel.mjs", "index=* sourcetype=otlp.log service.name=sdk-protobuf", 1000), ("loki.mjs", "service.name=winston-protobuf", 500)):
        done = subprocess.run(["node", script, f"https://127.0.0.1:{plain}", TOKEN, "protobuf"], cwd=scripts, capture_output=True, text=True, timeout=120,
                              env={**os.environ, "NODE_EXTRA_CA_CERTS": f"{folder}/ca.pem"})
        checks.check(f"{script} ends well", done.returncode == 0, done.stdout[-500:] + done.stderr[-1000:])
        harness.wait_for(lambda: count(server, spl) >= wanted)
        checks.equal(f"{script}: its events", count(server, spl), wanted)


def main():
    global TOKEN
    with tempfile.TemporaryDirectory(prefix="hinomi-certs-") as folder:
        certificates.make(folder)
        plain, asks = free_port(), free_port()
        entry = f"certificate: {folder}/server.pem, key: {folder}/server.key"
        server = harness.Server(config=f"collect:\n  - {{kind: http, name: open, port: {plain}, {entry}}}\n"
                                       f"  - {{kind: http, name: known, port: {asks}, {entry}, client_ca: {folder}/ca.pem}}\n").start()
        try:
            server.sign_in()
            TOKEN = server.token()
            check_curl(server, folder, plain, asks)
            check_elasticsearch(server, folder, plain, asks)
            check_telemetry(server, folder, plain)
            checks.equal("it ends well", server.stop(), 0)
        finally:
            server.close()
    checks.finish()


if __name__ == "__main__":
    main()
