#!/usr/bin/env python3
"""As it comes, the gate only says what it would do; the configuration can be stronger, and that is seen."""
from gated import Gated
from harness import ROOT, Checks

checks = Checks()


def restart_as(server, mode):
    server.stop()
    text = server.config.read_text().replace("gate_mode: enforce\n", "").replace("gate_mode: shadow\n", "")
    server.config.write_text(text + (f"gate_mode: {mode}\n" if mode else ""))
    server.start()
    server.cookie, server.csrf = None, None
    server.sign_in()


def as_shipped(gated):
    server = gated.server
    restart_as(server, None)
    state = gated.state()
    checks.equal("it ships in shadow", (state["mode"], state["mode_set_by"]), ("shadow", "policy"))
    status, answer = gated.ask("w1", amount="1e30")
    checks.equal("nothing is held", (status, answer["decision"], answer["shadow"]), (200, "allow", True))
    checks.check("but it is said", answer["row"] not in ("", "otherwise") and answer["reasons"]["en"] and answer["token"])
    status, stop = server.request("POST", "/v1/gate/stops", {"scope": "all", "reason": "a test"})[:2]
    checks.equal("everything is stopped", (status, stop["share"]), (201, 0))
    answer = gated.ask("w2")[1]
    checks.equal("and passes", (answer["decision"], answer["row"], answer["shadow"]), ("allow", "stopped", True))
    state = gated.state()
    checks.equal("counted", (state["holds_open"], state["held"], state["would_have_held"]), (0, 0, 2))


def overridden(gated):
    server = gated.server
    restart_as(server, "enforce")
    state = gated.state()
    checks.equal("the configuration is stronger", (state["mode"], state["mode_set_by"]), ("enforce", "configuration"))
    checks.equal("asked again it is the same answer", gated.ask("w2")[1]["decision"], "allow")
    checks.equal("a new one is held", gated.ask("w3")[1]["decision"], "hold")
    rows = server.request("GET", "/v1/audit?limit=1000")[1]["rows"]
    checks.equal("in the audit trail", sum(r["action"] == "gate.mode" and r["object"] == "enforce" for r in rows), 2)
    server.stop()
    with server.config.open("a") as config:
        config.write("gate_mode: sometimes\n")
    try:
        server.start()
        checks.check("another word is refused", False)
    except RuntimeError as error:
        checks.check("another word is refused", "gate_mode" in str(error), str(error))


def main():
    gated = Gated((ROOT / "content/policy/default.yaml").read_text())
    as_shipped(gated)
    overridden(gated)
    gated.server.close()
    checks.finish()


if __name__ == "__main__":
    main()
