#!/usr/bin/env python3
"""Agents that others made, as docs/collect.md says to connect them: osquery's tls plugins, a Wazuh manager's syslog and integrations, auditd's plugin.
What they send is as their documentation has it; each is found, understood, within five seconds."""
import gzip
import json
import pathlib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness

SEEN_WITHIN_S = 5
RESULT = {"name": "fim", "hostIdentifier": "signer-1", "calendarTime": "Mon Mar  2 09:00:03 2026 UTC", "unixTime": 1772442003, "epoch": 0, "counter": 1,
          "columns": {"target_path": "/etc/ssh/sshd_config", "action": "UPDATED", "md5": "0cc175b9c0f1b6a831c399e269772661"}, "action": "added"}
STATUS = {"hostIdentifier": "signer-1", "calendarTime": "Mon Mar  2 09:00:04 2026 UTC", "unixTime": 1772442004, "severity": "1", "filename": "scheduler.cpp",
          "line": "83", "message": "Executing scheduled query", "version": "5.12.1"}
WAZUH = {"timestamp": "2026-03-02T09:00:05.123+0000", "rule": {"level": 7, "description": "Integrity checksum changed.", "id": "550", "groups": ["ossec", "syscheck"]},
         "agent": {"id": "001", "name": "signer-1", "ip": "192.0.2.15"}, "manager": {"name": "wazuh"}, "id": "1772442005.1", "decoder": {"name": "syscheck_integrity_changed"},
         "syscheck": {"path": "/etc/passwd", "mode": "realtime", "event": "modified"}, "location": "syscheck"}
AUDIT = ('type=SYSCALL msg=audit(1772442006.123:9001): arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c items=1 ppid=1 pid=4242 auid=1000 uid=0 gid=0 euid=0 '
         'tty=pts0 ses=3 comm="vi" exe="/usr/bin/vi" key="etc-watch"')


def post(server, path, body, packed=False, **headers):
    data = json.dumps(body).encode()
    if packed:
        data, headers = gzip.compress(data), {**headers, "Content-Encoding": "gzip"}
    return server.request("POST", path, data, port=server.hec_port, headers=headers)[:2]


def found(checks, server, name, spl, began, **fields):
    """One event with these fields, in time."""
    names = [field.replace("__", ".") for field in fields]
    rows = harness.wait_for(lambda: server.query(f"{spl} | table {' '.join(names)} tags")["rows"], 20) or []
    seconds = time.monotonic() - began
    checks.equal(f"{name}: is understood", [[str(cell) for cell in row[:-1]] for row in rows], [[str(value) for value in fields.values()]])
    checks.check(f"{name}: within {SEEN_WITHIN_S} s", seconds < SEEN_WITHIN_S, f"{seconds:.1f} s")


