/* where: keeps rows for which an expression is true. */
#include "search/commands/row_filter.h"
#include "search/rows.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct spl_search *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    if (spl_take_expr(p, &args->expr) < 0)
        return -1;
    return spl_expect_end(p);
}

const struct command command_where = {
    .name = "where",
    .summary = "keeps rows for which an expression is true",
    .syntax = "where CONDITION",
    .notes = "Texts are compared with their case; NULL is not true.",
    .flags = COMMAND_STREAMS | COMMAND_SPREADS,
    .parse = parse,
    .make = filter_make,
    .want = filter_want,
};
