#!/usr/bin/env python3
"""Texts over 1 MiB by every dialect that brings lines: in parts that are marked and numbered, no byte lost; documents stay whole."""
import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness

MIB = 1024 * 1024
LINE = "".join(f"{i:07d}\u3042" for i in range(3 * MIB // 10))  # 3 MiB; characters of three bytes, so that cuts fall within some


def otlp(text, n):
    attributes = [{"key": "n", "value": {"intValue": str(n)}}]
    return {"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "long"}}]},
                              "scopeLogs": [{"logRecords": [{"timeUnixNano": "1772355600000000000", "severityText": "WARN", "attributes": attributes,
                                                             "body": {"stringValue": text}}]}]}]}


WAYS = {
    "loki": ("/loki/api/v1/push", lambda text: json.dumps({"streams": [{"stream": {"app": "long", "host": "h1"}, "values": [["1772355600000000000", text]]}]})),
    "otlp": ("/v1/logs", lambda text: json.dumps(otlp(text, 7))),
    "hec": ("/services/collector/event", lambda text: json.dumps({"event": text, "host": "h1", "time": 1772355600})),
    "ingest": ("/v1/ingest?host=h1", lambda text: text + "\n"),
}


def check_way(checks, server, token, source, path, make):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/plain" if source == "ingest" else "application/json"}
    status, body, _ = server.request("POST", path, make(LINE).encode(), port=server.hec_port, headers=headers)
    checks.check(f"{source}: is taken", status in (200, 204), f"{status} {body}")
    wanted = LINE.encode()
    page = lambda: server.query(f"hinomi.source={source} tags=_part | table hinomi.part event.original host.name service.name message")
    found = harness.wait_for(lambda: page()["rows"] if len(page()["rows"]) >= -(-len(wanted) // MIB) else None, 20) or []
    rows = sorted(found, key=lambda row: int(row[0].split("/")[0]))
    checks.equal(f"{source}: the parts are numbered", [row[0] for row in rows], [f"{n + 1}/{len(rows)}" for n in range(len(rows))])
    if source == "otlp":
        text = "".join(json.loads(row[1])["body"] for row in rows).encode()
        checks.equal("otlp: each is a record with its resource", {row[3] for row in rows}, {"long"})
    else:
        text = b"".join(harness.octets(row[1]) for row in rows)
        checks.equal(f"{source}: each has its host", {row[2] for row in rows}, {"h1"})
    checks.check(f"{source}: no byte is lost", text == wanted, f"{len(text)} of {len(wanted)}")


def check_document(checks, server, token):
    """One JSON document is one event, and a search that has to decode it again can."""
    document = json.dumps({"message": "a long document", "n": 41, "text": "x" * 3 * MIB})
    for path, body in (("/v1/ingest", document), ("/services/collector/event", json.dumps({"event": json.loads(document)}))):
        status, _, _ = server.request("POST", path, body.encode(), port=server.hec_port, headers={"Authorization": f"Bearer {token}"})
        checks.equal(f"{path}: a document is taken", status, 200)
    found = lambda: server.query("n=41 | eval l=len(_raw) | table l tags")["rows"]
    rows = harness.wait_for(lambda: len(found()) == 2 and found(), 20) or []
    checks.check("documents stay whole and are understood", len(rows) == 2 and all(row[0] > 3 * MIB and not row[1] for row in rows), f"{rows}")


def check_decoded_again(checks, server):
    """A decoder that is corrected reads what is stored again: long documents, and parts, which stay marked."""
    with tempfile.TemporaryDirectory(prefix="hinomi-long-") as folder:
        content = pathlib.Path(folder, "content")
        content.mkdir()
        for name in pathlib.Path(harness.ROOT, "content").iterdir():
            if name.name != "decoders":
                (content / name.name).symlink_to(name)
        (content / "decoders").mkdir()
        for name in pathlib.Path(harness.ROOT, "content/decoders").iterdir():
            (content / "decoders" / name.name).symlink_to(name)
        (content / "decoders/zz-long.yaml").write_text("name: long\nversion: 1\ndataset: long.test\ncorrects: [none, envelope]\nrecognise: {json: [message, n, text]}\n"
                                                       "steps:\n  - json: {under: long}\n")
        (content / "decoders/zz-digits.yaml").write_text("name: digits\nversion: 1\ndataset: digits.test\ncorrects: [none]\nrecognise: {starts_with: '0000000'}\n"
                                                         "steps:\n  - regex: '^(?<digits__first>\\d+)'\n")
        ask = lambda spl: harness.run("search", "--dir", server.dir + "/data", "--format", "json", spl, env={"HINOMI_CONTENT": str(content)})
        status, out, err = ask("long.n=41 | stats count")
        checks.check("documents are decoded again", status == 0 and json.loads(out) == [{"count": 2}], out[-300:] + err[-300:])
        status, out, err = ask("digits.first=0000000 | stats count by tags, hinomi.part, hinomi.source")
        rows = [row for row in json.loads(out) if row["tags"] == "_part"] if status == 0 else []
        checks.equal("parts are, and stay parts", sorted((row["hinomi.source"], row["hinomi.part"]) for row in rows),
                     [(name, f"1/{-(-len(LINE.encode()) // MIB)}") for name in ("hec", "ingest", "loki")])


def main():
    checks = harness.Checks()
    server = harness.Server().start()
    try:
        server.sign_in()
        token = server.token()
        for source, (path, make) in WAYS.items():
            check_way(checks, server, token, source, path, make)
        check_document(checks, server, token)
        checks.equal("it ends well", server.stop(), 0)
        check_decoded_again(checks, server)
        checks.equal("the books balance", harness.run("ledger", "--dir", server.dir + "/data")[0], 0)
    finally:
        server.close()
    checks.finish()


if __name__ == "__main__":
    main()
