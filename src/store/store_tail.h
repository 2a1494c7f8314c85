#pragma once
/*
 * store/store_tail: what is appended from now on, as snapshots of the rows that came since the one
 * before. Appending does nothing for it: rows in memory do not change once they can be seen, so a
 * tail only remembers how far it has read and holds the sets that it has not read to their end.
 *
 *   set ──► set ──► live          at most TAIL_SETS_MAX of them, the oldest goes unread otherwise
 *     ^read up to here
 *
 * Ownership  A tail lives from open to close, which comes before store_close().
 * Threads    One a tail, beside the pipeline's.
 * Limits     TAIL_SETS_MAX sets are held, TAIL_STEP_ROWS rows come at once (more when one batch has
 *            more). What is passed over is counted.
 */
#include "store/store.h"

struct store_tail;
struct mem_set;

/* Begins behind what is there; NULL when memory is out. */
MUST_USE struct store_tail *store_tail_open(struct store *store);
void store_tail_close(struct store_tail *tail); /* NULL is fine */

/* 1: *out has the rows since the last call, or the first of them, and no others, and no segments; each
 * row once, and all rows of later calls have a higher hinomi.seq. It is released by
 * store_snapshot_release(). 0: there is nothing new. -1: memory is out, nothing is passed over.
 * *skipped: rows that were too old to be held, since the last call. */
MUST_USE int store_tail_next(struct store_tail *tail, struct snapshot **out, uint64_t *skipped,
                             struct err *err);

/* Under the store's lock, by the writer: a new live set takes the place of the last. */
void store_tails_turn(struct store *store, struct mem_set *live);
