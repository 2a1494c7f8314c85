#!/usr/bin/env python3
"""Elasticsearch's senders, plain texts and GELF: their requests as they document and send them, replayed over real sockets; every
event is found with the right fields, and what is refused is refused in the form that they read."""
import base64
import gzip
import http.client
import json
import os
import socket
import struct
import zlib

from harness import Checks, Server, http_request, wait_for

checks = Checks()


class Sender:
    """One connection, as shippers keep it."""

    def __init__(self, port, token, scheme="ApiKey"):
        self.port = port
        login = base64.b64encode(f"sender:{token}".encode()).decode()
        self.headers = {"Authorization": {"Basic": f"Basic {login}", "ApiKey": f"ApiKey {login}", "Bearer": f"Bearer {token}"}[scheme]}

    def ask(self, method, path, body=None, headers=None):
        data = body.encode() if isinstance(body, str) else body
        status, parsed, answered = http_request(self.port, method, path, data, {**self.headers, **(headers or {})}, 60)
        return status, parsed.decode() if isinstance(parsed, bytes) else parsed, answered


def lines(*docs):
    return "".join((d if isinstance(d, str) else json.dumps(d)) + "\n" for d in docs)


def rows(server, spl, count, *fields):
    """Once there are so many: dicts."""
    def found():
        page = server.query(f"{spl} | sort 0 hinomi.seq | table {' '.join(fields)}")
        return page["rows"] if len(page["rows"]) >= count else None
    table = wait_for(found, 60) or []
    checks.equal(f"rows of {spl}", len(table), count)
    return [dict(zip(fields, row)) for row in table]


def handshakes(sender):
    """What each asks before it sends, and what its code looks at in the answer."""
    status, body, headers = sender.ask("GET", "/")
    checks.equal("GET /", (status, body["version"]["number"].split(".")[0], body["tagline"]), (200, "8", "You Know, for Search"))
    checks.equal("the product", headers["X-Elastic-Product"], "Elasticsearch")
    checks.equal("HEAD /", sender.ask("HEAD", "/")[:2], (200, None))
    status, body, _ = sender.ask("GET", "/_license?human=false")
    checks.equal("Beats: the license", (status, body["license"]["status"], body["license"]["type"]), (200, "active", "basic"))
    status, body, _ = sender.ask("GET", "/_xpack")
    checks.equal("Beats: x-pack", (status, body["license"]["status"], body["features"]["ilm"]["enabled"]), (200, "active", True))
    for path in ("/_index_template/filebeat-8.17.0", "/_template/logstash", "/_component_template/ecs", "/_ilm/policy/filebeat",
                 "/_ingest/pipeline/filebeat-8.17.0-system-auth-pipeline", "/_data_stream/filebeat-8.17.0", "/_alias/logstash", "/logstash"):
        checks.equal(f"HEAD {path}", sender.ask("HEAD", path)[0], 200)
        status, body, _ = sender.ask("GET", path)
        checks.check(f"GET {path}", status == 200 and path.rsplit("/", 1)[1] in json.dumps(body), (status, body))
    for path in ("/_index_template/filebeat-8.17.0", "/_template/logstash", "/_component_template/ecs", "/_ilm/policy/filebeat",
                 "/_ingest/pipeline/x", "/_data_stream/filebeat-8.17.0", "/logstash-2026.03"):
        status, body, _ = sender.ask("PUT", path, '{"index_patterns":["x*"]}', {"Content-Type": "application/json"})
        checks.equal(f"PUT {path}", (status, body["acknowledged"]), (200, True))
    status, body, _ = sender.ask("GET", "/_cluster/health")
    checks.equal("Vector: health", (status, body["status"]), (200, "green"))
    status, body, _ = sender.ask("GET", "/_nodes/http", headers={"Host": "es.example:9200"})
    nodes = list(body["nodes"].values())
    checks.equal("Logstash: sniffing", nodes[0]["http"]["publish_address"], "es.example:9200")
    checks.equal("who am I", sender.ask("GET", "/_security/_authenticate")[1]["enabled"], True)
    checks.equal("privileges", sender.ask("POST", "/_security/user/_has_privileges", "{}")[1]["has_all_requested"], True)
    checks.equal("Beats: monitoring", sender.ask("POST", "/_monitoring/bulk?interval=10s&system_id=beats", "{}\n")[1],
                 {"took": 0, "ignored": True, "errors": False})
    checks.equal("no search here", sender.ask("GET", "/_search")[0], 404)


