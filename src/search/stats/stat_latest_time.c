/* latest_time: the _time of latest. */
#include "search/stats/state_times.h"

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct times *t = state;
    if (t->some)
        times_give(scope, t->last_ns, out);
}

const struct stat stat_latest_time = {
    .name = "latest_time",
    .summary = "the _time of latest(FIELD), in seconds",
    .syntax = "latest_time(FIELD)",
    .flags = STAT_TIMES,
    .size = sizeof(struct times),
    .add = times_add,
    .result = result,
};
