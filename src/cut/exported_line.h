#pragma once
/*
 * cut/exported_line: an exported event (docs/format/export.md), read back.
 *
 * Two readers need it: the collector takes out what is the delivery's (original bytes, stream, input,
 * time of receipt), the decoder all the fields.
 *
 * Ownership  What is not in the line lives in the arena given or the batch's.
 * Threads    One at a time.
 * Limits     EVENT_FIELDS_MAX and the like were kept to when the event was decoded first; JSON_DEPTH_MAX.
 * Errors     -1: it is no exported event (ERR_INPUT; a sentence without the line's number), or memory.
 */
#include "cut/json_scan.h"
#include "event/batch.h"

struct exported_head {
    struct slice original; /* empty when the event has none */
    struct slice stream, source, identity; /* SLICE_NONE when missing */
    int64_t ingested_ns;
    bool has_ingested;
};

MUST_USE int exported_line_head(struct json_scanner *scanner, struct slice line,
                                struct arena *arena, struct exported_head *out, struct err *err);
/* All fields of the scanned line into the row but those that batch_finish() fills; the line must live
 * as long as the batch. *time_ns is left alone when there is no @timestamp. */
MUST_USE int exported_line_put(const struct json_tokens *tokens, struct batch *batch, uint32_t row,
                               int64_t *time_ns, struct err *err);
