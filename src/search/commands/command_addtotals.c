/* addtotals: sums across rows. */
#include "search/commands/totals.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    return totals_parse(p, command, false);
}

const struct command command_addtotals = {
    .name = "addtotals",
    .summary = "sums across rows: addtotals fieldname=all a* b*",
    .flags = COMMAND_HOLDS,
    .options = totals_options,
    .option_count = ARRAY_COUNT(totals_options),
    .parse = parse,
    .make = totals_make,
    .want = totals_want,
};
