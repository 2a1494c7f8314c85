#pragma once
/*
 * search/newest: puts events newest first (@timestamp, then hinomi.seq) when their source does
 * not. The search reads its range in windows from the newest to the oldest, each four times as
 * wide as the one before, so that what the last minutes answer need not wait for the years before.
 *
 *   [from ......... | ............ | .... | .. | to)      each: read, sort, hand on, forget
 *
 * Memory  With a limit (head, rows_max) only about that many rows of a window are held.
 */
#include "search/operator.h"

MUST_USE int operator_newest_first(struct run *run, struct operator* op, uint64_t limit,
                                   struct err *err);
/* Forgets the rows that finish() has handed on. */
void newest_forget(struct operator* op);
/* Frees what an arena does not. */
void newest_close(struct operator* op);

/* True when the rows held are all that can be needed: none older than *time_ns. Then the window is
 * worth reading again from there, since sources skip what is older without a look. */
bool newest_bound(const struct operator* op, int64_t *time_ns);

/* How many rows the commands behind can need at most; 0: unknown. */
uint64_t newest_limit(const struct spl_command *command, uint64_t rows_max);

struct window {
    int64_t from_ns, to_ns; /* of the whole search */
    int64_t low, high;      /* of this window */
    int64_t width;
};
void window_first(struct window *window, int64_t from_ns, int64_t to_ns, int64_t now_ns);
/* False when the range is read to its start. */
bool window_next(struct window *window);
