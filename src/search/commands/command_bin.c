/* bin: numbers and times to buckets. */
#include "event/schema.h"
#include "search/hold.h"
#include "search/rows.h"
#include "search/span.h"

#include <math.h>

struct bin_args {
    struct span span, min_span;
    int64_t bins;
    struct value start, end; /* accepted: they never cut a bucket */
    struct slice align;
    struct slice field, as;
};

static const struct command_option options[] = {
    {.name = "span", OPTION_SPAN, offsetof(struct bin_args, span), "width: 5m, 1d, 100, 2log3"},
    {.name = "minspan", OPTION_SPAN, offsetof(struct bin_args, min_span), "the least width"},
    {.name = "bins",
     OPTION_I64,
     offsetof(struct bin_args, bins),
     "at most so many buckets",
     .standard = "100"},
    {.name = "start", OPTION_NUMBER, offsetof(struct bin_args, start), "least number expected"},
    {.name = "end", OPTION_NUMBER, offsetof(struct bin_args, end), "greatest number expected"},
    {.name = "aligntime",
     OPTION_TEXT,
     offsetof(struct bin_args, align),
     "where buckets of time begin"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct bin_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->bins = 100;
    while (p->token.kind != SPL_END) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (taken)
            continue;
        if (args->field.ptr)
            return spl_expect_end(p);
        if (spl_take_field(p, &args->field) < 0)
            return -1;
        args->as = args->field;
        if (spl_at_word(p, "as") && (spl_advance(p) < 0 || spl_take_field(p, &args->as) < 0))
            return -1;
    }
    return args->field.ptr ? 0 : spl_fail(p, "here the field to put into buckets is needed");
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct bin_args *args = command->args;
    wanted_drop(wanted, args->as);
    wanted_add(wanted, args->field);
}

static int64_t align_of(const struct run *run, const struct bin_args *args)
{
    int64_t at = 0;
    if (slice_is(args->align, "earliest"))
        return run->from_ns > INT64_MIN ? run->from_ns : 0;
    if (slice_is(args->align, "latest"))
        return run->to_ns < INT64_MAX ? run->to_ns : 0;
    if (args->align.ptr &&
        !time_modifier_parse(args->align, run->scope.now_ns, run->scope.zone, &at))
        at = 0;
    return at;
}

/* The value's bucket: the start of a time's as a number or time, "lo-hi" of a number. What is no
 * number stays as it is. */
static struct value bucket_of(const struct run *run, const struct bin_args *args,
                              const struct span *span, struct value v, struct arena *arena)
{
    int64_t time_ns, start;
    struct value n;
    if (span->kind == SPAN_TIME || v.type == VALUE_TIME) {
        bool time =
            rows_time(v, &time_ns) &&
            span_time_bucket(span, run->scope.zone, align_of(run, args), time_ns, &start, NULL);
        return time ? value_time(start) : v;
    }
    if (!value_to_number(v, arena, &n))
        return v;
    struct slice text = span_number_bucket(span, value_to_f64(n), arena);
    return text.ptr ? value_string(text) : v;
}

static int put_buckets(struct stage *op, struct frame *frame, const struct span *span,
                       struct err *err)
{
    const struct bin_args *args = op->command->args;
    const struct column *from = batch_find(frame->batch, args->field);
    struct column *to = frame_column(frame, args->as);
    struct value last = value_null(), last_bucket = value_null();
    for (uint32_t i = 0; to && from && i < from->count; i++) {
        struct value v = column_value(from, i);
        if (v.type == VALUE_NULL || !bits_get(frame->selected, from->rows[i]))
            continue;
        bool same = (v.type == VALUE_I64 || v.type == VALUE_TIME) && last.type == v.type &&
                    last.i64 == v.i64;
        if (!same)
            last_bucket = bucket_of(op->run, args, span, v, frame->batch->arena);
        last = v;
        if (column_add(frame->batch, to, from->rows[i], last_bucket) < 0)
            return run_nomem(op->run, err);
    }
    return !to || frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct bin_args *args = op->command->args;
    if (put_buckets(op, frame, &args->span, err) < 0)
        return -1;
    return stage_push(op, frame, err);
}

/* Without a span it follows from the least and the greatest value. */
static struct span choose_span(const struct bin_args *args, const struct column *column)
{
    double low = INFINITY, high = -INFINITY;
    bool times = false;
    for (uint32_t i = 0; column && i < column->count; i++) {
        char small[VALUE_TEXT_SIZE];
        struct value v = column->values[i];
        double d = (double)v.i64;
        times |= v.type == VALUE_TIME;
        if (v.type != VALUE_TIME && !slice_to_f64(value_text_small(v, small), &d))
            continue;
        low = d < low ? d : low;
        high = d > high ? d : high;
    }
    if (times || slice_equal(args->field, FIELD_TIMESTAMP))
        return span_for_range((int64_t)low, (int64_t)high, args->bins, &args->min_span);
    struct span span = {.kind = SPAN_NUMBER, .number = 1};
    if (low <= high)
        span.number = span_width_for_bins(low, high, args->bins);
    if (args->min_span.kind == SPAN_NUMBER && span.number < args->min_span.number)
        span.number = args->min_span.number;
    return span;
}

static int finish(struct stage *op, struct err *err)
{
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    const struct bin_args *args = op->command->args;
    struct span span = choose_span(args, batch_find(frame.batch, args->field));
    if (put_buckets(op, &frame, &span, err) < 0)
        return -1;
    return hold_emit(op, &frame, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct bin_args *args = command->args;
    if (args->span.kind == SPAN_NONE)
        return stage_hold(run, op, 0, finish, err);
    op->push = push;
    return 0;
}

const struct command command_bin = {
    .name = "bin",
    .alias = "bucket",
    .summary = "numbers or times to buckets",
    .syntax = "bin [options] FIELD [as NEW]",
    .notes = "start= and end= never cut a bucket; they are accepted.\n"
             "A bucket of numbers is the text low-high; one of times is its start.",
    .flags = COMMAND_STREAMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
