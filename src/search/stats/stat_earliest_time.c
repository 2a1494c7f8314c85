/* earliest_time: the _time of earliest. */
#include "search/stats/state_times.h"

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct times *t = state;
    if (t->some)
        times_give(scope, t->first_ns, out);
}

const struct stat stat_earliest_time = {
    .name = "earliest_time",
    .summary = "the _time of earliest(FIELD), in seconds",
    .syntax = "earliest_time(FIELD)",
    .flags = STAT_TIMES,
    .size = sizeof(struct times),
    .add = times_add,
    .result = result,
};
