/* first: the first value by arrival. */
#include "search/stat.h"

struct first {
    struct value value;
    bool some;
};

static void add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    struct first *f = state;
    (void)time_ns;
    if (!f->some)
        f->value = stat_keep(scope, v);
    f->some = true;
}

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct first *f = state;
    if (f->some)
        stat_give(scope, f->value, out);
}

const struct stat stat_first = {
    .name = "first",
    .summary = "the first value by arrival",
    .syntax = "first(FIELD)",
    .size = sizeof(struct first),
    .add = add,
    .result = result,
};
