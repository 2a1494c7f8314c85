#pragma once
/*
 * store/skeleton_find: which rows of a SKELETON chunk may say a text, without putting any together.
 *
 * A text is in a row when it is in what its skeleton says anyway, in one of the slots, or across
 * where they meet. The first is asked once per skeleton, the second of the columns and texts that
 * slots stand for; the third is ruled out by what stands beside a slot, or all its rows may.
 *
 * Threads  One; everything lives in the arena.
 */
#include "store/segment.h"

/* A text that every wanted value has in it. */
struct needle {
    struct slice text; /* folded, unless cased */
    bool cased;
};

enum { NEEDLE_FROM = 3 }; /* shorter ones are everywhere */

/* Sets the bits of the selected rows that may; other selected rows certainly do not. rows (all clear)
 * has a bit for each row of the block. The column is a SKELETON. */
MUST_USE int skeleton_find(struct segment_column *column, const struct needle *needle,
                           const uint64_t *selected, uint64_t *rows, struct arena *arena,
                           struct err *err);
