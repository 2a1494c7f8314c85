#!/usr/bin/env python3
"""OTLP, Prometheus remote write, Loki push and StatsD as their documents say them: every event with its fields, the right answers,
and one search that joins a metric with failed logins."""
import http.client
import json
import socket
import struct
import time

from harness import Checks, Server, wait_for
from wire_maker import any_value, attributes, double, fixed, free_port, number, octets, snappy, varint, zigzag

checks = Checks()
statsd_port = free_port()
server = Server(config=f"collect:\n  - {{kind: statsd, name: statsd, port: {statsd_port}, transport: [udp, tcp]}}\n").start()
server.sign_in()
token = server.token("hec")
NOW = int(time.time()) * 10**9
PROTOBUF = "application/x-protobuf"


def post(path, body, kind, by=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.hec_port, timeout=60)
    connection.request("POST", path, body, {"Content-Type": kind, "Authorization": f"Bearer {by or token}", **{k.replace("_", "-"): v for k, v in headers.items()}})
    answer = connection.getresponse()
    raw = answer.read()
    connection.close()
    return answer.status, raw, answer.headers


def answer_of(spl):
    page = server.query(spl)
    return [dict(zip(page["columns"], r)) for r in page["rows"]]


def rows(spl, count):
    """The rows of a search, once there are so many."""
    found = []

    def enough():
        found[:] = answer_of(spl)
        return len(found) >= count
    wait_for(enough)
    checks.equal(f"rows of {spl}", len(found), count)
    return found


def one(spl):
    found = rows(spl, 1)
    return found[0] if found else {}


def has(name, row, **fields):
    for field, want in fields.items():
        field = field.replace("__", ".")
        checks.equal(f"{name}: {field}", row.get(field), want)


# ---- OTLP ----

RESOURCE = octets(1, attributes(1, {"service.name": "shop", "host.name": "web-1", "process.pid": 4711}))
TRACE, SPAN = bytes(range(16)), bytes(range(8))


def otlp_logs(records):
    scope = octets(1, octets(1, "shop.cart") + octets(2, "1.2"))
    return octets(1, RESOURCE + octets(2, scope + b"".join(octets(2, r) for r in records)))


record = (fixed(1, NOW + 123456789) + fixed(11, NOW + 5) + number(2, 17) + octets(3, "ERROR") + octets(5, any_value("cart is empty")) +
          attributes(6, {"user.name": "eve", "n": -5, "ratio": 0.5, "ok": True, "tags": ["a", "b"], "nested": {"x": 1}, "blob": b"\x00\xff"}) +
          octets(9, TRACE) + octets(10, SPAN) + octets(12, "cart.empty"))
status, raw, headers = post("/v1/logs", otlp_logs([record]), PROTOBUF)
checks.equal("logs in protobuf", (status, raw, headers["Content-Type"]), (200, b"", PROTOBUF))
row = one('index=* otel.scope.name="shop.cart"')
has("log", row, message="cart is empty", log__level="error", event__severity=17, service__name="shop", trace__id=TRACE.hex(), span__id=SPAN.hex(),
    otel__attributes__n=-5, otel__attributes__ok=True, otel__attributes__tags=["a", "b"], event__action="cart.empty", user__name="eve",
    otel__attributes__nested__x=1, otel__attributes__blob__base64="AP8=", process__pid=4711, hinomi__source="otlp")
original = json.loads(row["_raw"])
checks.equal("times are exact", (original["timeUnixNano"], original["observedTimeUnixNano"]), (NOW + 123456789, NOW + 5))
checks.equal("the event's time is its own", row["_time"], f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(NOW // 10**9))}.123456789Z")

body = {"resource_logs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "pay"}}]},
                           "scopeLogs": [{"scope": {"name": "pay.js"}, "log_records": [
                               {"timeUnixNano": str(NOW), "severityNumber": "SEVERITY_NUMBER_WARN2", "body": {"kvlistValue": {"values": [
                                   {"key": "amount", "value": {"intValue": "9007199254740993"}}]}}, "traceId": TRACE.hex().upper(), "later": {"a": 1}}]}]}]}
