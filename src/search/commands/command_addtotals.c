/* addtotals: sums across rows. */
#include "search/commands/totals.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    return totals_parse(p, command, false);
}

const struct command command_addtotals = {
    .name = "addtotals",
    .summary = "sums across rows, or down columns",
    .syntax = "addtotals [options] [FIELD ...]",
    .notes =
        "Without fields every column of numbers counts, but not those whose names begin with _.",
    .flags = COMMAND_HOLDS,
    .options = totals_options,
    .option_count = ARRAY_COUNT(totals_options),
    .parse = parse,
    .make = totals_make,
    .want = totals_want,
};
