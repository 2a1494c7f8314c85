#!/usr/bin/env python3
"""Incidents with a real server: events become findings, findings become attacks, and people work on them over the API until they
close them; what is closed cannot be changed, what is kept quiet is counted."""
import base64
import datetime
import hashlib
import json
import pathlib
import random
import signal
import sqlite3
import time

from harness import ROOT, Checks, Server, http_request, run, wait_for

checks = Checks()
document = json.loads((ROOT / "docs/openapi.json").read_text())

RULE = """title: {title}
id: 00000000-0000-4000-8000-{number:012d}
logsource: {{product: ecs}}
detection:
  selection: {{kind: {kind}}}
  condition: selection
level: {level}
hinomi:
  entities: {{{entities}}}
  explain: {{en: "{title} by {{user.name}}", ja: "{title}: {{user.name}}"}}
"""
RULES = [("Mail", "mail", "low", "email: mail, user: user.name"), ("Logon", "logon", "medium", "user: user.name, host: host.name, ip: source.ip"),
         ("Key", "key", "high", "host: host.name, key: key"), ("Transfer", "transfer", "high", "key: key, address: to, asset: asset")]


def fits(value, schema, where="answer"):
    """None, or what is wrong: the part of JSON Schema that the document uses."""
    if "$ref" in schema:
        return fits(value, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], where)
    if "anyOf" in schema:
        found = [fits(value, one, where) for one in schema["anyOf"]]
        return None if None in found else found[0]
    kinds = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "null": type(None)}
    kind = schema.get("type")
    if kind and (not isinstance(value, kinds[kind]) or isinstance(value, bool) and kind != "boolean"):
        return f"{where} is {value!r}, not {kind}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} is {value!r}, not one of {schema['enum']}"
    if kind == "array":
        return next(filter(None, (fits(v, schema["items"], f"{where}[{i}]") for i, v in enumerate(value))), None)
    if kind == "object" and "properties" in schema:
        missing, more = set(schema.get("required", ())) - set(value), set(value) - set(schema["properties"])
        if missing or more and schema.get("additionalProperties") is False:
            return f"{where} lacks {sorted(missing)} and has {sorted(more)} besides"
        return next(filter(None, (fits(v, schema["properties"][k], f"{where}.{k}") for k, v in value.items() if k in schema["properties"])), None)
    return None


class Case:
    """A server with the rules of this test, and its answers held against docs/openapi.json."""

    def __init__(self, rules=RULES):
        self.server = Server()
        own = pathlib.Path(self.server.dir, "data/content/rules")
        own.mkdir(parents=True)
        for number, (title, kind, level, entities) in enumerate(rules):
            (own / f"{kind}.yml").write_text(RULE.format(title=title, number=number, kind=kind, level=level, entities=entities))
        self.server.start()
        self.server.sign_in()
        self.hec = self.server.token()
        self.sent = 0

    def ask(self, method, path, body=None, want=200, route=None):
        status, got, headers = self.server.request(method, "/v1" + path, {} if body is None and method == "POST" else body)
        checks.equal(f"{method} {path}: status", status, want)
        if status != want:
            print(got)
        at = document["paths"]["/v1" + (route or path).split("?")[0]][method.lower()]["responses"]
        schema = at.get(str(status), at["default"])["content"].get("application/json", {}).get("schema")
        if schema:
            checks.equal(f"{method} {path}: as the schema says", fits(got, schema), None)
        return got

    def incident(self, id, part="", body=None, method="POST", want=200):
        return self.ask(method if part else "GET", f"/incidents/{id}{part}", body, want, "/incidents/{id}" + part.split("?")[0])

    def send(self, events):
        """Returns when each has become a finding that is filed."""
        before = self.ask("GET", "/findings?limit=1")["total"]
        self.server.hec(self.hec, events)
        checks.check("all are filed", wait_for(lambda: self.server.request("GET", "/v1/findings?limit=1")[1]["total"] >= before + len(events), 90),
                     self.server.request("GET", "/v1/findings?limit=1")[1])

    def standing(self):
        return self.ask("GET", "/incidents?state=open,acknowledged&limit=1000")["incidents"]


