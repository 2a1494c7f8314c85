#!/usr/bin/env python3
"""Looking after a server from the terminal: people and tokens, beside the running server and before its first start."""
import json
import pathlib
import re
import shutil
import tempfile

from harness import PASSWORD, ROOT, Checks, Server, run

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-ops-"))


def command(*args, data=b""):
    return run(*args, data=data)


def login(server, name, password):
    return server.request("POST", "/v1/login", {"name": name, "password": password})[0]


def people(server, data):
    users = lambda: {u["name"]: u for u in json.loads(command("user", "list", "--dir", data, "--format", "json")[1])}
    checks.equal("the administrator is listed", users()["admin"]["role"], "admin")
    status, out, err = command("user", "add", "--dir", data, "--role", "viewer", "suzuki", data=b"a long enough word\n")
    checks.equal("a user is added", (status, out), (0, ""))
    checks.equal("and may sign in at once", login(server, "suzuki", "a long enough word"), 200)
    checks.equal("the role changes", command("user", "role", "--dir", data, "suzuki", "responder")[0], 0)
    checks.equal("the role has changed", users()["suzuki"]["role"], "responder")
    checks.equal("a new password", command("user", "password", "--dir", data, "suzuki", data=b"another long word\n")[0], 0)
    checks.equal("the old one is over", login(server, "suzuki", "a long enough word"), 403)
    checks.equal("the new one holds", login(server, "suzuki", "another long word"), 200)
    checks.equal("disabled", command("user", "disable", "--dir", data, "suzuki")[0], 0)
    checks.equal("no more signing in", login(server, "suzuki", "another long word"), 403)
    checks.equal("the list says so", users()["suzuki"]["state"], "disabled")
    checks.equal("enabled again", command("user", "enable", "--dir", data, "suzuki")[0], 0)
    checks.equal("signing in again", login(server, "suzuki", "another long word"), 200)


def tokens(server, data):
    status, out, err = command("token", "add", "--dir", data, "--kind", "hec", "--name", "fw", "--networks", "127.0.0.0/8", "--expires", "30d")
    near = out.strip()
    checks.check("a token is printed alone", status == 0 and re.fullmatch(r"hin_hec_[0-9a-f]{10}_[0-9a-f]{64}", near), out)
    checks.equal("it is taken at once", server.hec(near, [{"a": 1}])[0], 200)
    far = command("token", "add", "--dir", data, "--kind", "hec", "--name", "far", "--networks", "192.0.2.0/24")[1].strip()
    checks.equal("from elsewhere it is refused", server.hec(far, [{"a": 1}])[0], 403)
    api = command("token", "add", "--dir", data, "--kind", "api", "--name", "far-api", "--role", "viewer", "--networks", "192.0.2.0/24")[1].strip()
    ask = lambda token: server.request("GET", "/v1/overview", port=server.api_port, headers={"Authorization": f"Bearer {token}"})[0]
    checks.equal("so is one for the API", ask(api), 401)
    made = server.token("api", role="viewer", networks="127.0.0.1,::1")
    checks.equal("one with networks by the API", ask(made), 200)
    status, body, _ = server.request("POST", "/v1/tokens", {"name": "x", "kind": "hec", "networks": "everywhere"})
    checks.check("a wrong network is said", status == 400 and "network" in body["error"]["message"], body)
    rows = json.loads(command("token", "list", "--dir", data, "--format", "json")[1])
    row = next(r for r in rows if r["name"] == "fw")
    checks.check("the list has no secret", near.split("_")[3] not in json.dumps(rows) and row["networks"] == "127.0.0.0/8" and row["expires"], row)
    checks.equal("revoked", command("token", "revoke", "--dir", data, row["id"])[0], 0)
    checks.equal("it is taken no more", server.hec(near, [{"a": 1}])[0], 403)
    rows = json.loads(command("token", "list", "--dir", data, "--all", "--format", "json")[1])
    checks.equal("--all shows it", next(r["state"] for r in rows if r["name"] == "fw"), "revoked")


