/* accum: the running sum of a field. */
#include "expr/function.h"
#include "search/commands/series.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    if (series_parse(p, command) < 0)
        return -1;
    struct series *s = ((const struct series_args *)command->args)->list;
    if (!s->as.ptr)
        s->as = s->field;
    return 0;
}

/* Sums of what was written in digits stay exact. */
static int put(struct stage *op, struct frame *frame, const struct series *s, struct err *err)
{
    const struct column *from = batch_find(frame->batch, s->field);
    struct column *to = frame_column(frame, s->as);
    struct arena *arena = frame->batch->arena;
    struct value now, total = value_i64(0);
    for (uint32_t row = 0; to && from && row < frame->batch->row_count; row++) {
        if (!value_to_number(column_first(from, row), arena, &now))
            continue;
        total = value_arithmetic(OP_ADD, total, now, arena);
        if (series_add(op, frame, to, row, total, err) < 0)
            return -1;
    }
    return !to || frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

static int finish(struct stage *op, struct err *err)
{
    return series_finish(op, put, err);
}

const struct command command_accum = {
    .name = "accum",
    .summary = "the running sum of a field",
    .syntax = "accum FIELD [as NEW]",
    .flags = COMMAND_HOLDS,
    .parse = parse,
    .make = hold_make,
    .finish = finish,
    .want = series_want,
};
