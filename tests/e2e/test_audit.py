#!/usr/bin/env python3
"""The audit trail: what people and programs do is in it, and every change to it shows."""
import json
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time

from harness import HINOMI, PASSWORD, Checks, Server, run

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-audit-"))


def audit(data, *args):
    status, out, err = run("audit", "--dir", data, *args)
    return status, out, err


def rows(data, *args):
    return json.loads(audit(data, "--format", "json", *args)[1])


def deeds(server, data):
    """Each deed, then the row it must have left."""
    server.request("POST", "/v1/login", {"name": "admin", "password": "wrong wrong wrong"})
    server.request("POST", "/v1/login", {"name": "mallory\n\u202e", "password": "wrong wrong wrong"})
    token = server.token("hec")
    server.request("DELETE", f"/v1/tokens/{token.split('_')[2]}")
    server.request("POST", "/v1/users", {"name": "kato", "password": PASSWORD, "role": "approver"})
    server.query("error user=残高 | stats count")
    server.request("POST", "/v1/search", {"query": "* | stat count", "from": "0", "to": "now"})
    server.request("POST", "/v1/incidents/INC-99/acknowledge", {})
    server.request("POST", "/v1/gate/holds/nothing/release", {})
    run("user", "role", "--dir", data, "kato", "auditor")
    run("user", "disable", "--dir", data, "nobody")
    got = [(r["actor"], r["via"], r["action"], r["object"], r["result"] == "ok") for r in rows(data)]
    for want in (("admin", "none", "setup", "admin", True),
                 ("admin", "none", "login", "admin", False),
                 ("mallory\n\u202e", "none", "login", "mallory\n\u202e", False),
                 ("admin", "session", "token.add", token.split("_")[2], True),
                 ("admin", "session", "token.revoke", token.split("_")[2], True),
                 ("admin", "session", "user.add", "kato", True),
                 ("admin", "session", "search", "error user=残高 | stats count", True),
                 ("admin", "session", "search", "* | stat count", False),
                 ("admin", "session", "incident.acknowledge", "INC-99", False),
                 ("admin", "session", "denied", "/v1/gate/holds/nothing/release", False)):
        checks.check(f"{want[2]} {want[3]!r}", want in got, got[-12:])
    terminal = {(r["action"], r["object"], r["detail"], r["result"]) for r in rows(data) if r["via"] == "terminal"}
    checks.equal("at the terminal", terminal, {("user.role", "kato", "auditor", "ok"), ("user.disable", "nobody", "", "there is no user nobody")})
    checks.check("no secret is in it", token not in audit(data, "--format", "json")[1] and PASSWORD not in audit(data, "--format", "json")[1])
    checks.check("the peer is known", all(r["peer"].startswith("127.0.0.1:") for r in rows(data) if r["via"] not in ("terminal", "start")))
    starts = {(r["actor"], r["action"], r["object"], r["result"]) for r in rows(data) if r["via"] == "start"}
    checks.equal("of a start, what the configuration overrides", starts, {("configuration", "gate.mode", "enforce", "ok")})
    checks.equal("by action", {r["action"] for r in rows(data, "--action", "token")}, {"token.add", "token.revoke"})
    checks.equal("by person", {r["actor"] for r in rows(data, "--user", "admin")}, {"admin"})
    checks.equal("by time", rows(data, "--to", "-1h"), [])
    checks.check("a terminal shows no control characters", "\n\u202e" not in audit(data)[1] and "\\u202e" in audit(data)[1])


def by_api(server):
    status, body, _ = server.request("GET", "/v1/audit?limit=3")
    checks.equal("an administrator reads it", (status, len(body["rows"])), (200, 3))
    ids = [r["id"] for r in body["rows"]]
    checks.equal("newest first", ids, sorted(ids, reverse=True))
    status, more, _ = server.request("GET", f"/v1/audit?limit=3&before={ids[-1]}")
    checks.equal("and the page before", [r["id"] for r in more["rows"]], [ids[-1] - 1, ids[-1] - 2, ids[-1] - 3])
    checks.equal("by action", {r["action"] for r in server.request("GET", "/v1/audit?action=login")[1]["rows"]}, {"login"})
    checks.equal("a wrong time", server.request("GET", "/v1/audit?from=whenever")[0], 400)
    for role, want in (("auditor", 200), ("viewer", 403), ("engineer", 403), ("approver", 403)):
        token = server.token("api", role=role)
        status, body, _ = server.request("GET", "/v1/audit", port=server.api_port, headers={"Authorization": f"Bearer {token}"})
        checks.equal(f"role {role}", status, want)