status, raw, headers = post("/v1/logs", json.dumps(body), "application/json; charset=utf-8")
checks.equal("logs in JSON", (status, raw, headers["Content-Type"]), (200, b"{}", "application/json"))
row = one('index=* otel.scope.name="pay.js"')
has("JSON log", row, event__severity=14, log__level="warn", service__name="pay", trace__id=TRACE.hex(), otel__later__a=1)
checks.equal("64 bits are exact", json.loads(row["_raw"])["body"], {"amount": 9007199254740993})

line = "Nov 23 08:00:00 web-1 sshd[812]: Failed password for invalid user admin from 192.0.2.7 port 4711 ssh2"
post("/v1/logs", otlp_logs([fixed(1, NOW) + octets(5, any_value(line))]), PROTOBUF)
row = one("index=* event.action=ssh_login user.name=admin")
has("a line within a record", row, event__outcome="failure", source__ip="192.0.2.7", event__dataset="system.auth")

point = attributes(7, {"cpu": "0", "state": "user"}) + fixed(2, NOW - 10**9) + fixed(3, NOW)
exemplar = octets(5, attributes(7, {"k": "v"}) + fixed(2, NOW) + double(3, 1.5) + octets(5, TRACE))
bounds = varint(7 << 3 | 2) + varint(16) + struct.pack("<dd", 1, 10)
counts = varint(6 << 3 | 2) + varint(24) + struct.pack("<QQQ", 1, 2, 3)
histogram = attributes(9, {"route": "/a"}) + fixed(3, NOW) + fixed(4, 6) + double(5, 30.5) + counts + bounds + double(11, 0.5) + double(12, 20.0)
exponential = attributes(1, {"route": "/b"}) + fixed(3, NOW) + fixed(4, 2) + zigzag(6, -1) + octets(8, zigzag(1, 3) + octets(2, varint(1) + varint(1)))
summary = fixed(3, NOW) + fixed(4, 2) + double(5, 3.0) + octets(6, double(1, 0.5) + double(2, 1.25))
metrics = [
    octets(1, "cpu.usage") + octets(3, "1") + octets(5, octets(1, point + double(4, 0.75))),
    octets(1, "requests") + octets(7, octets(1, point + fixed(6, -7) + exemplar) + number(2, 2) + number(3, 1)),
    octets(1, "latency") + octets(9, octets(1, histogram) + number(2, 1)),
    octets(1, "size") + octets(10, octets(1, exponential) + number(2, 2)),
    octets(1, "gc") + octets(11, octets(1, summary)),
]
request = octets(1, RESOURCE + octets(2, b"".join(octets(2, m) for m in metrics)))
checks.equal("metrics in protobuf", post("/v1/metrics", request, PROTOBUF)[0], 200)
has("gauge", one("index=* metric_name=cpu.usage"), _value=None, metric__type="gauge", metric__unit="1", labels__state="user", host__name="web-1",
    service__name="shop", event__kind="metric", event__dataset="metric.otlp")
has("gauge's value", one("index=* metric_name=cpu.usage | table _value"), _value="0.75")
row = one("index=* metric_name=requests")
has("sum", row, metric__value=-7, metric__type="sum", metric__temporality="cumulative", metric__monotonic=True)
checks.equal("its exemplar", json.loads(row["_raw"])["metric"]["exemplars"],
             [{"attributes": {"k": "v"}, "timeUnixNano": NOW, "value": 1.5, "traceId": TRACE.hex()}])
has("histogram", one("index=* metric_name=latency"), metric__count=6, metric__bucketCounts=[1, 2, 3], metric__explicitBounds=[1, 10], labels__route="/a",
    metric__temporality="delta")
has("exponential histogram", one("index=* metric_name=size"), metric__type="exponential_histogram", metric__scale=-1, metric__positive__offset=3)
has("summary", one("index=* metric_name=gc"), metric__type="summary", metric__count=2)

span = (octets(1, TRACE) + octets(2, SPAN) + octets(5, "GET /cart") + number(6, 2) + fixed(7, NOW) + fixed(8, NOW + 2_000_000) +
        attributes(9, {"http.request.method": "GET", "client.address": "192.0.2.9"}) + octets(15, octets(2, "boom") + number(3, 2)))
