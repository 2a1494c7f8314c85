#!/usr/bin/env python3
"""The gate asked in somebody else's words over a signed webhook; and an exchange that is told what the gate does, by calls that
come until they are taken: while it fails, hangs, is dead, and while the server is killed in between."""
import hashlib
import hmac
import http.server
import json
import os
import threading
import time

from gated import Gated
from harness import Checks, wait_for

checks = Checks()
SECRET, NEXT = "a secret of the webhook", "the secret that comes next"

POLICY = '''version: "1"
mode: enforce
rows:
  - {name: thief, when: 'request.destination = "thief"', effect: deny, reason: {en: e, ja: j}}
  - {name: stopped, when: stop_share < 1, effect: hold, reason: {en: e, ja: j}}
  - {name: large, when: isnull(request.amount) OR request.amount > 10, effect: hold, approvals: 2, reason: {en: e, ja: j}}
  - {name: otherwise, effect: allow, reason: {en: e, ja: j}}
'''

WEBHOOKS = f'''gate_webhooks:
  - name: exchange
    secret: {SECRET}
    secret_next: {NEXT}
    action: withdrawal
    fields: {{request_id: order.id, account: order.user.id, asset: order.coin, amount: order.qty, destination: order.to.address, action: order.kind, at: order.at}}
'''


def mac(secret, head, body):
    return hmac.new(secret.encode(), head.encode() + body, hashlib.sha256).hexdigest()


def signature(body, secret=SECRET, at=None, nonce="0123456789abcdef0123"):
    head = f"{int(at if at is not None else time.time())}.{nonce}."
    return f"v1,{head[:-1].replace('.', ',')},{mac(secret, head, body)}"


def post(gated, body, signed=None, name="exchange"):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if signed is not False:
        headers["X-Hinomi-Signature"] = signed or signature(body)
    server, mine = gated.server, gated.server.cookie
    server.cookie = None
    status, answer, got = server.request("POST", f"/v1/gate/webhook/{name}", body, headers=headers)
    server.cookie = mine
    return status, answer, got


def order(number, **more):
    return {"type": "x", "order": {"id": number, "user": {"id": 7}, "coin": "XEM", "qty": "1.50", "to": {"address": "friend"}, **more}}


def asked():
    gated = Gated(POLICY, WEBHOOKS)
    status, answer, headers = post(gated, order(4711))
    checks.equal("in its own words", (status, answer["decision"], answer["request_id"], answer["in_reply_to"]), (200, "allow", "4711", "0123456789abcdef0123"))
    checks.check("with a token", answer["token"] and answer["token"].startswith("hgt1."), answer)
    shown = gated.server.request("GET", "/v1/gate/decisions")[1]["decisions"][0]
    checks.equal("as it was meant", (shown["action"], shown["account"], shown["asset"], shown["amount"], shown["destination"]),
                 ("withdrawal", "7", "XEM", "1.50", "friend"))
    version, seconds, nonce, first, second = headers["X-Hinomi-Signature"].split(",")
    raw = json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode()
    checks.equal("the answer is signed by both secrets", [mac(s, f"{seconds}.{nonce}.", raw) for s in (SECRET, NEXT)], [first, second])
    checks.equal("a number as amount, to the last digit", post(gated, json.dumps(order(1)).replace('"1.50"', "0.12345678901234567890123").encode())[1]["decision"], "allow")
    checks.equal("and so it stands", gated.server.request("GET", "/v1/gate/decisions")[1]["decisions"][0]["amount"], "0.12345678901234567890123")
    checks.equal("denied", post(gated, order(2, to={"address": "thief"}))[1]["decision"], "deny")
    checks.equal("held", post(gated, order(3, qty=11))[1]["decision"], "hold")
    checks.equal("what is not told is missing", post(gated, {"order": {"id": 5}})[1]["decision"], "hold")
    checks.equal("the body may name the action", post(gated, order(6, kind="order"))[0], 200)
    checks.equal("so it does", gated.server.request("GET", "/v1/gate/decisions")[1]["decisions"][0]["action"], "order")
    again = post(gated, order(4711))[1]
    checks.equal("a replay gets the same", (again["id"], again["token"]), (answer["id"], answer["token"]))
    checks.equal("other content under the id", post(gated, order(4711, qty="2"))[0], 409)
    checks.equal("no id", post(gated, {"order": {}})[0], 400)
    checks.equal("a list as id", post(gated, order([1]))[0], 400)
    checks.equal("no amount", post(gated, order(8, qty="much"))[0], 400)
    checks.equal("no JSON", post(gated, b"{")[0], 400)
    body = json.dumps(order(9)).encode()
    now = time.time()
    checks.equal("by the next secret", post(gated, body, signature(body, NEXT))[0], 200)
    good = signature(body)
    refused = {"without": False, "by another secret": signature(body, "not the secret at all"), "of another body": signature(body + b" "),
               "too old": signature(body, at=now - 302), "of the future": signature(body, at=now + 302), "a short nonce": signature(body, nonce="abc"),
               "another version": good.replace("v1", "v2"), "no time": good.replace(good.split(",")[1], ""), "a changed time": good.replace(good.split(",")[1], str(int(now) - 1 - 5)),
               "a point in the nonce": signature(body, nonce="0123456789abcdef.1"), "cut": good[:-1], "empty": ",,,", "no MAC": good.rsplit(",", 1)[0]}
    for what, text in refused.items():
        status, answer, _ = post(gated, body, text)
        checks.check(f"a signature {what} is refused", status == 401 and answer["error"]["code"] == "unauthorized", (status, answer))
    rows = [row for row in gated.server.request("GET", "/v1/audit?limit=100")[1]["rows"] if row["action"] == "gate.webhook_refused"]
    checks.equal("and in the audit trail", len(rows), len(refused))
    checks.equal("no such webhook", post(gated, body, name="other")[0], 404)
    gated.server.close()


