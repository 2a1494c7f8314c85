/* inputlookup: rows of a lookup table. */
#include "search/commands/sub_rows.h"

static const struct command_option options[] = {
    {.name = "append",
     OPTION_BOOL,
     offsetof(struct sub_args, append),
     "after the rows that are there",
     .standard = "f"},
    {.name = "start",
     OPTION_I64,
     offsetof(struct sub_args, start),
     "rows left out first",
     .standard = "0"},
    {.name = "max",
     OPTION_I64,
     offsetof(struct sub_args, max_rows),
     "rows taken; 0: all",
     .standard = "0"},
    {.name = "strict", OPTION_BOOL, offsetof(struct sub_args, override), "accepted, does nothing"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct sub_args *args = sub_args_new(p, command);
    if (!args)
        return err_nomem(p->err);
    if (spl_take_options(p, args) < 0 || spl_take_field(p, &args->table) < 0 ||
        spl_take_options(p, args) < 0)
        return -1;
    if (spl_at_word(p, "where")) {
        if (spl_advance(p) < 0)
            return -1;
        return spl_take_search(p, false, NULL, &args->where);
    }
    return spl_expect_end(p);
}

static int finish(struct stage *op, struct err *err)
{
    const struct sub_args *args = op->command->args;
    struct batch *rows;
    if (run_table(op->run, args->table, &rows, err) < 0)
        return -1;
    uint32_t *order = arena_alloc(op->run->arena, (rows->row_count + 1U) * sizeof(*order));
    struct frame frame;
    uint32_t count = 0;
    if (!order || frame_share(&frame, rows, NULL, op->run->arena) < 0)
        return run_nomem(op->run, err);
    if (args->where.expr && run_filter(op->run, &frame, args->where.expr, err) < 0)
        return -1;
    for (uint32_t row = frame_next(&frame, 0); row < rows->row_count;
         row = frame_next(&frame, row + 1))
        order[count++] = row;
    uint32_t from = (uint64_t)args->start < count ? (uint32_t)args->start : count;
    uint32_t left = count - from;
    if (args->max_rows && (uint64_t)args->max_rows < left)
        left = (uint32_t)args->max_rows;
    return stage_emit(op, rows, order + from, left, err);
}

const struct command command_inputlookup = {
    .name = "inputlookup",
    .summary = "rows of a lookup table",
    .syntax = "inputlookup [options] TABLE [where TERMS]",
    .flags = COMMAND_GENERATES | COMMAND_BRACKETS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .push = stage_pass,
    .finish = finish,
};