checks.equal("spans", post("/v1/traces", octets(1, RESOURCE + octets(2, octets(2, span))), PROTOBUF)[0], 200)
has("span", one('index=* span.name="GET /cart"'), span__kind="server", event__duration=2000000, event__outcome="failure", source__ip="192.0.2.9",
    http__request__method="GET", trace__id=TRACE.hex())

status, raw, headers = post("/v1/logs", b"\x0a\x7fshort", PROTOBUF)
checks.check("damaged protobuf is a Status in protobuf", status == 400 and raw.startswith(b"\x08\x03\x12") and b"longer than the message" in raw, (status, raw))
status, raw, headers = post("/v1/logs", b"{\"resourceLogs\": 5}", "application/json")
checks.check("damaged JSON is a Status in JSON", status == 400 and json.loads(raw)["code"] == 3, (status, raw))
checks.equal("another type", post("/v1/logs", b"x", "text/plain")[0], 415)
checks.equal("nothing to take", post("/v1/logs", b"", PROTOBUF)[:2], (200, b""))
connection = http.client.HTTPConnection("127.0.0.1", server.hec_port, timeout=60)
connection.request("POST", "/v1/logs", b"", {"Content-Type": PROTOBUF})
answer = connection.getresponse()
checks.check("no token is a Status", answer.status == 401 and answer.read().startswith(b"\x08\x10\x12"))
connection.close()

# ---- Prometheus ----

STALE = struct.pack("<Q", 0x7ff0000000000002)


def series(name, *parts, **labels):
    labels = {"__name__": name, "instance": "web-1:9100", "job": "node", **labels}
    return octets(1, b"".join(octets(1, octets(1, k) + octets(2, v)) for k, v in labels.items()) + b"".join(parts))


