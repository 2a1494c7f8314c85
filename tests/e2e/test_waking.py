#!/usr/bin/env python3
"""Waking people with the real server: a theft that nobody acknowledges goes to the second person and tightens the gate; links,
swaps, tests and drills; a process that is killed in between."""
import http.server
import json
import pathlib
import signal
import sys
import threading
import time

from harness import PASSWORD, Checks, Server, http_request, run, wait_for

checks = Checks()


class Gateway:
    """Takes webhooks; `broken` paths answer 500."""

    def __init__(self):
        self.got, self.broken, self.hanging, self.lock = [], set(), set(), threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path in outer.hanging:
                    time.sleep(20)
                    return
                bad = self.path in outer.broken
                if not bad:
                    with outer.lock:
                        outer.got.append({"path": self.path, "at": time.monotonic(), "key": self.headers["Idempotency-Key"],
                                          **json.loads(body)})
                self.send_response(500 if bad else 200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def pages_about(self, wallet, before=0):
        with self.lock:
            return [one for one in self.got[before:] if one["event"] == "page" and {"type": "wallet", "value": wallet} in one["entities"]]

    def of(self, **want):
        with self.lock:
            return [one for one in self.got if all(one.get(k) == v for k, v in want.items())]


PLAN = """version: 1
time_zone: Asia/Tokyo
holidays: japan
people: [sato, suzuki]
on_call:
  primary:
    rotations: [{people: [sato], every: 1w, from: 2026-01-05 09:00}]
policies:
  usual:
    steps:
      - {at: 0m, wake: [primary]}
      - {at: %(second)s, wake: [suzuki]}
    again_after: 10m
    unanswered: {after: 1m}
routes: [{severity: high, policy: usual}]
drill: %(drill)s
"""

RULE = """title: Money left
id: 11111111-2222-4333-8444-555555555555
logsource: {product: ecs}
detection: {left: {event.action: money_left}, condition: left}
level: critical
hinomi:
  entities: {wallet: wallet.from}
  explain: {en: "{wallet.amount} left {wallet.from}.", ja: "{wallet.from} から {wallet.amount} が出ました。"}
"""


def config(gateway):
    rows = "".join(f'  - {{kind: webhook, name: {name}, url: "{gateway.url("/" + name)}", secret: 0123456789abcdef, least: critical, '
                   "allow_private: true}\n" for name in ("push", "phone", "other"))
    return "notifiers:\n" + rows


def sign_in(server):
    server.sign_in()
    server.ingest = server.token()
    for name in ("sato", "suzuki"):
        status, _, err = run("user", "add", name, "--role", "approver" if name == "suzuki" else "responder", "--dir", server.dir + "/data",
                             data=(PASSWORD + "\n").encode())
        checks.equal(f"{name} may sign in", (status, err if status else ""), (0, ""))


def put_contacts(server, person, *names):
    status, answer, _ = server.request("PUT", f"/v1/waking/contacts/{person}",
                                       {"contacts": [{"notifier": name, "address": person} for name in names]})
    checks.equal(f"contacts of {person}", status, 200)
    return answer


def press(server, token):
    """By the link, as the console's button does."""
    return http_request(server.api_port, "POST", f"/v1/answer/{token}", "{}", {"Content-Type": "application/json"}, 30)


def theft(server, wallet):
    server.hec(server.ingest, [{"event": {"action": "money_left"}, "wallet": {"from": wallet, "amount": 5}}])


def timeline(server, incident):
    return [entry["text"]["en"] for entry in server.request("GET", f"/v1/incidents/{incident}")[1]["timeline"]]


def pages(server):
    return server.request("GET", "/v1/waking")[1]["pages"]


def a_theft_that_nobody_acknowledges():
    gateway, server = Gateway(), Server()
    server.config.write_text(server.config.read_text() + config(gateway))
    rules = pathlib.Path(server.dir) / "data/content/rules"
    rules.mkdir(parents=True)
    (rules / "money.yml").write_text(RULE)
    server.start()
    try:
        sign_in(server)
        theft_night(gateway, server)
        by_link(gateway, server)
        a_channel_fails(gateway, server)
        no_channel_works(gateway, server)
        swaps(server)
        a_test(gateway, server)
        the_plan(server)
        killed(gateway, server)
    finally:
        server.close()


def save_plan(server, **values):
    text = PLAN % {"second": "20s", "drill": "never", **values}
    status, answer, _ = server.request("PUT", "/v1/waking/plan", {"text": text})
    checks.equal("the plan is saved", (status, answer.get("people") if status == 200 else answer), (200, ["sato", "suzuki"]))


def theft_night(gateway, server):
    put_contacts(server, "sato", "push", "phone")
    put_contacts(server, "suzuki", "other")
    save_plan(server)
    gate = server.token("gate")
    began = time.monotonic()
    theft(server, "hot-1")
    first = wait_for(lambda: gateway.of(person="sato", event="page"))
    checks.check("the person on call is woken within 5 s", first and first[0]["at"] - began < 5, first)
    second = wait_for(lambda: gateway.of(person="suzuki", event="page"), 60)
    took = second[0]["at"] - first[0]["at"] if second else 0
    checks.check("the second person at the minute the plan says", second and 19 < took < 23, took)
    tightened = wait_for(lambda: server.request("GET", "/v1/gate/tightening")[1]["on"], 90)
    checks.check("the gate tightens by itself", tightened and 58 < time.monotonic() - first[0]["at"] < 66,
                 time.monotonic() - first[0]["at"])
    answer = server.request("POST", "/v1/gate/decide",
                            {"request_id": "W1", "action": "withdrawal", "account": "u9", "asset": "BTC", "amount": "1",
                             "destination": "x"}, headers={"Authorization": f"Bearer {gate}", "Cookie": ""})[1]
    checks.equal("a withdrawal that has nothing to do with it is held", (answer["decision"], answer["row"]), ("hold", "nobody-answered"))
    incident = first[0]["incident"]
    record = "\n".join(timeline(server, incident))
    for words in ("sato is to be woken by push", "suzuki is to be woken by other", "Nobody answered for 1 minutes: the gate was tightened",
                  "push sato was told (page), attempt 1"):
        checks.check(f"the record says: {words}", words in record, record)
    status, _, _ = server.request("POST", "/v1/gate/loosen", {"reason": "all is well"})
    checks.equal("an administrator does not loosen the gate", status, 403)
    login = http_request(server.api_port, "POST", "/v1/login", json.dumps({"name": "suzuki", "password": PASSWORD}),
                         {"Content-Type": "application/json"}, 30)
    headers = {"Cookie": login[2]["Set-Cookie"].split(";")[0], "X-Hinomi-CSRF": login[1]["csrf"], "Content-Type": "application/json"}
    status, answer, _ = http_request(server.api_port, "POST", "/v1/gate/loosen", json.dumps({"reason": "looked into it"}), headers, 30)
    checks.equal("an approver does", (status, answer["on"], answer["undone_by"]), (200, False, "suzuki"))
    events = wait_for(lambda: (lambda rows: len(rows) >= 3 and rows)(
        server.query('search index=waking "event.action"=* | table event.action user.name')["rows"]))
    checks.check("every step is an event as well", events and {"person_woken", "unanswered"} <= {row[0] for row in events}, events)


def by_link(gateway, server):
    save_plan(server, second="3s")
    page = gateway.of(person="suzuki", event="page")[0]
    token = page["reply_token"]
    checks.check("the link leads to the console", page["answer_link"].endswith("/v1/answer/" + token), page["answer_link"])
    status, about, _ = http_request(server.api_port, "GET", f"/v1/answer/{token}", None, {}, 30)
    checks.equal("a link says what it is about, without signing in", (status, about["person"], about["severity"], about["open"]),
                 (200, "suzuki", "critical", True))
    status, text, headers = http_request(server.api_port, "GET", f"/v1/answer/{token}", None, {"Accept": "text/html"}, 30)
    checks.check("a browser sees a page with one button, and no script",
                 status == 200 and b"<button" in text and b"<script" not in text and "form-action 'self'" in headers["Content-Security-Policy"], text)
    checks.equal("looking at it answers nothing", pages(server)[0]["state"], "running")
    status, text, _ = http_request(server.api_port, "POST", f"/v1/answer/{token}?by=page", "",
                                   {"Content-Type": "application/x-www-form-urlencoded"}, 30)
    checks.check("pressing the button does", status == 200 and "suzuki has it" in text.decode() and b"<button" not in text, text)
    other = gateway.of(person="sato", event="page")[0]["reply_token"]
    status, said, _ = press(server, other)
    checks.equal("who comes second is told who was first", (status, "suzuki" in said["error"]["message"]), (409, True))
    status, _, _ = http_request(server.api_port, "POST", "/v1/answer/" + "a" * 26, "{}", {"Content-Type": "application/json"}, 30)
    checks.equal("a link that was made up is none", status, 404)
    checks.equal("the page is answered", (pages(server)[0]["state"], pages(server)[0]["answered_by"]), ("answered", "suzuki"))


def a_channel_fails(gateway, server):
    gateway.broken.add("/push")
    before = len(gateway.got)
    began = time.monotonic()
    theft(server, "hot-2")
    got = wait_for(lambda: [one for one in gateway.got[before:] if one.get("person") == "sato"])
    checks.check("a contact that fails gives way to the next one within 10 s",
                 got and got[0]["path"] == "/phone" and got[0]["at"] - began < 10, got)
    gateway.broken.clear()
    again = wait_for(lambda: [one for one in gateway.got[before:] if one["path"] == "/push" and one["event"] == "page"], 60)
    checks.check("and the failed one is tried again until somebody answers", again)
    incident = got[0]["incident"]
    answer_as_voice = http_request(server.api_port, "POST", f"/v1/answer/{got[0]['reply_token']}", "Digits=1",
                                   {"Content-Type": "application/x-www-form-urlencoded"}, 30)
    checks.equal("a telephone gateway gets words to read out", (answer_as_voice[0], b"Acknowledged" in answer_as_voice[1]), (200, True))
    checks.check("the record says how", "Acknowledged by sato (voice)" in timeline(server, incident), timeline(server, incident))


def no_channel_works(gateway, server):
    """Whoever watches from outside is told, the gate tightens all the same, and what is owed comes when a channel is back."""
    gateway.broken.update({"/push", "/phone", "/other"})
    before, began = len(gateway.got), time.monotonic()
    theft(server, "hot-3")
    sick = wait_for(lambda: (lambda status, body: status == 503 and body)(*server.request("GET", "/v1/health")[:2]), 90)
    checks.check("the server says that it wakes nobody, within 75 s", sick and "waking" in sick["problems"] and time.monotonic() - began < 75,
                 (sick, time.monotonic() - began))
    checks.check("the gate tightens", wait_for(lambda: server.request("GET", "/v1/gate/tightening")[1]["on"], 30))
    gateway.broken.clear()
    got = wait_for(lambda: [one for one in gateway.got[before:] if one["event"] == "page"], 40)
    checks.check("once a channel works again the page comes", got)
    well = wait_for(lambda: server.request("GET", "/v1/health")[0] == 200, 30)
    checks.check("and the server is well", well)
    press(server, got[0]['reply_token'])


def on_call(server):
    return server.request("GET", "/v1/waking")[1]["on_call"][0]["shifts"][0]["person"]


def swaps(server):
    checks.equal("sato is on call", on_call(server), "sato")
    now = time.time()
    stamp = lambda t: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))
    status, answer, _ = server.request("POST", "/v1/waking/stand_ins", {
        "schedule": "primary", "away": "sato", "instead": "suzuki", "from": stamp(now - 60), "to": stamp(now + 3600), "reason": "a cold"})
    checks.equal("a swap is taken", status, 200)
    checks.equal("suzuki has it now", on_call(server), "suzuki")
    status, _, _ = server.request("POST", f"/v1/waking/stand_ins/{answer['stand_ins'][0]['id']}/end")
    checks.equal("and it ends", (status, on_call(server)), (200, "sato"))
    status, answer, _ = server.request("POST", "/v1/waking/stand_ins", {
        "schedule": "primary", "away": "sato", "instead": "nobody", "from": stamp(now), "to": stamp(now + 3600), "reason": "x"})
    checks.equal("a person whom the plan does not have cannot", (status, "nobody" in answer["error"]["message"]), (400, True))


