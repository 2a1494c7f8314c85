/* earliest: the value with the least _time. */
#include "search/stats/state_times.h"

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct times *t = state;
    if (t->some)
        stat_give(scope, stat_keep(scope, t->first), out);
}

const struct stat stat_earliest = {
    .name = "earliest",
    .summary = "the value with the least _time",
    .syntax = "earliest(FIELD)",
    .flags = STAT_TIMES,
    .size = sizeof(struct times),
    .add = times_add,
    .result = result,
};
