#!/usr/bin/env python3
"""What is kept and where: retention by stream and by disk, holds that two people end, and days that move to another
folder and answer the same."""
import datetime
import json
import pathlib
import shutil
import tempfile
import threading
import time

from harness import PASSWORD, Checks, Server, run, search, wait_for

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-keep-"))
NOW = datetime.datetime.now(datetime.timezone.utc)
EVENTS = 400  # a stream and day


def day(ago):
    return (NOW - datetime.timedelta(days=ago)).strftime("%Y-%m-%d")


def load(data, stream, *agos):
    path = tmp / "in.jsonl"
    for ago in agos:
        path.write_text("".join(json.dumps({"@timestamp": f"{day(ago)}T{i % 24:02}:{i % 60:02}:00Z", "n": i, "ago": ago,
                                            "message": f"{stream} {ago} {i} {i * 7919 % 1009}"}) + "\n" for i in range(EVENTS)))
        status, out, err = run("import", "--dir", data, "--stream", stream, path)
        assert status == 0, err


def counts(rows):
    return {(row["index"], int(row["ago"])): int(row["count"]) for row in rows}


QUESTION = 'search index=* | stats count by index ago | fields index ago count'
EXACT = 'search index=* n<50 | sort index ago n | table index ago n _time _raw'


def page_rows(server, spl):
    page = server.query(spl, limit=5000)
    assert page["state"] == "done" and page["complete"], page
    return [dict(zip(page["columns"], row)) for row in page["rows"]]


def retention(server):
    status, body, _ = server.request("GET", "/v1/keeps?all=1")
    assert status == 200, body
    return body


def audit_rows(data, action):
    return [row for row in json.loads(run("audit", "--dir", data, "--action", action, "--format", "json")[1])]


def stderr(server):
    return pathlib.Path(server.dir, "stderr").read_text()


def books(name, data, rows):
    status, out, err = run("ledger", "--dir", data)
    checks.check(f"{name}: the books balance", status == 0 and "books balance" in err, err)
    status, out, err = run("verify", "--dir", data)
    checks.check(f"{name}: every byte is right", status == 0 and f"{rows} events" in out + err, out + err)


def keep(data, *args, secret=b""):
    return run("keep", *args, "--dir", data, data=secret)


def by_stream_and_hold():
    server = Server(config="retention: [{stream: 'fw-*', days: 3}, {stream: audit, days: 0}]\nretention_days: 30\n")
    data = server.dir + "/data"
    load(data, "fw-a", 1, 5, 6)
    load(data, "fw-b", 5, 8)
    load(data, "audit", 40)
    load(data, "main", 20, 40)
    status, out, err = keep(data, "add", "--stream", "fw-b", "--from", f"{day(6)}T00:00:00Z", "--to", f"{day(4)}T00:00:00Z", "--reason", "case 7", "case-7")
    checks.check("a hold before the first start", status == 0 and "next start" in out, out + err)
    checks.equal("its name is taken", keep(data, "add", "--from", "-2d", "--to", "now", "--reason", "x", "case-7")[0], 1)
    checks.check("it needs a reason", "--reason" in keep(data, "add", "--from", "-2d", "--to", "now", "case-8")[2])
    checks.check("and a span that is one", "begin before" in keep(data, "add", "--from", "now", "--to", "-2d", "--reason", "x", "case-8")[2])
    server.start()
    server.sign_in()
    left = {("fw-a", 1), ("fw-b", 5), ("audit", 40), ("main", 20)}
    got = wait_for(lambda: retention(server)["retention"]["dropped_events"] == 4 * EVENTS and counts(page_rows(server, QUESTION)))
    checks.equal("what is too old has gone, the held day and others stay", got, {key: EVENTS for key in left})
    state = retention(server)
    checks.equal("the held day is counted", (state["retention"]["held_segments"] >= 1, state["keeps"][0]["in_force"]), (True, True))
    rows = wait_for(lambda: len(audit_rows(data, "retention.drop")) == 4 and audit_rows(data, "retention.drop"))
    checks.check("each drop is in the trail", rows and all(r["actor"] == "hinomi" and "older than its days" in r["detail"] and f"{EVENTS} events" in r["detail"] for r in rows), rows)
    books("by age", data, 4 * EVENTS)
    ends(server, data)
    server.stop()
    status, out, err = run("audit", "--dir", data, "--verify")
    checks.equal("the trail is unbroken", status, 0)
    server.start()
    time.sleep(2)
    checks.equal("no drop is in it twice after a restart", len(audit_rows(data, "retention.drop")), 5)
    books("after a restart", data, 3 * EVENTS)
    server.close()


