/* delta, accum, autoregress, trendline: a field's values against those of earlier rows. */
#include "search/hold.h"
#include "search/stat.h"

#include <math.h>
#include <stdio.h>

enum series_kind {
    SERIES_DELTA,
    SERIES_ACCUM,
    SERIES_AUTOREGRESS,
    SERIES_SMA,
    SERIES_EMA,
    SERIES_WMA
};

struct series {
    enum series_kind kind;
    struct slice field, as;
    int64_t from, to; /* rows back; the period of a trend */
};

struct series_args {
    struct series *list;
    size_t count;
    struct slice period;
};

static const struct command_option options[] = {
    {"p", OPTION_TEXT, offsetof(struct series_args, period), "rows back: 1, or 1-3"},
};

static int read_period(struct spl_parser *p, struct series_args *args)
{
    struct series *s = &args->list[0];
    struct slice from = args->period, to = args->period;
    s->from = s->to = 1;
    if (!args->period.ptr)
        return 0;
    slice_cut(args->period, '-', &from, &to);
    if (!slice_to_i64(from, &s->from) || !slice_to_i64(to, &s->to) || s->from < 1 ||
        s->to < s->from || s->to > 10000)
        return spl_fail(p, "p is a number of rows such as 1, or 1-3");
    return 0;
}

/* delta f [as g] [p=1] */
static int parse_one(struct spl_parser *p, struct spl_command *command)
{
    struct series_args *args = arena_calloc(p->arena, sizeof(*args));
    struct series *s = arena_calloc(p->arena, sizeof(*s));
    struct slice name = slice_text(command->descriptor->name), field = {0};
    if (!args || !s)
        return err_nomem(p->err);
    command->args = args;
    args->list = s;
    args->count = 1;
    s->kind = slice_is(name, "delta")   ? SERIES_DELTA
              : slice_is(name, "accum") ? SERIES_ACCUM
                                        : SERIES_AUTOREGRESS;
    if (spl_take_options(p, args) < 0)
        return -1;
    field = p->token.text;
    if (spl_take_field(p, &s->field) < 0)
        return -1;
    if (spl_at_word(p, "as") && (spl_advance(p) < 0 || spl_take_field(p, &s->as) < 0))
        return -1;
    if (spl_take_options(p, args) < 0 || read_period(p, args) < 0)
        return -1;
    if (!s->as.ptr && s->kind == SERIES_DELTA)
        s->as = arena_printf(p->arena, "delta(%.*s)", SLICE_ARG(field));
    if (!s->as.ptr && s->kind == SERIES_ACCUM)
        s->as = s->field;
    return spl_expect_end(p);
}

/* trendline sma3(f) [as g] ema5(h) ... */
static int parse_trend(struct spl_parser *p, struct spl_command *command)
{
    struct series_args *args = arena_calloc(p->arena, sizeof(*args));
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    while (p->token.kind != SPL_END) {
        struct series s = {0};
        struct slice word = p->token.text;
        size_t start = p->token.start;
        struct slice kind = slice_sub(word, 0, 3);
        s.kind = slice_is_nocase(kind, "sma")   ? SERIES_SMA
                 : slice_is_nocase(kind, "ema") ? SERIES_EMA
                                                : SERIES_WMA;
        bool known = s.kind != SERIES_WMA || slice_is_nocase(kind, "wma");
        if (!known || !slice_to_i64(slice_from(word, 3), &s.from) || s.from < 2 || s.from > 10000)
            return spl_fail(p,
                            "trendline knows sma5(field), ema5(field) and wma5(field), 2 to 10000");
        if (spl_advance(p) < 0)
            return -1;
        if (!spl_at_sign(p, "("))
            return spl_fail(p, "here ( and a field are missing");
        if (spl_advance(p) < 0 || spl_take_field(p, &s.field) < 0)
            return -1;
        if (!spl_at_sign(p, ")"))
            return spl_fail(p, "here a closing ) is missing");
        s.as = slice_sub(p->text, start, p->token.end - start);
        if (spl_advance(p) < 0)
            return -1;
        if (spl_at_word(p, "as") && (spl_advance(p) < 0 || spl_take_field(p, &s.as) < 0))
            return -1;
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
        args->list = spl_grow(p->arena, args->list, args->count, sizeof(s));
        if (!args->list)
            return err_nomem(p->err);
        args->list[args->count++] = s;
    }
    return args->count ? 0 : spl_fail(p, "here a trend such as sma5(field) is needed");
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct series_args *args = command->args;
    for (size_t i = 0; i < args->count; i++)
        wanted_add(wanted, args->list[i].field);
}

static int put(struct stage *op, struct frame *frame, struct column *to, uint32_t row, double n,
               struct err *err)
{
    bool whole = n == (double)(int64_t)n && fabs(n) < 9e15;
    struct value v = whole ? value_i64((int64_t)n) : value_f64(n);
    return column_add(frame->batch, to, row, v) < 0 ? run_nomem(op->run, err) : 0;
}

