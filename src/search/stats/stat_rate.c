/* rate: change a second. */
#include "search/stats/state_times.h"

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct times *t = state;
    int128 a, b;
    struct value x, y;
    if (t->some && t->last_ns != t->first_ns && stat_number(t->first, &a, &x) &&
        stat_number(t->last, &b, &y))
        stat_give_number(
            scope, (value_to_f64(y) - value_to_f64(x)) / ((double)(t->last_ns - t->first_ns) / 1e9),
            out);
}

const struct stat stat_rate = {
    .name = "rate",
    .summary = "change a second between the earliest and the latest value",
    .syntax = "rate(FIELD)",
    .flags = STAT_TIMES,
    .size = sizeof(struct times),
    .add = times_add,
    .result = result,
};
