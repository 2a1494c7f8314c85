#pragma once
/*
 * collect/otlp_schema: the messages of the OpenTelemetry Protocol, by which protobuf bodies become the tree that
 * OTLP's JSON form gives.
 *
 * Threads  Read-only.
 * Source   opentelemetry-proto 1.x: collector/{logs,metrics,trace}/v1, resource/v1, common/v1.
 */
#include "cut/protobuf.h"

/* Export{Logs,Metrics,Trace}ServiceRequest. */
extern const struct protobuf_message otlp_logs, otlp_metrics, otlp_traces;
