#!/usr/bin/env python3
"""HTTP APIs over TLS: whose certificate is believed, who we are to servers that ask, and the ways by which tokens are got."""
import base64
import pathlib
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import apis
import certificates
import harness
from test_http_poll import FAST, numbers, problems

EVENTS = 120


class Changes(apis.Api):
    """Pages by a cursor; a token in the ways that the entries below choose, by the path of token_url."""

    key = None

    def record(self, number, at, name):
        return {"key": name, "n": number, "message": "a change", "event": {"id": name}}

    def may_have_token(self, request, form):
        way = request.path.split("/")[1]
        client = ("app/1", "s3cr&t =:")
        if form.get("grant_type") != "client_credentials" or form.get("scope") != "read all":
            return False
        if way == "basic":
            scheme, _, pair = (request.headers.get("Authorization") or "").partition(" ")
            given = tuple(urllib.parse.unquote_plus(part) for part in base64.b64decode(pair).decode().split(":"))
            return scheme == "Basic" and given == client and not {"client_id", "client_secret"} & set(form)
        if way == "signed":
            head, claims = self.key.claims(form["client_assertion"])
            with self.lock:
                fresh = claims["jti"] not in self.counts
                self.counts[claims["jti"]] = 1
            return fresh and head["kid"] == "k1" and claims["iss"] == claims["sub"] == form["client_id"] == client[0] and \
                claims["aud"] == f"{self.url}/signed/token" and "client_secret" not in form and \
                form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        return (form.get("client_id"), form.get("client_secret")) == client and "Authorization" not in request.headers

    def serve(self, request, path, query):
        rows = [item[3] for item in self.visible()]
        at = int(query.get("after") or 0)
        self.answer(request, 200, {"items": rows[at:at + self.page], **({"next": str(at + self.page)} if at + self.page < len(rows) else {})})


def entry(name, api, way, **more):
    options = {"ca_file": "ca.pem", "token_url": f'"{api.url}/{way}/token"', **more}
    given = ", ".join(f"{option}: {value}" for option, value in options.items())
    return (f'kind: http_poll, name: {name}, {FAST}, auth: oauth2, client_id: app/1, scope: read all, url: "{api.url}/changes", records: items, id: key, '
            f'paging: cursor, next: next, more: "?after=${{cursor}}", {given}')


SECRET = '"s3cr&t =:"'
GOOD = ("post", "basic", "signed", "known")
# The sentence that each of them says.
BAD = {"wrong_ca": "certificate", "wrong_name": "name", "unknown": "client's certificate", "wrong_secret": "token_url answered 400"}


def entries_of(folder, plain, asks, elsewhere, key):
    paths = lambda name: {"certificate": f"{folder}/{name}.pem", "key": f"{folder}/{name}.key"}
    signed = {"client_auth": "private_key", "private_key": f"file:{key.pem}", "key_id": "k1"}
    found = [entry("post", plain, "post", client_secret=SECRET), entry("basic", plain, "basic", client_auth="basic", client_secret=SECRET),
             entry("signed", plain, "signed", **signed), entry("known", asks, "post", client_secret=SECRET, **paths("client")),
             entry("wrong_ca", plain, "post", client_secret=SECRET, ca_file="other-ca.pem"), entry("wrong_name", elsewhere, "post", client_secret=SECRET),
             entry("unknown", asks, "post", client_secret=SECRET), entry("wrong_secret", plain, "post", client_secret="guessed")]
    return "collect:\n" + "".join(f"  - {{{one}}}\n" for one in found).replace("ca_file: ", f"ca_file: {folder}/")


def check_all(checks, folder):
    key = Changes.key = apis.SigningKey()
    plain, asks, elsewhere = (Changes(tls=certificates.server_context(folder, name, ask)) for name, ask in
                              (("server", False), ("server", True), ("elsewhere", False)))
    for api in (plain, asks, elsewhere):
        for i in range(EVENTS):
            api.add(i, time.time() - 100)
    server = harness.Server(config=entries_of(folder, plain, asks, elsewhere, key)).start()
    try:
        server.sign_in()
        for name in GOOD:
            harness.wait_for(lambda: numbers(server, name)[0] >= EVENTS)
            checks.equal(f"{name}: all is read", numbers(server, name), (EVENTS, EVENTS))
        for name, sentence in BAD.items():
            said = lambda: [line for line in problems(server).splitlines() if f"collector {name}: " in line]
            checks.check(f"{name}: is said", harness.wait_for(lambda: any(sentence in line.split(": ", 2)[2] for line in said())), f"{said()}")
            checks.equal(f"{name}: nothing is read", numbers(server, name), (0, 0))
            print("\n".join(said()))
        checks.equal("whose certificate is not believed is sent nothing", set(elsewhere.counts) - {"broken connections"}, set())
        checks.check("secrets are not said", "s3cr&t" not in problems(server) and "PRIVATE KEY" not in problems(server))
        checks.equal("it ends well", server.stop(), 0)
    finally:
        server.close()
        for closed in (plain, asks, elsewhere, key):
            closed.close()


def check_keys(checks, folder):
    """A key that cannot be used is said when the configuration is read."""
    (folder / "words").write_text("no key")
    (folder / "json").write_text('{"type":"service_account"}')
    ways = {f"private_key: file:{folder}/words": "cannot be read", f"private_key: file:{folder}/json": "private_key",
            f"private_key: file:{folder}/server.key": "not one of RSA", f"private_key: file:{folder}/none": "private_key", "scope: x": "needs private_key"}
    for given, sentence in ways.items():
        config = folder / "hinomi.yaml"
        config.write_text("version: 1\ncollect:\n  - {kind: http_poll, url: https://a.example/, auth: service_account, client_id: a@b, "
                          f"token_url: https://a.example/token, {given}}}\n")
        status, out, err = harness.run("check", "--config", config)
        checks.check(f"{given.split('/')[-1]}: {sentence}", status != 0 and sentence in out + err, out + err)


def main():
    checks = harness.Checks()
    with tempfile.TemporaryDirectory(prefix="hinomi-certs-") as name:
        certificates.make(name)
        check_keys(checks, pathlib.Path(name))
        check_all(checks, pathlib.Path(name))
    checks.finish()


if __name__ == "__main__":
    main()
