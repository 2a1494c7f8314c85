#pragma once
/*
 * store/scan: the rows of a snapshot that fulfil a time range and a filter, block by block.
 * Blocks are skipped by time, dictionary, range, filter and absent column; a test is asked once per
 * dictionary entry; wanted columns are read only where a row is left.
 *
 * The rows given are exactly those for which expr_filter() says TRUE over all columns.
 *
 *   snapshot ── unit (segment, or table in memory) ── block ── struct scan_rows
 *
 * Ownership  What scan_next gives lives until the next call or scan_close. Its columns are read
 *            only: replace one, do not write into it.
 * Threads    One per scan. Several scans may share a snapshot; share_index of share_count splits
 *            its units between them.
 * Limits     memory_max; over it scan_next fails with ERR_LIMIT.
 * Errors     Damage does not end a scan: it is listed (scan_stats), the block or column is left
 *            out, everything else is right. -1: memory, cancelled.
 * Order      Units by time, or if asked always the block with the newest row of all that are left;
 *            rows of a batch by (@timestamp, hinomi.seq). Batches may overlap in time: who needs a
 *            total order sorts, newest_first as far as later_max tells.
 */
#include "expr/expr.h"
#include "store/skeleton_sieve.h"
#include "store/store.h"

#include <stdatomic.h>

struct scan;
struct scan_sample; /* store/scan_survey.h */

struct scan_request {
    int64_t from_ns, to_ns;      /* from <= @timestamp < to; both 0: all */
    const struct slice *streams; /* NULL: all */
    size_t stream_count;
    const struct slice *columns; /* wanted; event.id is derived where it is missing */
    size_t column_count;
    bool all_columns;
    struct slice late_column;    /* one of columns, whose texts are only matched: where late_match finds
                                  * nothing they may be left out, and others be cut to the part that it
                                  * touches; ptr NULL: none. Not with all_columns */
    struct skeleton_match late_match;
    bool codes_only;             /* columns with a dictionary come without values (batch.h) */
    const struct expr *filter;   /* NULL: every row */
    bool minutes;                /* only @timestamp is wanted, and only to the minute: a row may then
                                  * stand for all of its minute (scan_rows.weights) */
    bool newest_first;
    uint32_t newest_rows;        /* with newest_first: rows that cannot be among so many newest ones
                                  * may be left out; 0: all are given */
    size_t memory_max;           /* 0: MEMORY_QUERY_MAX */
    const atomic_bool *cancel;   /* may be NULL */
    bool (*stop)(void *context); /* asked during long work, by every thread; may be NULL */
    void *stop_context;
    uint32_t share_index, share_count; /* count 0: everything */
    uint32_t rest_count;     /* of so many shares ... */
    const size_t *rest_from; /* ... so many units of each are left out; read by scan_open(). count 0: none */
    const struct scan_sample *sample;  /* the only blocks to read; NULL: all */
    /* for functions in the filter; may be NULL */
    int64_t now_ns;
    const struct hin_clock *clock;
    const struct hin_rand *rand;
    const struct zone *zone;
};

struct scan_rows {
    struct batch *batch;       /* NULL when no column was wanted */
    const uint64_t *selected;  /* bits of batch rows; columns hold these rows, and may hold others */
    const uint32_t *weights;   /* how many rows a row stands for; NULL: each for itself */
    uint32_t row_count;        /* of the block */
    uint32_t selected_count;   /* never 0 */
    uint32_t first;            /* of scan_pool: rows before it were given earlier */
    int64_t time_min, time_max; /* of the block */
    int64_t later_max;         /* with newest_first: no row of a later block is newer; INT64_MIN: there
                                * is none */
    bool in_memory;
};

enum { SCAN_DAMAGES_MAX = 32 };

/* Rows that are missing, or miss a column, because their bytes cannot be read. */
struct scan_damage {
    char path[256];
    struct slice column; /* empty: the whole block or file; lives as long as the scan */
    int64_t time_min, time_max;
    uint64_t rows;
    char reason[200];
};

struct scan_stats {
    uint64_t units, blocks, blocks_skipped, blocks_read; /* skipped: no row was looked at */
    uint64_t rows, rows_selected; /* of the blocks in the time range and streams */
    uint64_t rows_read; /* of blocks_read */
    uint64_t bytes_read;
    int64_t cpu_ns;     /* of threads beside the caller's */
    uint64_t regex_limits;
    uint64_t damage_count; /* may exceed the list; 0 = the answer is complete */
    struct scan_damage damages[SCAN_DAMAGES_MAX];
};

MUST_USE int scan_open(struct snapshot *snapshot, const struct scan_request *request,
                       struct scan **out, struct err *err);
void scan_close(struct scan *scan); /* NULL is fine; the snapshot stays the caller's */

/* 1 and a block with at least one selected row, 0 at the end, -1. */
MUST_USE int scan_next(struct scan *scan, struct scan_rows *out, struct err *err);
const struct scan_stats *scan_get_stats(const struct scan *scan);
/* A damage that both list is one. */
void scan_stats_add(struct scan_stats *to, const struct scan_stats *from);
/* Of the last rows, when they are not newest first: the unit among those of all shares, the block of it, and
 * the row of that which is the first of them. Places ascend by unit, block and row. */
struct scan_place {
    size_t unit;
    uint32_t block, row;
};
struct scan_place scan_get_place(const struct scan *scan);
/* How many units a request has to look at, without shares. */
size_t scan_unit_count(const struct snapshot *snapshot, const struct scan_request *request);
/* Lets go of what blocks were read into: only stats may be asked of it from now on. */
void scan_release_memory(struct scan *scan);
