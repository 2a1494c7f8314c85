/* append: rows of a subsearch after these. */
#include "search/commands/sub_rows.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    return sub_parse_one(p, command, false);
}

const struct command command_append = {
    .name = "append",
    .summary = "rows of a subsearch after these: append [search ...]",
    .options = sub_options,
    .option_count = ARRAY_COUNT(sub_options),
    .parse = parse,
    .make = sub_make,
};
