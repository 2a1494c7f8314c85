#!/usr/bin/env python3
"""Breaking the glass: who may, what is signed, that it is durable, counts apart from approvals, and is never quiet."""
import json
import pathlib

from gated import Gated
from harness import Checks, run, wait_for

checks = Checks()


def key_of(gated, name):
    """The policy's line of a fresh key."""
    out = run("approve", "--new-key", pathlib.Path(gated.server.dir, f"{name}.key"))[1]
    return out.splitlines()[1].split(": ")[1]


def policy(approvers, glass, needed=2):
    return ('version: "1"\nmode: enforce\nrows:\n  - {name: all, effect: hold, approvals: 2, reason: {en: e, ja: j}}\n'
            "approvers: {" + ", ".join(f'{n}: "{k}"' for n, k in approvers.items()) + "}\n"
            f"break_glass: {{needed: {needed}, approvers: {{" + ", ".join(f'{n}: "{k}"' for n, k in glass.items()) + "}}\n")


def signed(gated, name, hold, *more):
    """What hinomi approve writes for this hold, with this person's key."""
    path = pathlib.Path(gated.server.dir, "hold.json")
    path.write_text(json.dumps(gated.server.request("GET", f"/v1/gate/holds/{hold}")[1]))
    status, out, said = run("approve", "--key", pathlib.Path(gated.server.dir, f"{name}.key"), "--yes", *more, path)
    assert status == 0, said
    return json.loads(out)


def glass(gated, name, hold, reason="the vault burns"):
    return signed(gated, name, hold, "--break-glass", "--reason", reason)


def put(gated, hold, body, route="break-glass"):
    return gated.server.request("POST", f"/v1/gate/holds/{hold}/{route}", body)[:2]


def restart(gated):
    gated.server.stop()
    gated.server.start()
    gated.server.cookie = None
    gated.server.sign_in()


def refused(name, answer, code, words):
    checks.check(name, answer[0] == code and words in answer[1]["error"]["message"], answer)


gated = Gated(policy({}, {}).split("approvers:")[0])
keys = {name: key_of(gated, name) for name in ("sato", "mori", "hara")}
people, emergency = {"sato": keys["sato"]}, {"mori": keys["mori"], "hara": keys["hara"]}
for name, text, words in (("one of both", policy(people, {**emergency, "Sato": keys["sato"]}), "approver twice"),
                          ("one key for both", policy(people, {"other": keys["sato"], "hara": keys["hara"]}), "same key"),
                          ("more than there are", policy(people, emergency, 3), "needed is"),
                          ("nobody needed", policy(people, emergency, 0), "needed is")):
    gated.policy.write_text(text)
    status, body = gated.reload()
    checks.check(f"{name} is refused with its line", status == 400 and words in body["error"]["message"] and "line " in body["error"]["message"], body)
gated.policy.write_text(policy(people, emergency))
checks.equal("the policy", gated.reload()[0], 200)
wait_for(lambda: gated.ask(f"ready-{id(object())}")[1]["row"] == "all")

hold, other = gated.ask("w1")[1]["id"], gated.ask("w2")[1]["id"]
checks.equal("a reason is needed", run("approve", "--key", pathlib.Path(gated.server.dir, "mori.key"), "--break-glass", "--yes", "x")[0], 2)
first = glass(gated, "mori", hold)
refused("it is no approval", put(gated, hold, first, "approve"), 403, "names no approver mori")
refused("an approval breaks nothing", put(gated, hold, {**signed(gated, "mori", hold), "break_glass": "x"}), 403, "signature is not")
refused("nor an approver", put(gated, hold, glass(gated, "sato", hold)), 403, "does not let sato")
refused("another reason was not signed", put(gated, hold, {**first, "break_glass": "because"}), 403, "signature is not")
refused("without the reason", put(gated, hold, {k: v for k, v in first.items() if k != "break_glass"}), 400, "a reason")
refused("another hold", put(gated, other, first), 400, "another hold")
refused("said to be for another", put(gated, other, {**first, "hold": other}), 403, "signature is not")
refused("longer than it was signed for", put(gated, hold, {**first, "expires": "2030-01-01T00:00:00Z"}), 403, "signature is not")
checks.equal("the first counts", put(gated, hold, first), (200, {"id": hold, "released": False}))
refused("the same person twice", put(gated, hold, glass(gated, "mori", hold, "again")), 409, "already")
checks.equal("approvals are counted apart", gated.server.request("GET", f"/v1/gate/holds/{hold}")[1]["approvals"], 0)
checks.equal("it is still held", gated.ask("w1")[1]["decision"], "hold")
incident = wait_for(lambda: [i for i in gated.server.request("GET", "/v1/incidents?state=open")[1]["incidents"] if "glass" in json.dumps(i)])
checks.check("the first already opens a critical incident", incident and incident[0]["severity"] == "critical", incident)
restart(gated)
refused("it is durable", put(gated, hold, glass(gated, "mori", hold, "again")), 409, "already")
checks.equal("the second releases", put(gated, hold, glass(gated, "hara", hold)), (200, {"id": hold, "released": True}))
restart(gated)
answer = wait_for(lambda: (lambda a: a if a["row"] == "released" else None)(gated.ask("w1")[1]))
checks.check("once asked again it goes", answer and answer["decision"] == "allow" and answer["token"], answer)
refused("a release is used once", put(gated, hold, glass(gated, "hara", other)), 400, "another hold")
checks.equal("the other is held", gated.ask("w2")[1]["decision"], "hold")
rows = gated.events("event.dataset=hinomi.gate event.action=break_glass | sort hinomi.gate.approvals | table user.name hinomi.gate.reason hinomi.gate.released", 2)
checks.equal("both are events, with the reason", rows, [["mori", "the vault burns", False], ["hara", "the vault burns", True]])
audit = json.dumps(gated.server.request("GET", "/v1/audit?limit=200")[1])
checks.check("and in the audit", audit.count("gate.break_glass") >= 2, audit[:500])
gated.policy.write_text(policy(people, {"hara": keys["hara"]}, 1))
gated.reload()
refused("who left the policy breaks nothing", put(gated, other, glass(gated, "mori", other)), 403, "does not let mori")
gated.server.close()
checks.finish()
