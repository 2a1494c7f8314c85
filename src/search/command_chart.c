/* chart and timechart: statistics with a column for each value of a field. */
#include "event/schema.h"
#include "search/aggregate.h"
#include "search/hold.h"
#include "search/spl_pipeline.h"
#include "search/value_order.h"

#include <stdlib.h>

struct chart_args {
    struct slice limit_text, other, null, sep, format;
    bool use_other, use_null, cont, partial, fixed_range, bottom;
    int64_t limit, bins;
    struct span span, min_span;
    struct slice align;
    struct agg_list aggs;
    struct slice x, y; /* y SLICE_NONE: none */
    bool time;
};

#define AT(field) offsetof(struct chart_args, field)
static const struct command_option options[] = {
    {"limit", OPTION_TEXT, AT(limit_text), "columns shown (10; 0: all; top5, bottom5)"},
    {"useother", OPTION_BOOL, AT(use_other), "a column for all the others (t)"},
    {"usenull", OPTION_BOOL, AT(use_null), "a column for rows without the field (t)"},
    {"otherstr", OPTION_TEXT, AT(other), "name of the column of the others"},
    {"nullstr", OPTION_TEXT, AT(null), "name of the column of rows without the field"},
    {"sep", OPTION_TEXT, AT(sep), "between aggregate and value in names"},
    {"format", OPTION_TEXT, AT(format), "names as $AGG$ and $VAL$"},
    {"span", OPTION_SPAN, AT(span), "width of buckets"},
    {"minspan", OPTION_SPAN, AT(min_span), "the least width"},
    {"bins", OPTION_I64, AT(bins), "at most so many buckets (100)"},
    {"cont", OPTION_BOOL, AT(cont), "empty buckets are rows (t)"},
    {"partial", OPTION_BOOL, AT(partial), "buckets at the ends that are cut (t)"},
    {"fixedrange", OPTION_BOOL, AT(fixed_range), "the whole range of the search (t)"},
    {"aligntime", OPTION_TEXT, AT(align), "accepted"},
    {"agg", OPTION_TEXT, AT(format), "accepted"},
};

static int read_limit(struct spl_parser *p, struct chart_args *args)
{
    struct slice text = args->limit_text;
    args->limit = 10;
    if (!text.ptr)
        return 0;
    args->bottom = slice_starts(text, SLICE("bottom"));
    if (args->bottom || slice_starts(text, SLICE("top")))
        text = slice_from(text, args->bottom ? 6 : 3);
    text = slice_trim(text);
    if (!slice_to_i64(text, &args->limit) || args->limit < 0)
        return spl_fail(p, "limit wants a whole number, top5 or bottom5");
    return 0;
}

static int take_split(struct spl_parser *p, struct chart_args *args, struct slice *to)
{
    if (spl_advance(p) < 0 || spl_take_field(p, to) < 0)
        return -1;
    if (spl_at_sign(p, ",") && spl_advance(p) < 0)
        return -1;
    return spl_take_options(p, args);
}

/* agg over x by y, agg by x y, agg by x */
static int take_axes(struct spl_parser *p, struct chart_args *args)
{
    bool over = spl_at_word(p, "over");
    if (over && take_split(p, args, &args->x) < 0)
        return -1;
    if (!spl_at_word(p, "by"))
        return 0;
    struct slice *first = args->x.ptr ? &args->y : &args->x;
    if (take_split(p, args, first) < 0)
        return -1;
    if (!over && first == &args->x && spl_is_field(p)) {
        if (spl_take_field(p, &args->y) < 0 || spl_take_options(p, args) < 0)
            return -1;
    }
    return 0;
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    static const char *const stops[] = {"by", "over", NULL};
    struct chart_args *args = arena_calloc(p->arena, sizeof(*args));
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    *args = (struct chart_args){.other = SLICE("OTHER"),
                                .null = SLICE("NULL"),
                                .sep = SLICE(": "),
                                .use_other = true,
                                .use_null = true,
                                .cont = true,
                                .partial = true,
                                .fixed_range = true,
                                .bins = 100};
    args->time = slice_is(slice_text(command->descriptor->name), "timechart");
    if (args->time)
        args->x = FIELD_TIMESTAMP;
    if (spl_take_options(p, args) < 0)
        return -1;
    bool closed = spl_at_sign(p, "("); /* timechart (avg(x)) */
    if (closed && spl_advance(p) < 0)
        return -1;
    if (spl_take_aggs(p, stops, &args->aggs) < 0 || take_axes(p, args) < 0)
        return -1;
    if (!args->x.ptr)
        return spl_fail(p, "chart needs a field for its rows: over x, or by x");
    if (spl_at_word(p, "where")) { /* where count in top5 */
        while (p->token.kind != SPL_END)
            if (spl_advance(p) < 0)
                return -1;
    }
    return read_limit(p, args) < 0 ? -1 : spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct chart_args *args = command->args;
    wanted_reset(wanted);
    wanted_add(wanted, args->x);
    if (args->y.ptr)
        wanted_add(wanted, args->y);
    wanted_add_aggs(wanted, &args->aggs);
}

