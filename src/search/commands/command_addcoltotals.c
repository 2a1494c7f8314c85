/* addcoltotals: a row with the sums of columns. */
#include "search/commands/totals.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    return totals_parse(p, command, true);
}

const struct command command_addcoltotals = {
    .name = "addcoltotals",
    .summary = "a row with the sums of columns",
    .syntax = "addcoltotals [options] [FIELD ...]",
    .flags = COMMAND_HOLDS,
    .options = totals_options,
    .option_count = ARRAY_COUNT(totals_options),
    .parse = parse,
    .make = totals_make,
    .want = totals_want,
};
