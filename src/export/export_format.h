#pragma once
/*
 * export/export_format: what a format is, for the writers of this room.
 *
 * A writer puts bytes into `out`; export.c hands them to the sink.
 */
#include "export/export.h"

struct export_output {
    struct buffer out;
    struct arena *arena; /* of the rows at hand, reset after them */
    const struct export_schema *schema;
    const struct export_sink *sink;
    struct export_counts counts;
    void *state; /* the format's own */
};

struct export_kind {
    const char *name;
    bool needs_schema;
    int (*begin)(struct export_output *output, struct err *err);
    int (*rows)(struct export_output *output, const struct batch *batch, const uint64_t *selected,
                struct err *err);
    int (*finish)(struct export_output *output, struct err *err);
    void (*close)(struct export_output *output);
};
extern const struct export_kind export_ndjson, export_csv, export_parquet, export_raw;

/* Hands what is in `out` to the sink; with force less than a good piece, too. */
MUST_USE int export_flush(struct export_output *output, bool force, struct err *err);

/* Rows in order, a cursor a column, so that finding a row's values takes no search. */
struct row_walk {
    const struct batch *batch;
    const uint64_t *selected;
    uint32_t *at;  /* per column: entries before the row */
    size_t next;   /* row to look at */
};
MUST_USE int row_walk_init(struct row_walk *walk, const struct batch *batch,
                           const uint64_t *selected, struct arena *arena, struct err *err);
/* False at the end. */
bool row_walk_next(struct row_walk *walk, uint32_t *row);
/* As column_range, for rows that only grow. */
uint32_t row_walk_values(struct row_walk *walk, uint32_t column, uint32_t row, uint32_t *first);

/* Per column of the schema: the batch's, counted from 1, or 0; NULL when memory is out. */
MUST_USE uint32_t *export_columns_of(const struct export_output *output, const struct batch *batch);
