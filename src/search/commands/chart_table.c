/* chart and timechart: the table out. */
#include "search/commands/chart_series.h"

#include "event/schema.h"

/* Rows: the x values, and with cont the empty buckets between them. */
struct rows {
    struct value *values;
    uint32_t *of; /* by number of x value */
    uint32_t count, room;
};

static int add_x(struct stage *op, struct rows *rows, struct value v, struct err *err)
{
    if (rows->count == rows->room) {
        uint32_t room = rows->room ? 2 * rows->room : 64;
        rows->values = arena_grow(op->run->arena, rows->values, rows->room * sizeof(struct value),
                                  room * sizeof(struct value));
        rows->room = room;
    }
    if (!rows->values)
        return run_nomem(op->run, err);
    rows->values[rows->count++] = v;
    return 0;
}

enum { BUCKETS_MAX = 1000000 };

/* Empty buckets from at up to (not including) until. */
static int fill_gap(struct stage *op, struct rows *rows, int64_t at, int64_t until, struct err *err)
{
    const struct chart *chart = op->state;
    int64_t start, end;
    while (at < until && span_time_bucket(&chart->span, op->run->scope.zone, 0, at, &start, &end)) {
        if (start >= until)
            break;
        if (rows->count >= BUCKETS_MAX)
            return err_set(err, ERR_LIMIT, "timechart would have more than %d buckets; widen span",
                           BUCKETS_MAX);
        if (add_x(op, rows, value_time(start), err) < 0)
            return -1;
        at = end;
    }
    return 0;
}

static bool in_range(const struct run *run)
{
    return run->from_ns > 0 && run->to_ns < INT64_MAX;
}

static int lay_rows(struct stage *op, const struct axis *x, struct rows *rows, struct err *err)
{
    const struct chart_args *args = op->command->args;
    const struct chart *chart = op->state;
    bool fill = args->time && args->cont && chart->span.kind == SPAN_TIME;
    bool ends = fill && args->fixed_range && in_range(op->run);
    int64_t next = ends ? op->run->from_ns : INT64_MAX, start, end;
    rows->of = arena_array(op->run->arena, x->count + 1U, sizeof(uint32_t));
    if (!rows->of)
        return run_nomem(op->run, err);
    for (uint32_t i = 0; i < x->count; i++) {
        struct value v = x->groups->keys[0].values[x->ids[i]];
        bool time = v.type == VALUE_TIME;
        if (fill && time && next < v.i64 && fill_gap(op, rows, next, v.i64, err) < 0)
            return -1;
        rows->of[x->ids[i]] = rows->count;
        if (add_x(op, rows, v, err) < 0)
            return -1;
        if (fill && time &&
            span_time_bucket(&chart->span, op->run->scope.zone, 0, v.i64, &start, &end))
            next = end;
    }
    if (ends && next < op->run->to_ns)
        return fill_gap(op, rows, next, op->run->to_ns, err);
    return 0;
}

/* per_second and its kin are sums over the bucket's length: the seconds of their unit; 0: another.
 */
static double unit_of(const struct chart *chart, const struct stat *stat)
{
    static const struct {
        const struct stat *stat;
        double unit;
    } rates[] = {
        {&stat_per_second, 1},
        {&stat_per_minute, 60},
        {&stat_per_hour, 3600},
        {&stat_per_day, 86400},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rates); i++)
        if (rates[i].stat == stat && chart->span.kind == SPAN_TIME)
            return rates[i].unit;
    return 0;
}

static double per_unit(const struct chart *chart, double sum, double unit)
{
    return sum / ((double)span_ns(&chart->span) / 1e9) * unit;
}

/* One column: group[row] is the group whose result stands there, GROUP_NONE for empty cells. */
static int put_series(struct stage *op, struct batch *out, struct slice name, size_t slot,
                      const uint32_t *group, struct err *err)
{
    struct chart *chart = op->state;
    struct column *to = batch_column(out, name);
    const struct stat *stat = aggregator_stat(&chart->a, slot);
    double unit = unit_of(chart, stat);
    for (uint32_t row = 0; to && row < out->row_count; row++) {
        struct value_list list = {0};
        struct value made = value_i64(0);
        int128 room;
        if (group[row] != GROUP_NONE &&
            aggregator_result(&chart->a, slot, group[row], &list, err) < 0)
            return -1;
        if (unit != 0 && list.count && stat_number(list.values[0], &room, &made)) {
            made = value_f64(per_unit(chart, value_to_f64(made), unit));
            list = (struct value_list){&made, 1};
        } else if (!list.count && (stat->flags & STAT_ZERO)) {
            list = (struct value_list){&made, 1};
        }
        for (uint32_t i = 0; i < list.count; i++)
            if (column_add(out, to, row, list.values[i]) < 0)
                return run_nomem(op->run, err);
    }
    return to ? 0 : run_nomem(op->run, err);
}

