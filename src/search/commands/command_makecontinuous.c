/* makecontinuous: rows for the steps of an axis that have none. */
#include "event/schema.h"
#include "search/hold.h"
#include "search/rows.h"
#include "search/span.h"

#include <math.h>
#include <stdlib.h>

enum { CONTINUOUS_BINS = 100 };

struct makecontinuous_args {
    struct slice field;
    int64_t bins;
    struct span span;
    struct slice start, end, align;
};

#define AT(field) offsetof(struct makecontinuous_args, field)
static const struct command_option options[] = {
    {.name = "bins", OPTION_I64, AT(bins), "about so many steps"},
    {.name = "span", OPTION_SPAN, AT(span), "one step: 1h, 10"},
    {.name = "start", OPTION_TEXT, AT(start), "where the axis begins"},
    {.name = "end", OPTION_TEXT, AT(end), "where it ends"},
    {.name = "aligntime", OPTION_TEXT, AT(align), "accepted"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct makecontinuous_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->field = FIELD_TIMESTAMP;
    if (spl_take_options(p, args) < 0)
        return -1;
    if (p->token.kind != SPL_END && spl_take_field(p, &args->field) < 0)
        return -1;
    if (spl_take_options(p, args) < 0)
        return -1;
    if (args->span.kind == SPAN_LOG)
        return spl_fail(p, "makecontinuous wants steps of equal width");
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    wanted_add(wanted, ((const struct makecontinuous_args *)command->args)->field);
}

/* The axis: times in ns, or numbers. */
struct axis {
    bool time;
    struct span span;
    double low, high; /* of numbers */
    int64_t from_ns, to_ns;
};

struct placed {
    double at; /* number; or seconds, for finding the smallest step */
    int64_t ns;
    uint32_t row;
};

static int by_place(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->ns != y->ns)
        return x->ns < y->ns ? -1 : 1;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->row < y->row ? -1 : 1;
}

/* Rows with a value, ordered; the count. */
static uint32_t place_rows(const struct column *column, const struct batch *batch,
                           struct placed *out, bool *time)
{
    uint32_t count = 0;
    *time = column && column->count &&
            (column->types_seen == 1U << VALUE_TIME || slice_equal(column->name, FIELD_TIMESTAMP));
    for (uint32_t row = 0; row < batch->row_count; row++) {
        double n = 0;
        int64_t ns = 0;
        if (*time ? rows_time(column_first(column, row), &ns) : rows_number(column, row, &n))
            out[count++] = (struct placed){n, ns, row};
    }
    if (count)
        qsort(out, count, sizeof(*out), by_place);
    return count;
}

/* Without a width: that of bins=, else the smallest step between two values. */
static struct span choose_span(const struct makecontinuous_args *args, const struct axis *axis,
                               const struct placed *rows, uint32_t count)
{
    int64_t bins = args->bins ? args->bins : CONTINUOUS_BINS;
    double smallest = INFINITY;
    int64_t smallest_ns = INT64_MAX;
    if (args->bins && axis->time)
        return span_for_range(axis->from_ns, axis->to_ns + 1, bins, &args->span);
    if (args->bins)
        return (struct span){.kind = SPAN_NUMBER,
                             .number = span_width_for_bins(axis->low, axis->high, bins)};
    for (uint32_t i = 1; i < count; i++) {
        if (rows[i].at > rows[i - 1].at)
            smallest = fmin(smallest, rows[i].at - rows[i - 1].at);
        if (rows[i].ns > rows[i - 1].ns && rows[i].ns - rows[i - 1].ns < smallest_ns)
            smallest_ns = rows[i].ns - rows[i - 1].ns;
    }
    if (!axis->time)
        return (struct span){.kind = SPAN_NUMBER, .number = isinf(smallest) ? 1 : smallest};
    if (smallest_ns == INT64_MAX)
        smallest_ns = NS_PER_SECOND;
    return (struct span){
        .kind = SPAN_TIME, .count = smallest_ns / 1000 ? smallest_ns / 1000 : 1,
        .unit = TIME_UNIT_MICROSECOND};
}

static int read_bound(struct stage *op, const struct axis *axis, struct slice text, double *number,
                      int64_t *ns, struct err *err)
{
    if (!text.ptr)
        return 0;
    if (axis->time)
        return time_modifier_read(text, op->run->scope.now_ns, op->run->scope.zone, ns, err);
    return slice_to_f64(text, number)
               ? 0
               : err_set(err, ERR_CONFIG, "makecontinuous: \"%.*s\" is no number", SLICE_ARG(text));
}

static int make_axis(struct stage *op, struct axis *axis, const struct placed *rows, uint32_t count,
                     struct err *err)
{
    const struct makecontinuous_args *args = op->command->args;
    axis->low = rows[0].at;
    axis->high = rows[count - 1].at;
    axis->from_ns = rows[0].ns;
    axis->to_ns = rows[count - 1].ns;
    if (read_bound(op, axis, args->start, &axis->low, &axis->from_ns, err) < 0 ||
        read_bound(op, axis, args->end, &axis->high, &axis->to_ns, err) < 0)
        return -1;
    axis->span = args->span.kind == SPAN_NONE ? choose_span(args, axis, rows, count) : args->span;
    if (axis->time && axis->span.kind == SPAN_NUMBER) /* a bare number of seconds */
        axis->span = (struct span){.kind = SPAN_TIME,
                                   .count = (int64_t)axis->span.number,
                                   .unit = TIME_UNIT_SECOND};
    if (!axis->time && axis->span.kind != SPAN_NUMBER)
        return err_set(err, ERR_CONFIG, "makecontinuous: a span of time needs a field of times");
    if (axis->time ? axis->span.count < 1 : !(axis->span.number > 0))
        return err_set(err, ERR_CONFIG, "makecontinuous: the span must be more than 0");
    return 0;
}

