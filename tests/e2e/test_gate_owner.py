#!/usr/bin/env python3
"""A policy that its owner must sign: unsigned, signed by another, changed after signing; what the owner is shown; a start and a reading again."""
import pathlib
import subprocess

from gated import Gated
from harness import HINOMI, Checks, Server

checks = Checks()

POLICY = """version: "1"
mode: enforce
limits:
  most: 100
rows:
  - name: large
    when: request.amount > limits.most
    effect: hold
    reason: {en: "{request.amount} is large.", ja: "{request.amount} は大きい。"}
  - name: otherwise
    effect: allow
"""


def hinomi(*words, said="yes\n"):
    done = subprocess.run([HINOMI, *map(str, words)], input=said, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def new_key(folder, name):
    status, text = hinomi("approve", "--new-key", folder / f"{name}.key", "--name", name)
    assert status == 0, text
    return next(word.strip('"') for word in text.replace(",", " ").split() if word.strip('"').endswith("=") and len(word.strip('"')) == 44)


def sign(folder, name, policy, *more, said="yes\n"):
    return hinomi("approve", "--key", folder / f"{name}.key", "--sign-policy", policy, *more, said=said)


def world_with(owner):
    world = Gated.__new__(Gated)
    world.server = Server()
    world.policy = pathlib.Path(world.server.dir) / "policy.yaml"
    world.policy.write_text(POLICY)
    with world.server.config.open("a") as config:
        config.write(f"gate_policy: {world.policy}\npolicy_owner: \"{owner}\"\n")
    return world


def unsigned_at_start(world):
    status, text = hinomi("check", "--config", world.server.config)
    checks.check("check says it", status != 0 and "no signature of the owner" in text, text[-600:])
    world.server.start()
    world.server.sign_in()
    world.token = world.server.token("gate")
    answer = world.ask("a")[1]
    checks.equal("everything is held", (answer["decision"], answer["row"]), ("hold", "policy"))
    checks.check("and why", "--sign-policy" in answer["reasons"]["en"][1], answer)


def signed(world, folder):
    for said in ("no\n", "", "YES\n"):
        status, text = sign(folder, "owner", world.policy, said=said)
        checks.check("not signed without a yes", status != 0 and not world.policy.with_suffix(".yaml.sig").exists(), text)
    status, text = sign(folder, "mallory", world.policy)
    checks.equal("another's key signs", status, 0)
    status, text = world.reload()
    checks.check("but counts for nothing", status == 400 and "not what the owner signed" in str(text), (status, text))
    status, text = sign(folder, "owner", world.policy)
    checks.check("the owner sees what it is", status == 0 and "enforce" in text and "version" in text, text)
    checks.equal("taken", world.reload()[0], 200)
    answer = world.ask("b")[1]
    checks.equal("in force", (answer["decision"], answer["row"]), ("allow", "otherwise"))


def changed(world, folder):
    old = world.policy.with_name("old.yaml")
    old.write_text(POLICY)
    world.policy.write_text(POLICY.replace("most: 100", "most: 100000").replace("name: otherwise", "name: anything"))
    status, text = world.reload()
    checks.check("a changed file is refused", status == 400 and "not what the owner signed" in str(text), (status, text))
    checks.equal("what was in force stays", world.ask("c", amount="500")[1]["row"], "large")
    status, text = sign(folder, "owner", world.policy, "--against", old, said="no\n")
    for words in ("limits.most", "100  ->  100000", "row anything", "new: allow", "row otherwise", "gone"):
        checks.check(f"the owner is shown {words}", words in text, text)
    checks.equal("signed", sign(folder, "owner", world.policy, "--against", old)[0], 0)
    checks.equal("taken", world.reload()[0], 200)
    checks.equal("in force", world.ask("d", amount="500")[1]["row"], "anything")
    world.server.stop()
    world.server.start()
    world.server.sign_in()
    checks.equal("and after a start", world.ask("e", amount="500")[1]["policy_version"], "1")


def configuration(owner):
    for text, said in (("policy_owner: nothing\n", "Ed25519 public key"), (f'policy_owner: "{owner}"\ngate_mode: shadow\n', "what the owner signed")):
        server = Server()
        server.config.write_text(server.config.read_text().replace("gate_mode: enforce\n", "") + text)
        status, shown = hinomi("check", "--config", server.config)
        checks.check(said, status != 0 and said in shown, shown[-400:])
        server.close()


def main():
    server = Server()
    folder = pathlib.Path(server.dir)
    owner = new_key(folder, "owner")
    new_key(folder, "mallory")
    world = world_with(owner)
    try:
        unsigned_at_start(world)
        signed(world, folder)
        changed(world, folder)
        configuration(owner)
    finally:
        world.server.close()
        server.close()
    checks.finish()


main()
