/* values: different values in byte order. */
#include "search/stats/state_counted.h"

#include <stdlib.h>

static int by_bytes(const void *a, const void *b)
{
    char x[VALUE_TEXT_SIZE], y[VALUE_TEXT_SIZE];
    return slice_compare(value_text_small(*(const struct value *)a, x),
                         value_text_small(*(const struct value *)b, y));
}

static void result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct counted *c = state;
    uint32_t count = c->values.count;
    struct value *sorted = arena_array(scope->arena, count + 1U, sizeof(*sorted));
    scope->exhausted |= !sorted;
    if (!sorted || !count)
        return;
    memcpy(sorted, c->values.values, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), by_bytes);
    *out = (struct value_list){sorted, count};
}

const struct stat stat_values = {
    .name = "values",
    .summary = "the different values, in byte order",
    .syntax = "values(FIELD)",
    .size = sizeof(struct counted),
    .add = counted_add,
    .merge = counted_merge,
    .result = result,
};
