#!/usr/bin/env python3
"""HTTP APIs read through everything that goes wrong: throttling, expired tokens, cut answers, late events, doubled pages, kills: no gap, no double."""
import concurrent.futures
import pathlib
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import apis
import harness

SECRET = 'client_secret: "s3cr&t ="'
FAST = "interval: 200ms, allow_private: true"
ENTRA = "tenant: t-1, client_id: app-1, " + SECRET

PRESETS = {
    "entra_signins": (apis.Graph, ENTRA + ', api: "{url}", login: "{url}"'),
    "entra_audits": (apis.GraphAudits, ENTRA + ', api: "{url}", login: "{url}"'),
    "google_workspace": (apis.Workspace, 'private_key: "file:{key}", admin: admin@example.com, applications: [admin, login, token], api: "{url}", login: "{url}"'),
    "gcp_audit": (apis.CloudLogging, 'private_key: "file:{key}", resource: projects/example-prod, api: "{url}", login: "{url}"'),
    "okta": (apis.Okta, 'domain: x.okta.example, token: okta-token, api: "{url}"'),
    "github": (apis.GitHub, 'org: octo, token: ghp_x, api: "{url}"'),
    "microsoft_365": (apis.Management, ENTRA + ', api: "{url}", login: "{url}"'),
    "aws_cloudtrail_s3": (apis.S3, 'bucket: trail-bucket, account: "111122223333", region: eu-west-1, regions: [eu-west-1], '
                                   'access_key: AKIDEXAMPLE, secret_key: wJalr/secret+key, endpoint: "{url}"'),
}

# What tells events apart where the API's ids do so only together with others, and what they are understood as.
OWN = {"google_workspace": ("google_workspace.n", 3), "gcp_audit": ("gcp.audit.n", 1)}


def numbers(server, source, by="event.id"):
    """How many events there are, and how many different ones."""
    page = server.query(f"hinomi.source={source} | stats count dc({by})")
    return tuple(int(cell) for cell in page["rows"][0]) if page["rows"] else (0, 0)


def config_of(preset, api, more=""):
    given = PRESETS[preset][1].format(url=api.url, key=getattr(api, "key", None) and api.key.json)
    return f"collect:\n  - {{kind: http_poll, preset: {preset}, name: it, {given}, {FAST}{more}}}\n"


def feed(api, first, count, seconds):
    """Events that happen now; every tenth is seen late, some of them from before."""
    for i in range(first, first + count):
        late = api.random.choice([0, 0, 0, 0, 0, 0, 0, 0, 0, 2.5])
        api.add(i, time.time() - (3 if late else 0), late)
        time.sleep(seconds / count)


def check_preset(checks, preset, troubles=0.15, kills=3):
    api = PRESETS[preset][0](troubles)
    by, datasets = OWN.get(preset, ("event.id", 1))
    before, during = 400, 400
    for i in range(before):
        api.add(i, time.time() - 3600 + i * 8)
    server = harness.Server(config=config_of(preset, api)).start()
    try:
        server.sign_in()
        feeder = threading.Thread(target=feed, args=(api, before, during, 12))
        feeder.start()
        for _ in range(kills):
            seen = numbers(server, "it")[0]
            harness.wait_for(lambda: numbers(server, "it")[0] > seen, 20)
            server.kill()
            server.start()
            server.sign_in()
        feeder.join()
        total = before + during
        harness.wait_for(lambda: numbers(server, "it", by)[1] >= total, 120)
        quiet = api.counts.copy()
        time.sleep(1)
        checks.equal(f"{preset}: no gap, no double", numbers(server, "it", by), (total, total))
        page = server.query("hinomi.source=it | stats count by event.dataset")
        checks.equal(f"{preset}: all are understood", (len(page["rows"]), sum(int(row[1]) for row in page["rows"])), (datasets, total))
        checks.check(f"{preset}: there was trouble", sum(quiet.get(name, 0) for name in ("429", "date", "500", "cut", "close", "401")) > 5, f"{quiet}")
        print(f"{preset}: {total} events, {quiet}")
        checks.equal(f"{preset}: the books balance", (server.stop(), harness.run("ledger", "--dir", server.dir + "/data")[0]), (0, 0))
    finally:
        server.close()
        api.close()


