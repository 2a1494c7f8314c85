/* median: the number in the middle. */
#include "search/stats/state_collected.h"

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    collected_rank(scope, state, 50, out);
}

const struct stat stat_median = {
    .name = "median",
    .summary = "the number in the middle",
    .syntax = "median(FIELD)",
    .flags = STAT_NUMBERS,
    .size = sizeof(struct collected),
    .add = collect_number,
    .merge = collected_merge,
    .prefetch = collected_prefetch,
    .result = result,
};
