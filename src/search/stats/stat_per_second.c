/* per_second: a sum, which timechart divides by the length of its buckets. */
#include "search/stats/state_total.h"

const struct stat stat_per_second = {
    .name = "per_second",
    .summary = "sum(f) a second of the bucket",
    .size = sizeof(struct total),
    .add = total_add,
    .result = total_result,
};
