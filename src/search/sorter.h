#pragma once
/*
 * search/sorter: all rows, in an order, whether or not memory has room for them.
 *
 *   add ... add ──► memory ── short? ──► sorted parts in the search's temporary file
 *   emit        ──► merged: the parts and what is in memory, in the order of keys
 *
 * Without keys the order is that of adding. Rows that are equal by the keys keep that order too
 * (D. E. Knuth, The Art of Computer Programming 3, 5.4: external sorting).
 *
 * Ownership  Rows are copied; their memory draws from the search's budget and goes with
 *            sorter_close(), at the latest with the search.
 * Threads    The search's.
 */
#include "search/sort_keys.h"
#include "search/spill.h"

struct sorter {
    struct run *run;
    struct sort_keys keys;
    uint64_t limit;    /* only so many first rows are of use; 0: all */
    bool memory_only;  /* never in the file: sorter_rows() is asked for */
    struct arena *arenas[2];
    struct row_store rows;
    struct spill_part *parts;
    uint32_t part_count;
    uint64_t count;      /* rows added, less those that the limit dropped */
    struct batch *names; /* no rows: the columns in the order they came */
    uint32_t noted;      /* columns of rows that are in names */
};

MUST_USE int sorter_init(struct sorter *sorter, struct run *run, const struct sort_keys *keys,
                         uint64_t limit, struct err *err);
void sorter_close(struct sorter *sorter);
void sorter_clear(struct sorter *sorter); /* as after init; the room in the file is not used again */
/* Of the rows in memory, of which there are more, only the first stay, in order. */
MUST_USE int sorter_cut(struct sorter *sorter, uint64_t keep, struct err *err);
/* The first rows, none of which are in the file, go to the stages behind op and are forgotten. */
MUST_USE int sorter_take(struct sorter *sorter, uint32_t first, struct stage *op, struct err *err);
MUST_USE int sorter_add(struct sorter *sorter, const struct frame *frame, struct err *err);

/* Gives the rows in order, some thousands at a time; a batch lives during the call. Less than 0
 * from give ends it. May be called again. */
typedef int (*sorter_give)(void *context, const struct batch *rows, struct err *err);
MUST_USE int sorter_each(struct sorter *sorter, sorter_give give, void *context, struct err *err);
/* The rows to the stages behind op; a preview gets only those in memory. */
MUST_USE int sorter_emit(struct sorter *sorter, struct stage *op, struct err *err);
/* All rows, when none of them are in the file; NULL: none were added. */
static inline const struct batch *sorter_rows(const struct sorter *sorter)
{
    return sorter->rows.batch;
}