static void cells_clear(uint32_t *cells, uint32_t count)
{
    memset(cells, 0xff, count * sizeof(*cells));
}

static int plain_table(struct stage *op, const struct rows *rows, struct batch *out,
                       uint32_t *cells, struct err *err)
{
    struct chart *chart = op->state;
    const struct grouper *groups = &chart->a.groups;
    cells_clear(cells, rows->count);
    for (uint32_t g = 0; g < groups->count; g++)
        cells[rows->of[groups->groups[g]]] = g;
    for (size_t slot = 0; slot < chart->a.slot_count; slot++)
        if (put_series(op, out, aggregator_name(&chart->a, slot), slot, cells, err) < 0)
            return -1;
    return 0;
}

/* OTHER adds up the results of its members, exactly; of min, max and avg it takes the same again. */
static const struct stat *other_of(const struct stat *stat)
{
    bool again = stat == &stat_max || stat == &stat_min || stat == &stat_avg;
    return again ? stat : &stat_sum;
}

/* The states of OTHER, one a row; NULL: no series is in it, or *failed. */
static char *gather_other(struct stage *op, size_t slot, const struct rows *rows,
                          const enum series *kinds, struct stat_scope *scope, bool *failed,
                          struct err *err)
{
    struct chart *chart = op->state;
    const struct grouper *groups = &chart->a.groups;
    const struct stat *other = other_of(aggregator_stat(&chart->a, slot));
    char *states = arena_array(scope->arena, rows->count + 1U, other->size);
    bool any = false;
    *failed = !states && run_nomem(op->run, err) < 0;
    for (uint32_t g = 0; states && g < groups->count; g++) {
        struct value_list list;
        int128 room;
        struct value n;
        uint32_t row = rows->of[groups->groups[g * 2]];
        if (kinds[groups->groups[g * 2 + 1]] != SERIES_OTHER)
            continue;
        any = true;
        if ((*failed = aggregator_result(&chart->a, slot, g, &list, err) < 0))
            return NULL;
        if (list.count && stat_number(list.values[0], &room, &n))
            other->add(scope, states + row * other->size, n, 0);
    }
    return any ? states : NULL;
}

static int put_other(struct stage *op, struct batch *out, size_t slot, const struct rows *rows,
                     const enum series *kinds, struct err *err)
{
    const struct chart_args *args = op->command->args;
    struct chart *chart = op->state;
    struct stat_scope scope = {.arena = op->run->arena};
    const struct stat *stat = aggregator_stat(&chart->a, slot), *other = other_of(stat);
    double unit = unit_of(chart, stat);
    bool failed;
    const char *states = gather_other(op, slot, rows, kinds, &scope, &failed, err);
    if (!states)
        return failed ? -1 : 0;
    struct column *to =
        batch_column(out, chart_series_name(op, aggregator_name(&chart->a, slot), args->other));
    for (uint32_t row = 0; to && row < rows->count; row++) {
        struct value_list list = {0};
        struct value none = value_i64(0);
        other->result(&scope, states + row * other->size, &list);
        if (list.count && unit != 0)
            stat_give_number(&scope, per_unit(chart, value_to_f64(list.values[0]), unit), &list);
        if (!list.count && stat->flags & STAT_ZERO)
            list = (struct value_list){&none, 1};
        if (scope.exhausted || (list.count && column_add(out, to, row, list.values[0]) < 0))
            return run_nomem(op->run, err);
    }
    if (stat == &stat_avg)
        run_message(op->run, "approximate", op->command, false,
                    "OTHER of avg() is the mean of the columns that it stands for");
    return to ? 0 : run_nomem(op->run, err);
}

/* The groups of each series, from number to number. */
struct by_series {
    uint32_t *first; /* by number of the y value */
    uint32_t *next;  /* by group; GROUP_NONE ends */
};

static int chain_groups(struct stage *op, struct by_series *chain, struct err *err)
{
    const struct chart *chart = op->state;
    const struct grouper *groups = &chart->a.groups;
    struct arena *arena = op->run->arena;
    size_t series = groups->keys[1].count + 1U;
    *chain = (struct by_series){arena_alloc(arena, series * sizeof(uint32_t)),
                                arena_alloc(arena, (groups->count + 1U) * sizeof(uint32_t))};
    if (!chain->first || !chain->next)
        return run_nomem(op->run, err);
    memset(chain->first, 0xff, series * sizeof(uint32_t));
    for (uint32_t g = groups->count; g-- > 0;) {
        uint32_t *first = &chain->first[groups->groups[g * 2 + 1]];
        chain->next[g] = *first;
        *first = g;
    }
    return 0;
}

