#pragma once
/*
 * collect/hec_parse: the body of Splunk's HTTP Event Collector into a delivery
 * body (RECORDS).
 *
 * Source  Splunk, "Format events for HTTP Event Collector": JSON objects one
 *         after the other (white space between them is optional), each with
 *         "event" (any JSON value) and optional time, host, source, sourcetype,
 *         index, fields. The bytes of a string event are its unescaped text,
 *         those of any other value are kept as they stand.
 */
#include "base/buffer.h"
#include "base/err.h"

enum hec_problem {
    HEC_OK = 0,
    HEC_NO_DATA = 5,
    HEC_INVALID = 6,
    HEC_EVENT_MISSING = 12,
    HEC_EVENT_BLANK = 13,
};

struct hec_defaults { /* from the URL's query; each may be none */
    struct slice host, source, sourcetype, index;
};

/* Appends records and counts events. On a problem event_number (from 0) is the one that is wrong
 * and err says at which byte; the body is refused as a whole. */
enum hec_problem hec_parse(struct slice body, const struct hec_defaults *defaults,
                           struct buffer *records, uint32_t *event_count, struct err *err);

/* The raw endpoint: one event a line. */
enum hec_problem hec_parse_raw(struct slice body, const struct hec_defaults *defaults,
                               struct buffer *records, uint32_t *event_count);
