#pragma once
/* search/stats/state_spread: mean and squares; stdev, stdevp, var, varp, sumsq. */
#include "search/stat.h"

/* Welford: no loss when the mean is large and the spread small. */
struct spread {
    uint64_t count;
    double mean, squares, sum_of_squares;
};

void spread_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns);
/* sample: of one less than the count. root: its square root. */
void spread_give(struct stat_scope *scope, const struct spread *s, bool sample, bool root,
                 struct value_list *out);