struct chart {
    struct hold hold; /* timechart without a span and range: the rows */
    struct aggregator a;
    struct span span;
    struct slice by[2];
};

/* ---- rows in ---- */

static int64_t time_of(struct value v, bool *ok)
{
    int64_t ns = 0;
    char small[VALUE_TEXT_SIZE];
    if (v.type == VALUE_TIME)
        ns = v.i64;
    *ok = v.type == VALUE_TIME ||
          (v.type != VALUE_NULL && time_parse_epoch(value_text_small(v, small), &ns));
    return ns;
}

/* Times that ascend, as a block of the store has them: the buckets become a dictionary, and a row
 * costs a comparison. False: they do not, or memory is out. */
static bool bucket_codes(struct stage *op, const struct frame *frame, const struct column *from,
                         struct column *to)
{
    const struct chart *chart = op->state;
    struct arena *arena = frame->batch->arena;
    uint32_t *codes = arena_alloc(arena, (from->count + 1U) * sizeof(*codes)), count = 0;
    struct value *dict = arena_alloc(arena, (from->count + 1U) * sizeof(*dict));
    int64_t start = 0, end = INT64_MIN, before = INT64_MIN;
    for (uint32_t i = 0; codes && dict && i < from->count; i++) {
        int64_t ns = from->values[i].i64;
        if (ns < before)
            return false;
        if (ns >= end || count == 0) {
            if (!span_time_bucket(&chart->span, op->run->scope.zone, 0, ns, &start, &end))
                return false;
            dict[count++] = value_time(start);
        }
        codes[i] = count - 1;
        before = ns;
    }
    to->rows = from->rows;
    to->count = to->size = from->count;
    to->codes = codes;
    to->dict = dict;
    to->dict_count = count;
    to->types_seen = from->types_seen;
    return codes && dict && count;
}

/* Expressions read values, and there are none beside the codes. */
static bool may_bucket_codes(const struct stage *op, const struct column *from)
{
    const struct chart_args *args = op->command->args;
    const struct chart *chart = op->state;
    for (size_t i = 0; i < args->aggs.count; i++)
        if (args->aggs.aggs[i].expr)
            return false;
    return chart->span.kind == SPAN_TIME && from->values && !from->multi &&
           from->types_seen == 1U << VALUE_TIME;
}

static int bucket_x(struct stage *op, struct frame *frame, struct err *err)
{
    const struct chart_args *args = op->command->args;
    struct chart *chart = op->state;
    const struct column *from = batch_find(frame->batch, args->x);
    struct column *to = frame_column(frame, args->x);
    if (to && from && may_bucket_codes(op, from) && bucket_codes(op, frame, from, to))
        return frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
    if (to)
        *to = (struct column){.name = to->name};
    int64_t start = 0, end = INT64_MIN;
    for (uint32_t i = 0; to && from && i < from->count; i++) {
        struct value v = column_value(from, i), n;
        if (!bits_get(frame->selected, from->rows[i]))
            continue;
        if (chart->span.kind == SPAN_TIME) {
            bool ok;
            int64_t ns = time_of(v, &ok);
            bool inside = end != INT64_MIN && ns >= start && ns < end;
            if (!ok || (!inside &&
                        !span_time_bucket(&chart->span, op->run->scope.zone, 0, ns, &start, &end)))
                continue;
            v = value_time(start);
        } else if (value_to_number(v, frame->batch->arena, &n)) {
            struct slice text =
                span_number_bucket(&chart->span, value_to_f64(n), frame->batch->arena);
            v = text.ptr ? value_string(text) : v;
        }
        if (column_add(frame->batch, to, from->rows[i], v) < 0)
            return run_nomem(op->run, err);
    }
    return !to || frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    struct chart *chart = op->state;
    if (chart->span.kind && bucket_x(op, frame, err) < 0)
        return -1;
    return aggregator_add(&chart->a, frame, NULL, err);
}

