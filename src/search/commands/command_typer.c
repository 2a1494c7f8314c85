/* typer: the event types of each row, as values of eventtype. */
#include "search/commands/label_rows.h"

static const struct command_option options[] = {
    {.name = "eventtypes", OPTION_TEXT, 0, "accepted"},
    {.name = "maxlen", OPTION_TEXT, 0, "accepted: all of the text is looked at"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct slice *accepted = arena_calloc(p->arena, sizeof(*accepted));
    if (!accepted)
        return err_nomem(p->err);
    command->args = accepted;
    return spl_take_options(p, accepted) < 0 ? -1 : spl_expect_end(p);
}

static int add_row(struct frame *frame, struct column *to, uint32_t row, const struct column *old,
                   const struct label_list *types, uint64_t *const *bits)
{
    uint32_t first, count = old ? column_range(old, row, &first) : 0;
    for (uint32_t i = 0; i < count; i++)
        if (column_add(frame->batch, to, row, column_value(old, first + i)) < 0)
            return -1;
    for (size_t i = 0; i < types->count; i++)
        if (bits_get(bits[i], row) && label_add(frame, to, row, types->labels[i].name) < 0)
            return -1;
    return 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct label_list *types = op->state;
    const struct column *old = batch_find(frame->batch, SLICE("eventtype"));
    uint64_t **bits = arena_array(frame->batch->arena, types->count + 1, sizeof(*bits));
    struct column *to = frame_column(frame, SLICE("eventtype"));
    if (!bits || !to)
        return run_nomem(op->run, err);
    for (size_t i = 0; i < types->count; i++)
        if (!(bits[i] = label_rows(op->run, frame, &types->labels[i], err)))
            return -1;
    for (uint32_t row = frame_next(frame, 0); row < frame->batch->row_count;
         row = frame_next(frame, row + 1))
        if (add_row(frame, to, row, old, types, bits) < 0)
            return run_nomem(op->run, err);
    return frame_put(frame, to) < 0 ? run_nomem(op->run, err) : stage_push(op, frame, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    struct label_list *types = arena_calloc(run->arena, sizeof(*types));
    (void)command;
    op->push = push;
    op->state = types;
    return types ? label_rows_list(run, false, types, err) : run_nomem(run, err);
}

const struct command command_typer = {
    .name = "typer",
    .alias = "eventtypes",
    .summary = "the event types of each row, in eventtype",
    .flags = COMMAND_STREAMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = label_want_all,
    .syntax = "typer",
};
