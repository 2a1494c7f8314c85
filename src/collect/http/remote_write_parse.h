#pragma once
/*
 * collect/remote_write_parse: a request of Prometheus' remote write, unpacked, into a delivery body (RECORDS): an
 * event for each sample, native histogram and exemplar, and for each metric's metadata.
 *
 * event.original of each is one JSON object (content/decoders/metrics.yaml reads it):
 *
 *   {"prometheus":{"record":"sample"}, "metric":{"name", "value", "timestamp", "stale"?, "type"?, "help"?, "unit"?},
 *    "labels":{...}}
 *   {"prometheus":{"record":"histogram"}, "metric":{"name", "count", "sum", "schema", "timestamp", ...},
 *    "labels"}
 *   {"prometheus":{"record":"exemplar"}, "metric":{"name", "exemplar":{"labels", "value", "timestamp"}}, "labels"}
 *   {"prometheus":{"record":"metadata"}, "metric":{"name", "type", "help", "unit"}}
 *
 * Times are in ms. A value that is not finite is a text ("NaN", "Infinity", "-Infinity"); where Prometheus says that a
 * series has ended, the value is "StaleNaN" and stale is true. Of two labels of one name both are kept.
 *
 * Source  Prometheus Remote-Write 1.0 and 2.0 (prometheus.WriteRequest, io.prometheus.write.v2.Request).
 * Limits  WIRE_TREE_BYTES_MAX and JOURNAL_RECORD_BYTES_MAX of records: ERR_LIMIT.
 */
#include "base/buffer.h"
#include "base/err.h"

/* What 2.0 wants to be told in the answer. */
struct remote_write_counts {
    uint32_t events, samples, histograms, exemplars;
};

/* Appends records and counts them; 0 events are fine. -1: the body is refused as a whole; ERR_INPUT: it is damaged
 * (sending it again does not help), ERR_LIMIT: too much for one request, ERR_NOMEM. */
MUST_USE int remote_write_parse(bool version_2, struct slice body, struct buffer *records,
                                struct remote_write_counts *counts, struct err *err);