def a_test(gateway, server):
    before = len(gateway.got)
    status, answer, _ = server.request("POST", "/v1/waking/test/sato")
    checks.equal("wake me now", status, 200)
    tests = lambda: [one for one in gateway.got[before:] if one["event"] == "test"]
    got = wait_for(lambda: len(tests()) == 2 and tests())
    checks.equal("comes by every contact", got and {one["path"] for one in got}, {"/push", "/phone"})
    press(server, got[0]['reply_token'])
    closed = wait_for(lambda: server.request("GET", f"/v1/incidents/{answer['incident']}")[1]["state"] == "closed")
    checks.check("and is closed once it was answered", closed)
    contacts = server.request("GET", "/v1/waking/contacts/sato")[1]
    checks.check("the contacts are proven", all(one["proven"] for one in contacts), contacts)


def the_plan(server):
    status, answer, _ = server.request("PUT", "/v1/waking/plan", {"text": "version: 1\npeople: [sato]\npolicies:\n  p: {steps: [{at: 0m, wake: [bob]}]}\n"})
    checks.equal("a plan with a mistake says where", (status, "line 4" in answer["error"]["message"], "bob" in answer["error"]["message"]),
                 (400, True, True))
    checks.equal("and the one in force stays", server.request("GET", "/v1/waking/plan")[1]["people"], ["sato", "suzuki"])
    shifts = server.request("GET", "/v1/waking/shifts?from=2026-12-01T00:00:00Z&days=20")[1]
    checks.equal("a person who has every turn is one line", [len(one["shifts"]) for one in shifts], [1])


