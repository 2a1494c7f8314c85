/* chart and timechart: which columns are shown, and how they are called. */
#include "search/commands/chart_series.h"

#include "search/value_order.h"

#include <stdlib.h>

int chart_axis(struct axis *axis, const struct grouper *groups, size_t field, struct arena *arena)
{
    const struct intern *keys = &groups->keys[field];
    *axis = (struct axis){groups, field, value_order(keys->values, keys->count, arena),
                          arena_array(arena, keys->count + 1U, sizeof(uint32_t)), 0};
    bool *used = arena_calloc(arena, keys->count + 1U);
    if (!axis->ids || !axis->place || !used)
        return -1;
    for (uint32_t g = 0; g < groups->count; g++)
        used[groups->groups[g * groups->field_count + field]] = true;
    for (uint32_t i = 0; i < keys->count; i++) {
        uint32_t id = axis->ids[i];
        if (!used[id]) /* only of rows that lack the other field */
            continue;
        axis->place[id] = axis->count;
        axis->ids[axis->count++] = id;
    }
    return 0;
}

/* How a column is ranked: by a function of the first aggregate's results in its rows. */
struct rank {
    uint32_t id;
    bool null; /* of rows without the field */
    bool some; /* it has a number */
    double number;
    void *state;
};

static int by_rank(const void *a, const void *b, void *context)
{
    const struct axis *axis = context;
    const struct rank *x = a, *y = b;
    if (x->number != y->number)
        return x->number > y->number ? -1 : 1;
    return axis->place[x->id] < axis->place[y->id] ? -1 : axis->place[x->id] > axis->place[y->id];
}

static int rank_series(struct stage *op, const struct axis *y, struct rank *ranks, struct err *err)
{
    const struct chart_args *args = op->command->args;
    struct chart *chart = op->state;
    const struct stat *stat = args->pick.stat;
    struct stat_scope scope = {.arena = op->run->arena, .percent = args->pick.percent};
    struct value n;
    int128 room;
    for (uint32_t i = 0; i < y->count; i++) {
        uint32_t id = y->ids[i];
        ranks[i] = (struct rank){.id = id,
                                 .null = y->groups->keys[1].values[id].type == VALUE_NULL,
                                 .state = arena_calloc(op->run->arena, stat->size)};
        if (!ranks[i].state)
            return run_nomem(op->run, err);
    }
    for (uint32_t g = 0; g < y->groups->count; g++) {
        struct value_list list;
        struct rank *rank = &ranks[y->place[y->groups->groups[g * 2 + 1]]];
        if (aggregator_result(&chart->a, 0, g, &list, err) < 0)
            return -1;
        if (list.count && stat_number(list.values[0], &room, &n))
            stat->add(&scope, rank->state, n, 0);
    }
    for (uint32_t i = 0; i < y->count; i++) {
        struct value_list list = {0};
        stat->result(&scope, ranks[i].state, &list);
        ranks[i].some = list.count && stat_number(list.values[0], &room, &n);
        ranks[i].number = ranks[i].some ? value_to_f64(n) : 0;
    }
    return scope.exhausted ? run_nomem(op->run, err) : 0;
}

static bool is_picked(const struct chart_args *args, const struct rank *rank, int64_t *shown)
{
    switch (args->pick.by) {
    case PICK_FIRST:
        return (args->limit == 0 || (*shown)++ < args->limit) != args->pick.others;
    case PICK_ABOVE:
        return rank->some && rank->number > args->pick.bound;
    case PICK_BELOW:
        return rank->some && rank->number < args->pick.bound;
    }
    return false;
}

int chart_choose(struct stage *op, const struct axis *y, enum series **out, struct err *err)
{
    const struct chart_args *args = op->command->args;
    struct arena *arena = op->run->arena;
    struct rank *ranks = arena_array(arena, y->count + 1U, sizeof(*ranks));
    enum series *kinds = arena_array(arena, y->groups->keys[1].count + 1U, sizeof(*kinds));
    *out = kinds;
    if (!ranks || !kinds)
        return run_nomem(op->run, err);
    if (rank_series(op, y, ranks, err) < 0)
        return -1;
    qsort_r(ranks, y->count, sizeof(*ranks), by_rank, (void *)(uintptr_t)y);
    int64_t shown = 0;
    for (uint32_t i = 0; i < y->count; i++) {
        const struct rank *rank = &ranks[args->bottom ? y->count - 1 - i : i];
        bool show = rank->null ? args->use_null : is_picked(args, rank, &shown);
        kinds[rank->id] = show                             ? SERIES_SHOWN
                          : args->use_other && !rank->null ? SERIES_OTHER
                                                           : SERIES_DROPPED;
    }
    return 0;
}

struct slice chart_series_format(struct slice format, struct slice agg, struct slice value,
                                 struct arena *arena)
{
    struct buffer text;
    buffer_init(&text, MIB);
    while (format.len) {
        bool is_agg = slice_starts(format, SLICE("$AGG$"));
        bool is_value = slice_starts(format, SLICE("$VAL$"));
        size_t taken = is_agg || is_value ? 5 : 1;
        buffer_put(&text, is_agg ? agg : is_value ? value : slice_sub(format, 0, 1));
        format = slice_from(format, taken);
    }
    struct slice name = buffer_failed(&text) ? SLICE_NONE : arena_copy(arena, buffer_slice(&text));
    buffer_close(&text);
    return name;
}

struct slice chart_series_name(struct stage *op, struct slice agg, struct slice value)
{
    const struct chart_args *args = op->command->args;
    const struct chart *chart = op->state;
    struct arena *arena = op->run->arena;
    if (chart->a.slot_count < 2)
        return arena_copy(arena, value);
    if (args->format.ptr)
        return chart_series_format(args->format, agg, value, arena);
    return arena_printf(arena, "%.*s%.*s%.*s", SLICE_ARG(agg), SLICE_ARG(args->sep),
                        SLICE_ARG(value));
}
