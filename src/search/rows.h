#pragma once
/*
 * search/rows: what many commands do with the rows they are given or make.
 *
 * Ownership  Texts and columns live in the arena that is named, or in the frame's.
 * Errors     -1 and NULL: memory is out (run_nomem says so).
 */
#include "search/stage.h"

/* The arguments of a command, cleared, as command->args. NULL: err is set. */
MUST_USE void *command_args(struct spl_parser *p, struct spl_command *command, size_t size);

/* The text of a value as the search language sees it: a time is its seconds since 1970.
 * SLICE_NONE for NULL, or when memory is out. */
struct slice rows_text(struct value v, struct arena *arena);
/* The number of the row's first value: numbers, text that is one, times in seconds. */
bool rows_number(const struct column *column, uint32_t row, double *out);
/* A time, or a number or text that is seconds since 1970 (a _time that eval made). */
bool rows_time(struct value v, int64_t *time_ns);
/* A whole number where n is one. */
struct value rows_from_f64(double n);
/* Fields that people did not ask for: _time, _raw, _indextime and all that begin with _. */
bool rows_is_internal(struct slice name);
/* Rows of two batches that have the same values in all fields. */
bool rows_equal(const struct batch *a, uint32_t row, const struct batch *b, uint32_t other);
/* Text that is the same for rows with the same values in these fields; SLICE_NONE where one of them is
 * missing (*failed: or memory is out). */
struct slice rows_key(const struct batch *batch, uint32_t row, const struct field_list *fields,
                      struct arena *arena, bool *failed);
/* names of the list, stars filled in from the columns that are there, each once. */
MUST_USE int rows_expand(const struct batch *batch, const struct field_list *fields,
                         struct arena *arena, struct slice **names, uint32_t *count);

/* Fields met on the way (extract, fromjson ...): put() for rows in ascending order, then finish().
 * A field that the row has already is replaced, or kept when keep is set. */
struct spread {
    struct frame *frame;
    struct map by_name;
    struct column **columns; /* in the order they came */
    uint32_t count;
    bool keep;
};
void spread_init(struct spread *spread, struct frame *frame);
/* name and v must live as long as the frame. */
MUST_USE int spread_put(struct spread *spread, uint32_t row, struct slice name, struct value v);
/* Whether put() gave the row this field. */
bool spread_has(const struct spread *spread, uint32_t row, struct slice name);
MUST_USE int spread_finish(struct spread *spread);

/* A stage that hands on what it gets, and adds rows of its own at the end. */
int stage_pass(struct stage *op, struct frame *frame, struct err *err);
