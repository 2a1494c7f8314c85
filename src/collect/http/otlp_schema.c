#include "collect/http/otlp_schema.h"

/* ---- common ---- */

static const struct protobuf_message any_value, key_value; /* they hold each other */

static const struct protobuf_known array_value_fields[] = {PB_MANY(1, "values", any_value)};
static const struct protobuf_message array_value = PB_MESSAGE(array_value_fields);
static const struct protobuf_known kvlist_value_fields[] = {PB_MANY(1, "values", key_value)};
static const struct protobuf_message kvlist_value = PB_MESSAGE(kvlist_value_fields);
static const struct protobuf_known any_value_fields[] = {
    PB_STRING(1, "stringValue"),
    PB_BOOL(2, "boolValue"),
    PB_INT(3, "intValue"),
    PB_DOUBLE(4, "doubleValue"),
    PB_ONE(5, "arrayValue", array_value),
    PB_ONE(6, "kvlistValue", kvlist_value),
    PB_BASE64(7, "bytesValue"),
};
static const struct protobuf_message any_value = PB_MESSAGE(any_value_fields);
static const struct protobuf_known key_value_fields[] = {PB_STRING(1, "key"), PB_ONE(2, "value", any_value)};
static const struct protobuf_message key_value = PB_MESSAGE(key_value_fields);

static const struct protobuf_known scope_fields[] = {
    PB_STRING(1, "name"),
    PB_STRING(2, "version"),
    PB_MANY(3, "attributes", key_value),
    PB_UINT(4, "droppedAttributesCount"),
};
static const struct protobuf_message scope = PB_MESSAGE(scope_fields);
static const struct protobuf_known entity_fields[] = {
    PB_STRING(1, "schemaUrl"),
    PB_STRING(2, "type"),
    PB_LIST(3, "idKeys", PROTOBUF_STRING),
    PB_LIST(4, "descriptionKeys", PROTOBUF_STRING),
};
static const struct protobuf_message entity = PB_MESSAGE(entity_fields);
static const struct protobuf_known resource_fields[] = {
    PB_MANY(1, "attributes", key_value),
    PB_UINT(2, "droppedAttributesCount"),
    PB_MANY(3, "entityRefs", entity),
};
static const struct protobuf_message resource = PB_MESSAGE(resource_fields);

/* ---- logs ---- */

static const struct protobuf_known log_record_fields[] = {
    PB_FIXED(1, "timeUnixNano"),
    PB_FIXED(11, "observedTimeUnixNano"),
    PB_INT(2, "severityNumber"),
    PB_STRING(3, "severityText"),
    PB_ONE(5, "body", any_value),
    PB_MANY(6, "attributes", key_value),
    PB_UINT(7, "droppedAttributesCount"),
    PB_FIXED(8, "flags"),
    PB_HEX(9, "traceId"),
    PB_HEX(10, "spanId"),
    PB_STRING(12, "eventName"),
};
static const struct protobuf_message log_record = PB_MESSAGE(log_record_fields);
static const struct protobuf_known scope_logs_fields[] = {
    PB_ONE(1, "scope", scope),
    PB_MANY(2, "logRecords", log_record),
    PB_STRING(3, "schemaUrl"),
};
static const struct protobuf_message scope_logs = PB_MESSAGE(scope_logs_fields);
static const struct protobuf_known resource_logs_fields[] = {
    PB_ONE(1, "resource", resource),
    PB_MANY(2, "scopeLogs", scope_logs),
    PB_STRING(3, "schemaUrl"),
};
static const struct protobuf_message resource_logs = PB_MESSAGE(resource_logs_fields);
static const struct protobuf_known logs_fields[] = {PB_MANY(1, "resourceLogs", resource_logs)};
const struct protobuf_message otlp_logs = PB_MESSAGE(logs_fields);

/* ---- metrics ---- */

static const struct protobuf_known exemplar_fields[] = {
    PB_MANY(7, "filteredAttributes", key_value),
    PB_FIXED(2, "timeUnixNano"),
    PB_DOUBLE(3, "asDouble"),
    PB_SFIXED(6, "asInt"),
    PB_HEX(4, "spanId"),
    PB_HEX(5, "traceId"),
};
static const struct protobuf_message exemplar = PB_MESSAGE(exemplar_fields);

