#!/usr/bin/env python3
"""What is not understood is shown as it is: of every sender how much is understood, and of the rest the templates with counts, senders and
samples, all of it exactly; the decoder that is offered to begin with takes them, those that are stored, too."""
import base64
import datetime
import pathlib
import socket
import tempfile
import urllib.parse

from harness import Checks, Server, run, wait_for

checks = Checks()
UNKNOWN = [f"vault sealed by op{n} at slot {n} after 'review'" for n in range(40)]
ODD = ["ledger || closing day", "<img src=x onerror=alert(1)> nobody knows"]


def stamp(hours=0):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)).strftime("%b %d %H:%M:%S")


def asa(n):
    return (f"<134>{stamp()} fw-1 %ASA-6-302013: Built outbound TCP connection {n} for outside:192.0.2.1/443 (192.0.2.1/443) to "
            f"inside:10.0.0.1/{1024 + n} (10.0.0.1/{1024 + n})")


def sshd(n):
    return f"<86>{stamp(9)} jump-1 sshd[{n}]: Accepted password for sato from 192.0.2.{n} port {40000 + n} ssh2"


def send(server, address, lines):
    with socket.create_connection(("127.0.0.1", server.syslog_port), timeout=30, source_address=(address, 0)) as tcp:
        tcp.sendall(b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines))


def stored(server):
    return server.query("NOT hinomi.source=hinomi.* | stats count")["rows"][0][0]


def get(server, route, want=200, **asked):
    status, body, _ = server.request("GET", f"/v1/{route}?{urllib.parse.urlencode(asked)}")
    checks.equal(f"{route} {asked}: status", status, want)
    return body


def shares(server):
    got = get(server, "understood")
    checks.check("all were looked at", got["complete"] and got["more_sources"] == 0, got)
    kinds = ("events", "understood", "in_part", "not_understood", "quarantined")
    return {(s["source"], s["sender"]): tuple(s[k] for k in kinds) for s in got["sources"]}, got["sources"]


def fill(server):
    checks.equal("nothing yet: no source", get(server, "understood")["sources"], [])
    empty = get(server, "not_understood")
    checks.check("nothing yet: no template", empty["complete"] and empty["events"] == 0 and empty["templates"] == [], empty)
    send(server, "127.0.0.1", [asa(n) for n in range(60)] + UNKNOWN[:25])
    send(server, "127.0.0.2", UNKNOWN[25:] + [f"<13>{stamp()} app-1 keeper[{n}]: turn {n} of the key" for n in range(7)])
    send(server, "127.0.0.3", [sshd(n) for n in range(1, 11)])
    send(server, "127.0.0.4", ODD + [b"bytes \xff\xfe nobody reads"])
    server.hec(server.token(), [{"note": f"n{n}", "n": n} for n in range(5)])
    checks.check("all is stored", wait_for(lambda: stored(server) == 60 + 40 + 7 + 10 + 3 + 5, 30), stored(server))


def check_shares(server):
    counts, sources = shares(server)
    checks.equal("shares, exactly", counts, {
        ("syslog", "127.0.0.1"): (85, 60, 0, 25, 0), ("syslog", "127.0.0.2"): (22, 0, 7, 15, 0), ("syslog", "127.0.0.3"): (10, 10, 0, 0, 0),
        ("syslog", "127.0.0.4"): (3, 0, 0, 3, 0), ("hec", "127.0.0.1"): (5, 0, 5, 0, 0)})
    checks.equal("least understood first", [s["sender"] for s in sources][:3], ["127.0.0.1", "127.0.0.2", "127.0.0.4"])
    by = {(s["source"], s["sender"]): s for s in sources}
    checks.equal("share of decoded", [by["syslog", a]["share"] for a in ("127.0.0.1", "127.0.0.2", "127.0.0.4")], [60 / 85, 7 / 22, 0])
    checks.check("first and last seen", all("2020" < s["first"].rstrip("Z") <= s["last"].rstrip("Z") < "2200" for s in sources), sources)
    checks.equal("its decoders", by["syslog", "127.0.0.2"]["decoders"], [{"name": "syslog", "events": 7}])
    zone = by["syslog", "127.0.0.3"]["zone"]
    checks.check("stamps nine hours ahead are of that zone", zone and zone["offset"] == "+09:00" and zone["agree"] == 10, zone)
    checks.equal("others have no such evidence", [s["zone"] for s in sources if s["sender"] != "127.0.0.3"], [None] * 4)


