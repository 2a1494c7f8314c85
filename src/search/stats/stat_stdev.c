/* stdev: the standard deviation of a sample. */
#include "search/stats/state_spread.h"

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    spread_give(scope, state, true, true, out);
}

const struct stat stat_stdev = {
    .name = "stdev",
    .summary = "the standard deviation of a sample",
    .syntax = "stdev(FIELD)",
    .notes = "0 for a single number.",
    .flags = STAT_NUMBERS,
    .size = sizeof(struct spread),
    .add = spread_add,
    .result = result,
};
