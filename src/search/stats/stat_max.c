/* max: the greatest value. */
#include "search/stats/state_extremes.h"

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct extremes *e = state;
    if (e->texts || e->numbers)
        stat_give(scope, e->texts ? stat_keep(scope, e->text_greatest) : e->greatest, out);
}

const struct stat stat_max = {
    .name = "max",
    .summary = "the greatest value",
    .syntax = "max(FIELD)",
    .notes = "By number; when some value is text, by text.",
    .flags = STAT_NUMBERS,
    .size = sizeof(struct extremes),
    .add = extremes_add,
    .merge = extremes_merge,
    .result = result,
};