def tokens(server, token):
    for scheme in ("Basic", "ApiKey", "Bearer"):
        checks.equal(f"a token in {scheme}", Sender(server.hec_port, token, scheme).ask("GET", "/")[0], 200)
    status, body, headers = Sender(server.hec_port, "hin_hec_0000_no").ask("POST", "/_bulk", '{"index":{}}\n{}\n')
    checks.equal("an unknown token", (status, body["error"]["type"], body["status"]), (401, "security_exception", 401))
    checks.equal("said with the product", headers["X-Elastic-Product"], "Elasticsearch")
    checks.check("and how to sign in", "Basic" in headers["WWW-Authenticate"])
    status, body, _ = server.request("GET", "/", port=server.hec_port)
    checks.equal("no token", (status, body["error"]["type"]), (401, "security_exception"))


def filebeat(server, sender):
    """Filebeat 8: gzip, create into a data stream, filter_path; then Winlogbeat and Auditbeat in one batch."""
    create = {"create": {"_index": "filebeat-8.17.0"}}
    body = lines(create, {"@timestamp": "2026-03-01T09:00:00.123Z", "log": {"offset": 2114, "file": {"path": "/var/log/auth.log"}},
                          "message": "Mar  1 09:00:00 web-1 sshd[4711]: Failed password for invalid user aoi from 192.0.2.4 port 51514 ssh2",
                          "input": {"type": "filestream"}, "ecs": {"version": "8.0.0"}, "host": {"name": "web-1"},
                          "agent": {"name": "web-1", "type": "filebeat", "version": "8.17.0"}},
                 create, {"@timestamp": "2026-03-01T09:00:01Z", "event": {"code": "4625", "provider": "Microsoft-Windows-Security-Auditing"},
                          "winlog": {"channel": "Security", "event_id": "4625", "provider_name": "Microsoft-Windows-Security-Auditing",
                                     "computer_name": "DC01", "event_data": {"TargetUserName": "ren", "IpAddress": "198.51.100.7", "LogonType": "3"}},
                          "message": "An account failed to log on.", "host": {"name": "DC01"}, "agent": {"type": "winlogbeat"}},
                 create, {"@timestamp": "2026-03-01T09:00:03Z", "event": {"module": "auditd", "category": ["authentication"], "action": "logged-in",
                          "outcome": "failure"}, "user": {"name": "root"}, "source": {"ip": "192.0.2.9"}, "host": {"name": "web-2"},
                          "agent": {"type": "auditbeat"}, "ecs": {"version": "8.0.0"}})
    status, answer, headers = sender.ask(
        "POST", "/_bulk?filter_path=errors%2Citems.%2A.error%2Citems.%2A.status", gzip.compress(body.encode()),
        {"Content-Type": "application/vnd.elastic+json; compatible-with=8", "Accept": "application/vnd.elastic+json; compatible-with=8",
         "Content-Encoding": "gzip", "User-Agent": "Elastic-filebeat/8.17.0"})
    checks.equal("Beats' answer", (status, answer), (200, {"errors": False, "items": [{"create": {"status": 201}}] * 3}))
    checks.equal("with the product", headers["X-Elastic-Product"], "Elasticsearch")
    found = rows(server, "hinomi.sent_index=filebeat-8.17.0", 3, "_raw", "user.name", "source.ip", "event.outcome", "host", "agent.type",
                 "hinomi.stream", "hinomi.source")
    checks.equal("bytes", [r["_raw"] for r in found], body.splitlines()[1::2])
    checks.equal("Filebeat", [found[0][k] for k in ("user.name", "source.ip", "event.outcome", "host", "agent.type")],
                 ["aoi", "192.0.2.4", "failure", "web-1", "filebeat"])
    checks.equal("Winlogbeat", [found[1][k] for k in ("user.name", "source.ip", "event.outcome")], ["ren", "198.51.100.7", "failure"])
    checks.equal("Auditbeat", [found[2][k] for k in ("user.name", "source.ip", "event.outcome", "host")],
                 ["root", "192.0.2.9", "failure", "web-2"])
    checks.equal("the stream is the token's", {r["hinomi.stream"] for r in found}, {"main"})
    checks.equal("the source", {r["hinomi.source"] for r in found}, {"elasticsearch"})


