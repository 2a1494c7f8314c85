/* list: all values by arrival. */
#include "search/stats/state_collected.h"

static void add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    (void)time_ns;
    collect(scope, state, stat_keep(scope, v));
}

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct collected *c = state;
    (void)scope;
    *out = (struct value_list){c->values, c->count};
}

const struct stat stat_list = {
    .name = "list",
    .summary = "all values by arrival",
    .syntax = "list(FIELD)",
    .notes = "Bounded by memory, not by 100 values.",
    .size = sizeof(struct collected),
    .add = add,
    .result = result,
};