static bool number_at(const struct column *column, uint32_t row, double *out)
{
    int128 room;
    struct value n, v = column ? column_first(column, row) : value_null();
    if (v.type == VALUE_TIME) {
        *out = (double)v.i64 / 1e9;
        return true;
    }
    if (v.type == VALUE_NULL || !stat_number(v, &room, &n))
        return false;
    *out = value_to_f64(n);
    return true;
}

/* The trend of the last period numbers; 0 when there are too few. */
static bool trend(const struct series *s, const double *numbers, uint32_t count, double *last,
                  double *out)
{
    uint32_t period = (uint32_t)s->from;
    double sum = 0;
    if (count < period)
        return false;
    if (s->kind == SERIES_EMA && count > period) {
        double k = 2.0 / ((double)period + 1);
        *last = *out = numbers[count - 1] * k + *last * (1 - k);
        return true;
    }
    for (uint32_t i = 0; i < period; i++)
        sum += numbers[count - period + i] * (s->kind == SERIES_WMA ? i + 1.0 : 1.0);
    *out = s->kind == SERIES_WMA ? sum / (period * (period + 1.0) / 2) : sum / period;
    *last = *out;
    return true;
}

static int put_trend(struct stage *op, struct frame *frame, const struct series *s, struct err *err)
{
    const struct column *from = batch_find(frame->batch, s->field);
    struct column *to = frame_column(frame, s->as);
    double *numbers = arena_array(op->run->arena, frame->batch->row_count + 1U, sizeof(*numbers));
    double last = 0, n, made;
    uint32_t count = 0;
    if (!to || !numbers)
        return run_nomem(op->run, err);
    for (uint32_t row = 0; row < frame->batch->row_count; row++) {
        if (!number_at(from, row, &n))
            continue;
        numbers[count++] = n;
        if (trend(s, numbers, count, &last, &made) && put(op, frame, to, row, made, err) < 0)
            return -1;
    }
    return frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

static int put_back(struct stage *op, struct frame *frame, const struct series *s, int64_t back,
                    struct slice as, struct err *err)
{
    const struct column *from = batch_find(frame->batch, s->field);
    struct column *to = frame_column(frame, as);
    double now, then, total = 0;
    for (uint32_t row = 0; to && from && row < frame->batch->row_count; row++) {
        uint32_t before = row - (uint32_t)back;
        if (s->kind == SERIES_ACCUM) {
            if (!number_at(from, row, &now))
                continue;
            total += now;
            if (put(op, frame, to, row, total, err) < 0)
                return -1;
        } else if (row >= (uint64_t)back && s->kind == SERIES_DELTA) {
            if (number_at(from, row, &now) && number_at(from, before, &then) &&
                put(op, frame, to, row, now - then, err) < 0)
                return -1;
        } else if (row >= (uint64_t)back) {
            struct value v = column_first(from, before);
            if (v.type != VALUE_NULL && column_add(frame->batch, to, row, v) < 0)
                return run_nomem(op->run, err);
        }
    }
    return !to || frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

static int put_series(struct stage *op, struct frame *frame, const struct series *s,
                      struct err *err)
{
    if (s->kind >= SERIES_SMA)
        return put_trend(op, frame, s, err);
    int64_t first = s->from, last = s->kind == SERIES_AUTOREGRESS ? s->to : s->from;
    for (int64_t back = first; back <= last; back++) {
        struct slice as = s->as;
        if (!as.ptr || first != last)
            as = arena_printf(op->run->arena, "%.*s_p%lld", SLICE_ARG(as.ptr ? as : s->field),
                              (long long)back);
        if (!as.ptr)
            return run_nomem(op->run, err);
        if (put_back(op, frame, s, back, as, err) < 0)
            return -1;
    }
    return 0;
}

static int finish(struct stage *op, struct err *err)
{
    const struct series_args *args = op->command->args;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    for (size_t i = 0; i < args->count; i++)
        if (put_series(op, &frame, &args->list[i], err) < 0)
            return -1;
    return hold_emit(op, &frame, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    (void)command;
    return stage_hold(run, op, 0, finish, err);
}

const struct command command_delta = {"delta",
                                      0,
                                      "the change since the row before",
                                      COMMAND_HOLDS,
                                      options,
                                      ARRAY_COUNT(options),
                                      parse_one,
                                      make,
                                      want,
                                      0};
const struct command command_accum = {"accum",
                                      0,
                                      "the running sum of a field",
                                      COMMAND_HOLDS,
                                      options,
                                      ARRAY_COUNT(options),
                                      parse_one,
                                      make,
                                      want,
                                      0};
const struct command command_autoregress = {"autoregress",
                                            0,
                                            "values of earlier rows: autoregress bytes p=1-3",
                                            COMMAND_HOLDS,
                                            options,
                                            ARRAY_COUNT(options),
                                            parse_one,
                                            make,
                                            want,
                                            0};
const struct command command_trendline = {"trendline",
                                          0,
                                          "moving averages: trendline sma5(bytes) as mean",
                                          COMMAND_HOLDS,
                                          0,
                                          0,
                                          parse_trend,
                                          make,
                                          want,
                                          0};