def other_shippers(server, sender):
    # Fluent Bit: one action line for all, and it looks for this text in an answer that it cut
    action = '{"create":{"_index":"fluent-bit"}}'
    connection = http.client.HTTPConnection("127.0.0.1", server.hec_port, timeout=60)
    connection.request("POST", "/_bulk", lines(action, {"@timestamp": "2026-03-01T09:00:06.000Z", "stream": "stdout", "log":
                       '192.0.2.50 - - [01/Mar/2026:09:00:06 +0000] "GET /login HTTP/1.1" 401 12\n'}, action, {"log": "plain"}).encode(),
                       {**sender.headers, "Content-Type": "application/x-ndjson", "User-Agent": "Fluent-Bit"})
    answer = connection.getresponse()
    raw = answer.read()
    connection.close()
    checks.check("Fluent Bit", answer.status == 200 and b'"errors":false,"items":[' in raw, raw[:200])
    found = rows(server, "hinomi.sent_index=fluent-bit", 2, "source.ip", "http.response.status_code")
    checks.equal("its line is decoded", (found[0]["source.ip"], str(found[0]["http.response.status_code"])), ("192.0.2.50", "401"))
    # Logstash: into a data stream, by the index's path; Fluentd: ids, with a type; Vector: create
    status, answer, _ = sender.ask("POST", "/logs-generic-default/_bulk?filter_path=errors,items.*.error,items.*.status", lines(
        {"create": {"_index": "logs-generic-default", "_id": None, "routing": None}},
        {"@timestamp": "2026-03-01T09:00:05Z", "@version": "1", "host": {"hostname": "app-1"},
         "message": "Mar  1 09:00:05 app-1 sudo: pam_unix(sudo:auth): authentication failure; logname=mei uid=1000 euid=0 tty=/dev/pts/0 "
                    "ruser=mei rhost=  user=mei"}), {"Content-Type": "application/json"})
    checks.equal("Logstash", (status, answer), (200, {"errors": False, "items": [{"create": {"status": 201}}]}))
    checks.equal("its line is decoded", rows(server, "hinomi.sent_index=logs-generic-default", 1, "user.name")[0]["user.name"], "mei")
    status, answer, _ = sender.ask("POST", "/fluentd/fluentd/_bulk", lines({"index": {"_id": "f-1", "_type": "fluentd"}}, {"message": "from fluentd"}))
    item = answer["items"][0]["index"]
    checks.equal("Fluentd", (status, item["_index"], item["_id"], item["result"], item["status"]), (200, "fluentd", "f-1", "created", 201))
    status, answer, _ = sender.ask("POST", "/_bulk?pipeline=x&timeout=60s", lines(
        {"create": {"_index": "vector-2026.03.01"}}, {"file": "/var/log/auth.log", "host": "web-9", "source_type": "file",
         "timestamp": "2026-03-01T09:00:07.100Z", "message": "Mar  1 09:00:07 web-9 sshd[1]: Accepted publickey for mei from 192.0.2.77 port 1 ssh2"}))
    item = answer["items"][0]["create"]
    found = rows(server, "hinomi.sent_index=vector-2026.03.01", 1, "host", "source.ip", "event.id", "hinomi.seq")[0]
    checks.equal("Vector", (found["host"], found["source.ip"]), ("web-9", "192.0.2.77"))
    checks.equal("an id nobody gave is hinomi.seq", (item["_id"], str(item["_seq_no"])), (str(found["hinomi.seq"]),) * 2)