static int check_width(struct stage *op, const struct axis *y, const enum series *kinds,
                       struct err *err)
{
    const struct chart *chart = op->state;
    size_t width = 2; /* the field of the rows, OTHER */
    for (uint32_t i = 0; i < y->count; i++)
        width += (kinds[y->ids[i]] == SERIES_SHOWN) * chart->a.slot_count;
    if (width > BATCH_COLUMNS_MAX)
        return err_set(err, ERR_LIMIT,
                       "the chart would have %zu columns and %d are the most; state a limit or "
                       "use stats by both fields",
                       width, BATCH_COLUMNS_MAX);
    return 0;
}

static int split_table(struct stage *op, const struct axis *y, const struct rows *rows,
                       struct batch *out, uint32_t *cells, struct err *err)
{
    const struct chart_args *args = op->command->args;
    struct chart *chart = op->state;
    const struct grouper *groups = &chart->a.groups;
    enum series *kinds;
    struct by_series groups_of;
    if (chart_choose(op, y, &kinds, err) < 0 || check_width(op, y, kinds, err) < 0 ||
        chain_groups(op, &groups_of, err) < 0)
        return -1;
    for (size_t slot = 0; slot < chart->a.slot_count; slot++) {
        for (int null = 0; null < 2; null++) /* the column of missing values comes last */
            for (uint32_t i = 0; i < y->count; i++) {
                uint32_t id = y->ids[i];
                struct value v = groups->keys[1].values[id];
                if (kinds[id] != SERIES_SHOWN || (v.type == VALUE_NULL) != null)
                    continue;
                cells_clear(cells, rows->count);
                for (uint32_t g = groups_of.first[id]; g != GROUP_NONE; g = groups_of.next[g])
                    cells[rows->of[groups->groups[g * 2]]] = g;
                struct slice text = null ? args->null : value_text(v, op->run->arena);
                struct slice name = chart_series_name(op, aggregator_name(&chart->a, slot), text);
                if (!name.ptr)
                    return run_nomem(op->run, err);
                if (run_check(op->run, err) < 0 ||
                    put_series(op, out, name, slot, cells, err) < 0)
                    return -1;
            }
        if (put_other(op, out, slot, rows, kinds, err) < 0)
            return -1;
    }
    return 0;
}

/* partial=f: without the first and the last bucket where the range of the search cuts them. */
static void whole_buckets(struct stage *op, const struct rows *rows, uint32_t *from,
                          uint32_t *until)
{
    const struct chart *chart = op->state;
    const struct run *run = op->run;
    int64_t start, end;
    if (*from < *until && rows->values[*from].type == VALUE_TIME &&
        rows->values[*from].i64 < run->from_ns)
        ++*from;
    if (*from < *until && rows->values[*until - 1].type == VALUE_TIME &&
        span_time_bucket(&chart->span, run->scope.zone, 0, rows->values[*until - 1].i64, &start,
                         &end) &&
        end > run->to_ns)
        --*until;
}

static int emit_rows(struct stage *op, const struct batch *out, uint32_t from, uint32_t until,
                     struct err *err)
{
    uint32_t *order = arena_alloc(op->run->arena, (out->row_count + 1U) * sizeof(*order));
    if (!order)
        return run_nomem(op->run, err);
    for (uint32_t row = from; row < until; row++)
        order[row - from] = row;
    return stage_emit(op, out, order, until - from, err);
}

int chart_emit(struct stage *op, struct err *err)
{
    const struct chart_args *args = op->command->args;
    struct chart *chart = op->state;
    struct axis x, y;
    struct rows rows = {0};
    struct arena *arena = op->run->arena;
    bool split = args->y.ptr != NULL;
    if (chart_axis(&x, &chart->a.groups, 0, arena) < 0 ||
        (split && chart_axis(&y, &chart->a.groups, 1, arena) < 0))
        return run_nomem(op->run, err);
    if (lay_rows(op, &x, &rows, err) < 0)
        return -1;
    struct batch *out = frame_batch_new(arena, rows.count);
    uint32_t *cells = arena_array(arena, rows.count + 1U, sizeof(*cells));
    struct column *first = out ? batch_column(out, args->x) : NULL;
    if (!first || !cells)
        return run_nomem(op->run, err);
    for (uint32_t row = 0; row < rows.count; row++)
        if (column_add(out, first, row, rows.values[row]) < 0)
            return run_nomem(op->run, err);
    if ((split ? split_table(op, &y, &rows, out, cells, err)
               : plain_table(op, &rows, out, cells, err)) < 0)
        return -1;
    uint32_t from = 0, until = rows.count;
    if (args->time && !args->partial && chart->span.kind == SPAN_TIME)
        whole_buckets(op, &rows, &from, &until);
    return emit_rows(op, out, from, until, err);
}
