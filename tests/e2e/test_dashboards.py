#!/usr/bin/env python3
"""Dashboards by the API: the shipped ones are whole and every search of theirs runs; own ones are checked, kept, shadow shipped ones and go again."""
import json
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness

READY = {"exchange_money_flow", "sign_ins", "active_directory", "dns", "firewall", "microsoft_365", "cloud", "service_health", "detection_quality",
         "cost_of_data"}
NEEDS_PLACES = "iplocation needs a database of places"


def events():
    now = time.time()
    for i in range(200):
        yield {"time": now - i, "event": {"event": {"category": "authentication", "outcome": "failure" if i % 3 else "success"},
                                          "user": {"name": f"u{i % 7}"}, "source": {"ip": f"192.0.2.{i % 9}"}, "message": "sign-in"}}


def answer(server, search):
    status, body, _ = server.request("POST", "/v1/search", {"query": search, "from": "-24h", "to": "now"})
    if status != 201:
        return body
    while True:
        _, page, _ = server.request("GET", f"/v1/search/{body['id']}?limit=50")
        if page["state"] != "running":
            server.request("DELETE", f"/v1/search/{body['id']}")
            return page
        time.sleep(0.02)


def check_shipped(checks, server):
    _, listed, _ = server.request("GET", "/v1/dashboards")
    heads = {one["name"]: one for one in listed["dashboards"]}
    checks.check("ready dashboards are there", READY <= heads.keys(), f"missing {READY - heads.keys()}")
    homes = {role for one in listed["dashboards"] for role in one["home"]}
    checks.check("each role has a home", {"analyst", "engineer", "auditor", "support", "viewer"} <= homes, f"{homes}")
    for name, head in heads.items():
        _, board, _ = server.request("GET", f"/v1/dashboards/{name}")
        checks.check(f"{name}: both languages", all(one["title"]["en"] and one["title"]["ja"] for one in [board, *board["panels"]]))
        checks.check(f"{name}: a home has at most six tiles", not head["home"] or len(board["panels"]) <= 6)
        cells = [(x, y) for p in board["panels"] for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
        checks.check(f"{name}: no two panels overlap", len(cells) == len(set(cells)))
        for panel in [*board["panels"], *({"id": "mark", "search": one["search"]} for one in board["annotations"])]:
            if not panel["search"]:
                continue
            search = panel["search"]
            for variable in board["variables"]:
                search = search.replace(f"${variable['name']}$", variable["default"])
            page = answer(server, search)
            error = (page.get("error") or {}).get("message", "")
            checks.check(f"{name}/{panel['id']}: runs", not error or NEEDS_PLACES in error, f"{search}: {error}")


def panel(**change):
    return {"id": "p1", "kind": "bar", "search": "* | stats count by user.name", "x": 0, "y": 0, "w": 6, "h": 4, **change}


def put(server, name, panels, shared=False, **more):
    text = json.dumps({"dashboard": name, "title": {"en": "T", "ja": "題"}, "panels": panels, **more})
    return server.request("PUT", "/v1/knowledge/dashboard", {"text": text, "shared": shared})


def check_own(checks, server):
    status, body, _ = put(server, "mine", [panel(), panel(id="p2", kind="text", search=None, text="注意", x=6)], refresh="30s",
                          variables=[{"name": "user", "field": "user.name"}])
    checks.check("one's own is kept", status == 200, f"{status} {body}")
    _, board, _ = server.request("GET", "/v1/dashboards/mine")
    checks.check("and comes back as it was", [p["id"] for p in board["panels"]] == ["p1", "p2"] and board["refresh_s"] == 30
                 and board["panels"][1]["text"] == {"en": "注意", "ja": "注意"} and board["variables"][0]["default"] == "*" and board["origin"] == "own", f"{board}")
    _, listed, _ = server.request("GET", "/v1/knowledge?kind=dashboard")
    checks.check("it is among the definitions", "mine" in [one["name"] for one in listed["definitions"]])
    status, _, _ = put(server, "sign_ins", [panel()])
    _, board, _ = server.request("GET", "/v1/dashboards/sign_ins")
    checks.check("one's own counts before a shipped one", status == 200 and len(board["panels"]) == 1)
    server.request("DELETE", "/v1/knowledge/dashboard?name=sign_ins")
    _, board, _ = server.request("GET", "/v1/dashboards/sign_ins")
    checks.check("which is back when it goes", len(board["panels"]) > 5)
    status, _, _ = server.request("GET", "/v1/dashboards/none")
    checks.check("what is not there is 404", status == 404)


WRONG = [
    ("no such kind", [panel(kind="radar")], "no kind of panel"),
    ("a search is missing", [panel(search=None)], "needs search"),
    ("a text that searches", [panel(kind="text")], "has no search"),
    ("a search that cannot be read", [panel(search="* | stast count")], "stast"),
    ("a variable that nobody defined", [panel(search="* | where x=$nobody$")], "the panel p1"),
    ("beside the grid", [panel(x=8)], "12 columns"),
    ("no size", [panel(w=0)], "whole number from 1"),
    ("two of one id", [panel(), panel()], "id p1"),
    ("a key that is none", [panel(colour="red")], "colour"),
    ("too many", [panel(id=f"p{i}", y=i) for i in range(101)], "at most 100"),
]


def check_refusals(checks, server):
    for name, panels, said in WRONG:
        status, body, _ = put(server, "wrong", panels)
        message = (body or {}).get("error", {}).get("message", "")
        checks.check(f"refused: {name}", status == 400 and said in message, f"{status} {message}")
    status, body, _ = put(server, "wrong", [panel()], refresh="1s")
    checks.check("refused: too quick", status == 400 and "at least 5s" in body["error"]["message"], f"{body}")
    status, _, _ = server.request("GET", "/v1/dashboards/wrong")
    checks.check("nothing of it was kept", status == 404)


def main():
    checks = harness.Checks()
    with tempfile.TemporaryDirectory(prefix="hinomi-dashboards-") as name:
        server = harness.Server(name).start()
        try:
            server.sign_in()
            token = server.token()
            server.hec(token, "\n".join(json.dumps(one) for one in events()).encode())
            time.sleep(1)
            check_shipped(checks, server)
            check_own(checks, server)
            check_refusals(checks, server)
        finally:
            server.kill()
    checks.finish()


if __name__ == "__main__":
    main()
