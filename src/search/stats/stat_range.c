/* range: the greatest number less the least. */
#include "search/stats/state_extremes.h"

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct extremes *e = state;
    int64_t n;
    if (!e->numbers)
        return;
    if (e->least.type == VALUE_I64 && e->greatest.type == VALUE_I64 &&
        !__builtin_sub_overflow(e->greatest.i64, e->least.i64, &n))
        stat_give(scope, value_i64(n), out);
    else
        stat_give_number(scope, value_to_f64(e->greatest) - value_to_f64(e->least), out);
}

const struct stat stat_range = {
    .name = "range",
    .summary = "the greatest number less the least",
    .syntax = "range(FIELD)",
    .flags = STAT_NUMBERS,
    .size = sizeof(struct extremes),
    .add = extremes_add,
    .merge = extremes_merge,
    .result = result,
};
