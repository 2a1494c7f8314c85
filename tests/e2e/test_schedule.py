#!/usr/bin/env python3
"""Scheduled searches from end to end: a search every second makes an incident; after kill -9 every due time is accounted
for once; a disabled owner stops it; failures and what suppress keeps back are said."""
import datetime
import pathlib
import time

from harness import PASSWORD, Checks, Server, run, wait_for

checks = Checks()


def instant(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def sign_in_as(server, name):
    status, body, headers = server.request("POST", "/v1/login", {"name": name, "password": PASSWORD})
    checks.equal(f"{name} signs in", status, 200)
    server.cookie, server.csrf = headers["Set-Cookie"].split(";")[0], body["csrf"]


def put(server, text, shared=False):
    status, body, _ = server.request("PUT", "/v1/knowledge/saved_search", {"text": text, "shared": shared})
    return status, body


def schedules(server):
    return {s["search"]: s for s in server.request("GET", "/v1/schedules")[1]["schedules"]}


def of(server, name, runs=1000):
    schedule = schedules(server).get(name)
    return schedule and server.request("GET", f"/v1/schedules/{schedule['id']}?runs={runs}")[1]


LOGINS = """saved_search: failed logins
search: index=main event.action=login_failed
earliest: -1h
latest: now
schedule:
  every: 1s
  group_by: [user.name]
  suppress: 1h
  severity: high
  title: {en: "Failed logins of $user.name$ from $source.ip$", ja: "$user.name$ のログイン失敗（$source.ip$）"}
  entities: {user: user.name, ip: [source.ip, nowhere]}
"""


def accounted(name, page, first, checks):
    """Each whole second from the first to the last is in exactly one run."""
    seen = []
    for r in page["runs"]:
        if "by_hand" in r:
            continue
        a, b = instant(r["due"]), instant(r.get("last_due", r["due"]))
        checks.equal(f"{name}: a count", r["count"], b - a + 1)
        seen += range(a, b + 1)
    seen.sort()
    checks.check(f"{name}: none twice", len(seen) == len(set(seen)), seen)
    checks.equal(f"{name}: none left out", seen, list(range(first, seen[-1] + 1)))
    checks.equal(f"{name}: the counts say the same", page["ran"] + page["late"] + page["incomplete"] + page["failed"] + page["missed"], len(seen))
    checks.equal(f"{name}: up to there", instant(page["accounted_until"]), seen[-1])


def makes_incidents(server, token):
    """Returns the first due time."""
    server.hec(token, [{"event": {"action": "login_failed"}, "user": {"name": n}, "source": {"ip": "10.0.0." + str(i)}} for i, n in enumerate(["bob", "eve", "bob"], 1)])
    wait_for(lambda: server.query("index=main event.action=login_failed | stats count")["rows"] == [[3]])
    ids = {r[0] for r in server.query("index=main event.action=login_failed | table event.id")["rows"]}
    status, body = put(server, LOGINS)
    checks.equal("the definition is taken", status, 200)
    page = wait_for(lambda: (of(server, "failed logins") or {}).get("ran", 0) >= 2 and of(server, "failed logins"))
    checks.check("it runs", page and page["state"] == "on" and page["owner"] == "anna", page)
    incidents = wait_for(lambda: server.request("GET", "/v1/incidents")[1]["incidents"])
    titles = sorted(i["title"]["en"] for i in incidents)
    checks.equal("an incident for each group", titles, ["Failed logins of bob from 10.0.0.1", "Failed logins of eve from 10.0.0.2"]
                 if "10.0.0.1" in titles[0] else ["Failed logins of bob from 10.0.0.3", "Failed logins of eve from 10.0.0.2"])
    findings = wait_for(lambda: server.query("index=findings rule.id=saved_search* | table rule.id event.id hinomi.severity hinomi.entity.user hinomi.entity.ip hinomi.evidence")["rows"])
    checks.equal("findings are events, once", [(r[0], r[2]) for r in findings], [("saved_search/anna/failed logins", "high")] * 2)
    evidence = [e for r in findings for e in (r[5] if isinstance(r[5], list) else [r[5]])]
    checks.equal("evidence is the events", set(evidence), ids)
    checks.equal("each once", len(evidence), 3)
    page = of(server, "failed logins")
    checks.check("the rest is suppressed", page["findings"] == 2 and page["suppressed"] >= 2, page)
    return instant(page["runs"][-1]["due"])


def survives_kill(server, first):
    """What was due meanwhile is run afterwards, late where it is, and findings are not doubled."""
    put(server, LOGINS.replace("failed logins", "unsuppressed").replace("  suppress: 1h\n", ""))
    start = wait_for(lambda: (of(server, "unsuppressed") or {}).get("ran", 0) >= 1 and of(server, "unsuppressed"))
    begun = instant(start["runs"][-1]["due"])
    for down in (0, 7):
        server.kill()
        time.sleep(down)
        server.start()
        sign_in_as(server, "anna")
        wait_for(lambda: of(server, "unsuppressed")["waiting"] <= 1)
    for name, since in (("failed logins", first), ("unsuppressed", begun)):
        page = of(server, name)
        accounted(name, page, since, checks)
        checks.check(f"{name}: late ones are said", page["late"] >= 1 and page["failed"] == 0, page)
    page = of(server, "failed logins")
    checks.equal("suppressed over restarts", page["findings"], 2)
    page = of(server, "unsuppressed")
    checks.equal("two findings a run", page["findings"], 2 * (page["ran"] + page["late"]))
    until = page["accounted_until"]
    rows = wait_for(lambda: server.query(f'index=findings rule.id="saved_search/anna/unsuppressed" | stats count dc(event.id)')["rows"])
    page = of(server, "unsuppressed")
    checks.check("as events, none twice", rows[0][0] == rows[0][1] >= 2 * 7, rows)
    put(server, LOGINS.replace("failed logins", "unsuppressed").replace("  suppress: 1h\n", "  enabled: false\n"))
    settled = lambda page: page["state"] == "off" and page["accounted_until"] >= until and page
    page = wait_for(lambda: settled(of(server, "unsuppressed"))) or of(server, "unsuppressed")
    checks.check("off", settled(page) and page["reason"] == "enabled is false", page)
    accounted("off", page, begun, checks)
    want = 2 * (page["ran"] + page["late"])
    rows = wait_for(lambda: server.query('index=findings rule.id="saved_search/anna/unsuppressed" | stats count')["rows"] == [[want]])
    checks.check("as many as were counted", rows, want)


def misses(server):
    """Older than catch_up: recorded with its number, in the trail, as a finding."""
    put(server, LOGINS.replace("failed logins", "short memory").replace("  every: 1s", "  every: 1s\n  catch_up: 3s"))
    first = wait_for(lambda: (of(server, "short memory") or {}).get("ran", 0) >= 1 and of(server, "short memory"))
    server.kill()
    time.sleep(6)
    server.start()
    sign_in_as(server, "anna")
    page = wait_for(lambda: of(server, "short memory")["missed"] and of(server, "short memory"))
    checks.check("missed, with its number", page["missed"] >= 2, page)
    accounted("short memory", page, instant(first["runs"][-1]["due"]), checks)
    sign_in_as(server, "admin")
    trail = [r for r in server.request("GET", "/v1/audit?action=schedule.missed")[1]["rows"] if r["object"] == "short memory"]
    checks.check("in the trail", trail and f"{page['missed']} due times" in trail[0]["detail"], trail)
    rows = wait_for(lambda: server.query('index=findings rule.id="hinomi.schedule.missed/anna/short memory" | table message')["rows"])
    checks.check("as a finding", rows and "missed" in rows[0][0] and str(page["missed"]) in rows[0][0], rows)


def fails_aloud(server):
    sign_in_as(server, "anna")
    checks.equal("a failing one is taken", put(server, "saved_search: broken\nsearch: '* | lookup no_such_table a'\nearliest: -1m\nschedule: {every: 1s}\n")[0], 200)
    page = wait_for(lambda: (of(server, "broken") or {}).get("failed") and of(server, "broken"))
    checks.check("its runs failed", page and page["ran"] == 0 and "no_such_table" in page["runs"][0]["message"], page)
    incident = wait_for(lambda: [i for i in server.request("GET", "/v1/incidents")[1]["incidents"] if "broken failed" in i["title"]["en"]])
    checks.equal("one incident of the system", len(incident), 1)
    checks.equal("removed", server.request("DELETE", "/v1/knowledge/saved_search?name=broken")[0], 204)
    page = wait_for(lambda: of(server, "broken")["state"] == "removed" and of(server, "broken"))
    checks.check("which is shown", page and page["next_due"] is None, page)


def on_request(server):
    put(server, "saved_search: yearly\nsearch: '| makeresults | eval at=now()'\nearliest: -1m\n"
        "schedule: {cron: '0 0 1 1 *', zone: Asia/Tokyo, title: 'at $at$', severity: low}\n")
    page = wait_for(lambda: of(server, "yearly"))
    checks.check("next year, there", page["next_due"].endswith("-12-31T15:00:00Z") and page["runs"] == [], page)
    status, body, _ = server.request("POST", f"/v1/schedules/{page['id']}/run", {})
    checks.equal("asked for", status, 202)
    page = wait_for(lambda: of(server, "yearly")["by_hand"] and of(server, "yearly"))
    checks.check("and run once", page["ran"] == 0 and page["findings"] == 1 and page["runs"][0]["by_hand"] == "anna", page)
    checks.equal("no such one", server.request("POST", "/v1/schedules/9999/run", {})[0], 404)
    status, body = put(server, "saved_search: wrong\nsearch: x\nearliest: -1m\nschedule: {cron: '0 0 30 2 *'}\n")
    checks.check("a day that never comes", status == 400 and "no year has a day" in str(body), body)
    status, body = put(server, LOGINS + "  owner: admin\n")
    checks.check("another owner's rights are not to be had", status == 403, body)
    sign_in_as(server, "admin")
    token = server.request("POST", "/v1/tokens", {"name": "admin", "kind": "api", "role": "engineer"})[1]["token"]
    cookie, server.cookie = server.cookie, None
    for shared, owner, want in ((False, "", "a token owns no"), (True, "", "a token owns no"), (True, "  owner: admin\n", "takes the role admin")):
        status, body, _ = server.request("PUT", "/v1/knowledge/saved_search", {"text": LOGINS + owner, "shared": shared}, headers={"Authorization": "Bearer " + token})
        checks.check("nor by a token of an administrator's name", status == 403 and want in str(body), (status, body))
    server.cookie = cookie
    status, body = put(server, LOGINS.replace("failed logins", "for anna") + "  owner: anna\n", shared=True)
    checks.equal("an administrator may name her", status, 200)
    page = wait_for(lambda: (of(server, "for anna") or {}).get("ran") and of(server, "for anna"))
    checks.check("and it runs as hers", page and page["owner"] == "anna" and page["shared"], page)
    checks.equal("no more", server.request("DELETE", "/v1/knowledge/saved_search?name=for%20anna&shared=1")[0], 204)


def owner_stops(server):
    checks.equal("disabled", run("user", "disable", "--dir", server.dir + "/data", "anna")[0], 0)
    sign_in_as(server, "admin")
    page = wait_for(lambda: of(server, "failed logins")["state"] == "stopped" and of(server, "failed logins"))
    checks.check("stopped, and why", page["reason"] == "the owner anna is disabled" and page["next_due"] is None, page)
    count = page["ran"] + page["late"]
    time.sleep(2.5)
    page = of(server, "failed logins")
    checks.equal("nothing runs", page["ran"] + page["late"], count)
    checks.check("what was due is counted", page["waiting"] >= 2, page)
    trail = [r for r in server.request("GET", "/v1/audit?action=schedule.stop")[1]["rows"] if r["object"] == "failed logins"]
    checks.equal("in the trail", [r["detail"] for r in trail], ["the owner anna is disabled"])
    rows = wait_for(lambda: server.query('index=findings rule.id="hinomi.schedule.stopped/anna/failed logins" | table message')["rows"])
    checks.check("as a finding", rows and "anna is disabled" in rows[0][0], rows)
    code, out, err = run("knowledge", "list", "--dir", server.dir + "/data", "--kind", "saved_search")
    checks.check("the command shows it", code == 0 and "stopped" in out and "every 1s" in out, out + err)
    code, out, err = run("knowledge", "show", "--dir", server.dir + "/data", "failed logins")
    checks.check("and why", code == 0 and "# schedule: stopped: the owner anna is disabled" in out, out + err)
    checks.equal("enabled again", run("user", "enable", "--dir", server.dir + "/data", "anna")[0], 0)
    page = wait_for(lambda: of(server, "failed logins")["ran"] + of(server, "failed logins")["late"] > count and of(server, "failed logins"))
    checks.check("it goes on, and what was due meanwhile is missed", page["state"] == "on" and page["missed"] >= 2, page)


def main():
    server = Server()
    try:
        server.start()
        server.sign_in()
        token = server.token()
        server.request("POST", "/v1/users", {"name": "anna", "password": PASSWORD, "role": "analyst"})
        sign_in_as(server, "anna")
        first = makes_incidents(server, token)
        survives_kill(server, first)
        on_request(server)
        fails_aloud(server)
        owner_stops(server)
        sign_in_as(server, "anna")
        accounted("after all of it", of(server, "failed logins"), first, checks)
        misses(server)
        checks.equal("it stops", server.stop(), 0)
        text = pathlib.Path(server.dir, "stderr").read_text()
        checks.check("nothing to say of it", "scheduled search" not in text, text)
    finally:
        server.close()


main()
checks.finish()
