#!/usr/bin/env python3
"""A decoder is corrected: events that its older version took are read as the corrected one has them, by every
kind of search, without an import; what was given beside the event stays, and so does what it cannot take."""
import json
import pathlib
import shutil
import tempfile

from harness import ROOT, Checks, Server, run

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-redecode-"))
content = tmp / "content"
shutil.copytree(ROOT / "content", content)
decoder = content / "decoders" / "zz-vault.yaml"
env = {"HINOMI_CONTENT": str(content)}

FIRST = """
name: coldvault
version: 1
dataset: coldvault.audit
recognise: {starts_with: 'coldvault '}
steps:
  - regex: '^coldvault (?<event__action>\\w+) user=(?<user__name>\\w+) amount=(?<vault__amount>\\w+)'
"""
# the amount had lost its fraction, the user was the vault's, the address was not read
SECOND = """
name: coldvault
version: 2
dataset: coldvault.audit
recognise: {starts_with: 'coldvault '}
steps:
  - regex: '^coldvault (?<event__action>\\w+) user=(?<vault__owner>\\w+) amount=(?<vault__amount>[\\d.]+)(?: from=(?<source__ip>\\S+))?'
  - convert: {vault.amount: decimal, source.ip: ip}
    optional: true
  - regex: {pattern: 'signer=(?<user__name>\\w+)', from: _text}
    optional: true
"""
THIRD = SECOND.replace("version: 2", "version: 3").replace("'^coldvault ", "'^coldvault-2 ")
NEW = """
name: newsource
version: 1
dataset: newsource.log
corrects: [none]
recognise: {starts_with: 'newsource '}
steps:
  - regex: '^newsource (?<event__action>\\w+) (?<source__ip>\\S+)'
"""


def write(text):
    decoder.write_text(text.lstrip())


def ask(spl, *options):
    status, out, err = run("search", "--dir", tmp / "data", "--format", "json", *options, spl, env=env)
    if status != 0:
        raise RuntimeError(f"{spl}: exit {status}: {err}")
    return json.loads(out)


def load(name, lines):
    path = tmp / name
    path.write_text("".join(line + "\n" for line in lines))
    status, _, err = run("import", "--dir", tmp / "data", path, env=env)
    checks.check(f"{name} is imported", status == 0, err)


old = [f"coldvault withdraw user=vault{i % 3} amount={i}.50 from=192.0.2.{i % 7} signer=aoi{i % 5}" for i in range(6000)]
odd = [f"coldvault open user=vault1 amount={i}" for i in range(10)]
write(FIRST)
load("old.log", old + odd)
load("others.log", [f"newsource login 198.51.100.{i % 9}" for i in range(50)] + ["something nobody knows"] * 5)
before = ask("event.dataset=coldvault.audit | stats count count(source.ip) as addresses dc(user.name) as users sum(vault.amount) as amount")
checks.equal("as it was", before, [{"count": 6010, "addresses": 0, "users": 3, "amount": sum(range(6000)) + 45}])

write(SECOND)
load("new.log", ["coldvault withdraw user=vault9 amount=9.25 from=203.0.113.9 signer=new"])
amount = sum(range(6000)) + 3000 + 45
for name, options in (("the usual plan", ()), ("one thread", ("--threads", "1")), ("the naive plan", ("--plan", "naive"))):
    checks.equal(f"statistics, {name}", ask(
        "event.dataset=coldvault.audit | stats count count(source.ip) as addresses dc(user.name) as users sum(vault.amount) as amount",
        *options), [{"count": 6011, "addresses": 6001, "users": 6, "amount": amount + 9.25}])
    checks.equal(f"a filter on the new field finds old events, {name}",
                 ask("source.ip=192.0.2.3 | stats count", *options), [{"count": len([i for i in range(6000) if i % 7 == 3])}])
    checks.equal(f"a filter on what the old version said finds none, {name}",
                 ask("user.name=vault1 | stats count", *options), [{"count": 0}])
