// Sends a known set of log records, metrics and spans with OpenTelemetry's SDK: otel.mjs URL TOKEN protobuf|json
import { SeverityNumber } from "@opentelemetry/api-logs";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { AggregationType, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const [url, token, encoding] = process.argv.slice(2);
const kind = encoding === "json" ? "http" : "proto";
const { OTLPLogExporter } = await import(`@opentelemetry/exporter-logs-otlp-${kind}`);
const { OTLPMetricExporter } = await import(`@opentelemetry/exporter-metrics-otlp-${kind}`);
const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-proto");
const headers = { Authorization: `Bearer ${token}` };
const resource = resourceFromAttributes({ "service.name": `sdk-${encoding}`, "host.name": "sdk-host" });

const logs = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter({ url: `${url}/v1/logs`, headers }) })] });
const logger = logs.getLogger("sender", "1.0");
for (let n = 0; n < 1000; n++)
  logger.emit({ severityNumber: SeverityNumber.WARN, severityText: "WARN", body: `record ${n}`, attributes: { n, ratio: n / 4, list: ["a", "b"], "user.name": "eve" } });

const exporter = new OTLPMetricExporter({ url: `${url}/v1/metrics`, headers });
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3600_000 });
const views = [{ instrumentName: "exponential", aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }];
const meters = new MeterProvider({ resource, readers: [reader], views });
const meter = meters.getMeter("sender");
for (let n = 0; n < 50; n++) {
  meter.createCounter("sdk.requests").add(n, { route: `/r${n}` });
  meter.createGauge("sdk.load").record(n / 8, { cpu: String(n) });
}
const histogram = meter.createHistogram("sdk.latency", { unit: "ms" }), exponential = meter.createHistogram("exponential");
for (const value of [1, 20, 300]) {
  histogram.record(value);
  exponential.record(value);
}

const spans = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${url}/v1/traces`, headers }))] });
for (let n = 0; n < 100; n++)
  spans.getTracer("sender").startSpan(`span ${n}`).end();

for (const provider of [logs, meters, spans])
  await provider.shutdown(); // sends what there is