/* ---- table out ---- */

struct axis {
    const struct grouper *groups;
    size_t field;
    uint32_t *ids;   /* numbers of values, in order */
    uint32_t *place; /* by number of value: position, or UINT32_MAX */
    uint32_t count;
};

static int order_axis(struct axis *axis, const struct grouper *groups, size_t field,
                      struct arena *arena)
{
    const struct intern *keys = &groups->keys[field];
    *axis = (struct axis){groups, field, value_order(keys->values, keys->count, arena),
                          arena_array(arena, keys->count + 1U, sizeof(uint32_t)), keys->count};
    if (!axis->ids || !axis->place)
        return -1;
    for (uint32_t i = 0; i < keys->count; i++)
        axis->place[axis->ids[i]] = i;
    return 0;
}

/* How a column is ranked: by the sum of the first aggregate over its rows. */
struct rank {
    uint32_t id;
    double sum;
    bool null;
};

static int by_rank(const void *a, const void *b, void *context)
{
    const struct axis *axis = context;
    const struct rank *x = a, *y = b;
    if (x->sum != y->sum)
        return x->sum > y->sum ? -1 : 1;
    return axis->place[x->id] < axis->place[y->id] ? -1 : axis->place[x->id] > axis->place[y->id];
}

enum series { SERIES_SHOWN, SERIES_OTHER, SERIES_DROPPED };

/* Which columns are shown; [id] by number of value. */
static int choose_series(struct stage *op, const struct axis *y, enum series **out, struct err *err)
{
    const struct chart_args *args = op->command->args;
    struct chart *chart = op->state;
    struct arena *arena = op->run->arena;
    struct rank *ranks = arena_array(arena, y->count + 1U, sizeof(*ranks));
    enum series *kinds = arena_array(arena, y->count + 1U, sizeof(*kinds));
    *out = kinds;
    if (!ranks || !kinds)
        return run_nomem(op->run, err);
    for (uint32_t i = 0; i < y->count; i++)
        ranks[i] = (struct rank){i, 0, y->groups->keys[1].values[i].type == VALUE_NULL};
    for (uint32_t g = 0; g < y->groups->count; g++) {
        struct value_list list;
        int128 room;
        struct value n;
        if (aggregator_result(&chart->a, 0, g, &list, err) < 0)
            return -1;
        if (list.count && stat_number(list.values[0], &room, &n))
            ranks[y->groups->groups[g * 2 + 1]].sum += value_to_f64(n);
    }
    qsort_r(ranks, y->count, sizeof(*ranks), by_rank, (void *)(uintptr_t)y);
    int64_t shown = 0;
    for (uint32_t i = 0; i < y->count; i++) {
        const struct rank *rank = &ranks[args->bottom ? y->count - 1 - i : i];
        if (rank->null) {
            kinds[rank->id] = args->use_null ? SERIES_SHOWN : SERIES_DROPPED;
            continue;
        }
        bool fits = args->limit == 0 || shown++ < args->limit;
        kinds[rank->id] = fits ? SERIES_SHOWN : args->use_other ? SERIES_OTHER : SERIES_DROPPED;
    }
    return 0;
}

static struct slice series_name(struct stage *op, struct slice agg, struct slice value)
{
    const struct chart_args *args = op->command->args;
    struct arena *arena = op->run->arena;
    if (args->aggs.count < 2)
        return arena_copy(arena, value);
    return arena_printf(arena, "%.*s%.*s%.*s", SLICE_ARG(agg), SLICE_ARG(args->sep),
                        SLICE_ARG(value));
}

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

/* One column: group[row] is the group whose result stands there, GROUP_NONE for empty cells. */
static int put_series(struct stage *op, struct batch *out, struct slice name, size_t slot,
                      const uint32_t *group, struct err *err)
{
    struct chart *chart = op->state;
    struct column *to = batch_column(out, name);
    bool zero =
        op->run &&
        (chart->a.list->aggs[slot < chart->a.list->count ? slot : 0].stat->flags & STAT_ZERO);
    for (uint32_t row = 0; to && row < out->row_count; row++) {
        struct value_list list = {0};
        struct value nought = value_i64(0);
        if (group[row] != GROUP_NONE &&
            aggregator_result(&chart->a, slot, group[row], &list, err) < 0)
            return -1;
        if (!list.count && zero)
            list = (struct value_list){&nought, 1};
        for (uint32_t i = 0; i < list.count; i++)
            if (column_add(out, to, row, list.values[i]) < 0)
                return run_nomem(op->run, err);
    }
    return to ? 0 : run_nomem(op->run, err);
}