def sample(value, ms=NOW // 10**6):
    return octets(2, (double(1, value) if value != 0 else b"") + number(2, ms))


native = octets(4, number(1, 5) + double(3, 2.5) + zigzag(4, 3) + octets(11, zigzag(1, -2) + number(2, 2)) + octets(12, varint(2) + varint(1)) +
                number(15, NOW // 10**6))
write = (series("up", sample(1.0), sample(0), sample(float("nan")), sample(float("inf")), sample(STALE)) +
         series("node_load1", sample(0.25), mode="a\"b") + series("lat", native) +
         series("lat", octets(3, octets(1, octets(1, "trace_id") + octets(2, "abc")) + double(2, 0.3) + number(3, NOW // 10**6)), le="1") +
         octets(3, number(1, 2) + octets(2, "node_load1") + octets(4, "1m load average")))
status, raw, headers = post("/api/v1/write", snappy(write), PROTOBUF, Content_Encoding="snappy", X_Prometheus_Remote_Write_Version="0.1.0")
checks.equal("remote write 1.0", (status, headers["X-Prometheus-Remote-Write-Samples-Written"]), (204, "6"))
found = rows("index=* metric_name=up | table _value metric.not_finite metric.stale host service.name labels.job metric.timestamp", 5)
checks.equal("values", sorted(str(r["_value"] if r["_value"] is not None else r["metric.not_finite"]) for r in found), ["0", "1", "Infinity", "NaN", "StaleNaN"])
checks.check("host, service, labels, time", all(r["host"] == "web-1" and r["service.name"] == "node" and r["labels.job"] == "node" and
                                                r["metric.timestamp"] == NOW // 10**6 for r in found), found)
checks.equal("a stale mark says so", [r["metric.not_finite"] for r in found if r.get("metric.stale")], ["StaleNaN"])
has("label with a quote", one("index=* metric_name=node_load1 prometheus.record=sample"), labels__mode='a"b')
has("metadata", one("index=* metric_name=node_load1 prometheus.record=metadata"), metric__type="gauge", metric__help="1m load average")
has("native histogram", one("index=* metric_name=lat prometheus.record=histogram"), metric__count=5, metric__schema=3)
has("exemplar", one("index=* metric_name=lat prometheus.record=exemplar"), metric__exemplar__labels__trace_id="abc", labels__le="1")

symbols = ["", "__name__", "http_total", "instance", "web-2:80", "Requests.", "trace_id", "def"]
packed = b"".join(varint(n) for n in (1, 2, 3, 4))
write = b"".join(octets(4, s) for s in symbols) + octets(5, octets(1, packed) + octets(2, double(1, 12.5) + number(2, NOW // 10**6)) +
                                                         octets(4, octets(1, varint(6) + varint(7)) + double(2, 1.0)) +
                                                         octets(5, number(1, 1) + number(3, 5)) + number(6, NOW // 10**6 - 1000))
status, raw, headers = post("/api/v1/push", snappy(write), PROTOBUF + ";proto=io.prometheus.write.v2.Request", Content_Encoding="snappy")
checks.equal("remote write 2.0", (status, headers["X-Prometheus-Remote-Write-Samples-Written"], headers["X-Prometheus-Remote-Write-Exemplars-Written"]),
             (204, "1", "1"))
has("its sample", one("index=* metric_name=http_total prometheus.record=sample"), metric__type="counter", metric__help="Requests.", host__name="web-2")
checks.equal("a reference to nothing", post("/api/v1/write", snappy(octets(5, octets(1, varint(9) + varint(9)))),
                                            PROTOBUF + ";proto=io.prometheus.write.v2.Request", Content_Encoding="snappy")[0], 400)
status, raw, headers = post("/api/v1/write", b"\xff\xff\xff\xff\xff", PROTOBUF, Content_Encoding="snappy")
checks.check("damaged snappy", status == 400, (status, raw))
status, raw, headers = post("/api/v1/write", snappy(b"\x0a\x7fshort"), PROTOBUF)
checks.check("damaged protobuf in snappy", status == 400 and b"damaged" in raw, (status, raw))
checks.equal("a block that says it is huge", post("/api/v1/write", varint(2**32 - 1) + b"\x00a", PROTOBUF)[0], 413)

# ---- Loki ----

push = {"streams": [{"stream": {"app": "shop", "host": "web-1", "filename": "/var/log/shop.log"}, "values": [
    [str(NOW + 7), "level=info msg=\"loki line 1\"", {"trace_id": "t1", "user": "eve"}], [str(NOW), "loki line 2 \\ \u00e9"]]}]}
checks.equal("push in JSON", post("/loki/api/v1/push", json.dumps(push), "application/json")[0], 204)
has("line with metadata", one('index=* "loki line 1"'), host__name="web-1", service__name="shop", trace__id="t1", labels__user="eve", labels__app="shop",
    source="/var/log/shop.log", hinomi__source="loki", _raw="level=info msg=\"loki line 1\"")
has("line without", one('index=* "loki line 2"'), _raw="loki line 2 \\ \u00e9", labels__app="shop", trace__id=None)
entry = octets(2, octets(1, number(1, NOW // 10**9) + number(2, 42)) + octets(2, "loki line 3") + octets(3, octets(1, "pod") + octets(2, "p-1")))
stream = octets(1, octets(1, '{job="a\\"b", instance="web-9", path=`C:\\x`}') + entry)
checks.equal("push in protobuf", post("/loki/api/v1/push", snappy(stream), PROTOBUF)[0], 204)
has("its line", one('index=* "loki line 3"'), labels__job='a"b', labels__pod="p-1", host__name="web-9", labels__path="C:\\x")
old = {"streams": [{"labels": '{job="old"}', "entries": [{"ts": "2026-11-23T08:00:00.5Z", "line": "loki line 4"}]}]}
checks.equal("the older form", post("/api/prom/push", json.dumps(old), "application/json")[0], 204)
has("its line", one('index=* "loki line 4"'), labels__job="old", _time="2026-11-23T08:00:00.500Z")
status, raw, headers = post("/loki/api/v1/push", b'{"streams": [{"values": [["1"]]}]}', "application/json")
checks.check("an entry without a line", status == 400 and b"values" in raw, (status, raw))

# ---- StatsD ----

udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.sendto(b"page.views:1|c\ntemp:-3.5|g\ntemp:+2|g\nreq.ms:320|ms|@0.1|#route:/a:b,service:shop,host:web-1,beta\n", ("127.0.0.1", statsd_port))
udp.sendto(b"users:u17|s", ("127.0.0.1", statsd_port))
udp.sendto(b"no metric at all", ("127.0.0.1", statsd_port))
with socket.create_connection(("127.0.0.1", statsd_port)) as tcp:
    tcp.sendall(b"sizes:1:2:3.5|h|#env:pr")
    tcp.sendall(b"od\n_e{5,4}:title|text|t:error|#env:prod\n_sc|redis|2|#env:prod|m:down\nlast:7|d")
has("counter", one("index=* metric_name=page.views"), metric__type="counter", metric__value=1, metric__temporality="delta", hinomi__source="statsd")
found = rows("index=* metric_name=temp | table _value metric.temporality", 2)
checks.equal("gauge and change", sorted((float(r["_value"]), r.get("metric.temporality")) for r in found), [(-3.5, "delta"), (2.0, "delta")])
has("timer", one("index=* metric_name=req.ms"), metric__value=320, metric__type="timer", host__name="web-1", service__name="shop", labels__route="/a:b",
    statsd__tags=["route:/a:b", "service:shop", "host:web-1", "beta"])
has("set", one("index=* metric_name=users"), metric__member="u17", metric__value=None)
has("what is none", one('index=* hinomi.source=statsd "no metric at all"'), _raw="no metric at all", tags="_decode_error")
has("packed values", one("index=* metric_name=sizes"), labels__env="prod", _raw="sizes:1:2:3.5|h|#env:prod")
has("an event", one("index=* statsd.event.title=title"), message="text", log__level="error")
has("a check", one("index=* statsd.check.name=redis"), event__outcome="failure", message="down")
has("a line without an end", one("index=* metric_name=last"), metric__type="distribution", metric__value=7)

# ---- a token that may deliver one event a second: to be sent again later, in each dialect's words ----

slow = server.token("hec", events_per_second=1)
for path, request, kind, sign in (("/v1/logs", otlp_logs([record] * 50), PROTOBUF, lambda raw: raw.startswith(b"\x08\x08\x12")),
                                  ("/v1/metrics", json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "quota", "gauge": {"dataPoints": [
                                      {"asInt": "1"}] * 50}}]}]}]}).encode(), "application/json", lambda raw: json.loads(raw)["code"] == 8),
                                  ("/api/v1/write", snappy(series("quota", *[sample(1.0)] * 50)), PROTOBUF, lambda raw: raw.endswith(b"\n")),
                                  ("/loki/api/v1/push", json.dumps({"streams": [{"stream": {}, "values": [["1", "quota"]] * 50}]}).encode(), "application/json",
                                   lambda raw: raw.endswith(b"\n"))):
    answers = [post(path, request, kind, by=slow) for _ in range(3)]
    refused = [a for a in answers if a[0] == 429]
    checks.check(f"{path}: 429, Retry-After and a sentence", refused and all(int(h["Retry-After"]) > 0 and sign(raw) for _, raw, h in refused), answers)

# ---- Splunk's own form of metrics ----

server.hec(token, json.dumps({"event": "metric", "host": "web-3", "fields": {"metric_name": "hec.cpu", "_value": 4.5, "region": "x"}}).encode())
has("HEC", one("| mstats avg(_value) as cpu where metric_name=hec.cpu by host region"), cpu=4.5, host="web-3", region="x")

# ---- one language over all of them ----

has("mstats", one('| mstats avg(_value) as cpu where metric_name=cpu.usage by host span=1h'), cpu=0.75, host="web-1")
names = {r["metric_name"] for r in rows("| mstats count(_value) where index=* metric_name=* by metric_name | where metric_name IN (\"cpu.usage\", "
                                        "\"node_load1\", \"req.ms\") | table metric_name", 3)}
checks.equal("three protocols in one listing", names, {"cpu.usage", "node_load1", "req.ms"})
for n in range(3):
    server.hec(token, [f"Nov 23 08:00:0{n} web-1 sshd[812]: Failed password for root from 192.0.2.8 port {4000 + n} ssh2"])
join = ("index=* (metric_name=cpu.usage OR (event.action=ssh_login event.outcome=failure user.name=root)) "
        "| stats avg(_value) as cpu count(eval(event.outcome=\"failure\")) as failed by host")
wait_for(lambda: any(r.get("failed") == 3 for r in answer_of(join)))
row = one(join)
has("CPU and failed logins in one search", row, host="web-1", cpu=0.75, failed=3)

server.close()
checks.finish()
