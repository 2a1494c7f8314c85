/* append: rows of a subsearch after these. */
#include "search/commands/sub_rows.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    return sub_parse_one(p, command, false);
}

const struct command command_append = {
    .name = "append",
    .summary = "rows of a subsearch after these",
    .syntax = "append [options] [SUBSEARCH]",
    .notes = "A subsearch has all its rows, up to 100,000; a result that was cut is marked as "
             "incomplete.",
    .options = sub_options,
    .option_count = 4,
    .flags = COMMAND_BRACKETS,
    .parse = parse,
    .make = sub_make,
};