def wrong_words(data):
    cases = [
        (["user"], 2, "say list"),
        (["user", "list"], 2, "--dir needs"),
        (["user", "list", "--dir", tmp / "nowhere"], 1, "no state.db"),
        (["user", "add", "--dir", data, "kato"], 2, "--role"),
        (["user", "add", "--dir", data, "--role", "king", "kato"], 2, "no role"),
        (["user", "add", "--dir", data, "--role", "viewer", "kato"], 1, "at least 12"),
        (["user", "disable", "--dir", data, "nobody"], 1, "no user nobody"),
        (["user", "disable", "--dir", data, "admin"], 1, "last administrator"),
        (["token", "add", "--dir", data, "--kind", "hec"], 2, "--name"),
        (["token", "add", "--dir", data, "--kind", "key", "--name", "k"], 1, "api, hec or gate"),
        (["token", "add", "--dir", data, "--kind", "hec", "--name", "k", "--networks", "10.0.0.0/40"], 1, "no network"),
        (["token", "add", "--dir", data, "--kind", "hec", "--name", "k", "--expires", "soon"], 2, "90d"),
        (["token", "revoke", "--dir", data, "ffffffffff"], 1, "no token"),
        (["token", "revoke", "--dir", data], 2, "needs one ID"),
        (["user", "list", "--dir", data, "--format", "xml"], 2, "--format is"),
    ]
    for args, want, words in cases:
        status, out, err = command(*args)
        name = " ".join(map(str, args[:2] + args[4:]))
        checks.check(f"{name}: says why", status == want and words in err and err.count("\n") <= 2, (status, err))


def check_lines(*args):
    status, out, err = command("check", *args)
    return status, [re.split(r"\s{2,}", line, maxsplit=2) for line in out.splitlines()[:-1]], out


def check_command(server, data):
    status, lines, out = check_lines("--config", server.config, "--dir", data)
    checks.check("a running server is fine", status == 0 and not any(l[0] == "FAIL" for l in lines), out)
    checks.check("it is seen to run", "a server has it open" in out, out)
    for what in ("configuration", "certificate", "decoders", "rules", "state tables", "gate policy", "disk", "permissions", "state.db", "journal", "store"):
        checks.check(f"{what} has a line", any(l[1] == what for l in lines), out)
    key = pathlib.Path(data, "tls/key.pem")
    key.chmod(0o644)
    checks.check("a key that all can read", check_lines("--dir", data)[0] == 1 and "key.pem has mode 644" in check_lines("--dir", data)[2])
    key.chmod(0o600)
    bad = tmp / "bad.yaml"
    for text, words in (("version: 1\nportt: 1\n", "no key 'portt'"), ("version: 1\nsyslog: {address: 0.0.0.0}\n", "plain text"),
                        ("version: 1\napi: {address: example}\n", "no address"), ("version: 1\ncertificate: /nowhere.pem\nkey: /nowhere.key\n", "nowhere"),
                        ("version: 1\ngate_policy: /nowhere.yaml\n", "hold everything"),
                        ("version: 1\nnotifiers: [{name: x, url: 'ftp://example.jp/', secret: 0123456789abcdef}]\n", "notifier x: only https"),
                        ("version: 1\nnotifiers:\n- {kind: slack, name: x, url: 'https://a.example/'}\n- {kind: teams, name: x, url: 'https://a.example/'}\n", "line 4: two notifiers are named x"),
                        ("version: 1\nmailbox: {url: 'https://mail.example.jp/', user: u, password: p}\n", "line 2: the mailbox's url is such as imaps://"),
                        ("version: 1\nmailbox: {url: 'imaps://mail.example.jp/', user: u, password: 'env:HINOMI_NO_SUCH'}\n", "line 2: there is no environment variable HINOMI_NO_SUCH")):
        bad.write_text(text)
        status, lines, out = check_lines("--config", bad, "--dir", data)
        checks.check(f"configuration: {words}", status == 1 and words in out, out)
    content = tmp / "content"
    shutil.copytree(ROOT / "content", content)
    sample = content / "decoders/json.json"
    sample.write_text(sample.read_text().replace("}", ',"x":1}', 1))
    (content / "rules/bad.yml").write_text("title: bad\ndetection: {condition: nothing}\n")
    status, lines, out = check_lines("--content", content, "--dir", data)
    checks.check("a sample that differs, a wrong rule", status == 1 and "event 1 of the sample" in out and "bad.yml is refused" in out, out)
    checks.equal("wrong words", command("check", "now")[0], 2)


def before_the_first_start():
    data = tmp / "new" / "data"
    data.parent.mkdir()
    checks.equal("an administrator before the first start", command("user", "add", "--dir", data, "--role", "admin", "admin", data=PASSWORD.encode())[0], 0)
    server = Server(str(data.parent)).start()
    checks.equal("no setup code then", server.setup_code, None)
    server.sign_in()
    checks.equal("it stops", server.stop(), 0)
    server.close()


server = Server().start()
server.sign_in()
data = server.dir + "/data"
people(server, data)
tokens(server, data)
wrong_words(data)
check_command(server, data)
checks.equal("it stops cleanly", server.stop(), 0)
server.close()
before_the_first_start()
checks.finish()