def check_osquery(checks, server, token):
    for base in ("/api/v1/osquery", "/api/osquery"):
        status, body = post(server, f"{base}/enroll", {"enroll_secret": token, "host_identifier": "signer-1", "platform_type": "9", "host_details": {}})
        checks.equal(f"{base}: enrols", (status, body["node_invalid"], bool(body.get("node_key"))), (200, False, True))
    key = body["node_key"]
    for name, wrong in (("secret", {"enroll_secret": "guessed"}), ("empty one", {"enroll_secret": ""}), ("none", {})):
        status, body = post(server, "/api/v1/osquery/enroll", wrong)
        checks.check(f"a wrong secret ({name}) does not", status == 200 and body["node_invalid"] and "node_key" not in body, f"{status} {body}")
    began = time.monotonic()
    status, body = post(server, "/api/v1/osquery/log", {"node_key": key, "log_type": "result", "data": [RESULT]}, packed=True)
    checks.equal("results are taken, packed", (status, body), (200, {"node_invalid": False}))
    found(checks, server, "osquery's file event", "hinomi.source=osquery event.dataset=osquery.result", began, host__name="signer-1", file__path="/etc/ssh/sshd_config",
          rule__name="fim", event__action="added")
    began = time.monotonic()
    post(server, "/api/v1/osquery/log", {"node_key": key, "log_type": "status", "data": [STATUS]})
    found(checks, server, "osquery's status", "hinomi.source=osquery event.dataset=osquery.status", began, host__name="signer-1", message="Executing scheduled query")
    for name, body, status_wanted in (("a wrong key", {"node_key": "guessed", "log_type": "result", "data": [RESULT]}, 200),
                                      ("no key", {"log_type": "result", "data": [RESULT]}, 200)):
        status, answer = post(server, "/api/v1/osquery/log", body)
        checks.equal(f"{name}: is to enrol again", (status, answer["node_invalid"]), (status_wanted, True))
    status, _, _ = server.request("POST", "/api/v1/osquery/log", b'{"node_key":"', port=server.hec_port)
    checks.equal("a damaged body is refused", status, 400)
    status, answer = post(server, "/api/v1/osquery/log", {"node_key": key, "log_type": "result", "data": []})
    checks.equal("nothing is fine", (status, answer["node_invalid"]), (200, False))
    tokens = server.request("GET", "/v1/tokens")[1]["tokens"]
    server.request("DELETE", f"/v1/tokens/{[one['id'] for one in tokens if one['name'] == 'fleet'][0]}")
    revoked = lambda: post(server, "/api/v1/osquery/log", {"node_key": key, "log_type": "result", "data": [RESULT]})[1]["node_invalid"]
    checks.check("a token that is revoked sends its nodes away", harness.wait_for(revoked, 10))
    time.sleep(0.5)
    checks.equal("nothing of that was taken", server.query("hinomi.source=osquery | stats count")["rows"], [[2]])


def check_syslog(checks, server):
    with socket.create_connection(("127.0.0.1", server.syslog_port)) as wire:
        for name, line, spl, fields in (
                ("Wazuh's syslog_output in JSON", f"<132>Mar  2 09:00:05 wazuh ossec: {json.dumps(WAZUH)}", "event.dataset=wazuh.alerts",
                 {"rule__id": 550, "file__path": "/etc/passwd"}),
                ("Wazuh's syslog_output in CEF", "<132>Mar  2 09:00:06 wazuh CEF:0|Trend Micro Inc.|OSSEC HIDS|v4.9.0|5501|Login session opened.|3|dvc=wazuh cs1=(signer-1) "
                 "192.0.2.15->/var/log/auth.log cs1Label=Location", "cef.device.product=\"OSSEC HIDS\" OR observer.product=\"OSSEC HIDS\"",
                 {"observer__product": "OSSEC HIDS"}),
                ("auditd's syslog plugin", f"<13>Mar  2 09:00:06 signer-1 audisp-syslog[812]: {AUDIT}", "event.dataset=auditd.log", {"process__pid": 4242, "process__name": "vi"}),
                ("auditd's older plugin", f"<13>Mar  2 09:00:06 signer-2 audispd: node=signer-2 {AUDIT.replace('4242', '4243')}", "event.dataset=auditd.log process.pid=4243",
                 {"process__pid": 4243})):
            began = time.monotonic()
            wire.sendall(line.encode() + b"\n")
            found(checks, server, name, spl, began, **fields)


def check_integration(checks, server, token):
    """A Wazuh integration, or a script beside osquery, posts each alert."""
    began = time.monotonic()
    status, _ = post(server, "/v1/ingest?sourcetype=wazuh", {**WAZUH, "syscheck": {**WAZUH["syscheck"], "path": "/etc/shadow"}}, Authorization=f"Bearer {token}")
    checks.equal("Wazuh's integration", status, 200)
    found(checks, server, "Wazuh's integration", "hinomi.source=ingest", began, event__dataset="wazuh.alerts", file__path="/etc/shadow")


def main():
    checks = harness.Checks()
    server = harness.Server().start()
    try:
        server.sign_in()
        check_osquery(checks, server, server.request("POST", "/v1/tokens", {"name": "fleet", "kind": "hec"})[1]["token"])
        check_syslog(checks, server)
        check_integration(checks, server, server.token())
        checks.equal("it ends well", server.stop(), 0)
    finally:
        server.close()
    checks.finish()


if __name__ == "__main__":
    main()
