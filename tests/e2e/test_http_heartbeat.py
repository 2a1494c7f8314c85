#!/usr/bin/env python3
"""Who must be heard over an HTTP port: the port whatever is spoken, a token, a host; a finding when it is silent, and when it is heard again."""
import json
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness
from wire_maker import free_port

EVERY = 3


def findings(server):
    rows = server.query("event.dataset=hinomi.finding rule.id=hinomi-source-silent | table message")["rows"]
    return [row[0] for row in rows]


def send(server, token, dialect, port=None, host="h1"):
    path, body = {"hec": ("/services/collector/event", {"event": "beat", "host": host}), "ingest": ("/v1/ingest", {"message": "beat"})}[dialect]
    status, answer, _ = server.request("POST", path, json.dumps(body).encode(), port=port or server.hec_port, headers={"Authorization": f"Bearer {token}"})
    assert status == 200, (status, answer)


def told(server, *words):
    return lambda: [text for text in findings(server) if all(word in text for word in words)]


def main():
    checks = harness.Checks()
    port, second = free_port(), free_port()
    ports = (f"collect:\n  - {{kind: http, name: http, port: {port}, heartbeat: {EVERY}s}}\n"
             f"  - {{kind: http, name: second, port: {second}, heartbeat: 1h}}\n")
    server = harness.Server(config=ports)
    server.config.write_text(server.config.read_text().replace("http: {port: 0}\n", ""))
    server.start()
    try:
        server.sign_in()
        made = {name: server.request("POST", "/v1/tokens", {"name": name, "kind": "hec"})[1] for name in ("payments", "office")}
        tokens = {name: answer["token"] for name, answer in made.items()}
        checks.check("that nothing was ever heard is told", harness.wait_for(told(server, "http", "never heard"), 40), f"{findings(server)}")
        send(server, tokens["office"], "ingest")
        checks.check("any dialect is the port's", harness.wait_for(told(server, "http", "heard again"), 20), f"{findings(server)}")
        send(server, tokens["office"], "hec", second)
        server.config.write_text(server.config.read_text().replace(f"heartbeat: {EVERY}s", "heartbeat: 1h") +
                                 f"heartbeats:\n  - {{source: hec, sender: {made['payments']['id']}, every: {EVERY}s}}\n"
                                 f"  - {{source: http, sender: {made['office']['id']}, every: 1h}}\n  - {{source: hec, host: db-7, every: {EVERY}s}}\n")
        server.process.send_signal(signal.SIGHUP)
        payments, database = made["payments"]["id"], "db-7"
        for name in (payments, database):
            checks.check(f"{name}: nothing was heard", harness.wait_for(told(server, name, "never heard"), 40), f"{findings(server)}")
        send(server, tokens["office"], "hec", host="other")
        send(server, tokens["payments"], "hec", host=database)
        for name in (payments, database):
            checks.check(f"{name}: is heard again", harness.wait_for(told(server, name, "heard again"), 20), f"{findings(server)}")
        checks.check("and is silent again", harness.wait_for(lambda: len(told(server, payments)()) >= 3, 40), f"{findings(server)}")
        senders = server.request("GET", "/v1/sources")[1]["senders"]
        office = [one for one in senders if one["sender"] == made["office"]["id"]]
        checks.equal("a token is heard by every dialect of its port", [(one["source"], one["events"], one["state"]) for one in office],
                     [("http", 1, "as_usual")])
        checks.check("the other port is as it was", not told(server, "second")(), f"{findings(server)}")
        checks.equal("it ends well", server.stop(), 0)
    finally:
        server.close()
    checks.finish()


if __name__ == "__main__":
    main()
