#pragma once
/* search/stats/state_total: a sum, exact as long as no double takes part; sum, avg, per_second ...
 */
#include "search/stat.h"

struct total {
    int64_t small; /* added to exact when it would overflow */
    struct decimal_sum exact;
    double inexact;
    uint64_t count;
    bool doubles;
};

void total_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns);
void total_merge(struct stat_scope *scope, void *state, const void *part);
bool total_take_away(void *state, const void *part); /* only whole numbers leave no trace */
double total_f64(const struct total *t);
/* The sum; nothing when there were no numbers. */
void total_result(struct stat_scope *scope, const void *state, struct value_list *out);
