#!/usr/bin/env python3
"""The running server: signing in, collectors, search, incidents, the gate, and what is refused."""
import gzip
import json
import socket
import time

from harness import PASSWORD, Checks, Server, wait_for as wait_until

checks = Checks()
ASKED = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
server = Server().start()


def signing_in():
    status, body, _ = server.request("GET", "/v1/status")
    checks.equal("setup is required at first", (status, body["setup_required"]), (200, True))
    status, body, _ = server.request("GET", "/v1/overview")
    checks.equal("nothing without a session", status, 401)
    status, body, _ = server.request("POST", "/v1/setup", {"code": "WRONG-CODE", "name": "a", "password": PASSWORD})
    checks.equal("a wrong code is refused", status, 403)
    status, body, _ = server.request("POST", "/v1/setup", {"code": server.setup_code, "name": "admin", "password": "short"})
    checks.check("a short password is explained", status == 400 and "12 characters" in body["error"]["message"], body)
    server.sign_in()
    status, body, _ = server.request("POST", "/v1/setup", {"code": server.setup_code, "name": "b", "password": PASSWORD})
    checks.equal("the code works once", status, 409)
    status, body, _ = server.request("POST", "/v1/login", {"name": "admin", "password": "wrong wrong wrong"})
    checks.equal("a wrong password", status, 403)
    cookie, server.cookie = server.cookie, None
    status, _, _ = server.request("POST", "/v1/tokens", {"name": "x", "kind": "hec"}, headers={"Cookie": cookie})
    checks.equal("no CSRF header, no change", status, 403)
    server.cookie = cookie
    status, _, _ = server.request("POST", "/v1/tokens", b"{}", headers={"Content-Type": "text/plain"})
    checks.equal("only JSON", status, 415)
    status, _, _ = server.request("GET", "/v1/nothing")
    checks.equal("unknown path", status, 404)
    status, body, headers = server.request("GET", "/")
    checks.check("the console is there, with its policy", status == 200 and b"<script" in body and "default-src 'none'" in headers["Content-Security-Policy"])


def hec():
    token = server.token("hec")
    status, body, _ = server.request("GET", "/services/collector/health", port=server.hec_port)
    checks.equal("health", (status, body["code"]), (200, 17))
    status, body, _ = server.hec("hin_hec_00_bad", [{"a": 1}])
    checks.equal("a wrong token", (status, body["code"]), (403, 4))
    status, body, _ = server.request("POST", "/services/collector/event", b'{"event":1}', port=server.hec_port)
    checks.equal("no token", (status, body["code"]), (401, 2))
    status, body, _ = server.hec(token, b'{"event": {"a": 1}} {"event": ')
    checks.equal("broken JSON names the event", (status, body["code"], body["invalid-event-number"]), (400, 6, 1))
    status, body, _ = server.hec(token, b"")
    checks.equal("no data", (status, body["code"]), (400, 5))
    status, body, _ = server.hec(token, [{"marker": "hec-one", "n": i} for i in range(500)])
    checks.equal("events", (status, body), (200, {"text": "Success", "code": 0}))
    packed = gzip.compress(b'{"event":"plain text marker=hec-gzip","host":"h1","time":1767225600.25}')
    status, body, _ = server.request("POST", "/services/collector/event", packed, port=server.hec_port,
                                     headers={"Authorization": f"Splunk {token}", "Content-Encoding": "gzip"})
    checks.equal("gzip", status, 200)
    bomb = gzip.compress(b"x" * (40 << 20))
    status, body, _ = server.request("POST", "/services/collector/event", bomb, port=server.hec_port,
                                     headers={"Authorization": f"Splunk {token}", "Content-Encoding": "gzip"})
    checks.equal("a zip bomb", status, 413)
    status, _, _ = server.hec(token, b"raw one marker=hec-raw\nraw two marker=hec-raw\n", path="/services/collector/raw?host=rawhost")
    checks.equal("raw", status, 200)
    first = server.hec(token, [{"marker": "hec-key"}], key="k1")[0]
    again = server.hec(token, [{"marker": "hec-key"}], key="k1")[0]
    other = server.hec(token, [{"marker": "hec-other"}], key="k1")[0]
    checks.equal("the same key: once, again, other bytes", (first, again, other), (200, 200, 409))
    for marker, count in (("hec-one", 500), ("hec-gzip", 1), ("hec-raw", 2), ("hec-key", 1), ("hec-other", 0)):
        page = wait_for(f'"{marker}" | stats count', count)
        checks.equal(f"{marker} is found", page, count)


def wait_for(spl, want):
    for _ in range(100):
        got = int(server.query(spl)["rows"][0][0])
        if got == want:
            break
        time.sleep(0.05)
    return got


def syslog():
    lines = [f"<34>1 2026-01-01T00:00:{i % 60:02}Z host app 1 - - syslog-line n={i}" for i in range(1000)]
    with socket.create_connection(("127.0.0.1", server.syslog_port)) as tcp:
        for i, line in enumerate(lines):
            tcp.sendall((f"{len(line)} {line}" if i % 2 else line + "\n").encode())
        tcp.sendall(b"0000099999999999 wrong count syslog-odd\nlast one without end syslog-odd")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for i in range(200):
            udp.sendto(f"<13>Jan  1 00:00:00 host app: syslog-udp {i}".encode(), ("127.0.0.1", server.syslog_port))
    checks.equal("both framings", wait_for('"syslog-line" | stats count', 1000), 1000)
    checks.equal("odd framing keeps the bytes", wait_for('"syslog-odd" | stats count', 2), 2)
    checks.equal("udp", wait_for('"syslog-udp" | stats count', 200), 200)


