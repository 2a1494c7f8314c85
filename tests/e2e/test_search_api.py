#!/usr/bin/env python3
"""Searches of the API: rows of earlier ones (loadjob), of the API itself (rest), time zones, and subsearches that take long."""
import datetime
import os
import pathlib
import signal
import sys
import time
import zoneinfo

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness

LONG = "| makeresults count=3000000 | eval a=mvrange(0,200), b=mvjoin(mvmap(a,sha256(a)),\",\"), user=\"u\" | stats count by b | fields user"


def start(server, spl, headers=None, **more):
    status, body, _ = server.request("POST", "/v1/search", {"query": spl, "from": "0", "to": "2200-01-01T00:00:00Z", **more}, headers=headers)
    return status, body


def end(server, job, headers=None, wait=60):
    until = time.monotonic() + wait
    while time.monotonic() < until:
        page = server.request("GET", f"/v1/search/{job}?limit=1000", headers=headers)[1]
        assert "state" in page, page
        if page["state"] != "running":
            return page
        time.sleep(0.02)
    raise RuntimeError("the search did not end")


def ask(server, spl, headers=None, **more):
    status, body = start(server, spl, headers, **more)
    assert status == 201, (spl, status, body)
    return body["id"], end(server, body["id"], headers)


def rows(page):
    return [dict(zip(page["columns"], row)) for row in page["rows"]]


def failure(page):
    return page["error"]["message"] if page["error"] else ""


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def check_loadjob(checks, server):
    table, page = ask(server, "index=main | stats count, values(n) as n by user | sort user")
    want = rows(page)
    checks.check("a table to load", len(want) == 3, want)
    checks.equal("loadjob has its rows", rows(ask(server, f"| loadjob {table}")[1]), want)
    checks.equal("and goes on with them", rows(ask(server, f"| loadjob {table} events=f | where user=\"u1\" | eval n=mvcount(n) | table user n")[1]), [{"user": "u1", "n": 10}])
    checks.equal("in a subsearch", rows(ask(server, f"index=main [| loadjob {table} | where user=\"u2\" | fields user] | stats count")[1]), [{"count": 10}])
    events, page = ask(server, "index=main user=u0")
    loaded = ask(server, f"| loadjob {events} events=true | stats count, min(_time) as first by user, index")[1]
    direct = ask(server, "index=main user=u0 | stats count, min(_time) as first by user, index")[1]
    checks.equal("events are events", rows(loaded), rows(direct))
    checks.check("events of a table are not kept", "events" in failure(ask(server, f"| loadjob {table} events=t")[1]))
    empty, _ = ask(server, "index=main user=nobody | stats values(n) by user")
    checks.equal("no rows", ask(server, f"| loadjob {empty}")[1]["total"], 0)
    page = ask(server, "| loadjob s99999")[1]
    checks.check("an unknown one", page["state"] == "failed" and "no such search" in failure(page), failure(page))
    other = bearer(server.token("api", role="viewer", name="other"))
    page = ask(server, f"| loadjob {table}", other)[1]
    checks.check("another person's", page["state"] == "failed" and "no such search" in failure(page), failure(page))
    status, body = start(server, "| loadjob savedsearch=\"admin:search:daily\"")
    page = end(server, body["id"]) if status == 201 else {"error": body["error"]}
    checks.check("rows of scheduled searches", "scheduled searches are not kept" in failure(page) and "/v1/schedules" in failure(page), failure(page))
    _, body = start(server, "| makeresults count=2000000 | eval a=sha256(random()) | stats dc(a)")
    page = ask(server, f"| loadjob {body['id']}")[1]
    checks.check("one that still runs", page["state"] == "failed" and "not done" in failure(page), failure(page))
    server.request("DELETE", f"/v1/search/{body['id']}")
    for spl, word in (("| loadjob", "id of a search"), ("| loadjob s1 s2", "s2"), ("| loadjob s1 evnts=t", "evnts"), (f"| loadjob s1 savedsearch=\"x\"", "not both")):
        status, body = start(server, spl)
        checks.check(f"{spl} is refused", status == 400 and word in body["error"]["message"], body)
    status, out, err = harness.run("search", "| loadjob s1")
    checks.check("without a server", status == 1 and "needs" not in out and "running server" in err, err)


