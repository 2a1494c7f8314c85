/* avg: the mean. */
#include "search/stats/state_total.h"

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct total *t = state;
    if (t->count)
        stat_give_number(scope, total_f64(t) / (double)t->count, out);
}

const struct stat stat_avg = {
    .name = "avg",
    .alias = "mean",
    .summary = "the mean of the numbers",
    .syntax = "avg(FIELD)",
    .flags = STAT_NUMBERS | STAT_SUMS,
    .size = sizeof(struct total),
    .add = total_add,
    .merge = total_merge,
    .take_away = total_take_away,
    .result = result,
};