class Exchange:
    """Takes calls; can fail, hang, and be dead."""

    def __init__(self):
        self.calls, self.seen, self.mood, self.port = [], {}, "fine", 0
        self.lock = threading.Lock()
        self.start()

    def start(self):
        exchange = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with exchange.lock:
                    exchange.take(self, body)

            def log_message(self, *args):
                pass

        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def die(self):
        self.server.shutdown()
        self.server.server_close()

    def take(self, handler, body):
        _, seconds, nonce, sent = handler.headers["X-Hinomi-Signature"].split(",")
        genuine = hmac.compare_digest(sent, mac(SECRET, f"{seconds}.{nonce}.", body)) and abs(time.time() - int(seconds)) < 300
        key = handler.headers["Idempotency-Key"]
        mood = self.mood
        self.calls.append((key, mood, genuine, json.loads(body)))
        if mood == "hang":
            self.lock.release()
            time.sleep(9)
            self.lock.acquire()
        elif mood == "dies unseen":  # taken, but the answer is lost
            self.seen.setdefault(key, json.loads(body))
        else:
            if mood == "fine":
                self.seen.setdefault(key, json.loads(body))
            handler.send_response({"fine": 200, "503": 503, "400": 400}[mood])
            handler.send_header("Content-Length", "0")
            handler.end_headers()

    def actions(self):
        with self.lock:
            return [call["event.action"] for call in self.seen.values()]

    def attempts(self, mood):
        with self.lock:
            return sum(call[1] == mood for call in self.calls)


def told():
    exchange = Exchange()
    gated = Gated(POLICY, f"notifiers:\n  - {{kind: webhook, name: exchange, url: 'http://127.0.0.1:{exchange.port}/gate', secret: '{SECRET}', "
                          "gate: holds, allow_private: true}\n")
    people = gated.people("aoki", "baba")
    gated.ask("a1")
    hold = gated.ask("h1", amount="20")[1]["id"]
    checks.check("a hold is told", wait_for(lambda: exchange.actions() == ["hold"]), exchange.actions())
    first = next(iter(exchange.seen.values()))
    checks.equal("what it is", (first["hinomi.gate.id"], first["hinomi.gate.request_id"], first["exchange.amount"]), (hold, "h1", 20))
    exchange.mood = "503"
    gated.release(people["aoki"], hold)
    gated.release(people["baba"], hold)
    checks.check("it fails", wait_for(lambda: exchange.attempts("503") >= 2))
    exchange.mood = "400"
    checks.check("it refuses, again and again", wait_for(lambda: exchange.attempts("400") >= 4, 60), exchange.attempts("400"))
    exchange.mood = "dies unseen"
    checks.check("it takes one and the answer is lost", wait_for(lambda: exchange.attempts("dies unseen") >= 1, 60))
    exchange.die()
    gated.ask("d1", destination="thief")
    gated.server.request("POST", "/v1/gate/stops", {"scope": "asset", "target": "XEM", "reason": "test"})
    gated.server.kill()
    gated.server.start()
    exchange.mood = "fine"
    exchange.start()
    gated.server.cookie = None
    gated.server.sign_in()
    gated.ask("h1", amount="20")
    want = {"hold": 1, "approval": 2, "deny": 1, "stop": 1}
    count = lambda: {action: exchange.actions().count(action) for action in want}
    checks.check("after a crash and its coming back, all of it is there, each once", wait_for(lambda: count() == want, 120), count())
    exchange.mood = "hang"
    held = gated.ask("h2", amount="30")[1]["id"]
    checks.check("it hangs", wait_for(lambda: exchange.attempts("hang") >= 1, 60))
    begun = time.monotonic()
    checks.check("the gate does not wait for it", gated.ask("h3", amount="30")[1]["decision"] == "hold" and time.monotonic() - begun < 2)
    exchange.mood = "fine"
    checks.check("and then it is told", wait_for(lambda: count()["hold"] == 3, 60), count())
    checks.check("in their order", [c["hinomi.gate.request_id"] for c in exchange.seen.values() if c["event.action"] == "hold"] == ["h1", "h2", "h3"])
    checks.check("every call is signed", all(call[2] for call in exchange.calls))
    keys = {}
    for key, _, _, call in exchange.calls:
        keys.setdefault(json.dumps(call, sort_keys=True), set()).add(key)
    checks.check("the same call has the same key in all attempts", all(len(k) == 1 for k in keys.values()), keys)
    checks.check("plain allows are not told", "allow" not in exchange.actions(), exchange.actions())
    rows = gated.server.request("GET", "/v1/incidents")[1]["incidents"]
    checks.equal("and no news of incidents", [c for c in exchange.seen.values() if "incident" in c], [])
    exchange.die()
    gated.server.close()


for test in (asked, told):
    test()
checks.finish()
