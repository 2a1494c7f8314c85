/* per_second: a sum, which timechart divides by the length of its buckets. */
#include "search/stats/state_total.h"

const struct stat stat_per_second = {
    .name = "per_second",
    .summary = "the sum a second",
    .syntax = "per_second(FIELD)",
    .notes = "In timechart: the sum over the length of the bucket.",
    .flags = STAT_NUMBERS,
    .size = sizeof(struct total),
    .add = total_add,
    .result = total_result,
};