WRONG = {
    "preset: okta, domain: x.okta.com": "preset okta needs token",
    "preset: oktta, domain: x": "there is no preset oktta",
    'url: "https://x/a?s=${since}"': "there is no such place",
    "url: https://x/, overlap: 5m": "overlap needs id",
    "url: https://x/, paging: cursor, next: a": "paging: cursor needs ${cursor}",
    "url: https://x/, auth: oauth2": "auth: oauth2 needs token_url",
    "url: http://x/": "allow_private",
    "url: https://x/, windo: 5m": "did you mean 'window'",
    "auth: none": "needs url",
}


def check_wrong(checks):
    """A configuration that cannot work is refused before anything is asked, with what to do."""
    with tempfile.TemporaryDirectory(prefix="hinomi-wrong-") as folder:
        path = pathlib.Path(folder, "hinomi.yaml")
        for entry, sentence in WRONG.items():
            path.write_text(f"version: 1\ncollect:\n  - {{kind: http_poll, {entry}}}\n")
            status, out, err = harness.run("check", "--config", path)
            checks.check(f"{entry}: {sentence}", status != 0 and sentence in out + err, (out + err)[-300:])
        for name in sorted(pathlib.Path(harness.ROOT, "content/collect").glob("*.yaml")):
            needs = [line.split(":")[0].strip() for line in name.read_text().split("needs:")[1].split("may:")[0].splitlines() if line.startswith("  ")]
            path.write_text(f"version: 1\ncollect:\n  - {{kind: http_poll, preset: {name.stem}, {', '.join(f'{need}: xx' for need in needs)}}}\n")
            status, out, err = harness.run("check", "--config", path)
            checks.check(f"preset {name.stem} is one", f"{name.stem}" and "collect" not in err and "preset" not in err + out, (out + err)[-300:])


def problems(server):
    return pathlib.Path(server.dir, "stderr").read_text()


def check_generic(checks):
    """An API that has no preset: ways of paging, what is not to be had, what must not be followed, and one that hangs."""
    api = apis.Tickets()
    for i in range(100):
        api.add(i, time.time() - 100)
    base = f"kind: http_poll, {FAST}, auth: basic, user: user, secret: pass, records: items, id: key"
    entries = [f'{base}, name: by_page, url: "{api.url}/page?p=${{page}}", paging: page',
               f'{base}, name: by_offset, url: "{api.url}/offset?p=${{page}}", paging: offset, page_size: 30',
               f'{base}, name: by_cursor, url: "{api.url}/cursor?a=b", paging: cursor, next: next, more: "&after=${{cursor}}"',
               f'{base}, name: elsewhere, url: "{api.url}/elsewhere", paging: url, next: next',
               f'{base}, name: wrong, url: "{api.url}/wrong"',
               f'{base}, name: hangs, url: "{api.url}/hangs"',
               f'{base.replace(", records: items, id: key", "")}, name: objects, url: "{api.url}/list", entry: name, fetch_url: "{api.url}/object/${{entry}}"']
    server = harness.Server(config="collect:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)).start()
    try:
        server.sign_in()
        for way in ("by_page", "by_offset", "by_cursor"):
            harness.wait_for(lambda: numbers(server, way)[0] >= 100)
            checks.equal(f"{way}: all pages, once", numbers(server, way), (100, 100))
        harness.wait_for(lambda: "was listed, but cannot be fetched" in problems(server))
        harness.wait_for(lambda: numbers(server, "objects")[0] >= 4)
        checks.equal("what is not understood is kept whole", numbers(server, "objects")[0], 4)
        checks.check("what is gone is said", "objects: gone was listed, but cannot be fetched" in problems(server))
        checks.check("another host is not asked", harness.wait_for(lambda: "is not a host of the configuration" in problems(server)))
        checks.equal("and what came before is kept", numbers(server, "elsewhere"), (30, 30))
        checks.check("a path that is not there is said", "has no 'items'" in problems(server))
        checks.check("one hangs", harness.wait_for(lambda: api.counts.get("hangs")))
        began = time.monotonic()
        server.stop()
        checks.check("and does not keep the program from ending", time.monotonic() - began < 15, f"{time.monotonic() - began:.1f} s")
    finally:
        server.close()
        api.close()


def main():
    checks = harness.Checks()
    if len(sys.argv) == 1:
        check_wrong(checks)
        check_generic(checks)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:  # they mostly wait for what happens
        for done in [pool.submit(check_preset, checks, preset) for preset in sys.argv[1:] or PRESETS]:
            done.result()
    checks.finish()


if __name__ == "__main__":
    main()