def at(seconds):
    return (datetime.datetime(2026, 1, 26, 0, 0, tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat()


def chain(n, count, seconds):
    """An attack from a mail to the money, as events of one person, two machines, one key."""
    events = []
    for i in range(count):
        stage = i * 4 // count
        event = {"@timestamp": at(i * seconds // count), "kind": RULES[stage][1], "user": {"name": f"victim{n}"}, "n": f"{n}-{i}"}
        if stage == 0:
            event["mail"] = f"bad{n}@evil.example"
        if stage == 1:
            event |= {"host": {"name": f"pc{n}"}, "source": {"ip": f"203.0.113.{n}"}}
        if stage == 2:
            event |= {"host": {"name": f"PC{n}"}, "key": f"key{n}"}
        if stage == 3:
            event |= {"key": f"key{n}", "to": f"NEVIL{n}", "asset": "XEM"}
        events.append(event)
    return events


def attacks():
    case = Case()
    events = chain(1, 400, 16 * 3600) + [e for n in range(2, 8) for e in chain(n, 40, 3600)]
    random.Random(7).shuffle(events)
    case.send(events)
    found = case.standing()
    checks.equal("seven attacks on one asset are seven incidents", len(found), 7)
    checks.equal("and none has findings of another", sorted(i["finding_count"] for i in found), [40] * 6 + [400])
    checks.equal("nothing is left outside", case.ask("GET", "/findings?loose=1")["total"], 0)
    case.server.close()


def shared(case, id):
    """An outside monitor sees how it stands, and no name of anybody or anything."""
    case.incident(id, "/shares", {"note": "the auditor"}, want=400)
    link = case.incident(id, "/shares", {"note": "the auditor", "expires": "+7d"}, want=201)

    def look():
        return http_request(case.server.api_port, "GET", link["path"], None, {}, 30)[:2]
    status, seen = look()
    schema = document["paths"]["/v1/shared/{secret}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    checks.equal("the link shows one incident", (status, fits(seen, schema), seen["id"]), (200, None, id))
    checks.equal("its rules and counts", (sum(r["count"] for r in seen["rules"]), len(seen["entities"])), (40, 8))
    checks.equal("and no names", [w for w in ("victim1", "pc1", "PC1", "key1", "NEVIL1", "evil.example", "203.0.113", "admin", "mori") if w in json.dumps(seen)], [])
    checks.equal("the same names each time", look()[1]["entities"], seen["entities"])
    checks.equal("nothing else", http_request(case.server.api_port, "GET", "/v1/incidents", None, {"Authorization": "Bearer " + link["secret"]}, 30)[0], 401)
    checks.equal("looks are counted", [(s["views"], s["ended"]) for s in case.incident(id, "/shares", method="GET")["shares"]], [(2, None)])
    checks.equal("it is ended", case.server.request("POST", f"/v1/shares/{link['share']}/end", {})[0], 204)
    checks.equal("and shows nothing", look()[0], 404)


def people():
    case = Case()
    case.send(chain(1, 40, 600))
    id = case.standing()[0]["id"]
    case.incident(id, "/acknowledge")
    checks.equal("a second person", case.server.request("POST", "/v1/users", {"name": "mori", "password": "another long one", "role": "responder"})[0], 201)
    case.incident(id, "/owner", {"owner": "nobody"}, want=400)
    case.incident(id, "/owner", {"owner": "mori", "note": "night shift"})
    case.incident(id, "/contained", {"note": "the key is revoked"})
    task = case.incident(id, "/tasks", {"text": "call the bank", "owner": "mori", "due": "+2h"}, want=201)["task"]
    case.ask("POST", f"/tasks/{task}/done", {}, 200, "/tasks/{id}/done")
    raw = b"<script>alert(1)</script>\0\xff"
    name = 'a"b\r\n; x=証拠.html'
    case.incident(id, "/attachments", {"name": name, "type": "text/html", "base64": base64.b64encode(raw).decode()}, want=400)
    name = 'a"b; x=証拠.html'
    number = case.incident(id, "/attachments", {"name": name, "type": "text/html", "base64": base64.b64encode(raw).decode()}, want=201)["attachment"]
    case.incident(id, "/attachments", {"name": "x", "base64": "?"}, want=400)
    status, got, headers = case.server.request("GET", f"/v1/attachments/{number}")
    checks.equal("evidence comes back as it was", (status, got), (200, raw))
    checks.equal("to be saved, whatever it says it is", (headers["Content-Type"], headers["Content-Disposition"].split(";")[0], headers["X-Content-Type-Options"]),
                 ("application/octet-stream", "attachment", "nosniff"))

    page = case.incident(id, "/findings?limit=7", method="GET")
    listed = page["findings"]
    while page["next"]:
        page = case.incident(id, f"/findings?limit=7&after={page['next']}", method="GET")
        listed += page["findings"]
    checks.equal("every finding is listed once", len({f["id"] for f in listed}), 40)
    event = listed[20]["events"][0]
    case.incident(id, "/comments", {"text": "this one", "events": [event]})
    case.ask("POST", "/event_comments", {"event": event, "text": "seen before"}, 201)
    found = case.ask("GET", f"/event_comments?event={event['id']}")["comments"]
    checks.equal("comments are found by the event", [(c["text"], c["incident"]) for c in found], [("this one", id), ("seen before", None)])

    def rows():
        return case.server.query(f'event.id="{event["id"]}" | table hinomi.seq n')["rows"]
    before = rows()
    checks.equal("the link finds one row", len(before), 1)

    case.ask("GET", "/handover?from=-1h")
    shared(case, id)
    case.incident(id, "/close", {"comment": "over", "verdict": "maybe"}, want=400)
    closed = case.incident(id, "/close", {"comment": "over", "verdict": "true_positive"})
    checks.equal("closing says what it was", (closed["state"], closed["verdict"]), ("closed", "true_positive"))
    seal = [e for e in closed["timeline"] if e["kind"] == "state"][-1]
    checks.equal("and how many findings", seal["detail"]["findings"], 40)
    trail = case.ask("GET", "/audit?action=incident.close&limit=1")["rows"][0]
    checks.check("the audit trail has where the record ended", f"entry {seal['number']} of the record has the hash {seal['hash']}" in trail["detail"], trail)
    for part, body in {"/comments": {"text": "x"}, "/tasks": {"text": "x"}, "/owner": {"owner": "admin"}, "/contained": {}, "/close": {"comment": "x"},
                       "/attachments": {"name": "x", "base64": ""}, "/merge": {"from": ["INC-1"], "reason": "x"},
                       "/split": {"findings": [listed[0]["id"]], "reason": "x"}, "/acknowledge": {}}.items():
        case.incident(id, part, body, want=409)
    again = case.incident(id, "/reopen", {"reason": "it goes on"})
    checks.equal("opening again makes a new one", ([r["how"] for r in again["related"] if r["id"] == id], again["state"]), (["reopens"], "open"))
    checks.equal("which the old one knows", [r["how"] for r in case.incident(id)["related"]], ["reopened_as"])

    case.server.stop()
    data = case.server.dir + "/data"
    status, out, _ = run("check", "--dir", data)
    checks.check("hinomi check reads all records", "entries and 1 attachments, all as they were written" in out, out)
    database = sqlite3.connect(data + "/state.db")
    database.execute("PRAGMA writable_schema=ON")
    database.execute("DELETE FROM sqlite_schema WHERE name LIKE 'timeline_update'")
    database.commit()
    database.close()
    database = sqlite3.connect(data + "/state.db")
    database.execute("UPDATE timeline SET text_en='nothing' WHERE text_en='this one'")
    database.commit()
    database.close()
    status, out, _ = run("check", "--dir", data)
    checks.check("and finds what was changed", status != 0 and f"the record of {id}, or one before it, is not what was written" in out, out)
    case.server.start()
    case.server.sign_in()
    checks.equal("a server finds the same rows again", rows(), before)
    case.server.close()


def grouping():
    case = Case()
    case.send(chain(1, 20, 600) + chain(2, 20, 600))
    one, two = sorted(i["id"] for i in case.standing())
    merged = case.incident(one, "/merge", {"from": [two], "reason": "one mail"})
    checks.equal("merged by hand", (merged["finding_count"], len(case.standing())), (40, 1))
    ids = [f["id"] for f in case.incident(one, "/findings?limit=1000", method="GET")["findings"] if "bad2@evil.example" in json.dumps(f) or "victim2" in json.dumps(f) or "key2" in json.dumps(f)]
    split = case.incident(one, "/split", {"findings": ids, "reason": "two mails"})
    checks.equal("split by hand", (split["finding_count"], case.incident(one)["finding_count"]), (20, 20))
    checks.equal("both know of each other", [r["how"] for r in split["related"]], ["split_from"])
    case.send([e | {"n": e["n"] + "again"} for e in chain(1, 20, 600) + chain(2, 20, 600)])
    checks.equal("what comes later goes to its own", sorted(i["finding_count"] for i in case.standing()), [40, 40])
    case.server.close()


def quiet():
    """What a preview says is what happens when the same events come to another server."""
    def events(offset):
        return [{"@timestamp": at(i), "kind": "logon", "user": {"name": f"scan{i % 3}"}, "host": {"name": f"h{i}"}, "source": {"ip": "203.0.113.9"}, "n": offset + i} for i in range(60)]
    first = Case()
    first.send(events(0))
    finding = next(f for f in first.ask("GET", "/findings?limit=100")["findings"] if "scan1" in json.dumps(f))
    body = {"rule": finding["rule_id"], "entities": [{"type": "user", "value": "scan1"}]}
    told = first.ask("POST", "/exceptions/preview", body)
    checks.equal("the preview", (told["findings"], told["incidents"], told["complete"], len(told["sample"])), (20, 0, True, 20))
    checks.equal("a rule goes by its title too", first.ask("POST", "/exceptions/preview", body | {"rule": "Logon"})["findings"], 20)
    checks.equal("and no other rule fits", first.ask("POST", "/exceptions/preview", body | {"rule": "Logoff"})["findings"], 0)
    first.ask("POST", "/exceptions", body | {"reason": "a scanner"}, 400)
    first.ask("POST", "/exceptions", body | {"expires": "+1d"}, 400)
    one_click = first.ask("POST", "/exceptions", {"finding": finding["id"], "reason": "one click", "expires": "+1h"}, 201)
    checks.equal("made from a finding", sorted(e["value"] for e in one_click["entities"]), sorted(e["value"] for e in finding["entities"]))
    first.ask("POST", f"/exceptions/{one_click['id']}/end", {}, 200, "/exceptions/{id}/end")
    first.ask("POST", f"/exceptions/{one_click['id']}/end", {}, 409, "/exceptions/{id}/end")

    second = Case()
    made = second.ask("POST", "/exceptions", body | {"reason": "a scanner", "expires": "+6s"}, 201)
    second.send(events(0))
    hidden = second.ask("GET", f"/findings?exception={made['id']}&limit=1000")
    checks.equal("as many are hidden, and all are listed", (hidden["total"], len(hidden["findings"])), (told["findings"], told["findings"]))
    checks.equal("and counted", second.ask("GET", "/exceptions?all=1")["exceptions"][0]["count"], told["findings"])
    checks.equal("the others are one incident", [i["finding_count"] for i in second.standing()], [40])
    checks.check("it ends", wait_for(lambda: not second.ask("GET", "/exceptions")["exceptions"], 30))
    second.send([{"@timestamp": at(3600), "kind": "logon", "user": {"name": "scan1"}, "host": {"name": "other"}, "source": {"ip": "203.0.113.200"}}])
    fired = [i for i in second.standing() if i["finding_count"] == 1]
    checks.equal("then it fires again", len(fired), 1)
    checks.check("and says why it was quiet", "kept findings like this quiet until" in json.dumps(second.incident(fired[0]["id"]) if fired else ""))
    first.server.close()
    second.server.close()


def storm():
    case = Case([("Repeat", "repeat", "high", "user: user.name")])
    for part in range(10):
        case.server.hec(case.hec, [{"@timestamp": at(part * 1000 + i), "kind": "repeat", "user": {"name": "u1"}, "n": part * 1000 + i} for i in range(1000)])
    checks.check("10,000 are filed", wait_for(lambda: case.server.request("GET", "/v1/findings?limit=1")[1]["total"] >= 10000, 120))
    found = case.standing()
    checks.equal("one incident", [(i["finding_count"]) for i in found], [10000])
    lines = [e for e in case.incident(found[0]["id"])["timeline"] if e["kind"] == "finding"]
    checks.equal("one line", [(e["count"], e["first"], e["last"]) for e in lines], [(10000, "2026-01-26T00:00:00Z", "2026-01-26T02:46:39Z")])
    after, seen = 0, set()
    while after is not None:
        page = case.incident(found[0]["id"], f"/findings?limit=1000&after={after}", method="GET")
        seen |= {f["events"][0]["id"] for f in page["findings"]}
        after = page["next"]
    checks.equal("and every event is listed", len(seen), 10000)
    lookups = pathlib.Path(case.server.dir, "data/lookups")
    lookups.mkdir(exist_ok=True)
    (lookups / "assets.csv").write_text("type,value,criticality,owner,name_en,name_ja\nuser,boss,critical,ops,The boss,社長\n")
    case.server.process.send_signal(signal.SIGHUP)
    # the list is read in another thread: the next finding about the boss shows when it is
    n = 0

    def raised():
        nonlocal n
        n += 1
        case.send([{"@timestamp": at(n), "kind": "repeat", "user": {"name": "boss"}, "n": f"b{n}"}])
        mine = [i for i in case.standing() if {"type": "user", "value": "boss"} in i["entities"]]
        if mine[0]["severity"] == "critical":
            return mine[0]
        case.incident(mine[0]["id"], "/close", {"comment": "again"})
        return None
    mine = wait_for(raised)
    checks.equal("a critical asset raises it", (mine["severity"], mine["raw_severity"]) if mine else None, ("critical", "high"))
    case.server.close()


for part in (attacks, people, grouping, quiet, storm):
    began = time.monotonic()
    part()
    print(f"{part.__name__}: {time.monotonic() - began:.1f} s")
checks.finish()