def check_templates(server):
    got = get(server, "not_understood")
    checks.equal("events, templates", (got["events"], got["templates_found"], got["complete"]), (43, 4, True))
    first = got["templates"][0]
    checks.equal("the most frequent", (first["template"], first["events"]), ("vault sealed by <*> at slot <*> after 'review'", 40))
    checks.equal("its senders", [(s["source"], s["sender"], s["path"], s["events"]) for s in first["sources"]],
                 [("syslog", "127.0.0.1", None, 25), ("syslog", "127.0.0.2", None, 15)])
    samples = [s["raw"] for s in first["samples"]]
    checks.check("samples: three, whole, each another", len(set(samples)) == 3 and set(samples) <= set(UNKNOWN), samples)
    checks.check("not cut", not any(s["cut"] for s in first["samples"]), first)
    checks.check("first and last seen", first["first"].rstrip("Z") <= first["last"].rstrip("Z") and first["first"].startswith("20"), first)
    raw = {str(s["raw"]) for t in got["templates"][1:] for s in t["samples"]}
    odd = str({"base64": base64.b64encode(b"bytes \xff\xfe nobody reads").decode()})
    checks.equal("samples are the bytes that came", raw, set(ODD) | {odd})
    checks.equal("formats", sorted(t["format"] for t in got["templates"]), ["binary", "pairs", "text", "text"])
    one = get(server, "not_understood", sender="127.0.0.2", path="", source="syslog")
    checks.equal("of one sender", [(t["events"], len(t["sources"])) for t in one["templates"]], [(15, 1)])
    part = get(server, "not_understood", of="in_part", source="syslog")
    checks.equal("in part: the text behind the header", [(t["template"], t["events"], t["decoder"]) for t in part["templates"]],
                 [("turn <*> of the key", 7, "syslog")])
    checks.check("samples of it are whole lines", "app-1 keeper[" in part["templates"][0]["samples"][0]["raw"], part)
    checks.equal("limit", (len(get(server, "not_understood", limit=1)["templates"])), 1)
    checks.equal("a sender that never sent", get(server, "not_understood", sender="192.0.2.99")["events"], 0)
    checks.equal("another time: none", get(server, "not_understood", to="-1h")["events"], 0)
    json_part = get(server, "not_understood", of="in_part", source="hec")["templates"]
    checks.equal("JSON that is names and values only", [(t["events"], t["format"], t["decoder"]) for t in json_part], [(5, "json", "json")])
    return first, part["templates"][0], json_part[0]


def check_nearest(server):
    line = "%ASA-new/302013 Built something else altogether"
    send(server, "127.0.0.5", [line])
    checks.check("it came", wait_for(lambda: get(server, "not_understood", sender="127.0.0.5")["events"] == 1, 20))
    template = get(server, "not_understood", sender="127.0.0.5")["templates"][0]
    near = template["nearest"]
    checks.equal("who came nearest, and what was lacking", {k: near[k] for k in ("decoder", "met", "asked", "lacks")} if near else near,
                 {"decoder": "cisco-asa", "met": 1, "asked": 2, "lacks": "regex"})
    checks.equal("nobody takes it now either", template["taken_now"], None)


def check_rights(server):
    token, cookie = server.token("hec"), server.cookie
    server.cookie = None
    checks.equal("nobody signed in", server.request("GET", "/v1/not_understood")[0], 401)
    status, _, _ = server.request("GET", "/v1/understood", headers={"Authorization": f"Bearer {token}"})
    checks.check("a token that only sends", status in (401, 403), status)
    server.cookie = cookie
    checks.check("wrong words are told", "nobody or in_part" in get(server, "not_understood", 400, of="x")["error"]["message"])
    checks.check("a wrong time is told", "is no time" in get(server, "understood", 400, **{"from": "zzz"})["error"]["message"])
    rows = get(server, "audit", action="search")["rows"]
    checks.check("who looked is in the trail", {"search.understood", "search.not_understood"} <= {r["action"] for r in rows}, rows[:3])


def check_beginning(server, *templates):
    """Each decoder that is offered takes its samples; installed, it takes what is stored."""
    own = pathlib.Path(server.dir) / "data/content/decoders"
    own.mkdir(parents=True, exist_ok=True)
    for number, template in enumerate(templates):
        text = template["decoder_to_begin_with"].replace("my-source", f"mine{number}")
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "mine.yaml").write_text(text)
            (pathlib.Path(folder) / "samples.log").write_text("".join(s["raw"] + "\n" for s in template["samples"]))
            _, out, err = run("decode", "--decoders", folder, folder + "/samples.log")
            checks.equal(f"decoder {number} takes its samples", (out.count(f'"hinomi.decoder":"mine{number}@1"'), err), (3, ""))
        (own / f"mine{number}.yaml").write_text(text)
    server.stop()
    server.start()
    server.sign_in()
    counts, _ = shares(server)
    checks.equal("after the restart what is stored is understood", (counts["syslog", "127.0.0.1"], counts["syslog", "127.0.0.2"], counts["hec", "127.0.0.1"]),
                 ((85, 85, 0, 0, 0), (22, 22, 0, 0, 0), (5, 5, 0, 0, 0)))


server = Server()
try:
    server.start()
    server.sign_in()
    fill(server)
    check_shares(server)
    templates = check_templates(server)
    check_nearest(server)
    check_rights(server)
    check_beginning(server, *templates)
finally:
    server.close()
checks.finish()
