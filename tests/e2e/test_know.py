#!/usr/bin/env python3
"""Named knowledge from end to end: published detections plan with macros as definitions, and tstats over a store
gives what the equivalent search and stats give, on files and on the store."""
import json
import pathlib
import subprocess
import tempfile
import time

from harness import HINOMI, PASSWORD, ROOT, SHARED, Checks, Server, run, search

checks = Checks()
BY_DESIGN = ("apply", "fit", "cyberchef", "dnstwist", "summary")  # of add-ons: they do not exist here


def plan(spl, content):
    done = subprocess.run([HINOMI, "search", "--plan-only", "--content", content], input=spl, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr.strip()


def published():
    data = SHARED / "data/spl"
    if not (data / "macros_escu.jsonl").exists():
        checks.skip("published detections", "the shared corpus is not here")
        return
    with tempfile.TemporaryDirectory() as folder:
        macros = [json.loads(line) for line in (data / "macros_escu.jsonl").open(encoding="utf8")]
        (pathlib.Path(folder) / "macros.yaml").write_text("\n---\n".join(
            json.dumps({"macro": m["name"], "args": m["args"], "definition": m["definition"]}) for m in macros), encoding="utf8")
        queries = [json.loads(line)["spl"] for line in (data / "parse_escu.jsonl").open(encoding="utf8")]
        refused = [err for code, err in (plan(spl, folder) for spl in queries) if code]
    by_design = [err for err in refused if any(f"the command {name} is known" in err for name in BY_DESIGN)]
    planned, count = len(queries) - len(refused), len(queries)
    print(f"{planned} of {count} plan, {len(by_design)} use operators of add-ons")
    checks.equal("nothing else is refused", sorted(set(refused) - set(by_design)), [])
    checks.check("published detections plan", planned >= 0.98 * count, refused)


# (tstats, the same by hand), for each model
PAIRS = [
    ("count from datamodel=Endpoint.Processes by Processes.process_name",
     "event.category=process event.type=start | stats count by process.name | rename process.name as Processes.process_name"),
    ("count values(Processes.process) as p from datamodel=Endpoint.Processes where Processes.dest=pc1 by Processes.user",
     "event.category=process event.type=start | eval d=coalesce('host.name','host.ip'), p=coalesce('process.command_line','process.executable'), "
     "Processes.user=coalesce('user.name','user.id') | where d=\"pc1\" | stats count values(p) as p by Processes.user"),
    ("count from datamodel=Endpoint.Filesystem by Filesystem.file_name", "event.category=file | stats count by file.name | rename file.name as Filesystem.file_name"),
    ("count from datamodel=Endpoint.Registry where Registry.registry_path=*Run* by Registry.registry_value_name",
     "event.category=registry registry.path=*Run* | stats count by registry.value | rename registry.value as Registry.registry_value_name"),
    ("sum(All_Traffic.bytes) as b from datamodel=Network_Traffic by All_Traffic.src",
     "event.category=network NOT dns.question.name=* NOT network.protocol=dhcp | stats sum(network.bytes) as b by source.ip | rename source.ip as All_Traffic.src"),
    ("count from datamodel=Network_Resolution where DNS.query=a* by DNS.query", "event.category=network dns.question.name=a* | stats count by dns.question.name | rename dns.question.name as DNS.query"),
    ("max(Web.url_length) as n count from datamodel=Web by Web.src",
     "event.category=web | eval n=len(coalesce('url.full','url.original','url.path')) | stats max(n) as n count by source.ip | rename source.ip as Web.src"),
    ("count from datamodel=Authentication.Failed_Authentication by Authentication.user",
     "event.category=authentication NOT event.type=end event.outcome=failure | stats count by user.name | rename user.name as Authentication.user"),
    ("count from datamodel=Change where All_Changes.command=added* by All_Changes.object",
     "event.category=iam event.action=added* | stats count by user.target.name | rename user.target.name as All_Changes.object"),
    ("count from datamodel=Email by All_Email.recipient", "event.category=email | stats count by email.to.address | rename email.to.address as All_Email.recipient"),
    ("count from datamodel=Intrusion_Detection by IDS_Attacks.signature", "event.category=intrusion_detection | stats count by rule.name | rename rule.name as IDS_Attacks.signature"),
    ("count from datamodel=Malware by Malware_Attacks.file_name", "event.category=malware | stats count by file.name | rename file.name as Malware_Attacks.file_name"),
    ("count from datamodel=Certificates by All_Certificates.SSL.ssl_serial",
     "tls.server.x509.serial_number=* | stats count by tls.server.x509.serial_number | rename tls.server.x509.serial_number as All_Certificates.SSL.ssl_serial"),
    ("count from datamodel=Updates where Updates.status=failure by Updates.dest", "event.category=package event.outcome=failure | stats count by host.name | rename host.name as Updates.dest"),
    ("count from datamodel=Vulnerabilities by Vulnerabilities.cve", "vulnerability.id=* | stats count by vulnerability.id | rename vulnerability.id as Vulnerabilities.cve"),
    ("count from datamodel=Alerts by Alerts.signature", "event.kind=alert | stats count by rule.name | rename rule.name as Alerts.signature"),
    ("count from datamodel=Network_Sessions.DHCP by All_Sessions.dest_mac", "network.protocol=dhcp | stats count by client.mac | rename client.mac as All_Sessions.dest_mac"),
]


def events():
    """Those of the golden cases, with a day to them."""
    lines = (ROOT / "tests/golden/search/models.test").read_text(encoding="utf8").split("--- given\n")[1].split("--- search")[0]
    for line in lines.splitlines():
        event = json.loads(line)
        t = event.pop("_time")
        event.pop("hinomi.stream", None)  # where it is filed is not for the sender to say
        yield json.dumps({**event, "@timestamp": f"2026-01-01T{t // 3600:02}:{t // 60 % 60:02}:{t % 60:02}Z"})


def models():
    with tempfile.TemporaryDirectory() as folder:
        file, store = f"{folder}/events.jsonl", f"{folder}/data"
        pathlib.Path(file).write_text("\n".join(events()) + "\n", encoding="utf8")
        code, _, err = run("import", "--dir", store, "--source", "json", file)
        checks.check("import", code == 0, err)
        for tstats, by_hand in PAIRS:
            rows = []
            for spl in ("| tstats " + tstats, by_hand):
                rows.append(search(store, spl))
                code, out, err = run("search", "--data", file, "--format", "json", spl)
                rows.append(json.loads(out) if code == 0 else err)
            checks.check(tstats, rows[0] and all(r == rows[0] for r in rows), str(rows))
        # asked of the store: its columns only, and the filter where the rows are
        _, _, explain = run("search", "--dir", store, "--explain",
                            "| tstats count from datamodel=Endpoint.Processes where Processes.process_name=net.exe by Processes.process_name")
        checks.check("only the columns needed", "columns  process.name\n" in explain, explain)
        checks.check("the filter is the store's", "filter   (in the source) (('event.category' equal \"process\" AND 'event.type' equal \"start\") "
                     "AND 'process.name' equal \"net.exe\")" in explain, explain)


def definitions():
    """A wrong definition is said with its line, and the rest is there."""
    with tempfile.TemporaryDirectory() as folder:
        content = pathlib.Path(folder) / "content/search"
        content.mkdir(parents=True)
        (content / "mine.yaml").write_text("macro: a\ndefinition: x=1\n---\nmacro: b\ndefinitio: x=2\n", encoding="utf8")
        code, _, err = run("search", "--plan-only", "--content", folder, data=b"`a`")
        checks.check("the right one works", code == 0 and "mine.yaml:5: here is no key 'definitio'" in err, err)
        code, _, err = run("search", "--plan-only", "--content", folder, data=b"`b`")
        checks.check("the wrong one is not there", code == 1 and "there is no macro b" in err, err)
        code, _, err = run("search", "--plan-only", data=b"* | join x [search y | apply z]")
        checks.check("unsupported, in one line", code == 1 and err.count("\n") == 1 and "the command apply" in err, err)
        code, _, err = run("search", "--plan-only", data=b"index=none | lookup nowhere a | stats count by b")
        checks.check("no data is needed", code == 0, err)


def lookups():
    """outputlookup: append, key_field, no rows, max, several values; read back by another process."""
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder) / "main.jsonl"
        data.write_text("".join(json.dumps({"n": n, "user": user}) + "\n" for n, user in enumerate(["ann", "bob", ["c", "d$"]], 1)))

        def ask(spl, ok=True):
            code, out, err = run("search", "--data", data, "--data-dir", folder, "--format", "json", spl)
            checks.check(spl, (code == 0) == ok, err)
            return json.loads(out) if code == 0 else err
        ask("n<3 | table n user | outputlookup createinapp=t seen.csv")
        checks.equal("written", (pathlib.Path(folder) / "seen.csv").read_text(), "n,user\n1,ann\n2,bob\n")
        ask("n=3 | table n user | outputlookup append=t seen.csv")
        checks.equal("several values come back", ask("| inputlookup seen.csv | where n=3 | mvexpand user | table user"), [{"user": "c"}, {"user": "d$"}])
        ask("n=1 | eval user=\"zoe\" | table n user | outputlookup key_field=n seen.csv")
        checks.equal("one is replaced", ask("| inputlookup seen | where n<3 | table n user | sort n"), [{"n": "1", "user": "zoe"}, {"n": "2", "user": "bob"}])
        ask("n=9 | table n | outputlookup override_if_empty=f seen.csv")
        checks.equal("no rows leave it", len(ask("| inputlookup seen")), 3)
        ask("* | table n | outputlookup max=1 seen.csv")
        checks.equal("at most one", ask("| inputlookup seen"), [{"n": "1"}])
        ask("n=9 | table n | outputlookup seen.csv")
        checks.equal("no rows empty it", ask("| inputlookup seen"), [])
        code, _, err = run("search", "--data", data, "* | outputlookup x")
        checks.check("no folder, no writing", code == 1 and "may not write here" in err, err)
        code, _, err = run("import", "--dir", folder + "/data", "--source", "json", data)
        code, _, err = run("search", "--dir", folder + "/data", "* | table n | outputlookup mine | stats count")
        checks.check("beside a store", code == 0 and (pathlib.Path(folder) / "data/lookups/mine.csv").exists(), err)
        checks.equal("and read there", len(search(folder + "/data", "| inputlookup mine")), 3)
        search(folder + "/data", "index=main | stats count as n | collect index=summary addtime=f")
        checks.equal("collected by command", search(folder + "/data", "index=summary | table n sourcetype hinomi.source"),
                     [{"n": 3, "sourcetype": "stash", "hinomi.source": "collect"}])