def searching():
    status, body, _ = server.request("POST", "/v1/search", {"query": "* | stat count", "from": "0", "to": "now"})
    error = body["error"]
    checks.equal("a misspelt command: place and suggestion", (status, error["start"], error["suggestion"]), (400, 4, "stats"))
    status, language, _ = server.request("GET", "/v1/search/help")
    named = {kind: {entry["name"]: entry for entry in language[kind]} for kind in ("commands", "stats", "functions")}
    kinds = {option["name"]: option for option in named["commands"]["join"]["options"]}
    checks.equal("the language: values of an option", (status, kinds["type"]["words"], kinds["max"]["default"]), (200, ["inner", "left", "outer"], "1"))
    checks.check("the language: functions with examples", named["stats"]["dc"]["alias"] == "distinct_count" and named["functions"]["round"]["examples"], named["stats"]["dc"])
    page = server.query("marker=hec-one")
    checks.equal("events", (page["kind"], page["state"], page["complete"], page["total"]), ("events", "done", True, 500))
    checks.check("fields and histogram", any(f["name"] == "n" for f in page["fields"]) and sum(page["histogram"]["counts"]) == 500, page["histogram"])
    status, body, headers = server.request("POST", "/v1/search", {"query": "marker=hec-one | table n | sort n", "from": "0", "to": "2200-01-01T00:00:00Z"})
    wait_until(lambda: server.request("GET", f"/v1/search/{body['id']}?limit=1")[1]["state"] != "running")
    status, text, headers = server.request("GET", f"/v1/search/{body['id']}/export?format=csv")
    checks.check("csv", status == 200 and text.decode().splitlines()[:2] == ["n", "0"], text[:80])


def money(asset, gate_token, request_id, amount="5"):
    return server.request("POST", "/v1/gate/decide", {"request_id": request_id, "action": "withdrawal", "account": "u1", "asset": asset,
                                                      "amount": amount, "destination": "addr-1", "at": ASKED}, headers={"Authorization": f"Bearer {gate_token}"})


def brake():
    hec_token, gate_token = server.token("hec"), server.token("gate")
    now = time.time()
    stamp = lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + s))
    balance = lambda asset, address, s: {"@timestamp": stamp(s), "event": {"dataset": "wallet.balance", "action": "balance_snapshot"},
                                         "wallet": {"asset": asset, "tier": "hot", "address": address, "chain_balance": 1000000, "ledger_balance": 1000000}}
    transfer = {"@timestamp": stamp(-60), "event": {"id": "theft-1", "dataset": "chain.transfer", "action": "transfer"},
                "wallet": {"asset": "QQQ", "from": "hot-q", "to": "thief", "amount": 190000, "txid": "t1"}}
    server.hec(hec_token, [balance("QQQ", "hot-q", -300), balance("RRR", "hot-r", -300)])
    wait_for("event.dataset=wallet.balance | stats count", 2)
    status, body, _ = money("QQQ", hec_token, "w-0")
    checks.check("a token of another kind", status in (401, 403), body)
    status, body, _ = money("QQQ", gate_token, "w-1")
    checks.equal("a small withdrawal goes ahead", (status, body.get("decision")), (200, "allow"))
    if status != 200:
        print(body)
    again = money("QQQ", gate_token, "w-1")[1]
    checks.equal("the same question, the same answer", again["id"], body["id"])
    checks.equal("the same id with other content", money("QQQ", gate_token, "w-1", "6")[0], 409)
    status, body, _ = money("QQQ", gate_token, "w-2", "100000")
    checks.equal("a large share is held", body["decision"], "hold")
    server.hec(hec_token, [transfer])
    for _ in range(100):
        status, body, _ = server.request("GET", "/v1/incidents?state=open,acknowledged")
        if body["incidents"]:
            break
        time.sleep(0.05)
    incident = body["incidents"][0]
    checks.equal("the theft is an incident", incident["severity"], "critical")
    for attempt in range(50):
        status, body, _ = money("QQQ", gate_token, f"w-3-{attempt}")
        if body["decision"] == "hold":
            break
        time.sleep(0.05)
    checks.equal("now the asset is held", (body["decision"], body.get("incident")), ("hold", incident["id"]))
    checks.equal("another asset flows", money("RRR", gate_token, "w-4")[1]["decision"], "allow")
    status, detail, _ = server.request("GET", f"/v1/incidents/{incident['id']}")
    checks.check("it explains itself in both languages", detail["explanation"]["en"] and detail["explanation"]["ja"] and detail["timeline"], detail)
    checks.check("its evidence is the event", any("theft-1" in (t.get("evidence") or []) for t in detail["timeline"]), detail["timeline"])
    checks.equal("acknowledge", server.request("POST", f"/v1/incidents/{incident['id']}/acknowledge", {})[0] // 100, 2)
    checks.equal("findings are events: a large share, at once, to an address never seen", wait_for('event.dataset=hinomi.finding NOT hinomi.catalogue=SRC-0* | stats dc(hinomi.catalogue)', 3), 3)
    decisions = wait_for('event.dataset=hinomi.gate "w-2" | stats count', 1)
    checks.equal("decisions are events", decisions, 1)


def restart():
    before = int(server.query("* | stats count")["rows"][0][0])
    checks.equal("it stops", server.stop(), 0)
    server.start()
    server.sign_in()
    after = int(server.query("* | stats count")["rows"][0][0])
    checks.check("everything is there after a restart", after >= before > 1700, f"{before} {after}")


for part in (signing_in, hec, syslog, searching, brake, restart):
    try:
        part()
    except Exception as why:  # one part must not hide the others
        checks.check(part.__name__, False, repr(why))
server.close()
checks.finish()
