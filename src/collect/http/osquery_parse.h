#pragma once
/*
 * collect/osquery_parse: what osquery's tls plugins send: {"enroll_secret": ...} once, then
 *
 *   {"node_key": ..., "log_type": "result", "data": [{"name": ..., "columns": {...}}, ...]}
 *
 * into a delivery body (RECORDS): an event for each element of data, byte for byte; data that is no list is one event.
 *
 * Source  osquery documentation, "Remotely interfacing osquery".
 * Limits  JOURNAL_RECORD_BYTES_MAX of records: ERR_LIMIT.
 */
#include "base/buffer.h"
#include "base/err.h"

struct osquery_request {
    struct slice secret, node_key; /* of the body; SLICE_NONE: it has none */
    uint32_t event_count;
};

/* Appends records. -1: ERR_INPUT: it is none, ERR_LIMIT, ERR_NOMEM. */
MUST_USE int osquery_parse(struct slice body, struct buffer *records, struct osquery_request *out, struct err *err);
