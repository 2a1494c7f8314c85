/* delta: the change since a row before. */
#include "expr/function.h"
#include "search/commands/series.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    if (series_parse(p, command) < 0)
        return -1;
    const struct series_args *args = command->args;
    struct series *s = args->list;
    if (!s->as.ptr)
        s->as = arena_printf(p->arena, "delta(%.*s)", SLICE_ARG(args->written));
    return 0;
}

static int put(struct stage *op, struct frame *frame, const struct series *s, struct err *err)
{
    const struct column *from = batch_find(frame->batch, s->field);
    struct column *to = frame_column(frame, s->as);
    struct arena *arena = frame->batch->arena;
    struct value now, then;
    for (uint32_t row = (uint32_t)s->from; to && from && row < frame->batch->row_count; row++)
        if (value_to_number(column_first(from, row), arena, &now) &&
            value_to_number(column_first(from, row - (uint32_t)s->from), arena, &then) &&
            series_add(op, frame, to, row, value_arithmetic(OP_SUBTRACT, now, then, arena), err) <
                0)
            return -1;
    return !to || frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

static int finish(struct stage *op, struct err *err)
{
    return series_finish(op, put, err);
}

const struct command command_delta = {
    .name = "delta",
    .summary = "the change since a row before",
    .syntax = "delta FIELD [as NEW] [p=N]",
    .flags = COMMAND_HOLDS,
    .options = series_options,
    .option_count = ARRAY_COUNT(series_options),
    .parse = parse,
    .make = hold_make,
    .finish = finish,
    .want = series_want,
};
