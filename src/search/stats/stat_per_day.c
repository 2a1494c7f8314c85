/* per_day: a sum, which timechart divides by the length of its buckets. */
#include "search/stats/state_total.h"

const struct stat stat_per_day = {
    .name = "per_day",
    .summary = "sum(f) a day of the bucket",
    .size = sizeof(struct total),
    .add = total_add,
    .result = total_result,
};
