#pragma once
/*
 * collect/loki_parse: a push request of Grafana Loki into a delivery body (RECORDS): an event for each line, byte for
 * byte.
 *
 * Beside the line go as hints: its time; host (the first of the labels host, hostname, node_name, nodename, instance),
 * source (filename), and fields: all labels and structured metadata as labels.NAME, service.name (service_name,
 * service, app) and trace.id (trace_id, traceID). Labels that cannot be read are labels.unparsed, a time that cannot,
 * loki.timestamp.
 *
 * Source  Grafana Loki, "Loki HTTP API: ingest logs" (JSON, and the older form of /api/prom/push), pkg/push/push.proto.
 * Limits  WIRE_TREE_BYTES_MAX and JOURNAL_RECORD_BYTES_MAX of records: ERR_LIMIT.
 */
#include "base/buffer.h"
#include "base/err.h"

/* body: JSON, or an unpacked protobuf message. Appends records and counts events; 0 events are fine. -1: the body is
 * refused as a whole; ERR_INPUT: it is damaged or none, ERR_LIMIT: too much for one request, ERR_NOMEM. */
MUST_USE int loki_parse(bool json, struct slice body, struct buffer *records, uint32_t *event_count, struct err *err);
