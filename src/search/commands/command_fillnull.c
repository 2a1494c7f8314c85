/* fillnull: a value where there is none. */
#include "search/commands/fill_args.h"
#include "search/hold.h"
#include "search/rewrite.h"

static const struct command_option options[] = {
    {.name = "value",
     OPTION_TEXT,
     offsetof(struct fill_args, value),
     "what is put there",
     .standard = "0"},
};

static struct value as_number(struct slice text, struct arena *arena)
{
    struct value n;
    return value_to_number(value_string(text), arena, &n) ? n : value_string(text);
}

static int fill_named(struct stage *op, struct frame *frame, struct err *err)
{
    const struct fill_args *args = op->command->args;
    struct value v = as_number(args->value, frame->batch->arena);
    for (size_t i = 0; i < args->fields.count; i++)
        if (slice_find_char(args->fields.names[i], '*') < 0 &&
            frame_fill(op->run, frame, args->fields.names[i], v, err) < 0)
            return -1;
    return 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    return fill_named(op, frame, err) < 0 ? -1 : stage_push(op, frame, err);
}

/* Without a list every field seen in any row counts, so all rows must be in. */
static int finish(struct stage *op, struct err *err)
{
    const struct fill_args *args = op->command->args;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    struct value v = as_number(args->value, op->run->arena);
    for (uint32_t i = 0; i < frame.batch->column_count; i++)
        if (fill_is_listed(args, frame.batch->columns[i]->name) &&
            frame_fill(op->run, &frame, frame.batch->columns[i]->name, v, err) < 0)
            return -1;
    return fill_named(op, &frame, err) < 0 ? -1 : hold_emit(op, &frame, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct fill_args *args = command->args;
    if (args->fields.count == 0 || args->fields.wild)
        return stage_hold(run, op, 0, finish, err);
    op->push = push;
    return 0;
}

const struct command command_fillnull = {
    .name = "fillnull",
    .summary = "a value where there is none",
    .syntax = "fillnull [value=TEXT] [FIELD ...]",
    .notes = "Without fields all fields that any row has are filled.",
    .flags = COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = fill_parse,
    .make = make,
    .want = fill_want,
};
