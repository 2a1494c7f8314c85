/* stdevp: the standard deviation of a population. */
#include "search/stats/state_spread.h"

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    spread_give(scope, state, false, true, out);
}

const struct stat stat_stdevp = {
    .name = "stdevp",
    .summary = "the standard deviation of a population",
    .syntax = "stdevp(FIELD)",
    .flags = STAT_NUMBERS,
    .size = sizeof(struct spread),
    .add = spread_add,
    .result = result,
};
