#!/usr/bin/env python3
"""What rules and gate remember outlives kill -9; where it cannot be read, the gate holds and says so."""
import pathlib
import time

from harness import ROOT, Checks, Server

checks = Checks()
server = Server()
# The rules over transfers, but for the stops that they ask for: this is about incidents, which hold by themselves.
own = pathlib.Path(server.dir, "data", "content", "rules")
own.mkdir(parents=True)
for rule in (ROOT / "content/rules").glob("wdr_*.yml"):
    (own / rule.name).write_text("".join(line for line in rule.read_text().splitlines(True) if not line.startswith("  response:")))
server.start()
server.sign_in()
hec_token, gate_token = server.token("hec"), server.token("gate")
memory = pathlib.Path(server.dir, "data", "memory")


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def again():
    server.kill()
    server.setup_code = None
    server.start()
    server.sign_in()


def ask(request_id, amount):
    _, body, _ = server.request("POST", "/v1/gate/decide", {"request_id": request_id, "action": "withdrawal", "account": "u1", "asset": "QQQ",
                                                            "amount": amount, "destination": "addr-1", "at": stamp(0)},
                                headers={"Authorization": f"Bearer {gate_token}"})
    return body


def ask_until(prefix, amount, want, wait=10):
    """The gate's health is looked at once a second."""
    until, number = time.monotonic() + wait, 0
    while True:
        body = ask(f"{prefix}-{number}", amount)
        if body["decision"] == want or time.monotonic() > until:
            return body
        number += 1
        time.sleep(0.1)


def count(spl):
    return int(server.query(spl + " | stats count")["rows"][0][0])


def wait_count(spl, want):
    for _ in range(200):
        got = count(spl)
        if got == want:
            break
        time.sleep(0.05)
    return got


def incidents():
    return server.request("GET", "/v1/incidents?state=open,acknowledged")[1]["incidents"]


balance = {"@timestamp": stamp(-300), "event": {"dataset": "wallet.balance"},
           "wallet": {"asset": "QQQ", "tier": "hot", "address": "hot-q", "chain_balance": 1000000, "ledger_balance": 1000000}}
transfer = {"@timestamp": stamp(-60), "event": {"id": "theft-1", "dataset": "chain.transfer", "action": "transfer"},
            "wallet": {"asset": "QQQ", "from": "hot-q", "to": "thief", "amount": 190000, "txid": "t1"}}

server.hec(hec_token, [balance])
checks.equal("the balance is stored", wait_count("event.dataset=wallet.balance", 1), 1)
checks.equal("a small withdrawal goes ahead", ask_until("a", "5", "allow")["decision"], "allow")
again()
checks.equal("after kill -9 a small one still does", ask_until("b", "5", "allow")["decision"], "allow")
checks.equal("and the share of the balance is still known", ask("c", "100000")["decision"], "hold")

server.hec(hec_token, [transfer])
FOUND = ["WDR-01", "WDR-02", "WDR-03"]  # a large share, at once, to an address never seen
checks.equal("rules remember the balance from before", wait_count("event.dataset=hinomi.finding", len(FOUND)), len(FOUND))
again()
checks.equal("one finding of each after the next kill", wait_count("event.dataset=hinomi.finding", len(FOUND)), len(FOUND))
by_rule = server.query("event.dataset=hinomi.finding | stats count by hinomi.catalogue | sort hinomi.catalogue")["rows"]
checks.equal("and they are", [[row[0], int(row[1])] for row in by_rule], [[name, 1] for name in FOUND])
checks.equal("one incident", len(incidents()), 1)
held = ask_until("d", "5", "hold")
checks.equal("its hold stands", (held["decision"], held.get("incident")), ("hold", incidents()[0]["id"]))
server.request("POST", f"/v1/incidents/{incidents()[0]['id']}/close", {"comment": "a drill"})
checks.equal("closed by a person: it goes ahead", ask_until("e", "5", "allow")["decision"], "allow")

checks.equal("it stops cleanly", server.stop(), 0)
for path in memory.glob("checkpoint.?"):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
server.start()
server.sign_in()
held = ask_until("f", "5", "hold")
checks.equal("with damaged memory everything is held", held["decision"], "hold")
checks.check("and the reason names the file", "memory/lost" in str(held["reasons"]), held)
checks.check("the operator is told", "is lost" in pathlib.Path(server.dir, "stderr").read_text())
(memory / "lost").unlink()
server.hec(hec_token, [balance])
checks.equal("until a person says so and the balance is known again", ask_until("g", "5", "allow")["decision"], "allow")
checks.equal("no event was lost", (count("event.dataset=wallet.balance"), count("event.dataset=chain.transfer")), (2, 1))
checks.equal("it stops cleanly again", server.stop(), 0)
server.close()
checks.finish()