static const struct protobuf_known number_fields[] = {
    PB_MANY(7, "attributes", key_value),
    PB_FIXED(2, "startTimeUnixNano"),
    PB_FIXED(3, "timeUnixNano"),
    PB_DOUBLE(4, "asDouble"),
    PB_SFIXED(6, "asInt"),
    PB_MANY(5, "exemplars", exemplar),
    PB_UINT(8, "flags"),
};
static const struct protobuf_message number_point = PB_MESSAGE(number_fields);

static const struct protobuf_known histogram_point_fields[] = {
    PB_MANY(9, "attributes", key_value),
    PB_FIXED(2, "startTimeUnixNano"),
    PB_FIXED(3, "timeUnixNano"),
    PB_FIXED(4, "count"),
    PB_DOUBLE(5, "sum"),
    PB_LIST(6, "bucketCounts", PROTOBUF_FIXED),
    PB_LIST(7, "explicitBounds", PROTOBUF_DOUBLE),
    PB_MANY(8, "exemplars", exemplar),
    PB_UINT(10, "flags"),
    PB_DOUBLE(11, "min"),
    PB_DOUBLE(12, "max"),
};
static const struct protobuf_message histogram_point = PB_MESSAGE(histogram_point_fields);

static const struct protobuf_known buckets_fields[] = {
    PB_SINT(1, "offset"),
    PB_LIST(2, "bucketCounts", PROTOBUF_UINT),
};
static const struct protobuf_message buckets = PB_MESSAGE(buckets_fields);
static const struct protobuf_known exponential_point_fields[] = {
    PB_MANY(1, "attributes", key_value),
    PB_FIXED(2, "startTimeUnixNano"),
    PB_FIXED(3, "timeUnixNano"),
    PB_FIXED(4, "count"),
    PB_DOUBLE(5, "sum"),
    PB_SINT(6, "scale"),
    PB_FIXED(7, "zeroCount"),
    PB_ONE(8, "positive", buckets),
    PB_ONE(9, "negative", buckets),
    PB_UINT(10, "flags"),
    PB_MANY(11, "exemplars", exemplar),
    PB_DOUBLE(12, "min"),
    PB_DOUBLE(13, "max"),
    PB_DOUBLE(14, "zeroThreshold"),
};
static const struct protobuf_message exponential_point = PB_MESSAGE(exponential_point_fields);

static const struct protobuf_known quantile_fields[] = {PB_DOUBLE(1, "quantile"), PB_DOUBLE(2, "value")};
static const struct protobuf_message quantile = PB_MESSAGE(quantile_fields);
static const struct protobuf_known summary_point_fields[] = {
    PB_MANY(7, "attributes", key_value),
    PB_FIXED(2, "startTimeUnixNano"),
    PB_FIXED(3, "timeUnixNano"),
    PB_FIXED(4, "count"),
    PB_DOUBLE(5, "sum"),
    PB_MANY(6, "quantileValues", quantile),
    PB_UINT(8, "flags"),
};
static const struct protobuf_message summary_point = PB_MESSAGE(summary_point_fields);

static const struct protobuf_known gauge_fields[] = {PB_MANY(1, "dataPoints", number_point)};
static const struct protobuf_message gauge = PB_MESSAGE(gauge_fields);
static const struct protobuf_known sum_fields[] = {
    PB_MANY(1, "dataPoints", number_point),
    PB_INT(2, "aggregationTemporality"),
    PB_BOOL(3, "isMonotonic"),
};
static const struct protobuf_message sum = PB_MESSAGE(sum_fields);
static const struct protobuf_known histogram_fields[] = {
    PB_MANY(1, "dataPoints", histogram_point),
    PB_INT(2, "aggregationTemporality"),
};
static const struct protobuf_message histogram = PB_MESSAGE(histogram_fields);
static const struct protobuf_known exponential_fields[] = {
    PB_MANY(1, "dataPoints", exponential_point),
    PB_INT(2, "aggregationTemporality"),
};
static const struct protobuf_message exponential = PB_MESSAGE(exponential_fields);
static const struct protobuf_known summary_fields[] = {PB_MANY(1, "dataPoints", summary_point)};
static const struct protobuf_message summary = PB_MESSAGE(summary_fields);

