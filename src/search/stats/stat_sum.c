/* sum: exact as long as no double takes part. */
#include "search/stats/state_total.h"

const struct stat stat_sum = {
    .name = "sum",
    .summary = "sum(f), exact",
    .size = sizeof(struct total),
    .add = total_add,
    .result = total_result,
};
