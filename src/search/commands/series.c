/* accum, autoregress, delta, trendline: options, numbers of rows. */
#include "search/commands/series.h"

const struct command_option series_options[] = {
    {.name = "p",
     OPTION_TEXT,
     offsetof(struct series_args, period),
     "rows back: 1, or 1-3",
     .standard = "1"},
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

int series_parse(struct spl_parser *p, struct spl_command *command)
{
    struct series_args *args = arena_calloc(p->arena, sizeof(*args));
    struct series *s = arena_calloc(p->arena, sizeof(*s));
    if (!args || !s)
        return err_nomem(p->err);
    command->args = args;
    args->list = s;
    args->count = 1;
    if (spl_take_options(p, args) < 0)
        return -1;
    args->written = p->token.text;
    if (spl_take_field(p, &s->field) < 0)
        return -1;
    if (spl_at_word(p, "as") && (spl_advance(p) < 0 || spl_take_field(p, &s->as) < 0))
        return -1;
    if (spl_take_options(p, args) < 0 || read_period(p, args) < 0)
        return -1;
    return spl_expect_end(p);
}

void series_want(const struct spl_command *command, struct wanted *wanted)
{
    const struct series_args *args = command->args;
    for (size_t i = 0; i < args->count; i++)
        wanted_add(wanted, args->list[i].field);
}

int series_add(struct stage *op, struct frame *frame, struct column *to, uint32_t row,
               struct value v, struct err *err)
{
    return column_add(frame->batch, to, row, v) < 0 ? run_nomem(op->run, err) : 0;
}

int series_finish(struct stage *op, series_put put, struct err *err)
{
    const struct series_args *args = op->command->args;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    for (size_t i = 0; i < args->count; i++)
        if (put(op, &frame, &args->list[i], err) < 0)
            return -1;
    return hold_emit(op, &frame, err);
}
