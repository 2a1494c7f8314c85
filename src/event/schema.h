#pragma once
/*
 * event/schema: the field names the program itself relies on, and the declared
 * types of ECS 8 fields (coerced when that loses nothing, CONTRACT 9).
 */
#include "base/slice.h"
#include "event/value.h"

#define FIELD_TIMESTAMP SLICE("@timestamp")
#define FIELD_INGESTED SLICE("event.ingested")
#define FIELD_ORIGINAL SLICE("event.original")
#define FIELD_EVENT_ID SLICE("event.id")
#define FIELD_DATASET SLICE("event.dataset")
#define FIELD_ACTION SLICE("event.action")
#define FIELD_SEQ SLICE("hinomi.seq")
#define FIELD_SOURCE SLICE("hinomi.source")
#define FIELD_SENDER SLICE("log.source.address")
#define FIELD_IDENTITY SLICE("hinomi.identity") /* the token's id or the subject of the TLS certificate it came with */
#define FIELD_STREAM SLICE("hinomi.stream")
#define FIELD_DECODER SLICE("hinomi.decoder")
#define FIELD_TEXT_UTF8 SLICE("hinomi.text") /* of events that came in another encoding */
#define FIELD_HEADER SLICE("hinomi.header") /* the line that named the columns of its file */
#define FIELD_TAGS SLICE("tags")
#define FIELD_HOST SLICE("host.name")
#define FIELD_PATH SLICE("log.file.path")
#define FIELD_MESSAGE SLICE("message")
#define FIELD_ERROR SLICE("error.message")
#define FIELD_METRIC_NAME SLICE("metric.name")
#define FIELD_METRIC_VALUE SLICE("metric.value")

/* VALUE_NULL when ECS does not declare the name (then the value's own type stays). */
enum value_type schema_type(struct slice name);

/* SPL's habitual names to ours (_time, _raw, _indextime, host, source, sourcetype, index);
 * any other name is returned as it is. */
struct slice schema_alias(struct slice name);

/* The habitual names of metrics, metric_name and _value, likewise. In searches, and in JSON objects from senders (HEC's
 * metrics have them); in decoders and rules _value is any name. */
struct slice schema_metric_alias(struct slice name);
