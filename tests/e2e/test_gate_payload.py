#!/usr/bin/env python3
"""What will be signed, read by the gate itself: each kind of payload, what differs from the request, and that nobody can release it."""
import base64
import json
import pathlib
import re
import shutil
import subprocess
import sys

from gated import Gated
from harness import ROOT, Checks, run, wait_for
from payloads import (call, coin, eip1559, eip2930, keccak, legacy, multisend, p2pkh, p2tr, p2wpkh, psbt, rlp, safe, sized,
                      transaction, txid)

sys.path.insert(0, str(ROOT / "clients/python"))
import hinomi_gate

checks = Checks()
TOKEN, COLD, THIEF, WALLET = ("0x" + digit * 40 for digit in "abcd")
ASSETS = f"""assets:
  USX: {{chain: evm, decimals: 6, contract: "{TOKEN}", chain_id: 1}}
  USY: {{chain: evm, decimals: 6, contract: "{TOKEN}"}}
  ETX: {{chain: evm, decimals: 18}}
  BTX: {{chain: bitcoin, decimals: 8, own: ["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"]}}
"""
TELLS = 'version: "1"\nmode: enforce\n' + ASSETS + """rows:
  - {name: seen, when: isnotnull(payload_kind) AND payload_matches, effect: hold, reason: {en: "yes|{payload_kind}|{payload_differs}|{payload_effects}|{payload_fee}", ja: j}}
  - {name: seen, when: isnotnull(payload_kind), effect: hold, reason: {en: "no|{payload_kind}|{payload_differs}|{payload_effects}|{payload_fee}", ja: j}}
  - {name: none, effect: hold, reason: {en: none, ja: j}}
"""
IN = bytes(31) + b"\7"


