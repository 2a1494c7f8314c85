#!/usr/bin/env python3
"""The gate in the running server: its policy broken and mended, reload, and what a question may leave out."""
import json
import pathlib
import signal
import time

from gated import Gated
from harness import ROOT, Checks, run

checks = Checks()


def policy(version, effect, more=""):
    return f'version: "{version}"\nmode: enforce\nrows:\n  - {{name: all-{version}, effect: {effect}, reason: {{en: e, ja: j}}}}\n{more}'


BROKEN = 'version: "9"\nmode: enforce\nrows:\n  - name: x\n    effect: allwo\n'


def broken_at_the_start():
    gated = Gated(BROKEN)
    status, answer = gated.ask("w1")
    checks.equal("it runs and holds", (status, answer["decision"], answer["row"]), (200, "hold", "policy"))
    said = " ".join(answer["reasons"]["en"])
    checks.check("file, line and what to do are said", "policy.yaml: line 4: " in said and "/v1/gate/policy/reload" in said, said)
    checks.equal("both languages", len(answer["reasons"]["ja"]), len(answer["reasons"]["en"]))
    state = gated.state()
    checks.equal("no version is in force", (state["healthy"], state["policy"]["version"]), (False, None))
    checks.check("the state says why", "line 4: " in state["reason"] and "line 4: " in state["policy"]["refused"], state)
    checks.check("standard error says it too", "line 4: " in pathlib.Path(gated.server.dir, "stderr").read_text())
    overview = gated.server.request("GET", "/v1/overview")[1]["brake"]
    checks.check("the overview is not healthy", not overview["healthy"] and "line 4: " in overview["reason"], overview)
    gated.policy.write_text(policy("2", "allow"))
    status, state = gated.reload()
    checks.equal("mended without a restart", (status, state["policy"]["version"], state["policy"]["refused"]), (200, "2", None))
    for attempt in range(60):
        status, answer = gated.ask(f"w2-{attempt}")
        if answer["decision"] == "allow":
            break
        time.sleep(0.05)
    checks.equal("now it answers", (answer["decision"], answer["policy_version"]), ("allow", "2"))
    checks.equal("what was held stays held", gated.ask("w1")[1]["row"], "policy")
    gated.server.close()


def reloading():
    gated = Gated(policy("1", "allow"))
    checks.equal("the first", gated.ask("w1")[1]["policy_version"], "1")
    gated.policy.write_text(BROKEN)
    status, body = gated.reload()
    checks.check("a broken one is refused with its line", status == 400 and "line 4: " in body["error"]["message"], body)
    checks.equal("the old one stays in force", gated.ask("w2")[1]["policy_version"], "1")
    checks.check("the refusal is noted", "line 4: " in gated.state()["policy"]["refused"])
    gated.policy.write_text(policy("2", "hold"))
    gated.server.process.send_signal(signal.SIGHUP)
    for _ in range(100):
        state = gated.state()["policy"]
        if state["version"] == "2":
            break
        time.sleep(0.05)
    checks.equal("SIGHUP reads it again", (state["version"], state["refused"], len(state["digest"])), ("2", None, 64))
    answer = gated.ask("w3")[1]
    checks.equal("and it decides", (answer["decision"], answer["row"], answer["policy_version"]), ("hold", "all-2", "2"))
    rows = gated.events('event.dataset=hinomi.gate event.action=policy_reload | sort _time | table event.outcome user.name hinomi.gate.policy_version', 2)
    checks.equal("both readings are events", rows, [["failure", "admin", "1"], ["success", "SIGHUP", "2"]])
    for role, want in (("engineer", 403), ("admin", 200)):
        token = gated.server.token("api", role=role)
        status, body, _ = gated.server.request("POST", "/v1/gate/policy/reload", {}, headers={"Authorization": f"Bearer {token}"})
        checks.equal(f"{role} may reload", status, want)
    checks.equal("a gate token may not", gated.server.request("POST", "/v1/gate/policy/reload", {}, headers={"Authorization": f"Bearer {gated.token}"})[0], 403)
    gated.server.close()


def without_a_time():
    """`at` may be left out: the server's time counts, is answered, and the same question stays the same."""
    gated = Gated(policy("1", "allow"))
    before = time.time()
    first = gated.ask("w1")[1]
    checks.check("the time taken is answered", first["decision"] == "allow" and first["at"].startswith(time.strftime("%Y-%m-%dT%H:", time.gmtime(before))), first)
    time.sleep(0.02)
    again = gated.ask("w1")[1]
    checks.equal("asked again without it", (again["id"], again["token"], again["at"]), (first["id"], first["token"], first["at"]))
    told = gated.ask("w1", at=first["at"])[1]
    checks.equal("asked again with what was answered", (told["id"], told["token"]), (first["id"], first["token"]))
    status, body = gated.ask("w1", at="2026-01-26T00:00:00Z")
    checks.equal("another time is another request", status, 409)
    status, body = gated.ask("w2", at="yesterday")
    checks.check("no time is explained", status == 400 and "2026-01-26T00:02:13Z" in body["error"]["message"], body)
    gated.server.stop()
    gated.server.start()
    gated.server.cookie = None
    gated.server.sign_in()
    checks.equal("and after a restart", gated.ask("w1")[1]["token"], first["token"])
    gated.server.close()


