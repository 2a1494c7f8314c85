/* search: keeps the rows that match. */
#include "search/commands/row_filter.h"
#include "search/rows.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct spl_search *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    bool first = p->query->commands == command;
    return spl_take_search(p, first, NULL, args);
}

const struct command command_search = {
    .name = "search",
    .summary = "keeps rows that match terms and comparisons",
    .syntax = "search TERMS and COMPARISONS",
    .notes = "OR binds tighter than AND; AND, OR and NOT are written in upper case.\n"
             "Comparisons ignore case; where does not.",
    .flags = COMMAND_GENERATES | COMMAND_STREAMS | COMMAND_BRACKETS | COMMAND_SPREADS,
    .parse = parse,
    .make = filter_make,
    .want = filter_want,
};
