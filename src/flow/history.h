#pragma once
/*
 * flow/history: what is stored, once more in order of time, for rules that are tried on the past and for
 * states that are learned from it.
 *
 *   snapshot ──► windows of time ──► rows that pass, sorted by (@timestamp, hinomi.seq) ──► take()
 *
 * A window whose rows do not fit HISTORY_ROWS_MAX or HISTORY_BYTES_MAX is read
 * again in halves. Event time and sequence are in batch->rows.
 *
 * Ownership  A batch lives until take() returns.
 * Threads    One a walk; beside the store's writer.
 * Errors     -1: memory, cancelled, take() failed, or so many rows have one time that they do not fit.
 *            Damaged blocks are left out and counted in stats.
 */
#include "store/scan.h"

struct history_request {
    struct snapshot *snapshot;
    int64_t from_ns, to_ns;    /* from <= @timestamp < to; both 0: all */
    const struct expr *filter; /* NULL: every row */
    const struct slice *columns; /* that the rows come with, @timestamp and hinomi.seq among them; NULL: all */
    size_t column_count;
    const atomic_bool *cancel; /* may be NULL */
    /* Rows of one or more times, ascending; at most BATCH_ROWS_MAX. -1 ends the walk. */
    int (*take)(void *context, struct batch *batch, struct err *err);
    /* Between two windows: the time up to which all has been taken. May be NULL. */
    void (*reached)(void *context, int64_t time_ns);
    void *context;
};

struct history_stats {
    uint64_t rows, windows;
    uint64_t blocks, blocks_read, damages; /* damaged blocks or columns that were met */
    uint64_t bytes_read;
};

/* The filter (NULL: every row) without what the program itself tells of findings: live, rules do not see that
 * either. NULL when memory is out. */
const struct expr *history_seen_by_rules(const struct expr *filter, struct arena *arena);

MUST_USE int history_walk(const struct history_request *request, struct history_stats *stats,
                          struct err *err);
