/* require: the search fails when there are no rows. */
#include "search/rows.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    (void)command;
    return spl_expect_end(p);
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    bool *some = op->state;
    *some |= bits_any(frame->selected, frame->batch->row_count);
    return stage_push(op, frame, err);
}

static int finish(struct stage *op, struct err *err)
{
    const bool *some = op->state;
    return *some ? 0
                 : err_set_at(err, ERR_NOT_FOUND, op->command->start, op->command->end,
                              "require: the search found no rows up to here");
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    (void)command;
    op->push = push;
    op->finish = finish;
    op->state = arena_calloc(run->arena, sizeof(bool));
    return op->state ? 0 : run_nomem(run, err);
}

const struct command command_require = {
    .name = "require",
    .syntax = "require",
    .summary = "fails the search when there are no rows",
    .parse = parse,
    .make = make,
};
