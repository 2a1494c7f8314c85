/* autoregress: values of earlier rows. */
#include "search/commands/series.h"

static int put_back(struct stage *op, struct frame *frame, const struct series *s, int64_t back,
                    struct slice as, struct err *err)
{
    const struct column *from = batch_find(frame->batch, s->field);
    struct column *to = frame_column(frame, as);
    for (uint32_t row = 0; to && from && row < frame->batch->row_count; row++) {
        if (row < (uint64_t)back)
            continue;
        struct value v = column_first(from, row - (uint32_t)back);
        if (v.type != VALUE_NULL && column_add(frame->batch, to, row, v) < 0)
            return run_nomem(op->run, err);
    }
    return !to || frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

static int put(struct stage *op, struct frame *frame, const struct series *s, struct err *err)
{
    for (int64_t back = s->from; back <= s->to; back++) {
        struct slice as = s->as;
        if (!as.ptr || s->from != s->to)
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
    return series_finish(op, put, err);
}

const struct command command_autoregress = {
    .name = "autoregress",
    .summary = "values of earlier rows",
    .syntax = "autoregress FIELD [as NEW] [p=N|N-M]",
    .flags = COMMAND_HOLDS,
    .options = series_options,
    .option_count = ARRAY_COUNT(series_options),
    .parse = series_parse,
    .make = hold_make,
    .finish = finish,
    .want = series_want,
};
