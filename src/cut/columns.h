#pragma once
/*
 * cut/columns: names to columns of a batch, fast for streams whose events look
 * alike. First guess: the column that followed in the last event; then a small
 * table by a cheap hash of the name. Both are only guesses, checked by comparing
 * the whole name, so nothing has to be forgotten when the batch changes.
 *
 * Threads  One at a time. Zeroed memory is a valid start.
 */
#include "event/batch.h"

enum { COLUMNS_GUESSES_LOG2 = 10 };

struct columns {
    uint32_t guesses[1 << COLUMNS_GUESSES_LOG2]; /* column index */
    struct column *last;               /* within the present event */
};

/* Before the first field of an event. */
static inline void columns_begin(struct columns *columns, const struct batch *batch)
{
    columns->last = batch->column_count ? batch->columns[0] : NULL;
}

/* Where the next value goes is brought near. */
static inline void column_prefetch(const struct column *column)
{
    __builtin_prefetch(column->rows + column->count, 1);
    __builtin_prefetch(column->values + column->count, 1);
}

/* What the columns behind this one need is brought near while this one is filled: a batch's columns are more than
 * the caches near the processor hold. */
static inline void columns_expect(const struct column *column)
{
    const struct column *next = column->next;
    if (!next)
        return;
    __builtin_prefetch(next->next);
    __builtin_prefetch((const char *)next->next + 64); /* its name */
    column_prefetch(next);
}

/* Finds or makes. NULL when memory or BATCH_COLUMNS_MAX is out. */
MUST_USE struct column *columns_look_up(struct columns *columns, struct batch *batch,
                                        struct slice name);
MUST_USE static inline struct column *columns_find(struct columns *columns, struct batch *batch,
                                                   struct slice name)
{
    struct column *last = columns->last, *next = last ? last->next : NULL;
    if (UNLIKELY(!next || !slice_equal_short(next->name, name)))
        return columns_look_up(columns, batch, name);
    columns->last = next;
    columns_expect(next);
    return next;
}

static inline bool column_has_row(const struct column *column, uint32_t row)
{
    return column->newest_row == row && column->count && column->rows[column->count - 1] == row;
}