def ids(server, sender):
    """The same batch of events with ids is stored once; event.id is the sender's."""
    body = lines({"create": {"_index": "ids", "_id": "a/1"}}, {"message": "one", "event": {"id": "own"}}, {"index": {"_index": "ids", "_id": 2}}, {"message": "two"})
    first = sender.ask("POST", "/_bulk", body)
    again = sender.ask("POST", "/_bulk", body)
    checks.equal("the same answer", again[:2], first[:2])
    for _ in range(2):
        status, answer, _ = sender.ask("PUT", "/ids/_doc/3", '{\n "message": "three"\n}\n')
        checks.equal("one document", (status, answer["_id"], answer["result"]), (201, "3", "created"))
    checks.equal("create", sender.ask("PUT", "/ids/_create/4", '{"message":"four"}')[0], 201)
    checks.equal("no id", sender.ask("POST", "/ids/_doc", '{"message":"five"}')[0], 201)
    checks.equal("no id, twice", sender.ask("POST", "/ids/_doc", '{"message":"five"}')[0], 201)
    found = rows(server, "hinomi.sent_index=ids", 6, "event.id", "hinomi.own_id", "message", "_raw")
    checks.equal("each once", [(r["event.id"], r["message"]) for r in found[:4]], [("a/1", "one"), ("2", "two"), ("3", "three"), ("4", "four")])
    checks.equal("what it calls itself", found[0]["hinomi.own_id"], "own")
    checks.equal("without ids all of them", [r["message"] for r in found[4:]], ["five", "five"])
    checks.equal("a document's bytes", found[2]["_raw"], '{\n "message": "three"\n}')


def bad(server, sender):
    """Evidence is not changed; a damaged document is kept; a damaged action refuses the request, of which nothing is kept."""
    status, answer, _ = sender.ask("POST", "/bad/_bulk", lines(
        {"update": {"_id": "1"}}, {"doc": {"a": 1}}, {"index": {}}, '{"message":"cut', {"delete": {"_id": "1"}}, {"create": {}}, ""))
    statuses = [next(iter(i.items())) for i in answer["items"]]
    checks.equal("item by item", (status, answer["errors"], [(a, i["status"]) for a, i in statuses]),
                 (200, True, [("update", 400), ("index", 201), ("delete", 400), ("create", 400)]))
    checks.check("and why", "evidence" in statuses[0][1]["error"]["reason"], statuses[0])
    found = rows(server, "hinomi.sent_index=bad", 1, "_raw", "tags")
    checks.check("the damaged one is kept and marked", found[0]["_raw"] == '{"message":"cut' and "_not_understood" in str(found[0]["tags"]), found)
    status, answer, _ = sender.ask("POST", "/bad/_bulk", lines({"index": {}}, {"a": 1}, {"message": "no action"}, {"b": 1}))
    checks.check("no action", status == 400 and "line 3" in answer["error"]["reason"], (status, answer))
    checks.equal("an empty body", sender.ask("POST", "/_bulk", "")[0], 400)
    checks.equal("an empty document", sender.ask("POST", "/bad/_doc", " \n")[0], 400)
    checks.equal("deleting an index", sender.ask("DELETE", "/bad")[0], 400)
    checks.equal("deleting a document", sender.ask("DELETE", "/bad/_doc/1")[0], 400)
    checks.equal("nothing of it was kept", len(server.query("hinomi.sent_index=bad")["rows"]), 1)