def theft(gated):
    """The hot wallet of QQQ loses a fifth to an address nobody approved; returns the incident."""
    now = time.time()
    stamp = lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + s))
    token = gated.server.token("hec")
    gated.server.hec(token, [{"@timestamp": stamp(-300), "event": {"dataset": "wallet.balance", "action": "balance_snapshot"},
                              "wallet": {"asset": "QQQ", "tier": "hot", "address": "hot-q", "chain_balance": 1000000}}])
    gated.server.hec(token, [{"@timestamp": stamp(-60), "event": {"id": "theft-1", "dataset": "chain.transfer", "action": "transfer"},
                              "wallet": {"asset": "QQQ", "from": "hot-q", "to": "thief", "amount": 190000, "txid": "t1"}}])
    for _ in range(200):
        incidents = gated.server.request("GET", "/v1/incidents?state=open")[1]["incidents"]
        if incidents:
            return incidents[0]["id"]
        time.sleep(0.05)
    raise RuntimeError("no incident")


def incident_detail():
    gated = Gated((ROOT / "content/policy/default.yaml").read_text())
    incident = theft(gated)
    for attempt in range(100):
        answer = gated.ask(f"w{attempt}", asset="QQQ", amount="5.50")[1]
        if answer["row"] == "open-incident":
            break
        time.sleep(0.05)
    checks.equal("the asset is held", (answer["decision"], answer["incident"]), ("hold", incident))
    detail = lambda: gated.server.request("GET", f"/v1/incidents/{incident}")[1]
    shown = lambda: [e for e in detail()["timeline"] if e["kind"] == "gate" and f"w{attempt}" in e["text"]["en"]]
    def entries(want):
        for _ in range(100):
            if len(shown()) >= want:
                break
            time.sleep(0.05)
        return shown()
    held = [h for h in detail()["held"] if h["request_id"] == f"w{attempt}"]
    checks.equal("the incident says what is held", held, [{"id": answer["id"], "request_id": f"w{attempt}", "asset": "QQQ", "amount": "5.50"}])
    first = entries(1)
    checks.check("the hold is on its timeline", len(first) == 1 and "Held: withdrawal 5.50 QQQ" in first[0]["text"]["en"] and "保留" in first[0]["text"]["ja"], first)
    rows = gated.events(f'event.id={first[0]["evidence"][0]} | table hinomi.gate.request_id', 1)
    checks.equal("its evidence is the gate's event", rows, [[f"w{attempt}"]])
    one = gated.server.request("GET", f"/v1/gate/holds/{answer['id']}")[1]
    checks.equal("the hold itself", (one["request_id"], one["amount"], one["destination"], one["at"], one["approvals"]), (f"w{attempt}", "5.50", "addr", answer["at"], 0))
    checks.equal("no such hold", gated.server.request("GET", "/v1/gate/holds/none")[0], 404)
    people = gated.people("sato", "suzuki")
    for name, session in people.items():
        status, body = gated.release(session, answer["id"])
        checks.equal(f"{name} approves", (status, body.get("released")), (200, name == "suzuki"))
    second = entries(3)
    checks.equal("approvals are there, with their people", [e["user"] for e in second], [None, "sato", "suzuki"])
    checks.check("as words", "(1 of 2)" in second[1]["text"]["en"] and "(2 of 2, released)" in second[2]["text"]["en"], second)
    checks.equal("nothing is held any more by it", [h for h in detail()["held"] if h["request_id"] == f"w{attempt}"], [])
    checks.equal("asked again it goes", gated.ask(f"w{attempt}", asset="QQQ", amount="5.50")[1]["row"], "released")
    third = entries(4)
    checks.check("and that is told", "Let go after people released it" in third[-1]["text"]["en"], third)
    rows = gated.events('event.dataset=hinomi.gate event.action=approval | sort hinomi.gate.approvals | table user.name hinomi.gate.released', 2)
    checks.equal("approvals are events", [[r[0], str(r[1]).lower()] for r in rows], [["sato", "false"], ["suzuki", "true"]])
    gated.server.close()


