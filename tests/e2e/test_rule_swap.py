#!/usr/bin/env python3
"""Rules change while events come in: each event is seen by the old rules or by the new ones, never by none and never by both, and what
rules remember goes over."""
import pathlib
import signal
import threading
import time

from harness import Checks, Server, wait_for

checks = Checks()

PROBE = """title: {title}
id: 00000000-0000-4000-8000-{number:012d}
logsource: {{product: ecs}}
detection:
  selection: {{kind: probe}}
  condition: selection
level: low
"""
ABSENT = """title: answer is missing {title}
id: 00000000-0000-4000-8000-000000000099
logsource: {{product: ecs}}
detection:
  selection: {{kind: ask}}
  condition: selection
level: low
hinomi:
  absent: {{event: kind = "answer", key: asked, within: 3s}}
"""


def titles(server):
    return {r["title"]: r["status"] for r in server.request("GET", "/v1/rules")[1]["rules"]}



def write(folder, name, text):
    part = pathlib.Path(folder, "." + name)
    part.write_text(text)
    part.rename(pathlib.Path(folder, name))


LEAVER = """title: leaver
id: 00000000-0000-4000-8000-000000000077
logsource: {product: ecs}
detection:
  selection: {kind: login, user.name|expand: '%Leavers%'}
  condition: selection
level: low
hinomi: {explain: {en: "left: {user.name}", ja: "退職: {user.name}"}}
"""


def check_lookup(server, hec, own):
    """What a placeholder stands for comes out of a lookup, and changes with it."""
    lookups = pathlib.Path(server.dir, "data/lookups")
    lookups.mkdir(exist_ok=True)
    (own / "placeholders.yaml").write_text("Leavers: {lookup: leavers.csv, column: user}\n")
    write(own, "leaver.yml", LEAVER)
    checks.check("without its lookup it is inactive", wait_for(lambda: titles(server).get("leaver") == "inactive", 15), titles(server))

    def logins():
        server.hec(hec, [{"kind": "login", "user": {"name": name}} for name in ("ann", "bob, jr", "cat")])

    def found():
        page = server.query('event.dataset=hinomi.finding (index=* OR index=_*) rule.id="00000000-0000-4000-8000-000000000077" | table message')
        return sorted(name for row in page["rows"] for name in ("ann", "bob", "cat") if name in row[0])
    write(lookups, "leavers.csv", 'since,user\n2026-01-01,ann\n"a\nb","bob, jr"\n')
    checks.check("with it, it runs", wait_for(lambda: titles(server).get("leaver") == "active", 15), titles(server))
    logins()
    checks.equal("and finds whom it lists", wait_for(lambda: len(found()) == 2 and found(), 15), ["ann", "bob"])
    write(lookups, "leavers.csv", "since,user\n2026-01-01,cat\n")
    time.sleep(7)
    logins()
    checks.equal("then whom it lists now", wait_for(lambda: len(found()) == 3 and found(), 15), ["ann", "bob", "cat"])


def check_swap(server, hec, own):
    write(own, "probe.yml", PROBE.format(title="first", number=1))
    checks.check("a new file is found by itself", wait_for(lambda: "first" in titles(server), 15))
    count, batch, done = 20000, 50, threading.Event()

    def change():
        for version in (1, 2, 3):
            time.sleep(0.4)
            write(own, "probe.yml", PROBE.format(title=f"version {version}", number=1 + version))
            server.process.send_signal(signal.SIGHUP)
        done.set()

    changing = threading.Thread(target=change)
    changing.start()
    taken, sent = set(), 0
    while sent < count or not done.is_set():
        taken.add(server.hec(hec, [{"kind": "probe", "n": n} for n in range(sent, sent + batch)])[0])
        sent += batch
    changing.join()
    checks.equal("events are taken all the time", taken, {200})
    count = sent
    total = lambda: server.query("event.dataset=hinomi.finding (index=* OR index=_*) | stats count", limit=10)["rows"][0][0]
    checks.check("each event gave a finding", wait_for(lambda: int(total()) >= count, 60))
    page = server.query("event.dataset=hinomi.finding (index=* OR index=_*) | stats count by rule.name", limit=100)
    rows = {row[0]: int(row[1]) for row in page["rows"]}
    checks.equal("and only one", sum(rows.values()), count)
    checks.check("from the old rules and the new ones", len(rows) == 4, rows)


def check_refused(server, own):
    """A broken file does not disturb the others."""
    write(own, "broken.yml", "title: [")
    found = wait_for(lambda: [s for t, s in titles(server).items() if "broken.yml" in t], 15)
    checks.equal("it is listed as refused", found, ["refused"])
    checks.equal("the others run on", titles(server)["version 3"], "active")
    pathlib.Path(own, "broken.yml").unlink()
    checks.check("and it goes", wait_for(lambda: not any("broken.yml" in t for t in titles(server)), 15))


def check_memory(server, hec, own):
    """What a rule waits for goes over to the rules that come after it."""
    write(own, "absent.yml", ABSENT.format(title="one"))
    checks.check("it is there", wait_for(lambda: "answer is missing one" in titles(server), 15))
    now = time.time()
    stamp = lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + s))
    server.hec(hec, [{"kind": "ask", "asked": "a", "@timestamp": stamp(0)}, {"kind": "ask", "asked": "b", "@timestamp": stamp(0)}])
    wait_for(lambda: int(server.query("kind=ask | stats count")["rows"][0][0]) == 2, 20)
    write(own, "absent.yml", ABSENT.format(title="two"))
    server.process.send_signal(signal.SIGHUP)
    checks.check("changed", wait_for(lambda: "answer is missing two" in titles(server), 15))
    server.hec(hec, [{"kind": "answer", "asked": "b", "@timestamp": stamp(1)}, {"kind": "tick", "@timestamp": stamp(2)}])
    query = 'event.dataset=hinomi.finding (index=* OR index=_*) rule.id="00000000-0000-4000-8000-000000000099" | stats count'
    checks.equal("the one that nobody answered is found, once", wait_for(lambda: int(server.query(query)["rows"][0][0]), 20), 1)
    time.sleep(1)
    checks.equal("and the other is not", int(server.query(query)["rows"][0][0]), 1)


server = Server().start()
try:
    server.sign_in()
    token = server.token()
    folder = pathlib.Path(server.dir, "data/content/rules")
    folder.mkdir(parents=True)
    check_swap(server, token, folder)
    check_refused(server, folder)
    check_memory(server, token, folder)
    check_lookup(server, token, folder)
    checks.equal("ends well", server.stop(), 0)
finally:
    server.close()
checks.finish()
