/* sum: exact as long as no double takes part. */
#include "search/stats/state_total.h"

const struct stat stat_sum = {
    .name = "sum",
    .summary = "the sum of the numbers",
    .syntax = "sum(FIELD)",
    .notes = "Exact, as long as no double takes part.",
    .flags = STAT_NUMBERS | STAT_SUMS,
    .size = sizeof(struct total),
    .add = total_add,
    .merge = total_merge,
    .take_away = total_take_away,
    .result = total_result,
};