def sign_in_as(server, name):
    status, body, headers = server.request("POST", "/v1/login", {"name": name, "password": PASSWORD})
    checks.equal(f"{name} signs in", status, 200)
    server.cookie, server.csrf = headers["Set-Cookie"].split(";")[0], body["csrf"]


def put(server, kind, text, shared=False):
    status, body, _ = server.request("PUT", f"/v1/knowledge/{kind}", {"text": text, "shared": shared})
    return status, body


def served():
    """The API: own and shared, who may what, and what a running server sees of files and commands."""
    server = Server()
    try:
        server.start()
        server.sign_in()
        token = server.token()
        server.hec(token, [{"n": n, "user": {"name": "bob"}} for n in range(4)])
        for name, role in (("vera", "viewer"), ("anna", "analyst")):
            server.request("POST", "/v1/users", {"name": name, "password": PASSWORD, "role": role})
        until = time.monotonic() + 30
        while not server.query("user.name=bob | stats count")["rows"][0][0] == 4 and time.monotonic() < until:
            time.sleep(0.05)
        status, body = put(server, "macro", "macro: few\nargs: [n]\ndefinition: n<$n$", True)
        checks.equal("shared by an administrator", (status, body["name"]), (200, "few(1)"))
        checks.equal("and used", server.query("user.name=bob `few(2)` | stats count")["rows"], [[2]])
        status, body = put(server, "macro", "macro: few\ndefinitoin: x")
        checks.check("a wrong one is refused with its line", status == 400 and "line 2" in json.dumps(body), body)
        status, body = put(server, "event_type", "event_type: x\nsearch: (a=1")
        checks.check("and one that cannot be read", status == 400, body)
        status, body = put(server, "tag", "macro: few\ndefinition: x")
        checks.check("of another kind", status == 400 and "not a tag" in json.dumps(body), body)
        status, body, _ = server.request("GET", "/v1/knowledge/macro?name=few(1)")
        checks.check("read back", status == 200 and body["origin"] == "shared" and "n<$n$" in body["text"], body)
        page = server.query("user.name=bob | table n | outputlookup served.csv")
        checks.equal("a lookup is written", page["state"], "done")
        checks.equal("and read", server.query("| inputlookup served | stats count")["rows"], [[4]])
        trail = server.request("GET", "/v1/audit?action=lookup")[1]["rows"]
        checks.check("the trail has it", len(trail) == 1 and trail[0]["object"] == "served.csv" and trail[0]["actor"] == "admin", trail)
        page = server.query('user.name=bob | stats count as hits by user.name | collect index=summary source=daily marker="report=r1, kind=x"')
        checks.check("a search that names no stream says so", any(m["code"] == "collect-loop" for m in page["messages"]), page)
        until, rows = time.monotonic() + 30, []
        while not rows and time.monotonic() < until:
            rows = server.query("index=summary report=r1 | table hits user.name kind source sourcetype")["rows"]
            time.sleep(0.1)
        checks.equal("rows are events", rows, [[4, "bob", "x", "daily", "stash"]])
        status, body, _ = server.request("POST", "/v1/search", {"query": "index=summary | collect index=summary"})
        checks.check("never into what it reads", status == 400 and "would come back" in json.dumps(body), body)
        checks.equal("nor into the gate's", server.request("POST", "/v1/search", {"query": "* | collect index=gate"})[0], 400)
        sign_in_as(server, "vera")
        checks.equal("a viewer collects none", server.request("POST", "/v1/search", {"query": "index=main | collect index=summary"})[0], 403)
        checks.equal("but may look", server.query("index=main | stats count | collect index=summary testmode=t")["rows"], [[4]])
        checks.equal("a viewer makes none", put(server, "macro", "macro: v\ndefinition: x")[0], 403)
        checks.equal("but sees them", server.request("GET", "/v1/knowledge?kind=data_model")[0], 200)
        status, body, _ = server.request("POST", "/v1/search", {"query": "* | outputlookup x"})
        checks.check("and writes no lookup", status == 403 and "needs the role analyst" in json.dumps(body), body)
        sign_in_as(server, "anna")
        checks.equal("an analyst shares none", put(server, "macro", "macro: few\nargs: [n]\ndefinition: n<1", True)[0], 403)
        checks.equal("has own", put(server, "macro", "macro: few\nargs: [n]\ndefinition: n<1")[0], 200)
        checks.equal("which count for her", server.query("user.name=bob `few(2)` | stats count")["rows"], [[1]])
        sign_in_as(server, "vera")
        checks.equal("and for nobody else", server.query("user.name=bob `few(2)` | stats count")["rows"], [[2]])
        sign_in_as(server, "anna")
        checks.equal("removed", server.request("DELETE", "/v1/knowledge/macro?name=few(1)")[0], 204)
        checks.equal("the shared one is back", server.query("user.name=bob `few(2)` | stats count")["rows"], [[2]])
        checks.equal("not there twice", server.request("DELETE", "/v1/knowledge/macro?name=few(1)")[0], 404)
        content = pathlib.Path(server.dir) / "data/content/search"
        content.mkdir(parents=True)
        (content / "own.yaml").write_text("macro: from_file\ndefinition: n=3\n")
        (pathlib.Path(server.dir) / "few.yaml").write_text("macro: from_command\ndefinition: n>1\n")
        checks.equal("by command", run("knowledge", "put", "--dir", server.dir + "/data", server.dir + "/few.yaml")[0], 0)
        until, rows = time.monotonic() + 20, None
        while rows != [[1]] and time.monotonic() < until:
            time.sleep(0.2)
            status, body, _ = server.request("POST", "/v1/search", {"query": "`from_file` `from_command`"})
            rows = status == 201 and server.query("user.name=bob `from_file` `from_command` | stats count")["rows"]
        checks.equal("the server sees files and commands", rows, [[1]])
    finally:
        server.close()


published()
models()
served()
lookups()
definitions()
checks.finish()
