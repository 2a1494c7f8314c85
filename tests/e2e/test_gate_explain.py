#!/usr/bin/env python3
"""Which row decides and why, over the API and the socket, and the policy as a table."""
import json
import pathlib

from gated import Gated
from harness import Checks, run

checks = Checks()
POLICY = """version: "e1"
mode: enforce
limits: {most: 10, patience: 5m}
values: {large: request.amount > limits.most}
rows:
  - {name: much, when: large, effect: hold, approvals: 3, reason: {en: "{request.amount}", ja: "{request.amount}"}}
  - {name: far, when: 'state("asset", request.asset, "balance") < 0', effect: deny, reason: {en: e, ja: j}}
  - {name: rest, effect: allow}
partners: {exchange-b: ["bc1q*"]}
"""


def table(gated):
    status, policy = gated.server.request("GET", "/v1/gate/policy")[:2]
    checks.equal("the table", (status, policy["version"], policy["mode"], policy["mode_in_file"], len(policy["digest"])), (200, "e1", "enforce", "enforce", 64))
    checks.equal("limits", policy["limits"], [{"name": "most", "value": "10"}, {"name": "patience", "value": "5m"}])
    checks.equal("values", policy["values"], [{"name": "large", "expression": "request.amount > limits.most"}])
    checks.equal("rows", [(r["name"], r["condition"], r["effect"], r.get("approvals"), r["reason"]["en"]) for r in policy["rows"]],
                 [("much", "large", "hold", 3, "{request.amount}"), ("far", 'state("asset", request.asset, "balance") < 0', "deny", None, "e"), ("rest", None, "allow", None, None)])
    checks.equal("the file itself", policy["text"], POLICY)
    checks.equal("people", (policy["approvers"], policy["partners"]), ([], [{"name": "exchange-b", "destinations": ["bc1q*"]}]))


def explained(gated):
    request = {"request_id": "w1", "action": "withdrawal", "account": "u1", "asset": "XEM", "amount": "12", "destination": "x"}
    status, said = gated.server.request("POST", "/v1/gate/explain", request)[:2]
    checks.equal("the answer it would be", (status, said["decision"], said["row"], said["id"], said["decided_before"]), (200, "hold", "much", None, False))
    checks.equal("rows", [(r["name"], r["applies"], r["decides"]) for r in said["rows"]], [("much", True, True), ("far", None, False), ("rest", True, False)])
    reads = {r["name"]: r["value"] for r in said["rows"][0]["reads"]}
    checks.equal("what it read", reads, {"large": "true", "request.amount": "12", "limits.most": "10"})
    checks.equal("not known", {r["name"]: r["value"] for r in said["rows"][1]["reads"]}, {"request.asset": "XEM", "state(asset, XEM, balance)": None})
    checks.equal("nothing was decided", (gated.state()["decisions"], gated.server.request("GET", "/v1/gate/holds")[1]["total"]), (0, 0))
    checks.equal("what cannot be asked", gated.server.request("POST", "/v1/gate/explain", {"action": "x"})[0], 400)
    path = pathlib.Path(gated.server.dir) / "request.json"
    path.write_text(json.dumps(request))
    status, out, err = run("gate", "explain", "--dir", gated.server.dir + "/data", path)
    checks.check("over the socket", status == 0, err)
    same = json.loads(out)
    checks.equal("the same", {k: v for k, v in same.items() if k != "at"}, {k: v for k, v in said.items() if k != "at"})
    checks.equal("nobody listens", run("gate", "explain", "--socket", gated.server.dir + "/nowhere", path)[0], 1)
    path.write_text("{}")
    status, out, err = run("gate", "explain", "--dir", gated.server.dir + "/data", path)
    checks.check("says what is missing", status == 1 and "request_id" in err, err)


def main():
    gated = Gated(POLICY)
    table(gated)
    explained(gated)
    gated.policy.unlink()
    gated.server.stop()
    gated.server.start()
    checks.equal("none in force", gated.server.request("GET", "/v1/gate/policy")[0], 404)
    gated.server.close()
    checks.finish()


main()