checks.equal("what it does not find any more is gone", ask("event.action=open | head 1 | table user.name vault.owner vault.amount"),
             [{"vault.owner": "vault1", "vault.amount": ask("event.action=open | head 1 | table vault.amount")[0]["vault.amount"]}])
rows = ask("event.dataset=coldvault.audit | head 3")
checks.check("newest first, as before", len(rows) == 3 and [r["_time"] for r in rows] == sorted((r["_time"] for r in rows), reverse=True))
checks.check("whole events have the new fields", all(r["hinomi.decoder"] == "coldvault@2" and "source.ip" in r for r in
                                                     ask("event.action=withdraw | head 5")))
checks.equal("by version", ask("event.dataset=coldvault.audit | stats count by hinomi.decoder"),
             [{"hinomi.decoder": "coldvault@2", "count": 6011}])
counts = [row["count"] for row in ask("event.dataset=coldvault.audit | timechart span=1d count")]
checks.equal("time buckets count each once", sum(counts), 6011)
checks.equal("other events", ask("NOT event.dataset=coldvault.audit | stats count"), [{"count": 55}])
checks.equal("a subsearch sees them", ask(
    "event.dataset=coldvault.audit [search source.ip=192.0.2.5 | head 1 | fields vault.owner] | stats count"),
    [{"count": len([i for i in range(6000) if i % 3 == ask_owner]) + (10 if ask_owner == 1 else 0)}
     for ask_owner in [int(ask("source.ip=192.0.2.5 | head 1 | table vault.owner")[0]["vault.owner"][-1])]])
for spl in ("* | dedup event.dataset user.name sortby user.name | table event.dataset user.name", "* | dedup source.ip | stats count dc(source.ip)",
            "vault.owner=* | join vault.owner [search event.action=open | stats count as opened by vault.owner] | stats count sum(opened) by vault.owner",
            "* | top 3 source.ip", "* | fields user.name source.ip | stats count by user.name source.ip | sort -count user.name source.ip | head 20",
            "* | transaction user.name maxpause=1s | stats sum(eventcount)", "* | rex \"amount=(?<whole>\\d+)\" | stats sum(whole) dc(vault.owner)",
            "* | eventstats count by source.ip | stats sum(count) by event.dataset", "* | streamstats count by vault.owner | stats max(count) by vault.owner"):
    checks.equal(f"both plans: {spl}", ask(spl), ask(spl, "--plan", "naive"))
explained = run("search", "--dir", tmp / "data", "--explain", "source.ip=192.0.2.3 | stats count", env=env)
checks.check("the plan says so", "decoded again" in explained[1] + explained[2], explained)

write(THIRD)
checks.equal("what the newest does not take is as it was stored", ask(
    "event.dataset=coldvault.audit | stats count count(source.ip) as addresses dc(user.name) as users"),
    [{"count": 6011, "addresses": 1, "users": 4}])

write(NEW)
checks.equal("a decoder for what nobody understood", ask("event.dataset=newsource.log | stats count dc(source.ip) as addresses"),
             [{"count": 50, "addresses": 9}])
checks.equal("it is understood now", ask("tags=_not_understood | stats count"), [{"count": 5}])

# over HEC, with fields beside the event; the server starts with the corrected decoder
server = Server()
try:
    write(FIRST)
    server.start(env=env)
    server.sign_in()
    lines = "".join(json.dumps({"event": f"coldvault withdraw user=vault1 amount={i}.50 from=192.0.2.1 signer=aoi", "host": "signer-7",
                                "fields": {"user.name": "given", "team": "treasury"}}) for i in range(100))
    status, body, _ = server.hec(server.token(), lines.encode())
    checks.equal("HEC takes them", status, 200)
    server.stop()
    write(SECOND)
    server.start(env=env)
    server.sign_in()
    page = server.query("team=treasury source.ip=192.0.2.1 | stats count by host.name user.name vault.owner")
    checks.equal("over the API, with what was given beside the event", page["rows"], [["signer-7", "aoi", "vault1", 100]])
finally:
    server.close()
shutil.rmtree(tmp)
checks.finish()
