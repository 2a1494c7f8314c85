/* where: keeps rows for which an expression is true. */
#include "search/commands/row_filter.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct spl_search *args = arena_calloc(p->arena, sizeof(*args));
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    if (spl_take_expr(p, &args->expr) < 0)
        return -1;
    return spl_expect_end(p);
}

const struct command command_where = {
    .name = "where",
    .summary = "keeps rows for which an expression is true",
    .syntax = "where CONDITION",
    .notes = "Texts are compared with their case; NULL is not true.",
    .flags = COMMAND_STREAMS,
    .parse = parse,
    .make = filter_make,
    .want = filter_want,
};
