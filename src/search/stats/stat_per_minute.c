/* per_minute: a sum, which timechart divides by the length of its buckets. */
#include "search/stats/state_total.h"

const struct stat stat_per_minute = {
    .name = "per_minute",
    .summary = "the sum a minute",
    .syntax = "per_minute(FIELD)",
    .notes = "In timechart: the sum over the length of the bucket.",
    .flags = STAT_NUMBERS,
    .size = sizeof(struct total),
    .add = total_add,
    .result = total_result,
};