/* per_second and its kin are sums over the bucket's length. */
static int scale_rates(struct stage *op, struct batch *out)
{
    const struct chart *chart = op->state;
    double seconds = (double)span_ns(&chart->span) / 1e9;
    static const struct {
        const char *name;
        double unit;
    } rates[] = {{"per_second", 1}, {"per_minute", 60}, {"per_hour", 3600}, {"per_day", 86400}};
    for (size_t a = 0; a < chart->a.list->count; a++)
        for (size_t r = 0; r < ARRAY_COUNT(rates); r++) {
            if (!slice_is(slice_text(chart->a.list->aggs[a].stat->name), rates[r].name))
                continue;
            for (uint32_t c = 1; c < out->column_count; c++)
                for (uint32_t i = 0; i < out->columns[c]->count; i++) {
                    struct value *v = &out->columns[c]->values[i];
                    if (v->type == VALUE_I64 || v->type == VALUE_F64 || v->type == VALUE_DECIMAL)
                        *v = value_f64(value_to_f64(*v) / seconds * rates[r].unit);
                }
        }
    return 0;
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

/* OTHER adds up the results of its members: sums and counts add, the rest take the greatest. */
static int put_other(struct stage *op, struct batch *out, size_t slot, const struct rows *rows,
                     const enum series *kinds, struct err *err)
{
    const struct chart_args *args = op->command->args;
    struct chart *chart = op->state;
    const struct grouper *groups = &chart->a.groups;
    double *sums = arena_array(op->run->arena, rows->count + 1U, sizeof(*sums));
    double *seen = arena_array(op->run->arena, rows->count + 1U, sizeof(*seen));
    struct stat_scope scope = {.arena = op->run->arena};
    bool any = false;
    if (!sums || !seen)
        return run_nomem(op->run, err);
    const struct stat *stat = chart->a.list->aggs[slot].stat;
    bool greatest = slice_is(slice_text(stat->name), "max"),
         least = slice_is(slice_text(stat->name), "min");
    bool mean = slice_is(slice_text(stat->name), "avg");
    for (uint32_t g = 0; g < groups->count; g++) {
        struct value_list list;
        int128 room;
        struct value n;
        uint32_t row = rows->of[groups->groups[g * 2]];
        if (kinds[groups->groups[g * 2 + 1]] != SERIES_OTHER)
            continue;
        any = true;
        if (aggregator_result(&chart->a, slot, g, &list, err) < 0)
            return -1;
        if (!list.count || !stat_number(list.values[0], &room, &n))
            continue;
        double v = value_to_f64(n);
        bool first = seen[row] == 0;
        seen[row]++;
        if (greatest || least)
            sums[row] = first || (v > sums[row]) == greatest ? v : sums[row];
        else
            sums[row] += v;
    }
    if (!any)
        return 0;
    struct column *to =
        batch_column(out, series_name(op, aggregator_name(&chart->a, slot), args->other));
    for (uint32_t row = 0; to && row < rows->count; row++) {
        struct value_list list;
        if (seen[row] == 0 && !(stat->flags & STAT_ZERO))
            continue;
        stat_give_number(&scope, mean ? sums[row] / seen[row] : sums[row], &list);
        if (!list.count || column_add(out, to, row, list.values[0]) < 0)
            return run_nomem(op->run, err);
    }
    if (mean)
        run_message(op->run, "approximate", op->command, false,
                    "OTHER of avg() is the mean of the columns that it stands for");
    return to ? 0 : run_nomem(op->run, err);
}

static int split_table(struct stage *op, const struct axis *y, const struct rows *rows,
                       struct batch *out, uint32_t *cells, struct err *err)
{
    const struct chart_args *args = op->command->args;
    struct chart *chart = op->state;
    const struct grouper *groups = &chart->a.groups;
    enum series *kinds;
    if (choose_series(op, y, &kinds, err) < 0)
        return -1;
    for (size_t slot = 0; slot < chart->a.slot_count; slot++) {
        for (int null = 0; null < 2; null++) /* the column of missing values comes last */
            for (uint32_t i = 0; i < y->count; i++) {
                uint32_t id = y->ids[i];
                struct value v = groups->keys[1].values[id];
                if (kinds[id] != SERIES_SHOWN || (v.type == VALUE_NULL) != null)
                    continue;
                cells_clear(cells, rows->count);
                for (uint32_t g = 0; g < groups->count; g++)
                    if (groups->groups[g * 2 + 1] == id)
                        cells[rows->of[groups->groups[g * 2]]] = g;
                struct slice text = null ? args->null : value_text(v, op->run->arena);
                struct slice name = series_name(op, aggregator_name(&chart->a, slot), text);
                if (!name.ptr || put_series(op, out, name, slot, cells, err) < 0)
                    return name.ptr ? -1 : run_nomem(op->run, err);
            }
        if (put_other(op, out, slot, rows, kinds, err) < 0)
            return -1;
    }
    return 0;
}

static int emit_table(struct stage *op, struct err *err)
{
    const struct chart_args *args = op->command->args;
    struct chart *chart = op->state;
    struct axis x, y;
    struct rows rows = {0};
    struct arena *arena = op->run->arena;
    bool split = args->y.ptr != NULL;
    if (order_axis(&x, &chart->a.groups, 0, arena) < 0 ||
        (split && order_axis(&y, &chart->a.groups, 1, arena) < 0))
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
    if (chart->span.kind == SPAN_TIME)
        scale_rates(op, out);
    return stage_emit(op, out, NULL, out->row_count, err);
}

/* Rows were held because the width of buckets follows from them. */
static int finish_held(struct stage *op, struct err *err)
{
    const struct chart_args *args = op->command->args;
    struct chart *chart = op->state;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    const struct column *times = batch_find(frame.batch, FIELD_TIMESTAMP);
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (uint32_t i = 0; times && i < times->count; i++) {
        bool ok;
        int64_t ns = time_of(times->values[i], &ok);
        low = ok && ns < low ? ns : low;
        high = ok && ns > high ? ns : high;
    }
    if (low > high)
        return 0;
    chart->span = span_for_range(low, high, args->bins);
    /* a preview may have been here: begin anew */
    struct slice *by = chart->by;
    if (aggregator_init(&chart->a, op->run, &args->aggs, by, args->y.ptr ? 2 : 1, 2, err) < 0 ||
        push(op, &frame, err) < 0)
        return -1;
    return emit_table(op, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct chart_args *args = command->args;
    bool open = args->time && !args->span.kind && !(run->from_ns > 0 && run->to_ns < INT64_MAX);
    if (stage_hold(run, op, sizeof(struct chart), open ? finish_held : emit_table, err) < 0)
        return -1;
    struct chart *chart = op->state;
    chart->span = args->span;
    if (args->time && !args->span.kind && !open)
        chart->span = span_for_range(run->from_ns, run->to_ns, args->bins);
    if (!open)
        op->push = push;
    chart->by[0] = args->x;
    chart->by[1] = args->y;
    return aggregator_init(&chart->a, run, &args->aggs, chart->by, args->y.ptr ? 2 : 1, 2, err);
}

extern const struct command command_timechart;

static bool is_whole_minutes(const struct span *span)
{
    int64_t seconds = span->unit == TIME_UNIT_SECOND ? span->count : 60;
    return span->kind == SPAN_TIME && span->unit >= TIME_UNIT_SECOND && seconds % 60 == 0;
}

bool chart_counts_minutes(const struct spl_command *command)
{
    const struct chart_args *args = command->args;
    if (command->descriptor != &command_timechart || args->y.ptr ||
        !is_whole_minutes(&args->span))
        return false;
    for (size_t i = 0; i < args->aggs.count; i++)
        if (!agg_counts_rows(&args->aggs.aggs[i]))
            return false;
    return true;
}

const struct command command_chart = {
    "chart",
    0,
    "statistics as a table of two fields: chart count over host by status",
    COMMAND_TRANSFORMS | COMMAND_HOLDS,
    options,
    ARRAY_COUNT(options),
    parse,
    make,
    want,
    0};
const struct command command_timechart = {
    "timechart",
    0,
    "statistics over time: timechart span=1h count by sourcetype",
    COMMAND_TRANSFORMS | COMMAND_HOLDS,
    options,
    ARRAY_COUNT(options),
    parse,
    make,
    want,
    0};