def check_rest(checks, server):
    sources = server.request("GET", "/v1/sources")[1]["sources"]
    got = rows(ask(server, "| rest /v1/sources | fields name received stored quarantined")[1])
    checks.equal("a list's members", got, [{k: s[k] for k in ("name", "received", "stored", "quarantined")} for s in sources])
    overview = rows(ask(server, "| rest /v1/overview splunk_server=local timeout=5 | fields see.sources wake.open brake.mode")[1])
    checks.check("any other answer is one row, with nested names", len(overview) == 1 and overview[0]["see.sources"] == len(sources) and "brake.mode" in overview[0], overview)
    rules = server.request("GET", "/v1/rules")[1]["rules"]
    checks.equal("count=", ask(server, "| rest /v1/rules count=3")[1]["total"], 3)
    checks.equal("count=0 is all", ask(server, "| rest /v1/rules count=0")[1]["total"], len(rules))
    audit = rows(ask(server, "| rest /v1/audit action=search limit=2")[1])
    checks.check("parameters", len(audit) == 2 and {r["action"] for r in audit} == {"search"}, audit)
    audit = rows(ask(server, "| rest \"/v1/audit?action=token&limit=1\"")[1])
    checks.check("parameters in the path", len(audit) == 1 and audit[0]["action"].startswith("token"), audit)
    checks.equal("an empty list", ask(server, "| rest /v1/incidents")[1]["total"], 0)
    checks.equal("stats over it", rows(ask(server, "| rest /v1/rules | stats count")[1]), [{"count": len(rules)}])
    page = ask(server, "| rest /services/server/info")[1]
    checks.check("other programs' paths", page["state"] == "failed" and "/v1/sources" in failure(page) and "/v1/incidents" in failure(page) and "{}" not in failure(page), failure(page))
    for path in ("/v1/setup", "/v1/login", "/v1/search/tail?q=x", "/v1/gate/decide", "/"):
        page = ask(server, f"| rest \"{path}\"")[1]
        checks.check(f"{path} is not answered", page["state"] == "failed" and failure(page), failure(page))
    viewer = bearer(server.token("api", role="viewer", name="viewer"))
    checks.equal("a viewer sees what viewers may", ask(server, "| rest /v1/sources", viewer)[1]["total"], len(sources))
    for path in ("/v1/users", "/v1/tokens", "/v1/audit"):
        page = ask(server, f"| rest {path}", viewer)[1]
        checks.check(f"and nothing else: {path}", page["state"] == "failed" and "role" in failure(page), failure(page))
    checks.check("an admin does", {r["name"] for r in rows(ask(server, "| rest /v1/users")[1])} == {"admin"})
    for spl, word in (("| rest", "path"), ("| rest count=2", "path"), ("| rest sources", "path"), ("| rest /v1/sources /v1/rules", "/v1/rules"), ("| rest /v1/sources count=x", "count")):
        status, body = start(server, spl)
        checks.check(f"{spl} is refused", status == 400 and word in body["error"]["message"], body)
    status, _, err = harness.run("search", "| rest /v1/sources")
    checks.check("without a server", status == 1 and "running server" in err, err)


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def check_zone(checks, server):
    """Days begin where the person is; Berlin's of 2026-03-29 has 23 hours and that of 2026-10-25 has 25."""
    for name, days in (("Asia/Tokyo", ["2026-03-28", "2026-03-29"]), ("Europe/Berlin", ["2026-03-28", "2026-03-29", "2026-03-30"]), ("America/New_York", ["2026-03-07", "2026-03-08", "2026-03-09"])):
        zone = zoneinfo.ZoneInfo(name)
        borders = [datetime.datetime.fromisoformat(day).replace(tzinfo=zone) for day in days]
        borders.append(borders[-1] + datetime.timedelta(days=1))
        stamps = [b.timestamp() for b in borders]
        first, last = (f"{border:%m/%d/%Y}:00:00:00" for border in (borders[0], borders[-1]))
        page = ask(server, f"index=zones earliest={first} latest={last} | timechart span=1d count", tz=name)[1]
        got = [(seconds(r["_time"]), r["count"]) for r in rows(page)]
        want = [(a, round((b - a) / 1800)) for a, b in zip(stamps, stamps[1:])]
        checks.equal(f"{name}: days of timechart", got, want)
        page = ask(server, "| makeresults | eval _time=1774738800, text=strftime(_time, \"%Y-%m-%d %H:%M %Z\"), day=strftime(relative_time(_time, \"@d\"), \"%d %H\") | table text day", tz=name)[1]
        there = datetime.datetime.fromtimestamp(1774738800, zone)
        checks.equal(f"{name}: strftime and @d", rows(page), [{"text": there.strftime("%Y-%m-%d %H:%M %Z"), "day": there.strftime("%d") + " 00"}])
        page = ask(server, "| makeresults | addinfo | table info_min_time", tz=name, **{"from": "@d", "to": "now"})[1]
        midnight = datetime.datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        checks.equal(f"{name}: from @d", float(rows(page)[0]["info_min_time"]), midnight)
    plain = rows(ask(server, "| makeresults | eval t=strftime(0, \"%H %Z\") | table t")[1])
    checks.equal("without a zone: the server's", plain, [{"t": "09 JST"}])
    status, body = start(server, "x", tz="Asia/Tokio")
    checks.check("an unknown zone", status == 400 and "Asia/Tokio" in body["error"]["message"], body)
    status, body, _ = server.request("GET", "/v1/search/tail?q=x&tz=Nowhere")
    checks.check("and of a live search", status == 400 and "Nowhere" in body["error"]["message"], body)