def many_at_once(server, data):
    """Several sessions and the terminal at once: still one chain."""
    def ask():
        for i in range(20):
            server.request("POST", "/v1/search", {"query": f"* | head {i}", "from": "-1m", "to": "now"})

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(5):
        run("user", "role", "--dir", data, "kato", "approver" if i % 2 else "auditor")
    for thread in threads:
        thread.join()
    status, out, err = audit(data, "--verify")
    checks.check("one unbroken chain", status == 0 and "unbroken" in out, out + err)
    checks.check("nothing is missing", len(rows(data, "--action", "search")) >= 82, len(rows(data, "--action", "search")))


def tampering(data):
    status, out, err = audit(data, "--verify")
    head = out.split()[-1]
    checks.equal("the head is found again", audit(data, "--head", head)[0], 0)
    database = data / "state.db"
    clean = database.read_bytes()

    def change(sql):
        connection = sqlite3.connect(database)
        connection.executescript("DROP TRIGGER audit_update; DROP TRIGGER audit_delete;" + sql)
        connection.commit()
        connection.close()

    for name, sql in (("an actor", "UPDATE audit SET actor='nobody' WHERE id=5"), ("a deleted row", "DELETE FROM audit WHERE id=7"),
                      ("a result", "UPDATE audit SET result='ok' WHERE action='login'"), ("a time", "UPDATE audit SET time_ns=time_ns+1 WHERE id=2")):
        change(sql)
        status, out, err = audit(data, "--verify")
        checks.check(f"{name} changed", status == 1 and "row" in err, out + err)
        checks.equal(f"{name}: hinomi verify says so, too", run("verify", "--dir", data)[0], 1)
        database.write_bytes(clean)
    change("DELETE FROM audit WHERE id > (SELECT max(id) - 3 FROM audit)")
    checks.equal("a cut end shows with the head noted before", (audit(data, "--verify")[0], audit(data, "--head", head)[0]), (0, 1))
    database.write_bytes(clean)
    target = tmp / "audit.jsonl"
    status, out, err = audit(data, "--export", target)
    lines = target.read_text().splitlines()
    checks.equal("the export has every row", (status, len(lines) - 1), (0, len(rows(data))))
    checks.equal("it does not overwrite", audit(data, "--export", target)[0], 1)
    return target, head


def elsewhere(export, head):
    """hinomi-verify over the export: as it is, and with a byte changed in every part of a line."""
    verify = lambda *args: subprocess.run([HINOMI + "-verify", *map(str, args)], capture_output=True, text=True)
    done = verify(export)
    checks.check("the export is proved", done.returncode == 0 and head in done.stdout, done)
    checks.equal("with the head noted before", verify("--head", head, export).returncode, 0)
    checks.equal("with another head", verify("--head", "0" * 64, export).returncode, 1)
    whole = export.read_text()
    lines = whole.splitlines(keepends=True)
    forged = {"a row less": lines[:5] + lines[6:], "a row twice": lines[:6] + lines[5:], "two rows exchanged": lines[:4] + [lines[5], lines[4]] + lines[6:],
              "no head line": lines[1:], "half a line": lines[:-1] + [lines[-1][:40]]}
    for field in ("id", "time", "time_ns", "actor", "via", "peer", "action", "object", "detail", "result", "hash"):
        row = json.loads(lines[3])
        row[field] = row[field] + 1 if field == "id" else row[field] + "x" if field != "time_ns" else row[field] + "0"
        forged[field] = lines[:3] + [json.dumps(row) + "\n"] + lines[4:]
    for name, changed in forged.items():
        export.write_text("".join(changed))
        done = verify(export)
        checks.check(f"export: {name}", done.returncode == 1 and str(export) in done.stderr, done)
    export.write_text("".join(lines[:-3]))
    checks.equal("a cut end: only the head tells", (verify(export).returncode, verify("--head", head, export).returncode), (0, 1))
    checks.equal("wrong usage", [verify().returncode, verify("--help").returncode, verify(export, export).returncode], [2, 2, 2])
    needed = subprocess.run(["readelf", "-d", HINOMI + "-verify"], capture_output=True, text=True).stdout
    checks.check("it links no network library", "libsodium" in needed and not any(n in needed for n in ("curl", "uv.so", "gnutls", "sqlite")), needed)


server = Server().start()
server.sign_in()
data = pathlib.Path(server.dir, "data")
deeds(server, data)
by_api(server)
many_at_once(server, data)
time.sleep(0.2)
checks.equal("it stops cleanly", server.stop(), 0)
elsewhere(*tampering(data))
checks.equal("a wrong word", run("audit", "--dir", data, "now")[0], 2)
checks.equal("no folder", run("audit")[0], 2)
checks.equal("no trail", run("audit", "--dir", tmp)[0], 1)
server.close()
shutil.rmtree(tmp)
checks.finish()
