/* count: rows, or values of a field. */
#include "search/stat.h"

static void add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    (void)scope;
    (void)v;
    (void)time_ns;
    ++*(uint64_t *)state;
}

static void merge(struct stat_scope *scope, void *state, const void *part)
{
    (void)scope;
    *(uint64_t *)state += *(const uint64_t *)part;
}

static bool take_away(void *state, const void *part)
{
    *(uint64_t *)state -= *(const uint64_t *)part;
    return true;
}

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    stat_give(scope, value_i64((int64_t) * (const uint64_t *)state), out);
}

const struct stat stat_count = {
    .name = "count",
    .alias = "c",
    .summary = "rows; values of a field; rows for which a condition is true",
    .syntax = "count | count(FIELD) | count(eval(CONDITION))",
    .flags = STAT_ROWS | STAT_ZERO,
    .size = sizeof(uint64_t),
    .add = add,
    .merge = merge,
    .take_away = take_away,
    .result = result,
};
