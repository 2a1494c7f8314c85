#pragma once
/*
 * store/block: rows from the store as a struct batch, from a block of a segment or a part in
 * memory. The batch and its columns live in the arena given; values may point into the part.
 *
 * Threads  One.
 */
#include "store/memtable.h"
#include "store/segment.h"
#include "store/skeleton_sieve.h"

/* An empty batch in the arena; it is not batch_free()d. */
MUST_USE struct batch *block_batch_new(struct arena *arena, uint32_t row_count);

/* Puts a loaded column in, only the rows in selected (NULL: all). With codes_only a column that has
 * a dictionary gets no values. */
MUST_USE int block_put_column(struct batch *batch, struct slice name,
                              struct segment_column *column, const uint64_t *selected,
                              bool codes_only, struct err *err);

/* As block_put_column, of a SKELETON: only rows that the match may be in, and no more of their texts than
 * it asks for. */
MUST_USE int block_put_matching(struct batch *batch, struct slice name,
                                struct segment_column *column, const uint64_t *selected,
                                const struct skeleton_match *match, struct err *err);

/* A column of a part; only the rows in selected (NULL: all). */
MUST_USE int block_put_part_column(struct batch *batch, const struct mem_part_column *column,
                                   const uint64_t *selected, struct err *err);
/* @timestamp and hinomi.seq of a part. */
MUST_USE int block_put_part_keys(struct batch *batch, const struct mem_part *part, bool time,
                                 bool seq, struct err *err);

/* event.id for rows that have none, from hinomi.seq; seq holds one value a row. */
MUST_USE int block_put_ids(struct batch *batch, uint64_t store_id, const struct value *seq,
                           const uint64_t *selected, struct err *err);

/* Everything of a block, for merging. Damage anywhere is an error. */
MUST_USE int block_read_all(const struct segment *segment, uint32_t block, struct arena *arena,
                            struct batch **out, struct mem_rows *rows, struct err *err);
