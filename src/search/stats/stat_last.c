/* last: the last value by arrival. */
#include "search/stat.h"

struct last {
    struct value value;
    bool some;
};

static void add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    struct last *l = state;
    (void)time_ns;
    stat_keep_over(scope, &l->value, v);
    l->some = true;
}

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct last *l = state;
    if (l->some)
        stat_give(scope, stat_keep(scope, l->value), out); /* the place may be written again */
}

const struct stat stat_last = {
    .name = "last",
    .summary = "the last value by arrival",
    .syntax = "last(FIELD)",
    .size = sizeof(struct last),
    .add = add,
    .result = result,
};
