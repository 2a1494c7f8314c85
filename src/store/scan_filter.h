#pragma once
/*
 * store/scan_filter: an expression over one block of a segment, on encoded data where that is
 * possible, else by expr_filter() over the columns it reads.
 *
 * Threads  One; the view belongs to its scan.
 */
#include "expr/expr.h"
#include "store/block.h"

/* A block as far as it has been read. */
struct block_view {
    const struct segment *segment;
    uint32_t block;
    uint32_t row_count;
    uint64_t store_id;
    struct arena *arena;
    struct expr_scope *scope;
    struct segment_columns columns;
    struct slice damaged; /* the column that failed */
    bool has_words;       /* words was asked for */
    struct slice words;   /* of the block; none: anything may be in it */
    bool has_trigrams;
    struct slice trigrams;
};

MUST_USE int block_view_init(struct block_view *view, const struct segment *segment,
                             uint32_t block, struct err *err);
/* NULL when the block has no such column. */
struct segment_column *block_view_column(struct block_view *view, struct slice name);

/* False when ranges, words, trigrams, dictionaries and filters of columns show that no row of the block fulfils the expression. */
bool scan_filter_may_pass(struct block_view *view, const struct expr *expr);

/* Rows among selected for which the expression is TRUE. */
MUST_USE int scan_filter_block(struct block_view *view, const struct expr *expr,
                               const uint64_t *selected, uint64_t *out, struct err *err);
