#!/usr/bin/env python3
"""Answers of HTTP APIs that are larger than a delivery, than an event, and than they may be, with kills at random moments: no gap, no double."""
import gzip
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import apis
import harness
from test_http_poll import FAST, numbers, problems

MIB = 1024 * 1024
PAGES, PAGE, RECORD = 4, 2000, 6000  # four pages of 12 MiB
OBJECTS, OBJECT = 6, 1300            # objects of 8 MiB
LONG = 36 * MIB + 12345              # one record
KILLS = 25


class Large(apis.Api):
    """Pages by number, with ids or without; a list of objects, the newest first; one long record; an answer over all limits."""

    def __init__(self):
        super().__init__()
        pad = "x" * RECORD
        self.records = [{"n": n, "message": "large", "pad": pad, "event": {"id": f"e{n}"}} for n in range(PAGES * PAGE)]
        self.long = '{"id":"long","text":"' + "".join(f"{i:07d} " for i in range(LONG // 8)) + '"}'
        self.too_large = gzip.compress(b'{"items":[{"id":1,"pad":"' + b" " * 129 * MIB + b'"}]}', 1)
        self.began = time.monotonic()
        self.happened = time.time() - 60  # all of them: who asks for another time gets nothing

    def is_known(self, request):
        return True

    def serve(self, request, path, query):
        time.sleep(0.05)
        if "from" in query and not int(query["from"]) < self.happened <= int(query["to"]):
            self.answer(request, 200, {"items": []})
        elif path == "/pages":
            at = int(query["p"]) * PAGE
            self.answer(request, 200, {"items": self.records[at:at + PAGE]})
        elif path == "/long":
            self.answer(request, 200, b'{"items":[' + self.long.encode() + b"]}")
        elif path == "/list":
            known = min(OBJECTS, 1 + int(time.monotonic() - self.began))  # one more each second
            self.answer(request, 200, [{"name": f"object-{i}"} for i in reversed(range(known))])
        elif path.startswith("/object-"):
            first = int(path.split("-")[1]) * OBJECT
            self.answer(request, 200, self.records[first:first + OBJECT])
        elif path == "/too-large":
            self.count("too large")
            self.answer(request, 200, self.too_large)


def read_with_kills(checks, server, done):
    """Kills it at random moments until it has all; a last run without."""
    chance = random.Random(11)
    for _ in range(KILLS):
        server.start()
        time.sleep(chance.uniform(0.05, 0.9))
        server.kill()
    server.start().sign_in()
    checks.check("it comes to an end", harness.wait_for(done, 120))
    time.sleep(1)


def lengths(server, source):
    page = server.query(f"hinomi.source={source} | eval l=len(_raw) | stats count sum(l)")
    return tuple(int(cell) for cell in page["rows"][0]) if page["rows"] else (0, 0)


def check_kills(checks):
    api = Large()
    times = "from=${start:unix}&to=${end:unix}"
    page = f'kind: http_poll, {FAST}, url: "{api.url}/pages?p=${{page}}&{times}", paging: page, records: items'
    entries = [f"{page}, name: by_id, id: event.id", f"{page}, name: by_place",
               f'kind: http_poll, {FAST}, name: objects, url: "{api.url}/list", entry: name, fetch_url: "{api.url}/${{entry}}"',
               f'kind: http_poll, {FAST}, name: long_by_id, url: "{api.url}/long", records: items, id: id',
               f'kind: http_poll, {FAST}, name: long_by_place, url: "{api.url}/long?{times}", records: items']
    config = "collect:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)
    server = harness.Server(config=config)
    pages, objects, parts = PAGES * PAGE, OBJECTS * OBJECT, (-(-len(api.long) // MIB), len(api.long))
    wanted = {"by_id": pages, "by_place": pages, "objects": objects}
    try:
        read_with_kills(checks, server, lambda: all(numbers(server, name)[1] >= count for name, count in wanted.items()) and
                        all(lengths(server, name)[1] >= len(api.long) for name in ("long_by_id", "long_by_place")))
        for name, count in wanted.items():
            checks.equal(f"{name}: no gap, no double", numbers(server, name), (count, count))
        for name in ("long_by_id", "long_by_place"):
            checks.equal(f"{name}: all of its bytes, once", lengths(server, name), parts)
        checks.equal("the books balance", (server.stop(), harness.run("ledger", "--dir", server.dir + "/data")[0]), (0, 0))
    finally:
        server.close()
        api.close()


def check_too_large(checks):
    """It is said, asked for again after a wait that grows, and the place does not go on."""
    api = Large()
    server = harness.Server(config=f'collect:\n  - {{kind: http_poll, {FAST}, name: huge, url: "{api.url}/too-large", records: items, id: id}}\n').start()
    try:
        server.sign_in()
        checks.check("that it is too large is said", harness.wait_for(lambda: "over 128 MiB" in problems(server) or "134217728" in problems(server)), problems(server)[-500:])
        time.sleep(3)
        checks.check("it is not asked for again and again", 1 <= api.counts["too large"] <= 4, f"{api.counts}")
        checks.equal("nothing is taken", numbers(server, "huge"), (0, 0))
    finally:
        server.close()
        api.close()


def main():
    checks = harness.Checks()
    check_too_large(checks)
    check_kills(checks)
    checks.finish()


if __name__ == "__main__":
    main()