def plain(server, sender):
    def send(body, kind, query=""):
        return sender.ask("POST", "/v1/ingest" + query, body, {"Content-Type": kind} if kind else {})
    status, answer, _ = send('{"n":1}\n\n{"n":2}\n', "application/x-ndjson", "?host=h1&source=/var/log/x&sourcetype=mine")
    checks.equal("JSON lines", (status, answer["accepted"]), (200, 2))
    checks.check("the first one's number", isinstance(answer["first_seq"], int), answer)
    checks.equal("a list", send('[{"n":3},{"n":4}]', "application/json", "?host=h1")[1]["accepted"], 2)
    checks.equal("an object over lines", send('{\n "n":5\n}', "application/json", "?host=h1")[1]["accepted"], 1)
    checks.equal("lines", send("first line\nsecond line\n", "text/plain; charset=utf-8", "?host=h1")[1]["accepted"], 2)
    checks.equal("what curl says", send('{"n":6}', "application/x-www-form-urlencoded", "?host=h1")[1]["accepted"], 1)
    checks.equal("broken JSON is kept", send('{"n":7,', "application/json", "?host=h1")[1]["accepted"], 1)
    checks.equal("nothing", send("", "application/json")[:2], (200, {"accepted": 0}))
    found = rows(server, "hinomi.source=ingest host=h1", 9, "_raw", "host", "source", "sourcetype")
    checks.equal("bytes", [r["_raw"] for r in found], ['{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}', '{\n "n":5\n}', "first line", "second line", '{"n":6}', '{"n":7,'])
    checks.equal("given in the query", (found[0]["source"], found[0]["sourcetype"]), ("/var/log/x", "mine"))
    checks.equal("Okta asks once", sender.ask("GET", "/v1/ingest", headers={"X-Okta-Verification-Challenge": "abc"})[1], {"verification": "abc"})
    checks.equal("no token in the URL", server.request("POST", "/v1/ingest?token=x", b"{}", port=server.hec_port)[0], 401)
    checks.equal("another method", sender.ask("PUT", "/v1/ingest", "{}")[0], 405)


def message(number, **more):
    return json.dumps({"version": "1.1", "host": "g1", "short_message": f"m{number}", "timestamp": 1772355600.25, "level": 4, "_n": number, **more}).encode()


def chunks_of(data, ident, size=500):
    parts = [data[at:at + size] for at in range(0, len(data), size)]
    return [b"\x1e\x0f" + struct.pack(">Q", ident) + bytes((i, len(parts))) + part for i, part in enumerate(parts)]


def gelf(server, sender, port):
    checks.equal("GELF over HTTP", sender.ask("POST", "/gelf", message(1))[0], 202)
    checks.equal("nothing", sender.ask("POST", "/gelf", "")[0], 400)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.connect(("127.0.0.1", port))
    large = message(4, full_message="x" * 3000)
    for datagram in (message(2), zlib.compress(message(3)), *reversed(chunks_of(large, 1)), *chunks_of(gzip.compress(message(5, _rand=os.urandom(900).hex())), 2)):
        udp.send(datagram)
    for datagram in (*chunks_of(large, 3)[:-1], b"\x1e\x0fshort"): # the last chunk never comes; no chunk at all
        udp.send(datagram)
    for end, numbers in ((b"\0", (6, 7)), (b"\n", (8, 9))):
        with socket.create_connection(("127.0.0.1", port)) as tcp:
            tcp.sendall(b"".join(message(n) + end for n in numbers))
    with socket.create_connection(("127.0.0.1", port)) as tcp:
        tcp.sendall(b'{"no":"end')
    found = rows(server, "host=g1 gelf.version=1.1", 9, "message", "log.level", "_time", "gelf._n", "_raw", "hinomi.source")
    checks.equal("each message", sorted(r["message"] for r in found), [f"m{n}" for n in range(1, 10)])
    checks.equal("level", {r["log.level"] for r in found}, {"warning"})
    checks.equal("bytes of one in chunks", next(r["_raw"] for r in found if r["message"] == "m4"), large.decode())
    checks.equal("sources", {r["hinomi.source"] for r in found}, {"gelf"})
    lost = lambda: int(server.query('hinomi.drop.source=gelf hinomi.drop.place=parse | stats sum(hinomi.drop.events) as n')["rows"][0][0] or 0)
    wait_for(lambda: lost() == 2, 60)
    checks.equal("it is known of the message that was never whole, and of the chunk that was none", lost(), 2)
    checks.equal("a damaged one is kept", rows(server, 'hinomi.source=gelf "no"', 1, "_raw")[0]["_raw"], '{"no":"end')


