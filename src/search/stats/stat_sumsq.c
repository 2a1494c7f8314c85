/* sumsq: the sum of squares. */
#include "search/stats/state_spread.h"

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct spread *s = state;
    if (s->count)
        stat_give_number(scope, s->sum_of_squares, out);
}

const struct stat stat_sumsq = {
    .name = "sumsq",
    .summary = "the sum of the squares",
    .syntax = "sumsq(FIELD)",
    .flags = STAT_NUMBERS,
    .size = sizeof(struct spread),
    .add = spread_add,
    .result = result,
};