def killed(gateway, server):
    """At any moment between the finding and the second person: the same outcome."""
    for number, wait in enumerate((0.0, 0.3, 1.0, 5.0)):
        before = len(gateway.got)
        theft(server, f"hot-k{number}")
        time.sleep(wait)
        server.kill()
        server.start()
        server.sign_in()
        mine = lambda: gateway.pages_about(f"hot-k{number}", before)
        both = wait_for(lambda: {one["person"] for one in mine()} == {"sato", "suzuki"}, 60)
        checks.check(f"killed after {wait} s: both are woken", both, mine())
        by_token = {}
        for one in mine():
            by_token.setdefault(one["reply_token"], set()).add(one["key"])
        checks.check(f"killed after {wait} s: no message has two keys", all(len(keys) == 1 for keys in by_token.values()), by_token)
        first = [one for one in mine() if one.get("person") == "sato"]
        checks.check(f"killed after {wait} s: sato is woken once by it", len({one["key"] for one in first if one["path"] == "/push"}) == 1, first)
        press(server, mine()[0]['reply_token'])


def the_nightly_drill():
    """From an event of its own to an answer, in hours that end soon, so that its minute is this one; one contact of two is dead."""
    gateway, server = Gateway(), Server()
    server.config.write_text(server.config.read_text() + config(gateway))
    gateway.broken.add("/phone")
    server.start()
    try:
        sign_in(server)
        put_contacts(server, "sato", "push", "phone")
        put_contacts(server, "suzuki", "other")
        local = lambda seconds: time.strftime("%H:%M", time.gmtime(time.time() + 9 * 3600 + seconds))
        save_plan(server, drill='{from: "%s", to: "%s"}' % (local(-3600), local(600)))
        got = wait_for(lambda: gateway.of(event="drill", person="sato"), 30)
        checks.check("the drill calls the person on call", got and got[0]["severity"] == "medium", gateway.got)
        time.sleep(3)
        press(server, got[0]['reply_token'])
        done = wait_for(lambda: (lambda drills: drills and drills[0]["outcome"] and drills[0])(
            server.request("GET", "/v1/waking/drills")[1]["drills"]))
        checks.check("the answer is timed", done and done["outcome"] == "answered" and done["person"] == "sato"
                     and 3000 <= done["answer_ms"] < 30000, done)
        checks.check("the contact that is dead is named", done and "sato by phone sato: the answer was HTTP 500" in done["detail_en"], done)
        page = wait_for(lambda: gateway.of(event="page", person="sato"), 30)
        checks.check("and wakes the same person as an incident, by what works", page and page[0]["path"] == "/push"
                     and page[0]["title"]["en"] == "A way to wake people does not work", page)
        checks.equal("the drill's incident is closed", server.request("GET", f"/v1/incidents/{got[0]['incident']}")[1]["state"], "closed")
        checks.equal("the gate hears nothing of drills", server.request("GET", "/v1/gate/tightening")[1]["on"], False)
        front = server.request("GET", "/v1/overview")[1]["wake"]
        checks.equal("the front page has it", front["last_drill"]["drills"][0]["outcome"], "answered")
        spent = server.request("GET", "/v1/waking/interruptions")[1]["people"]
        checks.equal("a drill is no interruption", {one["person"]: one["pages"] for one in spent}, {"sato": 1, "suzuki": 0})
    finally:
        server.close()