def ends(server, data):
    status, out, err = keep(data, "add", "--from", "-2d", "--to", "now", "--reason", "an authority asked", "ask-1")
    checks.check("a hold beside a running server is in force", status == 0 and "in force" in out, out + err)
    for name, role in (("second", "admin"), ("looker", "viewer")):
        run("user", "add", "--dir", data, "--role", role, name, data=f"{PASSWORD}\n".encode())
    secret = f"{PASSWORD}\n".encode()
    end = lambda user, word=secret, name="case-7": keep(data, "remove", "--user", user, "--reason", "closed", name, secret=word)
    checks.check("a wrong password ends nothing", end("admin", b"wrong wrong wrong\n")[0] == 1)
    checks.check("nor does a viewer", "no administrator" in end("looker")[2])
    status, out, err = end("admin")
    checks.check("one administrator alone only wishes it", status == 0 and "still holds" in out, out + err)
    checks.check("and cannot be two", "another person" in end("admin")[2])
    token = server.token("api", role="admin")
    status, body, _ = server.request("POST", "/v1/keeps/case-7/end", {"reason": "x"}, port=server.api_port, headers={"Authorization": f"Bearer {token}"})
    checks.equal("a token is nobody", status, 403)
    checks.equal("signed in, the same person neither", server.request("POST", "/v1/keeps/case-7/end", {"reason": "x"})[0], 409)
    checks.equal("it still holds", sorted(k["name"] for k in retention(server)["keeps"] if not k["ended"]), ["ask-1", "case-7"])
    status, out, err = end("second")
    checks.check("the second ends it", status == 0 and "ended" in out, out + err)
    gone = wait_for(lambda: retention(server)["retention"]["dropped_events"] == 5 * EVENTS)
    checks.check("and what it held goes", gone, retention(server))
    checks.check("the trail has it all", {r["action"] for r in audit_rows(data, "keep")} == {"keep.add", "keep.wish", "keep.end"}, audit_rows(data, "keep"))
    status, body, _ = server.request("POST", "/v1/keeps", {"name": "api-1", "from": "-3d", "to": "now", "stream": "main", "reason": "by API"})
    checks.check("a hold by the API", status == 201 and body["in_force"], body)
    listed = json.loads(keep(data, "list", "--all", "--format", "json")[1])
    checks.equal("listed with its state", {r["name"]: r["state"] for r in listed}, {"case-7": "ended", "ask-1": "in force", "api-1": "in force"})
    wait_for(lambda: len(audit_rows(data, "retention.drop")) == 5)


def by_disk():
    server = Server(config="disk_max: 1\n")
    data = server.dir + "/data"
    load(data, "a", 1, 2, 3)
    load(data, "b", 2, 9)
    size = sum(p.stat().st_size for p in pathlib.Path(data, "store/segments").iterdir())
    server.config.write_text(server.config.read_text().replace("disk_max: 1", f"disk_max: {size * 7 // 10}"))
    server.start()
    server.sign_in()
    got = wait_for(lambda: retention(server)["retention"]["dropped_events"] and counts(page_rows(server, QUESTION)))
    checks.equal("the oldest days went, no more than needed", got, {("a", 1): EVENTS, ("a", 2): EVENTS, ("b", 2): EVENTS})
    wait_for(lambda: len(audit_rows(data, "retention.drop")) == 2)
    checks.check("the trail says why", all("over disk_max" in r["detail"] for r in audit_rows(data, "retention.drop")))
    books("by disk", data, 3 * EVENTS)
    checks.equal("everything is held now", keep(data, "add", "--from", "0", "--to", "now", "--reason", "all", "all")[0], 0)
    server.stop()
    server.config.write_text(server.config.read_text().replace(f"disk_max: {size * 7 // 10}", "disk_max: 1KB\ndisk_free_min: 90%"))
    server.start()
    server.sign_in()
    short = wait_for(lambda: retention(server)["retention"]["short_bytes"])
    checks.check("what a hold covers stays, however full the disk", short and counts(page_rows(server, QUESTION)) == got, retention(server))
    checks.check("and that is said", wait_for(lambda: "nothing is left that may go" in stderr(server)), stderr(server))
    books("held", data, 3 * EVENTS)
    server.close()


