/* trendline: moving averages. */
#include "search/commands/series.h"
#include "search/rows.h"

enum trend_kind { TREND_SMA, TREND_EMA, TREND_WMA };

/* trendline sma3(f) [as g] ema5(h) ... */
static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct series_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    while (p->token.kind != SPL_END) {
        struct series s = {0};
        struct slice word = p->token.text;
        size_t start = p->token.start;
        struct slice kind = slice_sub(word, 0, 3);
        s.kind = slice_is_nocase(kind, "sma")   ? TREND_SMA
                 : slice_is_nocase(kind, "ema") ? TREND_EMA
                                                : TREND_WMA;
        bool known = s.kind != TREND_WMA || slice_is_nocase(kind, "wma");
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

/* The trend of the last period numbers; 0 when there are too few. */
static bool trend(const struct series *s, const double *numbers, uint32_t count, double *last,
                  double *out)
{
    uint32_t period = (uint32_t)s->from;
    double sum = 0;
    if (count < period)
        return false;
    if (s->kind == TREND_EMA && count > period) {
        double k = 2.0 / ((double)period + 1);
        *last = *out = numbers[count - 1] * k + *last * (1 - k);
        return true;
    }
    for (uint32_t i = 0; i < period; i++)
        sum += numbers[count - period + i] * (s->kind == TREND_WMA ? i + 1.0 : 1.0);
    *out = s->kind == TREND_WMA ? sum / (period * (period + 1.0) / 2) : sum / period;
    *last = *out;
    return true;
}

static int put(struct stage *op, struct frame *frame, const struct series *s, struct err *err)
{
    const struct column *from = batch_find(frame->batch, s->field);
    struct column *to = frame_column(frame, s->as);
    double *numbers = arena_array(op->run->arena, frame->batch->row_count + 1U, sizeof(*numbers));
    double last = 0, n, made;
    uint32_t count = 0;
    if (!to || !numbers)
        return run_nomem(op->run, err);
    for (uint32_t row = 0; row < frame->batch->row_count; row++) {
        if (!rows_number(from, row, &n))
            continue;
        numbers[count++] = n;
        if (trend(s, numbers, count, &last, &made) && series_add(op, frame, to, row, rows_from_f64(made), err) < 0)
            return -1;
    }
    return frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

static int finish(struct stage *op, struct err *err)
{
    return series_finish(op, put, err);
}

const struct command command_trendline = {
    .name = "trendline",
    .summary = "moving averages",
    .syntax = "trendline sma|ema|wmaN(FIELD) [as NEW] ...",
    .flags = COMMAND_HOLDS,
    .parse = parse,
    .make = hold_make,
    .finish = finish,
    .want = series_want,
};