def hec(server, token):
    """Indexer acknowledgement: who names a channel gets an id, and the id says that the events are durable."""
    sender = Sender(server.hec_port, token)
    sender.headers = {"Authorization": f"Splunk {token}"}
    channel = {"X-Splunk-Request-Channel": "FE0ECFAD-13D5-401B-847D-77833BD77131"}
    checks.equal("no channel, no id", sender.ask("POST", "/services/collector", '{"event":"a"}')[1], {"text": "Success", "code": 0})
    given = [sender.ask("POST", "/services/collector/event", '{"event":"b"}', channel)[1]["ackId"],
             sender.ask("POST", f"/services/collector/raw?channel={channel['X-Splunk-Request-Channel']}", gzip.compress(b"c\nd\n"), {"Content-Encoding": "gzip"})[1]["ackId"]]
    checks.check("ids that scripts read exactly", given[0] < given[1] < 2**53, given)
    ahead = given[1] + 1000
    checks.equal("asked for", sender.ask("POST", "/services/collector/ack", json.dumps({"acks": [*given, ahead]}), channel)[1],
                 {"acks": {str(given[0]): True, str(given[1]): True, str(ahead): False}})
    checks.equal("no channel", sender.ask("POST", "/services/collector/ack", '{"acks":[1]}')[:2], (400, {"text": "Data channel is missing", "code": 10}))
    checks.equal("a channel that is none", sender.ask("POST", "/services/collector/ack?channel=7", '{"acks":[1]}')[:2], (400, {"text": "Invalid data channel", "code": 11}))
    checks.equal("nothing asked for", sender.ask("POST", "/services/collector/ack", '{}', channel)[1]["code"], 6)
    checks.equal("a token in Basic", Sender(server.hec_port, token, "Basic").ask("POST", "/services/collector", '{"event":"e"}')[0], 200)
    checks.equal("no event", sender.ask("POST", "/services/collector", '{"event":"a"}{"host":"b"}')[1],
                 {"text": "Event field is required", "code": 12, "invalid-event-number": 1, "detail": 'an object has no "event" at byte 25'})
    checks.equal("healthy", server.request("GET", "/services/collector/health?ack=true", port=server.hec_port)[1]["code"], 17)
    checks.equal("a token in the URL", server.request("POST", f"/services/collector?token={token}", b'{"event":"f"}', port=server.hec_port)[1]["code"], 2)
    rows(server, "hinomi.source=hec", 5, "_raw")
    return given


def hec_after_a_kill(server, token, given):
    """What was acknowledged is there after a kill, and its id still says so; ids go on above it."""
    server.kill()
    server.start()
    server.sign_in()
    sender = Sender(server.hec_port, token)
    channel = {"X-Splunk-Request-Channel": "FE0ECFAD-13D5-401B-847D-77833BD77131"}
    checks.equal("known after a kill", sender.ask("POST", "/services/collector/ack", json.dumps({"acks": given}), channel)[1],
                 {"acks": {str(n): True for n in given}})
    checks.check("above", sender.ask("POST", "/services/collector", '{"event":"g"}', channel)[1]["ackId"] > max(given))
    rows(server, "hinomi.source=hec", 6, "_raw")


def gelf_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def main():
    port = gelf_port()
    server = Server(config=f"collect:\n  - {{kind: gelf, name: gelf, port: {port}}}\n").start()
    server.sign_in()
    token = server.token("hec")
    sender = Sender(server.hec_port, token)
    handshakes(sender)
    tokens(server, token)
    filebeat(server, sender)
    other_shippers(server, sender)
    ids(server, sender)
    bad(server, sender)
    plain(server, sender)
    gelf(server, sender, port)
    hec_after_a_kill(server, token, hec(server, token))
    checks.equal("it stops cleanly", server.stop(), 0)
    server.close()
    checks.finish()


main()
