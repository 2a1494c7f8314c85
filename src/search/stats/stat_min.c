/* min: the least value. */
#include "search/stats/state_extremes.h"

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct extremes *e = state;
    if (e->texts || e->numbers)
        stat_give(scope, e->texts ? stat_keep(scope, e->text_least) : e->least, out);
}

const struct stat stat_min = {
    .name = "min",
    .summary = "the least value",
    .syntax = "min(FIELD)",
    .notes = "By number; when some value is text, by text.",
    .flags = STAT_NUMBERS,
    .size = sizeof(struct extremes),
    .add = extremes_add,
    .merge = extremes_merge,
    .result = result,
};
