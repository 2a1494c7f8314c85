#pragma once
/*
 * search/frame: rows on their way from one stage to the next: a batch that the stages may
 * change, and the bits of the rows that still count.
 *
 * Columns are never changed in place: a stage puts a new column in the old one's place. So a
 * frame can share the source's columns, and making one costs a few words a column.
 *
 * Ownership  A frame and all it points to live until the push that it was given to returns.
 * Errors     -1 and NULL: memory is out (the search's budget, MEMORY_QUERY_MAX).
 */
#include "event/batch.h"

enum { FRAME_ROWS_MAX = 4096 }; /* of frames that stages make; those of sources may be larger */

struct frame {
    struct batch *batch;
    uint64_t *selected;
    const uint32_t *weights; /* how many rows each stands for; NULL: itself. Only stages that asked
                                for it (search_request.minutes) ever see some */
};

/* An empty batch in arena; its columns go there too. */
MUST_USE struct batch *frame_batch_new(struct arena *arena, uint32_t row_count);
/* Shares the columns of from; selected NULL is all rows. */
MUST_USE int frame_share(struct frame *frame, const struct batch *from, const uint64_t *selected,
                         struct arena *arena);

/* The same of count rows from first (a multiple of 64) on, which become rows 0 to count. */
MUST_USE int frame_slice(struct frame *frame, const struct batch *from, const uint64_t *selected,
                         uint32_t first, uint32_t count, struct arena *arena);

/* The selected rows from first up to behind, the last one first and at most so many of them, as a
 * frame of their own in the same arena. */
MUST_USE int frame_backward(struct frame *out, const struct frame *from, uint32_t first,
                            uint32_t behind, uint64_t most);
/* Bits of the rows from first up to behind only; NULL when memory is out. */
MUST_USE uint64_t *bits_range(struct arena *arena, const uint64_t *bits, uint32_t rows,
                              uint32_t first, uint32_t behind);

/* A frame's selected rows in windows of at most FRAME_ROWS_MAX, over the same columns: for stages that
 * look at their memory more often than once a block. */
struct frame_windows {
    struct frame window;
    const struct frame *frame;
    uint32_t at;
};
MUST_USE int frame_windows_init(struct frame_windows *windows, const struct frame *frame);
bool frame_windows_next(struct frame_windows *windows); /* windows->window has rows */

/* A new column that is not in the batch yet: fill it with column_add, then frame_put() it. */
MUST_USE struct column *frame_column(struct frame *frame, struct slice name);
/* In the place of the one of that name, else at the end. */
MUST_USE int frame_put(struct frame *frame, struct column *column);
/* Only these columns, in this order; NULL members of the list are left out. */
MUST_USE int frame_keep(struct frame *frame, struct column **columns, uint32_t count);
/* A second name for a column's values. */
MUST_USE struct column *frame_copy_as(struct frame *frame, const struct column *column,
                                      struct slice name);
void frame_drop(struct frame *frame, struct slice name);

uint32_t frame_next(const struct frame *frame, uint32_t from); /* next row, or row_count */
uint32_t frame_count(const struct frame *frame);
uint64_t frame_weight(const struct frame *frame); /* how many rows of the source they stand for */
uint32_t column_entry(const struct column *column, uint32_t row); /* the first one from row on */
/* Row, not multi-valued and at its own place: column->values[row] is right. */
bool column_is_dense(const struct column *column, uint32_t row_count);

/* For arrays that only one has: a larger one, the old one freed. Room: twice as much, or half as much
 * again when that is large. */
uint32_t grown_room(uint32_t room);
MUST_USE void *grown_array(struct arena *arena, void *old, size_t old_bytes, size_t bytes);

/* Rows kept by a stage, deep, in its own arena. */
struct row_store {
    struct batch *batch; /* NULL before the first row */
    struct arena *arena;
};
void row_store_init(struct row_store *store, struct arena *arena);
MUST_USE int row_store_add(struct row_store *store, const struct frame *frame);
/* One row of the frame. */
MUST_USE int row_store_add_row(struct row_store *store, const struct frame *frame, uint32_t row);

/* A frame of rows from in the order of rows[0..count), sharing the values. UINT32_MAX is a row
 * without fields. */
MUST_USE int frame_gather(struct frame *frame, const struct batch *from, const uint32_t *rows,
                          uint32_t count, struct arena *arena);
