#pragma once
/*
 * store/time_counts: how many rows of a block are in each minute, so that counts over time need no
 * times (docs/format/segment.md).
 *
 *   zigzag varint: the first minute since 1970 | varint n | ints: n counts, of one minute each
 *
 * Threads  Any; no state.
 * Limits   TIME_COUNTS_MAX minutes; a block of more has none.
 */
#include "base/arena.h"
#include "base/buffer.h"

#include <stdint.h>

enum { TIME_COUNTS_MAX = 4 * 1440 };

struct time_counts {
    int64_t first_ns; /* of the first minute */
    uint32_t minutes;
    const int64_t *counts;
};

/* Of ascending times, at least one; false and nothing written when they span too much. */
bool time_counts_put(const int64_t *time_ns, size_t count, struct buffer *to);
/* False when the bytes do not say how the rows are spread. */
MUST_USE bool time_counts_take(struct slice bytes, uint64_t rows, struct arena *arena,
                               struct time_counts *out);
