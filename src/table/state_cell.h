#pragma once
/*
 * table/state_cell: what a row of a state table keeps of one field, as bytes; for table/state only. The same bytes
 * lie in memory and in snapshots (docs/format/checkpoint.md), and a cell that is not there is empty bytes.
 *
 * A number is its scale, its length and so many bytes of two's complement: what needs 64 bits takes ten.
 *
 * Threads  No state of their own: any.
 */
#include "base/buffer.h"
#include "table/state_define.h"

/* What an event says for a field. */
struct cell_input {
    struct value_list values; /* of the field's expression */
    struct value member;      /* of "by", for KEEP_TOTAL */
    int64_t time_ns;
};

/* Appends the cell that comes of the old one and the input; nothing where nothing is kept. *left counts what had to go
 * because a bound was reached. */
void cell_put(const struct state_field *field, struct slice old, const struct cell_input *input, struct arena *scratch,
              struct buffer *to, uint64_t *left);
/* False: there is no value. -1 never: when memory is out, there is none either. What is read lives in scratch. */
bool cell_read(const struct state_field *field, struct slice cell, int64_t now_ns, struct arena *scratch,
               struct value_list *out);
/* Whether these bytes are a cell of the kind; everything else may be called with those that are only. */
bool cell_valid(const struct state_field *field, struct slice cell);
/* A cell that was kept with another window. */
void cell_convert(const struct state_field *field, int64_t window_ns, struct slice old, struct buffer *to);

/* ---- of the parts: state_number.c, state_window.c, state_members.c ---- */

void number_put(struct buffer *to, const struct decimal_sum *number);
bool number_take(struct slice *from, struct decimal_sum *out);
/* Only its bytes. */
bool number_skip(struct slice *from, struct slice *out);
/* The decimal a value is exactly, if it is. */
bool number_of(struct value v, struct arena *scratch, struct decimal *out);
struct value number_value(const struct decimal_sum *number, struct arena *scratch);
/* One value as a list. */
bool cell_one(struct value v, struct arena *scratch, struct value_list *out);

/* Counts, sums and the like over a window, in buckets. */
int64_t window_span(int64_t window_ns); /* of a bucket */
void window_put(const struct state_field *field, struct slice old, const struct cell_input *input, struct arena *scratch,
                struct buffer *to);
/* Whether a bucket may begin then: every time of an event, but not all that a snapshot could say. */
bool window_time_fits(int64_t start_ns);
/* Puts in what was counted for a bucket that began then. */
void window_add(const struct state_field *field, struct slice old, int64_t start_ns, uint64_t count,
                const struct decimal_sum *sum, struct buffer *to);
bool window_read(const struct state_field *field, struct slice cell, int64_t now_ns, struct arena *scratch,
                 struct value_list *out);
bool window_valid(const struct state_field *field, struct slice cell);
void window_convert(const struct state_field *field, int64_t window_ns, struct slice old, struct buffer *to);

/* Values or members, each with the time of its latest coming. */
void distinct_put(const struct state_field *field, struct slice old, const struct cell_input *input, struct buffer *to);
void values_put(const struct state_field *field, struct slice old, const struct cell_input *input, struct buffer *to);
void total_put(struct slice old, const struct cell_input *input, struct arena *scratch, struct buffer *to, uint64_t *left);
bool distinct_read(const struct state_field *field, struct slice cell, int64_t now_ns, struct arena *scratch,
                   struct value_list *out);
bool values_read(const struct state_field *field, struct slice cell, int64_t now_ns, struct arena *scratch,
                 struct value_list *out);
bool total_read(struct slice cell, struct arena *scratch, struct value_list *out);
bool distinct_valid(struct slice cell);
bool values_valid(struct slice cell);
bool total_valid(struct slice cell);
