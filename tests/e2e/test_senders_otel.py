#!/usr/bin/env python3
"""Real senders of telemetry: OpenTelemetry's SDK, winston-loki and hot-shots from npm, and Prometheus. Each sends a known set, and
every event of it is found with its fields."""
import pathlib
import shutil
import subprocess
import tempfile

import npm_senders
import senders
from harness import ROOT, Checks, Server, wait_for
from wire_maker import free_port

checks = Checks()
SENDERS = ROOT / "tests/e2e/senders_otel"


def answer_of(spl):
    page = server.query(spl)
    return [dict(zip(page["columns"], r)) for r in page["rows"]]


def count(name, spl, want):
    """Of the events that a search finds, once they are all there."""
    got = lambda: int(answer_of(f"{spl} | stats count")[0]["count"])
    wait_for(lambda: got() >= want, 60)
    checks.equal(name, got(), want)


def one(name, spl, **fields):
    found = wait_for(lambda: answer_of(spl), 60)
    row = found[0] if found else {}
    for field, want in fields.items():
        field = field.replace("__", ".")
        checks.equal(f"{name}: {field}", row.get(field), want)


def node(folder, script, *args):
    done = subprocess.run(["node", script, *map(str, args)], cwd=folder, capture_output=True, text=True, timeout=300)
    checks.check(f"{script} {args[-1]} ends well", done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:])


def opentelemetry(folder, url, token):
    for encoding in ("protobuf", "json"):
        node(folder, "otel.mjs", url, token, encoding)
        service = f"service.name=sdk-{encoding}"
        count(f"{encoding}: log records", f"index=* sourcetype=otlp.log {service}", 1000)
        one(f"{encoding}: a record", f"index=* {service} otel.attributes.n=401", message="record 401", log__level="warn", event__severity=13,
            host__name="sdk-host", user__name="eve", otel__attributes__ratio="100.25", otel__attributes__list=["a", "b"], otel__scope__name="sender")
        count(f"{encoding}: numbers", f"index=* {service} metric_name=sdk.* metric.value=*", 100)
        one(f"{encoding}: counter", f"index=* {service} metric_name=sdk.requests labels.route=/r7", metric__value=7, metric__type="sum",
            metric__monotonic=True, metric__temporality="cumulative", host__name="sdk-host")
        one(f"{encoding}: gauge", f"index=* {service} metric_name=sdk.load labels.cpu=2 | table _value", _value="0.25")
        one(f"{encoding}: histogram", f"index=* {service} metric_name=sdk.latency", metric__count=3, metric__sum=321, metric__min=1, metric__max=300,
            metric__unit="ms", metric__type="histogram")
        one(f"{encoding}: exponential histogram", f"index=* {service} metric_name=exponential", metric__count=3, metric__type="exponential_histogram")
        count(f"{encoding}: spans", f"index=* sourcetype=otlp.span {service}", 100)


def loki(folder, url, token):
    for encoding in ("protobuf", "json"):
        node(folder, "loki.mjs", url, token, encoding)
        count(f"winston-loki, {encoding}", f"index=* hinomi.source=loki service.name=winston-{encoding}", 500)
        one(f"winston-loki, {encoding}: a line", f'index=* "line 123 of winston-{encoding}"', host__name="winston-host", labels__n="3",
            _raw=f"line 123 of winston-{encoding}", labels__level="info")


def statsd(folder, port):
    for protocol in ("tcp", "udp"):
        node(folder, "statsd.mjs", port, protocol)
        count(f"hot-shots, {protocol}", f"index=* metric_name=hot.{protocol}.count", 300)
        one(f"{protocol}: counter", f"index=* metric_name=hot.{protocol}.count labels.n=123", metric__value=123, metric__type="counter",
            host__name="hot-host")
        for kind, value in (("gauge", "0.5"), ("timer", 42), ("histogram", 7), ("distribution", 8)):
            one(f"{protocol}: {kind}", f"index=* metric_name=hot.{protocol}.{kind}", metric__value=value, metric__type=kind)
        one(f"{protocol}: set", f"index=* metric_name=hot.{protocol}.set", metric__member="u1")
    count("hot-shots: events", "index=* statsd.event.title=*deployed", 2)
    count("hot-shots: checks", "index=* statsd.check.name=*alive statsd.check.state=warning", 2)


def prometheus(url, token):
    problem = senders.fetch()
    if problem:
        checks.skip("Prometheus", problem)
        return
    folder, port = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-prometheus-")), free_port()
    (folder / "prometheus.yml").write_text(f"""global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: itself
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
remote_write:
  - url: {url}/api/v1/write
    authorization: {{credentials: {token}}}
    send_exemplars: true
    metadata_config: {{send_interval: 1s}}
    queue_config: {{batch_send_deadline: 1s}}
""")
    command = [senders.program("prometheus", "usr/bin/prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
               f"--web.listen-address=127.0.0.1:{port}"]
    with senders.Running("prometheus", command, folder):
        series = "index=* hinomi.source=prometheus prometheus.record=sample service.name=itself"
        one("Prometheus: up", f"{series} metric_name=up", metric__value=1, host__name="127.0.0.1", labels__instance=f"127.0.0.1:{port}")
        checks.check("Prometheus: hundreds of names", wait_for(lambda: int(answer_of(f"{series} | stats dc(metric_name) as n")[0]["n"]) > 200, 60))
        one("Prometheus: metadata", "index=* prometheus.record=metadata metric_name=go_goroutines", metric__type="gauge")
        sent = "index=* metric_name=prometheus_remote_storage_samples_failed_total"
        checks.check("Prometheus: it says that nothing failed", wait_for(lambda: answer_of(f"{sent} | stats max(_value) as n")[0].get("n") == 0, 60))
        one("Prometheus: a rate", "| mstats max(_value) as top where metric_name=prometheus_tsdb_head_series by service.name span=1h | where top > 100",
            service__name="itself")
    if checks.failed:
        print((folder / "sender.out").read_text()[-3000:])
    shutil.rmtree(folder, ignore_errors=True)


port = free_port()
server = Server(config=f"collect:\n  - {{kind: statsd, name: statsd, port: {port}, transport: [udp, tcp]}}\n").start()
try:
    server.sign_in()
    token, url = server.token("hec"), f"http://127.0.0.1:{server.hec_port}"
    folder, why = npm_senders.installed(SENDERS)
    if folder:
        opentelemetry(folder, url, token)
        loki(folder, url, token)
        statsd(folder, port)
    else:
        checks.skip("senders from npm", why)
    prometheus(url, token)
finally:
    server.close()
checks.finish()
