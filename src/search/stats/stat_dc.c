/* dc: how many different values. */
#include "search/stats/state_distinct.h"

const struct stat stat_dc = {
    .name = "dc",
    .alias = "distinct_count",
    .summary = "how many different values",
    .syntax = "dc(FIELD)",
    .flags = STAT_ZERO | STAT_ONCE,
    .size = sizeof(struct distinct),
    .add = distinct_add,
    .merge = distinct_merge,
    .result = distinct_result,
};