def a_plan_from_a_file():
    """It is read at the start and at SIGHUP; over the API it cannot be changed."""
    server = Server()
    plan = pathlib.Path(server.dir) / "waking.yaml"
    plan.write_text(PLAN % {"second": "5m", "drill": "never"})
    server.config.write_text(server.config.read_text() + f"waking: {plan}\n")
    server.start()
    try:
        server.sign_in()
        got = server.request("GET", "/v1/waking/plan")[1]
        checks.equal("the file's plan is in force", (got["people"], got["from_file"]), (["sato", "suzuki"], True))
        status, answer, _ = server.request("PUT", "/v1/waking/plan", {"text": PLAN % {"second": "9m", "drill": "never"}})
        checks.equal("over the API it cannot be changed", (status, "SIGHUP" in answer["error"]["message"]), (409, True))
        plan.write_text((PLAN % {"second": "5m", "drill": "never"}).replace("[sato, suzuki]", "[sato, suzuki, mori]"))
        server.process.send_signal(signal.SIGHUP)
        again = wait_for(lambda: server.request("GET", "/v1/waking/plan")[1]["people"] == ["sato", "suzuki", "mori"], 20)
        checks.check("SIGHUP reads it again", again)
        plan.write_text("version: 1\n")
        server.process.send_signal(signal.SIGHUP)
        said = wait_for(lambda: "waking.yaml" in pathlib.Path(server.dir, "stderr").read_text(), 20)
        checks.check("a mistake is said, and the plan in force stays",
                     said and server.request("GET", "/v1/waking/plan")[1]["people"] == ["sato", "suzuki", "mori"])
        server.stop()
        server.spawn()
        checks.equal("a start with a mistake is refused", server.process.wait(30), 1)
    finally:
        server.close()


if __name__ == "__main__":
    a_theft_that_nobody_acknowledges()
    a_plan_from_a_file()
    the_nightly_drill()
    checks.finish()
