/* reverse: the last row first. */
#include "search/commands/rows_backward.h"
#include "search/hold.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    (void)command;
    return spl_expect_end(p);
}

static int finish(struct stage *op, struct err *err)
{
    const struct batch *rows = ((struct hold *)op->state)->rows.batch;
    return rows_backward(op, rows, rows ? rows->row_count : 0, err);
}

const struct command command_reverse = {
    .name = "reverse",
    .summary = "the last row first",
    .syntax = "reverse",
    .flags = COMMAND_HOLDS,
    .parse = parse,
    .make = hold_make,
    .finish = finish,
};