def asking(server, question, want, wrong, over):
    while not over.is_set():
        got = page_rows(server, question)
        if got != want:
            wrong.append(got)


def to_another_folder():
    cold = tmp / "cold"
    server = Server(config="")
    data = server.dir + "/data"
    load(data, "main", 1, 4, 5, 6)
    load(data, "hot", 4, 7)
    before = search(data, EXACT)
    server.config.write_text(server.config.read_text() + f"cold_dir: {cold}\ncold_days: 3\nretention: [{{stream: hot, days: 0, cold_days: 0}}]\n")
    server.start()
    server.sign_in()
    want, wrong, over = page_rows(server, EXACT), [], threading.Event()
    thread = threading.Thread(target=asking, args=(server, EXACT, want, wrong, over), daemon=True)
    thread.start()
    moved = wait_for(lambda: retention(server)["retention"]["cold_segments"] == 3)
    over.set()
    thread.join()
    checks.check("old days have moved", moved and len(list(cold.glob("*.segment"))) == 3, retention(server))
    checks.equal("every answer meanwhile was the same", wrong, [])
    checks.equal("and afterwards", page_rows(server, EXACT), want)
    books("moved", data, 6 * EVENTS)
    backup = tmp / "backup"
    status, out, err = run("backup", "--dir", data, backup)
    checks.equal("a backup has them", status, 0)
    server.stop()
    checks.equal("a command beside no server finds them", search(data, EXACT), before)
    server.start()
    checks.equal("so does the next start", run("verify", "--dir", data)[0], 0)
    server.stop()
    restored(backup, cold, before)
    damaged_and_gone(server, data, cold, before)
    server.close()


def restored(backup, cold, before):
    copy = tmp / "copy"
    status, out, err = run("restore", backup, "--dir", copy / "data")
    checks.equal("restored", status, 0)
    checks.equal("a restored folder is whole without the other one", search(copy / "data", EXACT), before)
    names = sorted(p.name for p in cold.iterdir())
    other = Server(str(copy), config=f"cold_dir: {cold}\ncold_days: 3\n")
    other.start()
    said = wait_for(lambda: "cold_dir cannot be used" in stderr(other))
    other.stop()
    checks.check("it keeps away from the original's folder", said, stderr(other))
    checks.equal("whose files are untouched", sorted(p.name for p in cold.iterdir()), names)


def damaged_and_gone(server, data, cold, before):
    victim = sorted(cold.glob("*.segment"))[1]
    whole = victim.read_bytes()
    victim.write_bytes(whole[:len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1:])
    status, out, err = run("verify", "--dir", data)
    checks.check("damage there is found and named", status == 1 and str(victim) in out + err, out + err)
    victim.write_bytes(whole)
    away = tmp / "away"
    cold.rename(away)
    cold.mkdir()
    server.start()
    server.sign_in()
    said = wait_for(lambda: "is the disk mounted" in stderr(server))
    checks.check("a disk that is not mounted is said", said, stderr(server))
    page = server.query(QUESTION)
    checks.check("answers say that they are incomplete", not page["complete"] and any(m["code"] == "incomplete" for m in page["messages"]), page)
    server.stop()
    checks.equal("nothing was written to the empty folder", list(cold.iterdir()), [])
    cold.rmdir()
    away.rename(cold)
    checks.equal("it is back, and so is everything", search(data, EXACT), before)
    checks.equal("verify agrees", run("verify", "--dir", data)[0], 0)


try:
    by_stream_and_hold()
    by_disk()
    to_another_folder()
finally:
    shutil.rmtree(tmp, ignore_errors=True)
checks.finish()