def selectors():
    text = (ROOT / "src/gate/evm_call.c").read_text()
    found = re.findall(r'0x([0-9a-f]{8}), "([^"]+)"', text)
    checks.equal("Keccak-256 of nothing", keccak(b"").hex(), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
    checks.check("the table of calls is found", len(found) >= 30, len(found))
    for selector, signature in found:
        checks.equal(signature, selector, keccak(signature.encode())[:4].hex())


def pay(inputs, outputs, sighash=None, proof=True, raw=None):
    """A PSBT that spends witness coins (amount, script) to outputs."""
    unsigned = raw or transaction([(IN, i) for i in range(len(inputs))], outputs)
    claims = [([(b"\x01", coin(*i))] if proof else []) + ([(b"\x03", sighash)] if sighash else []) for i in inputs]
    return psbt(unsigned, claims, [[] for _ in outputs])


def of_parent(parent, amount=None):
    """A PSBT whose input proves its coin by the transaction that made it."""
    claim = [(b"\x01", coin(amount, p2pkh(1)))] if amount else []
    return psbt(transaction([(txid(parent), 0)], [(40000, p2wpkh(9))]), [[(b"\x00", parent), *claim]], [[]])


DEST = "bc1qpyysjzgfpyysjzgfpyysjzgfpyysjzgftp2y25"
OWN = b"\x00\x14" + bytes.fromhex("751e76e8199196d454941c45d1b3a323f1433bd6")
COMMON = {"destination": COLD, "wallet": WALLET, "action": "sign"}
USX, USY, ETX = ({"asset": asset, "amount": "1.5", **COMMON} for asset in ("USX", "USY", "ETX"))
BTX = {"asset": "BTX", "amount": "0.0004", "action": "sign", "destination": None}
TRANSFER = call("transfer(address,uint256)", COLD, 1500000)
MAX = 2 ** 256 - 1

# name, request, payload, matches, the worst kind, what is told of it
CASES = [
    ("ERC-20 in EIP-1559", USX, eip1559(TOKEN, data=TRANSFER), "yes", "transfer", f"transfer 1500000 of contract {TOKEN} to {COLD}"),
    ("ERC-20 in EIP-2930", USX, eip2930(TOKEN, data=TRANSFER), "yes", "transfer", "transfer(address,uint256)"),
    ("ERC-20 in a legacy transaction", USX, legacy(TOKEN, data=TRANSFER), "yes", "transfer", "|210000000000000"),
    ("with an access list", USX, eip1559(TOKEN, data=TRANSFER, access=[[bytes(20), [bytes(32)]]]), "yes", "transfer", "1500000"),
    ("another network", USX, eip1559(TOKEN, data=TRANSFER, chain_id=5), "no", "transfer", "another chain"),
    ("no network said", USX, legacy(TOKEN, data=TRANSFER, chain_id=0), "no", "transfer", "another chain"),
    ("another amount", USX, eip1559(TOKEN, data=call("transfer(address,uint256)", COLD, 1500001)), "no", "transfer", "another amount"),
    ("another destination", USX, eip1559(TOKEN, data=call("transfer(address,uint256)", THIEF, 1500000)), "no", "transfer", "another destination"),
    ("another token", USX, eip1559(THIEF, data=TRANSFER), "no", "transfer", "another asset"),
    ("coin beside it", USX, eip1559(TOKEN, value=1, data=TRANSFER), "no", "transfer", "transfer 1 of the coin"),
    ("the call alone does not say the token", USY, TRANSFER, "no", "transfer", "of which one is not said"),
    ("a Safe's call says it", USY, safe(TOKEN, data=TRANSFER), "yes", "transfer", "1500000"),
    ("value", ETX, eip1559(COLD, value=15 * 10 ** 17), "yes", "transfer", "transfer 1500000000000000000 of the coin"),
    ("value in 256 bits", ETX, eip1559(COLD, value=MAX), "no", "transfer", str(MAX)),
    ("a contract is made", ETX, eip1559("", value=15 * 10 ** 17), "no", "unknown", "makes a new contract"),
    ("out of the wallet", USY, safe(TOKEN, data=call("transferFrom(address,address,uint256)", WALLET, COLD, 1500000)), "yes", "transfer", "from " + WALLET),
    ("out of another wallet", USY, safe(TOKEN, data=call("transferFrom(address,address,uint256)", THIEF, COLD, 1500000)), "no", "transfer", "another wallet"),
    ("approve", USY, safe(TOKEN, data=call("approve(address,uint256)", COLD, 1500000)), "no", "approval", "approval 1500000"),
    ("approve everything", USY, safe(TOKEN, data=call("approve(address,uint256)", THIEF, MAX)), "no", "approval", str(MAX)),
    ("increaseAllowance", USY, safe(TOKEN, data=call("increaseAllowance(address,uint256)", COLD, 1500000)), "no", "approval", "increaseAllowance"),
    ("permit", USY, safe(TOKEN, data=call("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", WALLET, THIEF, 5, 9, 27, 1, 2)), "no", "approval", f"from {WALLET} to {THIEF}"),
    ("setApprovalForAll", USY, safe(TOKEN, data=call("setApprovalForAll(address,bool)", THIEF, 1)), "no", "approval", THIEF),
    ("ERC-721", USY, safe(TOKEN, data=call("safeTransferFrom(address,address,uint256)", WALLET, COLD, 1500000)), "no", "transfer", "token 1500000"),
    ("ERC-1155", USY, safe(TOKEN, data=call("safeTransferFrom(address,address,uint256,uint256,bytes)", WALLET, COLD, 7, 1500000, b"")), "no", "transfer", "transfer 1500000 token 7"),
    ("ERC-1155, many", USY, safe(TOKEN, data=call("safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)", WALLET, COLD, [1, 2], [3, 4], b"x")), "no", "transfer", "safeBatchTransferFrom"),
    ("the February theft: other code as the wallet", USY, safe(THIEF, data=call("transfer(address,uint256)", COLD, 0), operation=1), "no", "delegatecall", f"delegatecall to {THIEF}"),
    ("an operation that does not exist", USY, safe(TOKEN, data=TRANSFER, operation=2), "no", "unknown", "neither call nor delegatecall"),
    ("a refund to somebody", USY, safe(TOKEN, data=TRANSFER, gas_price=1), "no", "unknown", "refund of gas"),
    ("several in one", USY, safe(THIEF, data=multisend((0, TOKEN, 0, TRANSFER), (0, TOKEN, 0, call("approve(address,uint256)", THIEF, 1))), operation=1), "no", "delegatecall", f"approval 1 of contract {TOKEN} to {THIEF}"),
    ("a batch that is one", USY, multisend((0, TOKEN, 0, TRANSFER)), "yes", "transfer", "1500000"),
    ("the same twice", USY, multisend((0, TOKEN, 0, TRANSFER), (0, TOKEN, 0, TRANSFER)), "no", "transfer", "there twice"),
    ("a torn batch", USY, call("multiSend(bytes)", b"\0" * 30), "no", "unknown", "cannot be told apart"),
    ("within itself", USY, safe(TOKEN, data=safe(TOKEN, data=safe(TOKEN, data=TRANSFER))), "yes", "transfer", "1500000"),
    ("too deep", USY, safe(TOKEN, data=safe(TOKEN, data=safe(TOKEN, data=safe(TOKEN, data=safe(TOKEN, data=TRANSFER))))), "no", "unknown", "deeper than"),
    ("too many", USY, multisend(*[(0, COLD, 1, b"")] * 70), "no", "unknown", "more effects than are told"),
    *((signature.split("(")[0], USY, safe(WALLET, data=call(signature, *values)), "no", kind, told) for signature, values, kind, told in [
        ("addOwnerWithThreshold(address,uint256)", (THIEF, 1), "ownership", f"to {THIEF}"),
        ("swapOwner(address,address,address)", (COLD, WALLET, THIEF), "ownership", f"from {WALLET} to {THIEF}"),
        ("removeOwner(address,address,uint256)", (COLD, WALLET, 1), "ownership", f"from {WALLET}"),
        ("changeThreshold(uint256)", (1,), "ownership", "changeThreshold"),
        ("enableModule(address)", (THIEF,), "ownership", THIEF),
        ("setGuard(address)", (THIEF,), "ownership", THIEF),
        ("setFallbackHandler(address)", (THIEF,), "upgrade", THIEF),
        ("upgradeTo(address)", (THIEF,), "upgrade", THIEF),
        ("upgradeToAndCall(address,bytes)", (THIEF, b"code"), "upgrade", THIEF),
        ("changeAdmin(address)", (THIEF,), "ownership", THIEF),
        ("transferOwnership(address)", (THIEF,), "ownership", THIEF),
        ("renounceOwnership()", (), "ownership", "renounceOwnership")]),
    ("bytes behind the arguments", USY, safe(TOKEN, data=TRANSFER + b"\0" * 32), "no", "unknown", "not as its function has them"),
    ("an argument too short", USY, safe(TOKEN, data=TRANSFER[:-1]), "no", "unknown", "not as its function has them"),
    ("an address with more in it", USY, safe(TOKEN, data=TRANSFER[:4] + b"\1" + TRANSFER[5:]), "no", "unknown", "not as its function has them"),
    ("a call nobody knows", USY, safe(TOKEN, data=call("surprise(address,uint256)", COLD, 1500000)), "no", "unknown", "not known"),
    ("signed already", USX, b"\x02" + rlp([1, 7, 1, 2, 3, bytes(20), 0, b"", [], 1, 5, 6]), "no", "unknown", "not known"),
    ("a type to come", USX, b"\x04" + eip1559(TOKEN, data=TRANSFER)[1:], "no", "unknown", "not known"),
    ("bytes behind the transaction", USX, eip1559(TOKEN, data=TRANSFER) + b"\0", "no", "unknown", "not known"),
    ("a length longer than it need be", USX, b"\x02\xf8\x05" + bytes([0x84]) + b"abcd", "no", "unknown", "not known"),
    ("no bytes that mean anything", USX, b"\x00", "no", "unknown", "not known"),
    # Bitcoin: 0.0004 to the destination
    ("PSBT", BTX, pay([(50000, p2wpkh(1))], [(40000, p2wpkh(9)), (9000, p2wpkh(1))]), "yes", "transfer", f"transfer 40000 of the coin to {DEST}"),
    ("its fee", BTX, pay([(50000, p2wpkh(1))], [(40000, p2wpkh(9)), (9000, p2wpkh(1))]), "yes", "transfer", "|1000"),
    ("change to an own address", BTX, pay([(50000, p2wpkh(1))], [(40000, p2wpkh(9)), (9000, OWN)]), "yes", "transfer", "transfer 9000 of the coin to bc1qw508"),
    ("change to somebody", BTX, pay([(50000, p2wpkh(1))], [(40000, p2wpkh(9)), (9000, p2wpkh(7))]), "no", "transfer", "another destination"),
    ("a coin of one's own does not make it change", BTX, pay([(500000, p2wpkh(1)), (10, p2wpkh(7))], [(40000, p2wpkh(9)), (400000, p2wpkh(7))]), "no", "transfer", "transfer 399990 of the coin"),
    ("paid in two parts", BTX, pay([(50000, p2wpkh(1))], [(30000, p2wpkh(9)), (10000, p2wpkh(9))]), "yes", "transfer", "transfer 40000"),
    ("what it spends is not said", BTX, pay([(50000, p2wpkh(1))], [(40000, p2wpkh(9))], proof=False), "no", "unknown", "not proven"),
    ("a claim that no signature covers", BTX, pay([(50000, p2pkh(1))], [(40000, p2wpkh(9))]), "no", "unknown", "not proven"),
    ("proven by the transaction before", BTX, of_parent(transaction([(IN, 0)], [(50000, p2pkh(1))], script=b"x")), "yes", "transfer", "|10000"),
    ("one with witnesses", BTX, of_parent(transaction([(IN, 0)], [(50000, p2pkh(1))])), "yes", "transfer", "|10000"),
    ("a claim that it contradicts", BTX, of_parent(transaction([(IN, 0)], [(50000, p2pkh(1))]), amount=60000), "no", "unknown", "cannot be read"),
    ("more out than in", BTX, pay([(30000, p2wpkh(1))], [(40000, p2wpkh(9))]), "no", "unknown", "more than it takes in"),
    ("others may change it", BTX, pay([(50000, p2wpkh(1))], [(40000, p2wpkh(9))], sighash=b"\x82\0\0\0"), "no", "unknown", "only parts"),
    ("all is signed", BTX, pay([(50000, p2wpkh(1))], [(40000, p2wpkh(9))], sighash=b"\x01\0\0\0"), "yes", "transfer", "40000"),
    ("words in it", BTX, pay([(50000, p2wpkh(1))], [(40000, p2wpkh(9)), (0, b"\x6a\x04omni")]), "no", "unknown", "without an address"),
    ("bytes behind it", BTX, pay([(50000, p2wpkh(1))], [(40000, p2wpkh(9))]) + b"\0", "no", "unknown", "cannot be read"),
    ("version 2", BTX, b"psbt\xff" + sized(b"\xfb") + sized(b"\2\0\0\0") + b"\0", "no", "unknown", "cannot be read"),
]

# BIP 173, BIP 350, and the two that began with 1 and 3
SCRIPTS = [
    (OWN, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    (b"\x51\x20" + bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"), "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"),
    (b"\x76\xa9\x14" + bytes.fromhex("751e76e8199196d454941c45d1b3a323f1433bd6") + b"\x88\xac", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"),
    (b"\xa9\x14" + bytes.fromhex("f815b036d9bbbce5e9f2a00abd1bf3dc91e95510") + b"\x87", "3QJmV3qfvL9SuYo34YihAf3sRCW3qSinyC"),
]


def told(gated, name, request, payload):
    status, answer = gated.ask(name, **{**request, "destination": request["destination"] or DEST, "payload": "0x" + payload.hex()})
    checks.equal(f"{name}: the policy saw it", (status, answer.get("row")), (200, "seen"))
    return answer["reasons"]["en"][0]


def decoded():
    gated = Gated(TELLS)
    wait_for(lambda: gated.ask(f"ready-{id(object())}")[1]["row"] == "none")
    for name, request, payload, matches, kind, text in CASES:
        said = told(gated, name, request, payload)
        checks.equal(name, said.split("|")[:2], [matches, kind])
        checks.check(f"{name}: what is told", text in said, said)
    for script, address in SCRIPTS:
        said = told(gated, f"address {address}", BTX, pay([(50000, p2tr(1))], [(40000, script)]))
        checks.check(f"address {address}", f"to {address} (" in said, said)
    forms(gated)
    gated.server.close()


def forms(gated):
    """Hex and base64 are the same request; other bytes are another; without is as it was."""
    payload = eip1559(TOKEN, data=TRANSFER)
    first = gated.ask("form", **USX, at="2026-01-26T00:00:00Z", payload="0x" + payload.hex())[1]
    again = gated.ask("form", **USX, at="2026-01-26T00:00:00Z", payload=base64.b64encode(payload).decode())
    checks.equal("base64 is the same", (again[0], again[1]["id"]), (200, first["id"]))
    checks.equal("other bytes are another request", gated.ask("form", **USX, at="2026-01-26T00:00:00Z", payload="0x00")[0], 409)
    checks.equal("none is another request", gated.ask("form", **USX, at="2026-01-26T00:00:00Z")[0], 409)
    for wrong in ("0x0", "0xzz", "", "0x", "*", 7, "0x" + "00" * (64 * 1024 + 1)):
        status, body = gated.ask("wrong", payload=wrong)
        checks.check(f"{str(wrong)[:8]} is refused", status == 400 and "payload" in body["error"]["message"], (status, body))
    checks.equal("64 KiB are taken", gated.ask("large", payload="0x" + "00" * (64 * 1024))[0], 200)
    client = hinomi_gate.Gate(str(pathlib.Path(gated.server.dir, "data/gate/socket")), timeout=5)
    fields = {**USX, "request_id": "form", "account": "u1", "at": 1769385600 * 10 ** 9}
    checks.equal("over the socket", client.decide(**fields, payload=payload).id, first["id"])
    checks.equal("and without, another", client.decide(**fields).row, "conflict")
    other_clients(gated, payload, first["id"])
    hold = gated.server.request("GET", f"/v1/gate/holds/{first['id']}")[1]
    checks.equal("the hold shows it", (hold["payload"], len(hold["payload_effects"])), ("0x" + payload.hex(), 1))
    gated.server.stop()
    gated.server.start()
    gated.server.cookie = None
    gated.server.sign_in()
    checks.equal("also after a restart", gated.server.request("GET", f"/v1/gate/holds/{first['id']}")[1]["payload"], hold["payload"])
    checks.equal("and is the same request", gated.ask("form", **USX, at="2026-01-26T00:00:00Z", payload=hold["payload"])[1]["id"], first["id"])


def other_clients(gated, payload, want):
    socket = str(pathlib.Path(gated.server.dir, "data/gate/socket"))
    request = pathlib.Path(gated.server.dir, "request.json")
    request.write_text(json.dumps({**USX, "request_id": "form", "account": "u1", "at": "2026-01-26T00:00:00Z", "payload": base64.b64encode(payload).decode()}))
    out = run("gate", "decide", "--socket", socket, str(request))[1]
    checks.equal("the client in C", json.loads(out)["id"], want)
    if not shutil.which("node"):
        checks.skip("the client in JavaScript", "there is no node")
        return
    script = f"""import {{ canonical }} from "{ROOT}/clients/javascript/hinomi_gate.mjs";
      const fields = {json.dumps({**USX, "request_id": "form", "account": "u1"})};
      process.stdout.write(canonical({{...fields, at: 1769385600000000000n, payload: Buffer.from("{payload.hex()}", "hex")}}));"""
    done = subprocess.run(["node", "--input-type=module", "-e", script], capture_output=True, timeout=60)
    mine = hinomi_gate.canonical({**USX, "request_id": "form", "account": "u1", "at": 1769385600 * 10 ** 9, "payload": payload})
    checks.equal("the client in JavaScript", done.stdout, mine)


def nobody_releases_it():
    """What was held in doubt and not looked at is not let go by people, either; a policy that never looks lets nothing else pass."""
    gated = Gated('version: "9"\nbroken: 1\n')
    theft = eip1559(TOKEN, data=call("transferOwnership(address)", THIEF)).hex()
    held = gated.ask("blind", **USX, payload="0x" + theft)[1]
    good = gated.ask("fine", **USX, payload="0x" + eip1559(TOKEN, data=TRANSFER).hex())[1]
    checks.equal("held without a policy", (held["row"], good["row"]), ("policy", "policy"))
    gated.policy.write_text('version: "1"\nmode: enforce\n' + ASSETS + "rows:\n  - {name: all, effect: allow}\n")
    checks.equal("mended", gated.reload()[0], 200)
    wait_for(lambda: gated.ask(f"ready-{id(object())}")[1]["decision"] == "allow")
    for session in gated.people("sato", "suzuki").values():
        for answer in (held, good):
            checks.equal("people let both go", gated.release(session, answer["id"])[0], 200)
    after = gated.ask("blind", **USX, payload="0x" + theft)[1]
    checks.equal("but not what differs", (after["decision"], after["row"]), ("deny", "payload-differs"))
    after = gated.ask("fine", **USX, payload="0x" + eip1559(TOKEN, data=TRANSFER).hex())[1]
    checks.equal("what is as asked goes", (after["decision"], after["row"]), ("allow", "released"))
    after = gated.ask("fresh", **USX, payload="0x" + theft)[1]
    checks.equal("a policy that does not look", (after["decision"], after["row"], after["token"]), ("deny", "payload-differs", None))
    gated.server.close()


def by_the_default_policy():
    text = (ROOT / "content/policy/default.yaml").read_text()
    gated = Gated(text + "\n" + ASSETS)
    wait_for(lambda: gated.ask(f"ready-{id(object())}")[1]["row"] not in ("unhealthy", "behind"))
    for name, payload, want in (("theft", safe(THIEF, data=b"", operation=1), "payload-differs"), ("good", safe(TOKEN, data=TRANSFER), "balance-unknown"), ("none", None, "balance-unknown")):
        more = {"payload": "0x" + payload.hex()} if payload else {}
        checks.equal(f"default policy, {name}", gated.ask(name, **USY, **more)[1]["row"], want)
    gated.policy.write_text(gated.policy.read_text().replace("payload_required: 0", "payload_required: 1"))
    checks.equal("required", gated.reload()[0], 200)
    checks.equal("then it must be there", gated.ask("none-2", **USY)[1]["row"], "payload-missing")
    for line, wrong in (("chain", "{chain: xrp, decimals: 6}"), ("decimals", "{chain: evm, decimals: 99}"), ("contract", '{chain: evm, decimals: 6, contract: "0x12"}'), ("not known", "{chain: evm, decimals: 6, address: x}"), ("a chain and decimals", "{chain: evm}")):
        gated.policy.write_text(text + f"\nassets:\n  USX: {wrong}\n")
        status, body = gated.reload()
        checks.check(f"{wrong} is refused", status == 400 and line in body["error"]["message"] and "line " in body["error"]["message"], body)
    gated.server.close()


selectors()
decoded()
nobody_releases_it()
by_the_default_policy()
checks.finish()
