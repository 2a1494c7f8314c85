/* per_hour: a sum, which timechart divides by the length of its buckets. */
#include "search/stats/state_total.h"

const struct stat stat_per_hour = {
    .name = "per_hour",
    .summary = "the sum an hour",
    .syntax = "per_hour(FIELD)",
    .notes = "In timechart: the sum over the length of the bucket.",
    .flags = STAT_NUMBERS,
    .size = sizeof(struct total),
    .add = total_add,
    .result = total_result,
};
