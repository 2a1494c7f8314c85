/* estdc_error: how far estdc may be off, as a share. It counts, so not at all. */
#include "search/stat.h"

static void add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    (void)scope, (void)v, (void)time_ns;
    *(bool *)state = true;
}

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    (void)state;
    stat_give(scope, value_i64(0), out);
}

const struct stat stat_estdc_error = {
    .name = "estdc_error",
    .summary = "the error of estdc, which counts: 0",
    .syntax = "estdc_error(FIELD)",
    .flags = STAT_ZERO | STAT_ONCE,
    .size = sizeof(bool),
    .add = add,
    .result = result,
};
