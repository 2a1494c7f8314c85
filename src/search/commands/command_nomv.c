/* nomv: several values to one text. */
#include "search/commands/mv_field.h"

static int join_row(struct frame *frame, const struct column *from, uint32_t first, uint32_t count,
                    struct slice delim, struct column *to)
{
    struct buffer text;
    buffer_init(&text, 16 * MIB);
    for (uint32_t k = 0; k < count; k++) {
        char small[VALUE_TEXT_SIZE];
        if (k)
            buffer_put(&text, delim);
        buffer_put(&text, value_text_small(column_value(from, first + k), small));
    }
    struct slice copy =
        buffer_failed(&text) ? SLICE_NONE : arena_copy(frame->batch->arena, buffer_slice(&text));
    buffer_close(&text);
    if (!copy.ptr)
        return -1;
    return column_add(frame->batch, to, from->rows[first], value_string(copy));
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct mv_args *args = op->command->args;
    const struct column *from = batch_find(frame->batch, args->field);
    struct column *to = frame_column(frame, args->field);
    if (!to)
        return run_nomem(op->run, err);
    if (!from)
        return stage_push(op, frame, err);
    for (uint32_t i = 0; i < from->count;) {
        uint32_t count = 1;
        while (i + count < from->count && from->rows[i + count] == from->rows[i])
            count++;
        int result = count == 1 ? column_add(frame->batch, to, from->rows[i], column_value(from, i))
                                : join_row(frame, from, i, count, *(const struct slice *)op->state, to);
        if (result < 0)
            return run_nomem(op->run, err);
        i += count;
    }
    return mv_put(op, frame, to, err);
}

/* An mvcombine before it said how its values are written as one; else each has a line. */
static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct mv_args *args = command->args;
    struct slice *delim = op->state = arena_alloc(run->arena, sizeof(*delim));
    if (!delim)
        return run_nomem(run, err);
    *delim = SLICE("\n");
    for (const struct spl_command *c = run->query->commands; c && c != command; c = c->next) {
        const struct mv_args *combine = c->args;
        if (c->descriptor == &command_mvcombine && slice_equal(combine->field, args->field))
            *delim = combine->delim.ptr ? combine->delim : SLICE("\n");
    }
    op->push = push;
    return 0;
}

const struct command command_nomv = {
    .name = "nomv",
    .summary = "several values to one text, a line each or as mvcombine's delim says",
    .syntax = "nomv FIELD",
    .flags = COMMAND_STREAMS,
    .parse = mv_parse,
    .make = make,
    .want = mv_want,
};