def signing():
    """`hinomi approve`: keys made, a hold judged away from the server, two signatures, and it goes."""
    gated = Gated(policy("1", "hold"))
    folder = pathlib.Path(gated.server.dir)
    lines = []
    for name in ("sato", "suzuki", "ito"):
        status, out, err = run("approve", "--new-key", folder / f"{name}.key")
        checks.equal(f"a key for {name}", (status, out.split("\n")[0], oct((folder / f"{name}.key").stat().st_mode & 0o777)), (0, "approvers:", "0o600"))
        lines.append(out.split("\n")[1])
    checks.equal("a key is never written over", run("approve", "--new-key", folder / "sato.key")[0], 1)
    gated.policy.write_text(policy("2", "hold", "approvers:\n" + "\n".join(lines[:2]) + "\n"))
    checks.equal("the policy names two", gated.reload()[1]["policy"]["approvers"], 2)
    destination = "addr\u202e\x1b[2J"
    answer = gated.ask("w1", destination=destination, wallet="hot", nonce="n", expiry="2100-01-01T00:00:00.5Z")[1]
    hold = answer["id"]
    status, held, _ = gated.server.request("GET", f"/v1/gate/holds/{hold}")
    path = folder / "hold.json"
    path.write_text(json.dumps(held))

    def sign(name, *more, data=b""):
        return run("approve", "--key", folder / f"{name}.key", path, *more, data=data)

    status, out, err = sign("sato", data=b"no\n")
    checks.check("without a yes nothing is signed", status == 1 and not out and "nothing was signed" in err, (out, err))
    checks.check("it is told in plain words", all(w in err for w in ("withdrawal", "5", "XEM", "all-2", "0 of 2", "you sign as")), err)
    checks.check("nothing hides on the terminal", "addr\\u{202E}\\u{1B}[2J" in err and "\x1b" not in err and "\u202e" not in err, err)
    status, out, err = sign("sato", data=b"yes\n")
    checks.equal("a typed yes signs", status, 0)
    approvals = {"sato": json.loads(out), **{n: json.loads(sign(n, "--yes")[1]) for n in ("suzuki", "ito")}}
    send = lambda approval, to=hold: gated.server.request("POST", f"/v1/gate/holds/{to}/approve", approval)[:2]
    checks.equal("a stranger's is refused", send(approvals["ito"])[0], 403)
    checks.equal("in another's name", send({**approvals["ito"], "approver": "suzuki"})[0], 403)
    checks.equal("broken base64", send({**approvals["sato"], "signature": "?"})[0], 400)
    checks.equal("for another hold", send(approvals["sato"], "0" * 32)[0], 400)
    checks.equal("nobody without an account", gated.server.request("POST", f"/v1/gate/holds/{hold}/approve", approvals["sato"], headers={"Authorization": "Bearer x"})[0], 401)
    checks.equal("the first", send(approvals["sato"]), (200, {"id": hold, "released": False}))
    checks.equal("counts once", send(approvals["sato"])[0], 409)
    session = gated.people("sato")["sato"]
    checks.equal("by session too", gated.release(session, hold)[0], 409)
    held = gated.server.request("GET", f"/v1/gate/holds/{hold}")[1]
    checks.equal("who has approved", (held["approvals"], held["approvers"]), (1, ["sato"]))
    checks.equal("the second lets it go", send(approvals["suzuki"]), (200, {"id": hold, "released": True}))
    answer = gated.ask("w1", destination=destination, wallet="hot", nonce="n", expiry="2100-01-01T00:00:00.5Z")[1]
    checks.check("asked again", answer["row"] == "released" and answer["token"], answer)
    rows = gated.events("event.dataset=hinomi.gate event.action=approval | sort hinomi.gate.approvals | table user.name hinomi.gate.signed", 2)
    checks.equal("approvals are events", [[r[0], str(r[1]).lower()] for r in rows], [["sato", "true"], ["suzuki", "true"]])
    for changed, words in (({"amount": "5000"}, "not what would be let go"), ({"destination": "thief"}, "not what would be let go"), ({"gate": None}, "gate")):
        path.write_text(json.dumps({**held, **changed}))
        status, out, err = sign("sato", "--yes")
        checks.check(f"a changed file is not signed: {list(changed)[0]}", status == 1 and not out and words in err, (out, err))
    (folder / "sato.key").chmod(0o644)
    checks.check("a key that others can read is refused", "chmod 600" in sign("sato", "--yes")[2])
    checks.equal("usage", (run("approve")[0], run("approve", "--key", "x")[0], run("approve", "--key", "x", "--new-key", "y")[0]), (2, 2, 2))
    gated.server.close()


for part in (incident_detail, signing, broken_at_the_start, reloading, without_a_time):
    try:
        part()
    except Exception as why:  # one part must not hide the others
        checks.check(part.__name__, False, repr(why))
checks.finish()
