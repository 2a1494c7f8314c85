#!/usr/bin/env python3
"""HTTP APIs read through everything that goes wrong: throttling, expired tokens, cut answers, late events, doubled pages, kills: no gap, no double."""
import pathlib
import sys
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
    "okta": (apis.Okta, 'domain: x.okta.example, token: okta-token, api: "{url}"'),
    "github": (apis.GitHub, 'org: octo, token: ghp_x, api: "{url}"'),
    "microsoft_365": (apis.Management, ENTRA + ', api: "{url}", login: "{url}"'),
    "aws_cloudtrail_s3": (apis.S3, 'bucket: trail-bucket, account: "111122223333", region: eu-west-1, regions: [eu-west-1], '
                                   'access_key: AKIDEXAMPLE, secret_key: wJalr/secret+key, endpoint: "{url}"'),
}


def numbers(server, source):
    """How many events there are, and how many different ones."""
    page = server.query(f"hinomi.source={source} | stats count dc(event.id)")
    return tuple(int(cell) for cell in page["rows"][0]) if page["rows"] else (0, 0)


def config_of(preset, api, more=""):
    return f"collect:\n  - {{kind: http_poll, preset: {preset}, name: it, {PRESETS[preset][1].format(url=api.url)}, {FAST}{more}}}\n"


def feed(api, first, count, seconds):
    """Events that happen now; every tenth is seen late, some of them from before."""
    for i in range(first, first + count):
        late = api.random.choice([0, 0, 0, 0, 0, 0, 0, 0, 0, 2.5])
        api.add(i, time.time() - (3 if late else 0), late)
        time.sleep(seconds / count)


def check_preset(checks, preset, troubles=0.15, kills=3):
    api = PRESETS[preset][0](troubles)
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
        harness.wait_for(lambda: numbers(server, "it")[1] >= total, 120)
        quiet = api.counts.copy()
        time.sleep(1)
        checks.equal(f"{preset}: no gap, no double", numbers(server, "it"), (total, total))
        page = server.query("hinomi.source=it | stats count by event.dataset")
        checks.equal(f"{preset}: all are understood", [int(row[1]) for row in page["rows"]], [total])
        checks.check(f"{preset}: there was trouble", sum(quiet.get(name, 0) for name in ("429", "date", "500", "cut", "close", "401")) > 5, f"{quiet}")
        print(f"{preset}: {total} events, {quiet}")
        checks.equal(f"{preset}: the books balance", (server.stop(), harness.run("ledger", "--dir", server.dir + "/data")[0]), (0, 0))
    finally:
        server.close()
        api.close()


def main():
    checks = harness.Checks()
    for preset in sys.argv[1:] or PRESETS:
        check_preset(checks, preset)
    checks.finish()


if __name__ == "__main__":
    main()
