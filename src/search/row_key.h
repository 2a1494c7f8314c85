#pragma once
/*
 * search/row_key: what rows carry along, unseen, when a command puts them aside in a sorter: their key
 * as one text, and numbers that bring them back in order.
 *
 * The names begin with a byte that no field of an event begins with; rows_show() takes the columns off
 * before the rows go on.
 *
 * Ownership  Everything is made in the arena of the frame, or that is given.
 * Errors     -1, SLICE_NONE: memory is out.
 */
#include "search/stage.h"

#define ROW_KEY SLICE("\001key")       /* row_key_text() */
#define ROW_NUMBER SLICE("\001number") /* of rows in the order they came */
#define ROW_COMBO SLICE("\001combo")   /* of a row's combinations of values */
#define ROW_TIME SLICE("\001time")     /* ns */
#define ROW_FLAGS SLICE("\001flags")
#define ROW_GROUP SLICE("\001group")
#define ROW_LAST SLICE("\001last")
#define ROW_COUNT SLICE("\001count")

static inline bool row_key_hides(struct slice name)
{
    return name.len && name.ptr[0] == '\001';
}

/* The same text for values that search/group.h takes for the same. */
MUST_USE struct slice row_key_text(const struct value *tuple, size_t count, struct arena *arena);
/* The first value of each field; false: the row lacks one. */
MUST_USE bool row_key_first(const struct batch *batch, const struct slice *fields, size_t count,
                            uint32_t row, struct value *tuple);
/* Calls take with each combination of the row's values, in order. Less than 0 ends it. count is 64 at
 * most. */
typedef int (*row_key_take)(void *context, uint32_t row, const struct value *tuple);
MUST_USE int row_key_each(const struct batch *batch, const struct slice *fields, size_t count,
                          uint32_t row, row_key_take take, void *context);
/* The number in a hidden column; missing where the row has none. */
int64_t row_key_number(const struct column *column, uint32_t row, int64_t missing);
/* The hidden columns go. */
MUST_USE int rows_show(struct frame *frame);
/* These rows of a batch (NULL: all), without hidden columns, to the stages behind op. */
MUST_USE int rows_show_emit(struct stage *op, const struct batch *batch, const uint32_t *rows,
                            uint32_t count, struct err *err);
