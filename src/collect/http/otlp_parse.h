#pragma once
/*
 * collect/otlp_parse: a body of the OpenTelemetry Protocol over HTTP into a delivery body (RECORDS): an event for
 * each log record, data point of a metric, and span.
 *
 * event.original of each is one JSON object that has all of it, with its resource and scope (content/decoders/otlp.yaml
 * reads it):
 *
 *   {"otlp":"log", <members of the record>, "resource":{"attributes":{...}}, "scope":{...}}
 *   {"otlp":"span", <members of the span>, "resource", "scope"}
 *   {"otlp":"metric", "metric":{"name", "type", "unit", "value", ...}, "labels":{...},
 *    "otel":{"resource", "scope"}}
 *
 * Names are as in OTLP's JSON form. Attributes are an object of plain values; whole numbers are exact numbers, bytes
 * are {"base64": ...}, identifiers hex, numbers that are not finite a text ("NaN", "Infinity"), enumerations their name.
 * What the messages have beyond what is known here is kept under its JSON name, or as "unknownFields".
 *
 * Source  OpenTelemetry, "OTLP Specification 1.x" (OTLP/HTTP, JSON Protobuf Encoding) and "Metrics Data Model".
 * Limits  WIRE_TREE_BYTES_MAX and JOURNAL_RECORD_BYTES_MAX of records: ERR_LIMIT.
 */
#include "base/buffer.h"
#include "base/err.h"

enum otlp_signal { OTLP_LOGS, OTLP_METRICS, OTLP_TRACES };

/* Appends records and counts events; 0 events are fine. -1: the body is refused as a whole; ERR_INPUT: it is damaged or
 * none, ERR_LIMIT: too much for one request, ERR_NOMEM. */
MUST_USE int otlp_parse(enum otlp_signal signal, bool json, struct slice body, struct buffer *records,
                        uint32_t *event_count, struct err *err);
