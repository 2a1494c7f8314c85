/* appendpipe: what a pipeline makes of these rows, after them. */
#include "search/commands/sub_rows.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    return sub_parse_one(p, command, true);
}

/* What the pipeline reads is not told. */
static void want(const struct spl_command *command, struct wanted *wanted)
{
    (void)command;
    wanted->all = true;
}

static int finish(struct stage *op, struct err *err)
{
    const struct sub_args *args = op->command->args;
    struct frame frame;
    struct batch *rows;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err)) {
        if (failed)
            return -1;
        frame.batch = frame_batch_new(op->run->arena, 0);
        if (!frame.batch)
            return run_nomem(op->run, err);
    } else if (hold_emit(op, &frame, err) < 0) {
        return -1;
    }
    if (run_pipeline(op->run, args->queries[0], frame.batch, &rows, err) < 0)
        return -1;
    return sub_emit(op, rows, 0, err);
}

const struct command command_appendpipe = {
    .name = "appendpipe",
    .summary = "what a pipeline makes of these rows, after them",
    .syntax = "appendpipe [COMMANDS]",
    .flags = COMMAND_HOLDS | COMMAND_BRACKETS,
    .options = &sub_options[5],
    .option_count = 1,
    .parse = parse,
    .make = hold_make,
    .finish = finish,
    .want = want,
};