/* The step that a place is in. Numbers count from 0, so that they meet the steps of bin. */
static bool step_of(struct stage *op, const struct axis *axis, double number, int64_t ns,
                    double *at, int64_t *start, int64_t *next)
{
    bool aligned = axis->span.unit != TIME_UNIT_MICROSECOND;
    if (!axis->time) {
        *at = floor(number / axis->span.number + 1e-9);
        return true;
    }
    if (aligned)
        return span_time_bucket(&axis->span, op->run->scope.zone, 0, ns, start, next);
    int64_t width = axis->span.count * 1000, steps = (ns - axis->from_ns) / width;
    *start = axis->from_ns + steps * width;
    *next = *start + width;
    return true;
}

struct filling {
    struct stage *op;
    const struct axis *axis;
    const struct batch *batch;
    struct column *made;
    uint32_t *rows; /* rows of batch, UINT32_MAX: a step without one */
    uint32_t count, room;
};

static int add_row(struct filling *f, uint32_t row, double at, int64_t ns)
{
    struct arena *arena = f->op->run->arena;
    struct value v = f->axis->time ? value_time(ns) : rows_from_f64(at * f->axis->span.number);
    if (f->count == f->room) {
        uint32_t room = f->room ? 2 * f->room : 1024;
        f->rows = arena_grow(arena, f->rows, f->room * sizeof(*f->rows), room * sizeof(*f->rows));
        if (!f->rows)
            return -1;
        f->room = room;
    }
    struct batch holder = {.arena = arena};
    f->rows[f->count] = row;
    return column_add(&holder, f->made, f->count++, v);
}

/* Walks over the steps and the rows together. */
static int fill(struct filling *f, const struct placed *rows, uint32_t count, struct err *err)
{
    const struct axis *axis = f->axis;
    double at = 0, here = 0, last;
    int64_t start = 0, next = 0, row_start = 0, ignored;
    uint32_t i = 0;
    bool ok = step_of(f->op, axis, axis->low, axis->from_ns, &at, &start, &next);
    last = axis->time ? 0 : floor(axis->high / axis->span.number + 1e-9);
    while (ok && (axis->time ? start <= axis->to_ns : at <= last)) {
        bool some = false;
        for (; i < count; i++, some = true) {
            ok = step_of(f->op, axis, rows[i].at, rows[i].ns, &here, &row_start, &ignored);
            if (!ok || (axis->time ? row_start > start : here > at))
                break;
            if (axis->time ? row_start < start : here < at) /* before start= */
                continue;
            if (add_row(f, rows[i].row, at, start) < 0)
                return run_nomem(f->op->run, err);
        }
        if (!some && add_row(f, UINT32_MAX, at, start) < 0)
            return run_nomem(f->op->run, err);
        if (f->count > CONTINUOUS_ROWS_MAX)
            return err_set(err, ERR_LIMIT, "makecontinuous makes at most %d rows; choose a larger "
                                           "span",
                           CONTINUOUS_ROWS_MAX);
        at += 1;
        start = next;
        ok = ok && (!axis->time || step_of(f->op, axis, 0, next, &here, &start, &next));
    }
    return 0;
}

static int finish(struct stage *op, struct err *err)
{
    const struct makecontinuous_args *args = op->command->args;
    const struct batch *batch = ((struct hold *)op->state)->rows.batch;
    struct arena *arena = op->run->arena;
    struct axis axis = {0};
    if (!batch)
        return 0;
    const struct column *column = batch_find(batch, args->field);
    struct placed *rows = arena_array(arena, batch->row_count + 1U, sizeof(*rows));
    struct filling f = {.op = op, .axis = &axis, .batch = batch,
                        .made = arena_calloc(arena, sizeof(struct column))};
    if (!rows || !f.made)
        return run_nomem(op->run, err);
    uint32_t count = place_rows(column, batch, rows, &axis.time);
    if (!count)
        return stage_emit(op, batch, NULL, batch->row_count, err);
    f.made->name = args->field;
    if (make_axis(op, &axis, rows, count, err) < 0 || fill(&f, rows, count, err) < 0)
        return -1;
    struct frame out;
    if (frame_gather(&out, batch, f.rows, f.count, arena) < 0 || frame_put(&out, f.made) < 0)
        return run_nomem(op->run, err);
    return stage_emit(op, out.batch, NULL, f.count, err);
}

const struct command command_makecontinuous = {
    .name = "makecontinuous",
    .syntax = "makecontinuous [FIELD] [options]",
    .summary = "rows for steps that have none: makecontinuous span=1h, makecontinuous n span=10",
    .flags = COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = hold_make,
    .finish = finish,
    .want = want,
};
