/* per_day: a sum, which timechart divides by the length of its buckets. */
#include "search/stats/state_total.h"

const struct stat stat_per_day = {
    .name = "per_day",
    .summary = "the sum a day",
    .syntax = "per_day(FIELD)",
    .notes = "In timechart: the sum over the length of the bucket.",
    .flags = STAT_NUMBERS,
    .size = sizeof(struct total),
    .add = total_add,
    .result = total_result,
};