def check_long_subsearch(checks, server):
    began = time.monotonic()
    ids = []
    for i in range(6):  # more than there are workers
        status, body = start(server, f"index=main [{LONG}] | stats count")
        checks.equal("a search with a long subsearch begins", status, 201)
        ids.append(body["id"])
    checks.check("at once", time.monotonic() - began < 3, f"{time.monotonic() - began:.1f} s")
    page = server.request("GET", f"/v1/search/{ids[0]}")[1]
    checks.equal("its page says that it runs", (page["state"], page["total"], page["kind"]), ("running", 0, "table"))
    checks.equal("others are answered beside it", ask(server, "index=main | stats count")[1]["rows"], [[30]])
    times = []
    for job in ids:
        began = time.monotonic()
        checks.equal("it is cancelled", server.request("DELETE", f"/v1/search/{job}")[0], 204)
        while server.request("GET", f"/v1/search/{job}")[1].get("state") == "running" and time.monotonic() - began < 30:
            time.sleep(0.01)
        times.append(time.monotonic() - began)
    checks.check("soon", max(times) < 5, times)
    page = ask(server, "index=main [| makeresults | eval user=\"u1\" | fields user]")[1]
    checks.equal("a short one gives events", (page["state"], page["kind"], page["total"]), ("done", "events", 10))
    checks.check("with a histogram", page["histogram"] and sum(page["histogram"]["counts"]) == 10, page["histogram"])
    page = ask(server, "index=main [| inputlookup nothere | fields user]")[1]
    checks.check("what fails in it is the search's failure", page["state"] == "failed" and "nothere" in failure(page), page["error"])
    status, body = start(server, "index=main [search x | stats cuont]")
    checks.check("what is wrong in its text is told at once", status == 400 and body["error"].get("start", -1) > 0, body)


def main():
    signal.alarm(300)
    checks = harness.Checks()
    server = harness.Server(config="time_zone: Asia/Tokyo\n").start()
    server.sign_in()
    hec = server.token()
    server.hec(hec, [{"n": n, "user": f"u{n % 3}"} for n in range(30)])
    zones = server.token("hec", stream="zones", name="zones")
    first = 1772150400  # 2026-02-27T00:00Z, and two months of half hours from there
    body = "".join(f'{{"time": {first + i * 1800}, "event": {{"n": {i}}}}}' for i in range(60 * 48)).encode()
    assert server.hec(zones, body)[0] == 200
    until = time.monotonic() + 20
    while ask(server, "index=* | stats count")[1]["rows"] != [[30 + 60 * 48]] and time.monotonic() < until:
        time.sleep(0.05)
    check_loadjob(checks, server)
    check_rest(checks, server)
    check_zone(checks, server)
    check_long_subsearch(checks, server)
    checks.equal("the server stops", server.stop(), 0)
    server.close()
    checks.finish()


if __name__ == "__main__":
    main()
