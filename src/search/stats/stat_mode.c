/* mode: the most frequent value. */
#include "search/stats/state_counted.h"

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct counted *c = state;
    uint32_t best = 0;
    for (uint32_t i = 1; i < c->values.count; i++)
        if (c->counts[i] > c->counts[best])
            best = i;
    if (c->values.count)
        stat_give(scope, c->values.values[best], out);
}

const struct stat stat_mode = {
    .name = "mode",
    .summary = "the most frequent value",
    .syntax = "mode(FIELD)",
    .size = sizeof(struct counted),
    .add = counted_add,
    .result = result,
};
