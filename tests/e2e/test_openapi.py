#!/usr/bin/env python3
"""docs/openapi.json says what the server does: every route with its role and nothing else, and answers that are as their
schemas say, for the routes that have one."""
import json
import re

from harness import ROOT, Checks, Server, wait_for

checks = Checks()
document = json.loads((ROOT / "docs/openapi.json").read_text())
schemas = document["components"]["schemas"]


def fits(value, schema, where="answer"):
    """None, or what is wrong: the part of JSON Schema that the document uses."""
    if "$ref" in schema:
        return fits(value, schemas[schema["$ref"].rsplit("/", 1)[1]], where)
    if "anyOf" in schema:
        found = [fits(value, one, where) for one in schema["anyOf"]]
        return None if None in found else found[0]
    kinds = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict, "null": type(None)}
    kind = schema.get("type")
    if kind and (not isinstance(value, kinds[kind]) or isinstance(value, bool) and kind not in ("boolean",)):
        return f"{where} is {value!r}, not {kind}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} is {value!r}, not one of {schema['enum']}"
    if kind == "array":
        return next(filter(None, (fits(v, schema["items"], f"{where}[{i}]") for i, v in enumerate(value))), None)
    if kind == "object" and "properties" in schema:
        missing = set(schema.get("required", ())) - set(value)
        more = set(value) - set(schema["properties"]) if schema.get("additionalProperties") is False else ()
        if missing or more:
            return f"{where} lacks {sorted(missing)} and has {sorted(more)} besides"
        return next(filter(None, (fits(v, schema["properties"][k], f"{where}.{k}") for k, v in value.items() if k in schema["properties"])), None)
    return None


def schema_of(method, path, status):
    answer = document["paths"][path][method.lower()]["responses"]
    answer = answer.get(str(status), answer["default"])
    return answer.get("content", {}).get("application/json", {}).get("schema")


def main():
    routes = {(m, re.sub(r"\{\}", "{}", p)): r[5:].lower() for m, p, r in
              re.findall(r'^ROUTE\((\w+), "([^"]+)", (\w+),', (ROOT / "src/serve/routes.def").read_text(), flags=re.M)}
    told = {(m.upper(), re.sub(r"\{\w+\}", "{}", p)): op["x-role"] for p, methods in document["paths"].items() for m, op in methods.items()}
    checks.equal("routes and their roles", told, routes)
    names = [op["operationId"] for methods in document["paths"].values() for op in methods.values()]
    checks.equal("operations have names of their own", len(names), len(set(names)))
    for p, methods in document["paths"].items():
        for m, op in methods.items():
            told = {q["name"] for q in op.get("parameters", ()) if q["in"] == "path"}
            checks.equal(f"{m} {p}: its parts", told, set(re.findall(r"\{(\w+)\}", p)))

    server = Server(config="actions:\n  - {name: proxy, kind: block_list, takes: [domain], approvals: 0}\n").start()
    try:
        server.sign_in()
        hec = server.token()
        server.hec(hec, [{"user": {"name": f"u{i % 7}"}, "n": i, "text": "日本 \udcff" if i % 50 == 0 else "plain"} for i in range(300)])

        def ask(method, path, at, body=None, want=200):
            status, got, _ = server.request(method, at, body)
            checks.equal(f"{method} {at}: status", status, want)
            schema = schema_of(method, path, status)
            checks.check(f"{method} {at}: has a schema", schema is not None)
            checks.equal(f"{method} {at}: as the schema says", fits(got, schema) if schema else None, None)
            return got

        status, served, _ = server.request("GET", "/openapi.json")
        checks.check("the server has it", status == 200 and served == document, status)
        for query in ("*", "* | stats count by user.name", "* | stats count | eval x=1/0", "nothing=here"):
            started = ask("POST", "/v1/search", "/v1/search", {"query": query, "from": "0", "to": "2200-01-01T00:00:00Z"}, 201)
            server.query(query)
            ask("GET", "/v1/search/{id}", f"/v1/search/{started['id']}?limit=20")
        ask("POST", "/v1/search", "/v1/search", {"query": "* | stast count", "from": "", "to": ""}, 400)
        ask("GET", "/v1/search/{id}", "/v1/search/s999", want=404)
        ask("POST", "/v1/search/estimate", "/v1/search/estimate", {"query": "* | stats count by n", "from": "0", "to": ""})
        ask("GET", "/v1/search/help", "/v1/search/help")
        server.hec(hec, ["nobody knows this line", "\u0000 nor that one", "%ASA-new/302013 nor this"])
        wait_for(lambda: server.request("GET", "/v1/not_understood")[1]["events"] == 3)
        ask("GET", "/v1/sources", "/v1/sources")
        ask("GET", "/v1/sources", "/v1/sources?offset=1&limit=1")
        ask("GET", "/v1/understood", "/v1/understood?from=-30d")
        ask("GET", "/v1/not_understood", "/v1/not_understood")
        ask("GET", "/v1/not_understood", "/v1/not_understood?of=in_part&limit=3")
        ask("GET", "/v1/not_understood", "/v1/not_understood?of=some", want=400)
        ask("GET", "/v1/knowledge", "/v1/knowledge")
        ask("PUT", "/v1/knowledge/{kind}", "/v1/knowledge/macro", {"text": "macro: mine\ndefinition: head 5\n"})
        ask("GET", "/v1/knowledge/{kind}", "/v1/knowledge/macro?name=mine")
        ask("PUT", "/v1/knowledge/{kind}", "/v1/knowledge/macro", {"text": "macro: mine\n"}, 400)
        ask("GET", "/v1/schedules", "/v1/schedules")
        ask("GET", "/v1/health", "/v1/health")
        order = {"action": "proxy", "reason": "a test", "entities": [{"type": "domain", "value": "a.example"}]}
        ask("POST", "/v1/actions", "/v1/actions", {**order, "dry_run": True})
        done = ask("POST", "/v1/actions", "/v1/actions", order, 201)["id"]
        ask("POST", "/v1/actions", "/v1/actions", {**order, "action": "other"}, 404)
        ask("GET", "/v1/actions/{id}", f"/v1/actions/{done}")
        ask("POST", "/v1/actions/{id}/undo", f"/v1/actions/{done}/undo", {})
        ask("GET", "/v1/actions", "/v1/actions?limit=5")
        ask("GET", "/v1/playbooks", "/v1/playbooks")
        ask("GET", "/v1/playbook_runs/{id}", "/v1/playbook_runs/RUN-9", want=404)
        ask("GET", "/v1/entities/risk", "/v1/entities/risk")
        ask("GET", "/v1/entities/risk", "/v1/entities/risk?value=a", want=400)
    finally:
        server.close()
    checks.finish()


main()
