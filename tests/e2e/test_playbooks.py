#!/usr/bin/env python3
"""Playbooks on an incident: tasks, approvals (withheld: nothing is done) and actions, step by step; killed in the middle; stopped and
undone; a step that fails waits for a person. All of it stands on the incident's timeline."""
import json
import pathlib

from firewall import SECRET, Mock
from harness import PASSWORD, Checks, Server, http_request, wait_for

checks = Checks()
RULE = """title: trouble
id: trouble
logsource: {product: ecs}
detection: {s: {event.action: trouble}, condition: s}
level: high
hinomi: {entities: {user: user.name, ip: source.ip}}
"""
BOOKS = """playbook: whole
title: {en: Whole, ja: 全体}
steps:
  - approval: {people: 2, role: approver, en: Go on?, ja: 続けますか}
  - action: firewall
  - task: {en: Call them, ja: 電話する}
  - action: accounts
---
playbook: short
title: {en: Short, ja: 短い}
steps:
  - action: firewall
---
playbook: other
title: {en: Other, ja: 別}
steps:
  - action: missing
---
playbook: none
title: {en: None, ja: 無}
steps:
  - action: hosts
  - task: {en: Look, ja: 見る}
"""


def main():
    firewall, idp = Mock(), Mock()
    place = Server()
    both = lambda port: f'url: "http://127.0.0.1:{port}/do", undo_url: "http://127.0.0.1:{port}/undo", secret: "{SECRET}", allow_private: true'
    server = Server(place.dir, f"""
actions:
  - {{name: firewall, kind: webhook, takes: [ip], {both(firewall.port)}, approvals: 0}}
  - {{name: hosts, kind: webhook, takes: [host], {both(firewall.port)}, approvals: 0}}
  - {{name: accounts, kind: disable_user, takes: [user], {both(idp.port)}, approvals: 1, verify_url: "http://127.0.0.1:{idp.port}/verify",
     verify_contains: '"disabled": true'}}
""")
    for folder, name, text in (("rules", "trouble.yml", RULE), ("playbooks", "mine.yaml", BOOKS)):
        where = pathlib.Path(server.dir, "data/content", folder)
        where.mkdir(parents=True)
        (where / name).write_text(text)
    server.start()
    people = {}

    def person(name, method, path, body=None, want=200):
        if name not in people:
            _, answer, got = server.request("POST", "/v1/login", {"name": name, "password": PASSWORD}, port=server.api_port)
            people[name] = {"Cookie": got["Set-Cookie"].split(";")[0], "X-Hinomi-CSRF": answer["csrf"], "Content-Type": "application/json"}
        status, answer, _ = http_request(server.api_port, method, path, None if body is None else json.dumps(body).encode(), people[name], 60)
        checks.equal(f"{name} {method} {path} {body}", status, want)
        return answer

    def reborn():
        server.kill()
        server.start()
        people.clear()

    run_of = lambda ident: person("rin", "GET", f"/v1/playbook_runs/{ident}")

    def until(ident, what):
        return wait_for(lambda: what(run_of(ident)) and run_of(ident)) or run_of(ident)

    try:
        server.sign_in()
        for name, role in (("rin", "responder"), ("abe", "approver"), ("aya", "approver"), ("ana", "analyst")):
            server.request("POST", "/v1/users", {"name": name, "password": PASSWORD, "role": role})
        for i in range(2):
            server.hec(server.token(), [{"event": {"action": "trouble"}, "user": {"name": f"taro{i}"}, "source": {"ip": f"203.0.113.{5 + i}"}}])
        first, second = sorted(i["id"] for i in wait_for(lambda: len(server.request("GET", "/v1/incidents")[1]["incidents"]) == 2 and
                                                             server.request("GET", "/v1/incidents")[1]["incidents"]))
        books = {b["name"]: b for b in person("rin", "GET", "/v1/playbooks")["playbooks"]}
        checks.equal("those that come with it and our own; which can be used", (set(books) >= {"whole", "short", "contain-account"}, books["whole"]["usable"],
                                                                               books["other"]["usable"]), (True, True, False))
        person("rin", "POST", "/v1/playbooks/other/run", {"incident": first}, 409)
        person("rin", "POST", "/v1/playbooks/nothing/run", {"incident": first}, 404)
        person("rin", "POST", "/v1/playbooks/whole/run", {"incident": "INC-99"}, 404)
        person("ana", "POST", "/v1/playbooks/whole/run", {"incident": first}, 403)
        run = person("rin", "POST", "/v1/playbooks/whole/run", {"incident": first}, 201)["id"]
        person("rin", "POST", "/v1/playbooks/whole/run", {"incident": first}, 409)
        step = f"/v1/playbook_runs/{run}/step"
        person("rin", "POST", step, {"step": 1, "answer": "approve"}, 403)
        person("rin", "POST", step, {"step": 2, "answer": "done"}, 409)
        person("rin", "POST", step, {"step": 1, "answer": "skip", "text": "no"}, 409)
        for _ in range(2):
            person("abe", "POST", step, {"step": 1, "answer": "approve"})
        reborn()
        barrier = person("rin", "POST", "/v1/playbooks/short/run", {"incident": second}, 201)["id"]
        until(barrier, lambda r: r["state"] == "done")
        checks.equal("one approval of two, twice by one: nothing is done", ([a[1]["entity.value"] for a in firewall.asked], run_of(run)["step"]), (["203.0.113.6"], 1))
        person("aya", "POST", step, {"step": 1, "answer": "approve"})
        until(run, lambda r: r["step"] == 3)
        checks.equal("then the action, on what the incident has", firewall.blocked, {"203.0.113.5", "203.0.113.6"})
        reborn()
        checks.equal("the task waits, over a death as well", (run_of(run)["step"], run_of(run)["state"], idp.asked), (3, "running", []))
        person("rin", "POST", step, {"step": 3, "answer": "done", "text": "nobody answers"})
        waiting = until(run, lambda r: r["steps"][3]["order"])
        order = waiting["steps"][3]["order"]
        checks.equal("the action's own approval is asked for as well", (person("rin", "GET", f"/v1/actions/{order}")["state"], idp.asked), ("waiting", []))
        person("abe", "POST", f"/v1/actions/{order}/approve", {})
        ended = until(run, lambda r: r["state"] == "done")
        checks.equal("the end", (ended["state"], [s["state"] for s in ended["steps"]], idp.blocked), ("done", ["done"] * 4, {"taro0"}))
        checks.equal("each action was asked for once", len([a for a in firewall.asked if a[1]["entity.value"] == "203.0.113.5"]), 1)
        person("rin", "POST", f"/v1/playbook_runs/{run}/stop", {"undo": True})
        wait_for(lambda: "203.0.113.5" not in firewall.blocked and not idp.blocked)
        checks.equal("what it did can be undone as a whole", (firewall.blocked, idp.blocked), ({"203.0.113.6"}, set()))

        stuck = person("rin", "POST", "/v1/playbooks/none/run", {"incident": second}, 201)["id"]
        got = until(stuck, lambda r: r["state"] == "stuck")
        checks.equal("a step that fails waits for a person", (got["state"], got["step"], "nothing that hosts" in (got["steps"][0]["note"] or "")), ("stuck", 1, True))
        answer = f"/v1/playbook_runs/{stuck}/step"
        person("rin", "POST", answer, {"step": 1, "answer": "skip"}, 400)
        person("rin", "POST", answer, {"step": 1, "answer": "skip", "text": "there is no host"})
        person("rin", "POST", answer, {"step": 2, "answer": "done"})
        checks.equal("skipped, and gone on", (run_of(stuck)["state"], [s["state"] for s in run_of(stuck)["steps"]]), ("done", ["skipped", "done"]))

        timeline = person("rin", "GET", f"/v1/incidents/{first}")["timeline"]
        texts = "\n".join(json.dumps(t, ensure_ascii=False) for t in timeline if t["kind"] == "action")
        for part in ("started the playbook Whole", "approved accounts (1 of 1)", "accounts: 1 in effect", "takes back", "step 3 of 4 is done: nobody answers", "1 undone"):
            checks.check(f"the timeline says: {part}", part in texts, texts[:3000])
        server.sign_in()
        server.hec(server.token(), [{"event": {"action": "trouble"}, "user": {"name": "taro0"}, "source": {"ip": "203.0.113.6"}}])
        wait_for(lambda: person("rin", "GET", f"/v1/incidents/{second}")["state"] == "closed")
        moved = [o for o in person("rin", "GET", f"/v1/actions?incident={first}")["orders"] if o["state"] == "done"]
        checks.equal("incidents that become one go on with the actions of both", ([o["incident"] for o in moved], firewall.blocked), ([first], {"203.0.113.6"}))
        person("rin", "POST", f"/v1/actions/{moved[0]['id']}/undo", {})
        wait_for(lambda: not firewall.blocked)
        told = f"{moved[0]['id']}: firewall: 0 in effect"
        timeline = wait_for(lambda: told in json.dumps(person("rin", "GET", f"/v1/incidents/{first}")["timeline"]))
        checks.check("its undo stands on the timeline of the one that goes on", timeline)
    finally:
        server.close()
        place.close()
    checks.finish()


main()
