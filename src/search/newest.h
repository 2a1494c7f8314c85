#pragma once
/*
 * search/newest: puts events newest first (@timestamp, then hinomi.seq) when their source does
 * not. The search reads its range in windows from the newest to the oldest, each four times as
 * wide as the one before, so that what the last minutes answer need not wait for the years before.
 *
 *   [from ......... | ............ | .... | .. | to)      each: read, sort, hand on, forget
 *
 * Memory  With a limit (head, rows_max) only about that many rows of a window are held; without
 *         one a window that turns out to hold many is read in smaller pieces.
 */
#include "search/stage.h"

MUST_USE int stage_newest_first(struct run *run, struct stage *op, uint64_t limit, struct err *err);
/* Forgets the rows that finish() has handed on. */
void newest_forget(struct stage *op);
/* True when so many rows are held that the window is worth reading again from *bound_ns on, since
 * sources skip what is older without a look. Rows from there on are all that head needs, or a
 * good piece of an unlimited search. */
bool newest_bound(const struct stage *op, int64_t *bound_ns, int64_t *newest_ns);

/* How many rows the commands behind can need at most; 0: unknown. */
uint64_t newest_limit(const struct spl_command *command, uint64_t rows_max);

struct window {
    int64_t from_ns, to_ns; /* of the whole search */
    int64_t low, high;      /* of this window */
    int64_t width;
    bool narrowed; /* the next one is as wide, not wider */
};
void window_first(struct window *window, int64_t from_ns, int64_t to_ns, int64_t now_ns);
/* False when the range is read to its start. */
bool window_next(struct window *window);
/* Makes this window smaller; false when it would not be. */
bool window_narrow(struct window *window, int64_t low, int64_t newest_ns);