static const struct protobuf_known metric_fields[] = {
    PB_STRING(1, "name"),
    PB_STRING(2, "description"),
    PB_STRING(3, "unit"),
    PB_ONE(5, "gauge", gauge),
    PB_ONE(7, "sum", sum),
    PB_ONE(9, "histogram", histogram),
    PB_ONE(10, "exponentialHistogram", exponential),
    PB_ONE(11, "summary", summary),
    PB_MANY(12, "metadata", key_value),
};
static const struct protobuf_message metric = PB_MESSAGE(metric_fields);
static const struct protobuf_known scope_metrics_fields[] = {
    PB_ONE(1, "scope", scope),
    PB_MANY(2, "metrics", metric),
    PB_STRING(3, "schemaUrl"),
};
static const struct protobuf_message scope_metrics = PB_MESSAGE(scope_metrics_fields);
static const struct protobuf_known resource_metrics_fields[] = {
    PB_ONE(1, "resource", resource),
    PB_MANY(2, "scopeMetrics", scope_metrics),
    PB_STRING(3, "schemaUrl"),
};
static const struct protobuf_message resource_metrics = PB_MESSAGE(resource_metrics_fields);
static const struct protobuf_known metrics_fields[] = {PB_MANY(1, "resourceMetrics", resource_metrics)};
const struct protobuf_message otlp_metrics = PB_MESSAGE(metrics_fields);

/* ---- traces ---- */

static const struct protobuf_known span_event_fields[] = {
    PB_FIXED(1, "timeUnixNano"),
    PB_STRING(2, "name"),
    PB_MANY(3, "attributes", key_value),
    PB_UINT(4, "droppedAttributesCount"),
};
static const struct protobuf_message span_event = PB_MESSAGE(span_event_fields);
static const struct protobuf_known link_fields[] = {
    PB_HEX(1, "traceId"),
    PB_HEX(2, "spanId"),
    PB_STRING(3, "traceState"),
    PB_MANY(4, "attributes", key_value),
    PB_UINT(5, "droppedAttributesCount"),
    PB_FIXED(6, "flags"),
};
static const struct protobuf_message span_link = PB_MESSAGE(link_fields);
static const struct protobuf_known status_fields[] = {PB_STRING(2, "message"), PB_INT(3, "code")};
static const struct protobuf_message status = PB_MESSAGE(status_fields);
static const struct protobuf_known span_fields[] = {
    PB_HEX(1, "traceId"),
    PB_HEX(2, "spanId"),
    PB_STRING(3, "traceState"),
    PB_HEX(4, "parentSpanId"),
    PB_STRING(5, "name"),
    PB_INT(6, "kind"),
    PB_FIXED(7, "startTimeUnixNano"),
    PB_FIXED(8, "endTimeUnixNano"),
    PB_MANY(9, "attributes", key_value),
    PB_UINT(10, "droppedAttributesCount"),
    PB_MANY(11, "events", span_event),
    PB_UINT(12, "droppedEventsCount"),
    PB_MANY(13, "links", span_link),
    PB_UINT(14, "droppedLinksCount"),
    PB_ONE(15, "status", status),
    PB_FIXED(16, "flags"),
};
static const struct protobuf_message span = PB_MESSAGE(span_fields);
static const struct protobuf_known scope_spans_fields[] = {
    PB_ONE(1, "scope", scope),
    PB_MANY(2, "spans", span),
    PB_STRING(3, "schemaUrl"),
};
static const struct protobuf_message scope_spans = PB_MESSAGE(scope_spans_fields);
static const struct protobuf_known resource_spans_fields[] = {
    PB_ONE(1, "resource", resource),
    PB_MANY(2, "scopeSpans", scope_spans),
    PB_STRING(3, "schemaUrl"),
};
static const struct protobuf_message resource_spans = PB_MESSAGE(resource_spans_fields);
static const struct protobuf_known traces_fields[] = {PB_MANY(1, "resourceSpans", resource_spans)};
const struct protobuf_message otlp_traces = PB_MESSAGE(traces_fields);
