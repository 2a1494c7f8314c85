/* varp: the variance of a population. */
#include "search/stats/state_spread.h"

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    spread_give(scope, state, false, false, out);
}

const struct stat stat_varp = {
    .name = "varp",
    .summary = "the variance of a population",
    .syntax = "varp(FIELD)",
    .flags = STAT_NUMBERS,
    .size = sizeof(struct spread),
    .add = spread_add,
    .result = result,
};
