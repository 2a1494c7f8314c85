#pragma once
/*
 * search/commands/fences: numbers that lie far outside of the middle half of a field's numbers;
 * outlier, and anomalydetection method=iqr.
 *
 *   low = p25 - param * (p75 - p25)      p25 |-- middle half --| p75      high
 */
#include "search/rows.h"

struct fence_args {
    bool remove; /* the row; else the value is put on the fence */
    bool mark;   /* a value that was put there gets 000 before it */
    bool lower;  /* also below */
    double param;
};

/* The number at this share of the count of sorted numbers: nearest rank, as perc() has it. */
double fence_rank(const double *sorted, uint32_t count, double percent);
/* The row's numbers of a column, ascending; NULL: no memory. */
double *fence_numbers(const struct column *column, const struct batch *batch, struct arena *arena,
                      uint32_t *count);
/* Fields of the list, or every one that holds a number. Rows to remove are cleared in keep. */
MUST_USE int fences_apply(struct stage *op, struct frame *frame, const struct fence_args *args,
                          const struct field_list *fields, uint64_t *keep, struct err *err);
/* Those rows of a frame go on. */
MUST_USE int rows_emit_kept(struct stage *op, const struct frame *frame, const uint64_t *keep,
                            struct err *err);
