#!/usr/bin/env python3
"""A backup put back: what people signed before it does not count again, all is stopped until they look, and what may have been paid is held."""
import datetime
import json
import pathlib
import shutil
import sys
import tempfile
import time

from gated import Gated
from harness import ROOT, Checks, run

sys.path.insert(0, str(ROOT / "clients/python"))
import hinomi_gate

checks = Checks()
SMALL = "  - {name: small, when: 'request.amount < 10', effect: allow, reason: {en: e, ja: j}}\n"
LARGE = "  - {name: large, effect: hold, approvals: 2, reason: {en: e, ja: j}}\n"


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def make_keys(folder):
    lines = []
    for name in ("sato", "suzuki"):
        status, out, err = run("approve", "--new-key", folder / f"{name}.key")
        checks.equal(f"a key for {name}", status, 0)
        lines.append(out.split("\n")[1])
    return "approvers:\n" + "\n".join(lines) + "\n"


def sign(gated, name, hold, keys):
    path = keys / "hold.json"
    path.write_text(json.dumps(gated.server.request("GET", f"/v1/gate/holds/{hold}")[1]))
    status, out, err = run("approve", "--key", keys / f"{name}.key", path, "--yes")
    checks.equal(f"{name} signs", (status, err if status else ""), (0, ""))
    return json.loads(out)


def send(gated, hold, approval):
    return gated.server.request("POST", f"/v1/gate/holds/{hold}/approve", approval)[:2]


def answered(gated, name, **more):
    status, answer = gated.ask(name, **more)
    return status, answer["decision"], answer["row"]


def valid(gated, token, at):
    at_ns = int(datetime.datetime.fromisoformat(at).timestamp() * 1000 + 0.5) * 10 ** 6
    with hinomi_gate.Gate(gated.server.dir + "/gate.sock", timeout=5) as gate:
        return gate.check(token, request_id="w3", action="withdrawal", account="u1", asset="XEM", amount="5", destination="addr", at=at_ns)


def gated_in(text, directory=None):
    directory = directory or tempfile.mkdtemp(prefix="hinomi-restored-")
    return Gated(text, f"gate_socket: {directory}/gate.sock\n", directory=str(directory))


def restored_from(target, directory, text):
    directory.mkdir()
    status, out, err = run("restore", target, "--dir", directory / "data")
    checks.equal("restored", (status, err if status else ""), (0, ""))
    gated = gated_in(text, directory)
    for _ in range(200):  # it reads its journal first
        if gated.state()["healthy"]:
            break
        time.sleep(0.05)
    return gated


def reopen_all(gated, people):
    stop = next(s for s in gated.server.request("GET", "/v1/gate/stops")[1]["stops"] if s["scope"] == "all")
    for share in (0.01, 0.1, 1):
        for name in people:
            status, body = gated.by(people[name], "POST", f"/v1/gate/stops/{stop['id']}/reopen", {"share": share})
            checks.equal(f"{name} reopens to {share}", status, 200)


def main():
    gated = gated_in("")
    folder = pathlib.Path(gated.server.dir)
    text = 'version: "1"\nmode: enforce\nrows:\n' + SMALL + LARGE + make_keys(folder)
    gated.policy.write_text(text)
    checks.equal("the policy", gated.reload()[0], 200)
    people = gated.people("kato", "mori")
    asked = now()
    hold = gated.ask("w1", amount="500", at=asked)[1]["id"]
    other = gated.ask("w2", amount="500", at=asked)[1]["id"]
    before = {name: sign(gated, name, hold, folder) for name in ("sato", "suzuki")}
    checks.equal("one of two", send(gated, hold, before["sato"]), (200, {"id": hold, "released": False}))
    checks.equal("the other hold: one of two, by session", gated.release(people["kato"], other)[0], 200)
    target = folder / "backup"
    checks.equal("a backup beside the running server", run("backup", "--dir", folder / "data", target)[0], 0)
    checks.equal("the second", send(gated, hold, before["suzuki"]), (200, {"id": hold, "released": True}))
    checks.equal("it goes", answered(gated, "w1", amount="500", at=asked), (200, "allow", "released"))
    paid = gated.ask("w3", at=asked)[1]
    checks.equal("another is paid after the backup", (paid["decision"], paid["row"]), ("allow", "small"))
    checks.equal("its token is good", valid(gated, paid["token"], asked), True)
    gated.server.stop()

    again = restored_from(target, folder / "restored", text)
    stops = again.server.request("GET", "/v1/gate/stops")[1]["stops"]
    checks.equal("everything is stopped", [(s["scope"], s["share"], s["by"]) for s in stops], [("all", 0, "hinomi")])
    checks.check("both languages say why", "restored" in stops[0]["reason"] and "復元" in stops[0]["reason"], stops)
    checks.check("standard error says it", "come from a backup" in pathlib.Path(again.server.dir, "stderr").read_text())
    held = again.server.request("GET", f"/v1/gate/holds/{hold}")[1]
    checks.equal("no approval is left", (held["approvals"], held["approvers"]), (0, []))
    checks.equal("nor by session", again.server.request("GET", f"/v1/gate/holds/{other}")[1]["approvals"], 0)
    for name in before:
        status, body = send(again, hold, before[name])
        checks.check(f"the signature of {name} from before is refused", status == 403 and "signature" in body["error"]["message"], body)
    checks.equal("it is held", answered(again, "w1", amount="500", at=asked), (200, "hold", "large"))
    checks.equal("new ones are stopped", answered(again, "w4", at=now()), (200, "hold", "stopped"))
    checks.equal("a token from before is no token", valid(again, paid["token"], asked), False)
    checks.equal("what may have been paid is held", answered(again, "w3", at=asked), (200, "hold", "restored"))
    fresh = {name: sign(again, name, hold, folder) for name in before}
    checks.equal("signed anew", [send(again, hold, fresh[n])[1]["released"] for n in ("sato", "suzuki")], [False, True])
    checks.equal("the stop is later than the hold", answered(again, "w1", amount="500", at=asked), (200, "hold", "stopped"))
    reopen_all(again, again.sessions("kato", "mori"))
    checks.equal("then it goes", answered(again, "w1", amount="500", at=asked), (200, "allow", "released"))
    checks.equal("and new ones", answered(again, "w5", at=now()), (200, "allow", "small"))
    checks.equal("what may have been paid is still held", answered(again, "w6", at=asked), (200, "hold", "restored"))
    again.server.stop()
    again.server.start()
    again.server.sign_in()
    checks.equal("a start is no restore", again.server.request("GET", "/v1/gate/stops")[1]["stops"], [])
    again.server.stop()
    status, out, err = run("gate", "rerun", "--dir", folder / "restored/data")
    checks.check("all decisions are made again", status == 0, out + err)
    again.server.close()
    gated.server.close()
    shutil.rmtree(folder)


main()
checks.finish()
