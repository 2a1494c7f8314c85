/* per_minute: a sum, which timechart divides by the length of its buckets. */
#include "search/stats/state_total.h"

const struct stat stat_per_minute = {
    .name = "per_minute",
    .summary = "sum(f) a minute of the bucket",
    .size = sizeof(struct total),
    .add = total_add,
    .result = total_result,
};
