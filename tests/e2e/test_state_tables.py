#!/usr/bin/env python3
"""Tables that the rules keep, read by searches: rows feed a table of a real server, inputlookup, lookup and the
function lookup() give its values, over the API and from the folder on disk; nobody writes to them."""
import datetime
import re
import time

from harness import ROOT, Checks, Server, run

checks = Checks()


def stamp(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def balance(address, amount, seconds, tier="hot"):
    return {"@timestamp": stamp(seconds), "event": {"dataset": "wallet.balance"},
            "wallet": {"asset": "QQQ", "tier": tier, "address": address, "chain_balance": amount, "ledger_balance": amount}}


def transfer(source, amount, seconds):
    return {"@timestamp": stamp(seconds), "event": {"dataset": "chain.transfer"},
            "wallet": {"asset": "QQQ", "from": source, "to": "someone", "amount": amount, "txid": f"t{seconds}"}}


def answers(server):
    """As a list of dicts, and the messages."""
    def ask(spl):
        page = server.query(spl)
        if page.get("state") != "done":
            return page["error"], []
        return [{c: v for c, v in zip(page["columns"], row) if v is not None} for row in page["rows"]], [m["text"] for m in page["messages"]]
    return ask


def on_disk(folder, option="--dir"):
    more = ["--data", folder + "/rows.jsonl"] if option == "--data-dir" else []

    def ask(spl):
        status, out, err = run("search", option, folder, *more, "--format", "csv", spl)
        return out.splitlines() if status == 0 else None, err
    return ask


EMPTY = "| inputlookup state:wallet | stats count"
JOINED = "event.dataset=wallet.balance wallet.address=hot-b | lookup state:wallet key AS wallet.address OUTPUT balance tier | table wallet.address balance tier"
CALLED = ('| makeresults | eval a="hot-a" | eval j=json_extract(lookup("state:wallet", json_object("key", a), json_array("balance", "tier")), "tier")'
          ' | table j')

WRITTEN = '| makeresults | eval j=lookup("state:wallet", json_object("key", "hot-a"), json_array("balance", "tier")) | table j'


def running(server):
    ask = answers(server)
    checks.equal("nothing yet", ask(EMPTY)[0], [{"count": 0}])
    token = server.token("hec")
    sent = [balance("hot-a", 1000, -300), balance("hot-a", 900, -200), balance("hot-b", 250, -100, "warm"), transfer("hot-a", 70, -90), transfer("hot-a", 30, -80)]
    checks.equal("sent", server.hec(token, sent)[0], 200)
    until = time.monotonic() + 60  # a checkpoint comes every 15 s at most
    rows = []
    while len(rows) < 2 and time.monotonic() < until:
        time.sleep(0.5)
        rows, notes = ask("| inputlookup state:wallet")
    checks.equal("a row a key, in order", [row["key"] for row in rows], ["hot-a", "hot-b"])
    checks.equal("the latest", [(row["balance"], row["tier"], row["asset"]) for row in rows], [(900, "hot", "QQQ"), (250, "warm", "QQQ")])
    checks.equal("a sum over a window", str(rows[0]["outflow_1h"]), "100")
    checks.check("no sum where nothing went out", not rows[1].get("outflow_1h"), rows[1])
    checks.check("of when it is", any("checkpoint" in note and "journal position" in note for note in notes), notes)
    checks.equal("lookup", ask(JOINED)[0], [{"wallet.address": "hot-b", "balance": 250, "tier": "warm"}])
    checks.equal("lookup()", ask(CALLED)[0], [{"j": "hot"}])
    checks.equal("lookup() of a key that is written", ask(WRITTEN)[0], [{"j": '{"balance":900,"tier":"hot"}'}])
    checks.equal("where", ask("| inputlookup state:wallet where balance>500 | table key")[0], [{"key": "hot-a"}])
    error = ask("| inputlookup state:wallets")[0]
    tables = {line[7:] for path in (ROOT / "content/state").glob("*.yaml") for line in path.read_text().splitlines() if line.startswith("table: ")}
    said = re.search(r"there are ((?:state:\w+(?:, )?)+) and (\d+) more", str(error))
    named = [one.removeprefix("state:") for one in said.group(1).split(", ")] if said else []
    checks.check("an unknown one names those that exist, the likeliest first", named[:1] == ["wallet"] and set(named) <= tables, error)
    checks.equal("and says how many it leaves out", said and len(named) + int(said.group(2)), len(tables))
    status, body, _ = server.request("POST", "/v1/search", {"query": "| makeresults | outputlookup state:wallet"})
    checks.check("nobody writes", status == 403 and "kept by the rules" in body["error"]["message"], (status, body))
    status, body, _ = server.request("POST", "/v1/search/estimate", {"query": "| inputlookup state:wallet | stats count"})
    checks.equal("it can be estimated", (status, body["rows"]), (200, 0))


def stopped(folder):
    ask = on_disk(folder)
    rows, err = ask("| inputlookup state:wallet | table key balance tier")
    checks.equal("from the folder", rows, ["key,balance,tier", "hot-a,900,hot", "hot-b,250,warm"])
    checks.check("of when it is, from the folder", "journal position" in err, err)
    rows, err = ask("event.dataset=chain.transfer | dedup wallet.from | lookup state:wallet key AS wallet.from OUTPUT balance AS before | table wallet.from before")
    checks.equal("beside the store", rows, ["wallet.from,before", "hot-a,900"])
    rows, err = ask("| inputlookup state:nothing")
    checks.check("an unknown one", rows is None and "there are state:" in err, err)
    rows, err = ask("| makeresults | outputlookup state:wallet")
    checks.check("no writing", rows is None and "kept by the rules" in err, err)
    with open(folder + "/rows.jsonl", "w") as file:
        file.write('{"a": "hot-b"}\n')
    rows, err = on_disk(folder, "--data-dir")("* | lookup state:wallet key AS a OUTPUT balance | table a balance")
    checks.equal("beside a file", rows, ["a,balance", "hot-b,250"])
    rows, err = on_disk(folder + "/none", "--data-dir")("| inputlookup state:wallet")
    checks.check("where there is none", rows is None and "state:wallet" in err or "cannot be read" in err or "there is no" in err, err)
    with open(folder + "/memory/checkpoint.0", "r+b") as file:
        file.seek(40)
        file.write(b"damage")
    for name in ("/memory/checkpoint.1",):
        with open(folder + name, "a+b") as file:
            file.write(b"x")
    rows, err = ask("| inputlookup state:wallet")
    checks.check("damaged ones are an error", rows is None and "checksum" in err, err)


with_server = Server().start()
with_server.sign_in()
running(with_server)
checks.equal("stopped", with_server.stop(), 0)
stopped(with_server.dir + "/data")
with_server.close()
checks.finish()
