#pragma once
/*
 * store/scan_pool: a scan by several threads: the same rows in the same order as by one.
 *
 *   thread 0: units 0, 2, 4 ...  ┐
 *   thread 1: units 1, 3, 5 ...  ┴─ one block each at a time ──► scan_pool_next(), unit by unit
 *
 * Ownership  What scan_pool_next gives lives until the next call or scan_pool_close.
 * Threads    The pool belongs to one thread; its own work while a block of theirs is looked at. Or it has none, and
 *            each of the caller's takes a part of the rows.
 * Limits     SCAN_THREADS_MAX; the request's memory_max is shared among them. A block that does not fit
 *            into a share is read by one thread with all of it, and so is the rest. So is everything where a
 *            thread cannot be started.
 * Errors     As scan_next(), in the order of units.
 */
#include "store/scan.h"

struct scan_pool;

/* At most so many threads; fewer where there is little to read. One: the caller's. With newest_first
 * it is one, since much of what others read ahead would not be asked for. */
MUST_USE int scan_pool_open(struct snapshot *snapshot, const struct scan_request *request,
                            uint32_t threads, struct scan_pool **out, struct err *err);
void scan_pool_close(struct scan_pool *pool); /* NULL is fine; the snapshot stays the caller's */

/* How many threads may take rows at once, each its own part of them: scan_pool_part() instead of
 * scan_pool_next(), before the first call of which no thread is started. A part belongs to one thread; what it
 * gives lives until that asks again. ERR_NOMEM or ERR_LIMIT: also when a block does not fit into the part's
 * share of the memory. When the threads are done with their parts, for whatever reason, scan_pool_next() gives
 * what is left of them. */
uint32_t scan_pool_parts(const struct scan_pool *pool);
MUST_USE int scan_pool_part(struct scan_pool *pool, uint32_t part, struct scan_rows *out,
                            struct err *err);
/* Of what the part gave last, the rows from this one on were not used. */
void scan_pool_put_back(struct scan_pool *pool, uint32_t part, uint32_t row);
MUST_USE int scan_pool_next(struct scan_pool *pool, struct scan_rows *out, struct err *err);
/* Up to the blocks that were handed over. Lives until the next call of it. */
const struct scan_stats *scan_pool_stats(struct scan_pool *pool);
