/* rare: the least frequent values. */
#include "search/commands/frequent.h"

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    return frequent_make(run, command, op, true, err);
}

const struct command command_rare = {
    .name = "rare",
    .summary = "the least frequent values",
    .syntax = "rare [N] [options] FIELD ... [by FIELD ...]",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS,
    .options = frequent_options,
    .option_count = ARRAY_COUNT(frequent_options),
    .parse = frequent_parse,
    .make = make,
    .want = frequent_want,
};
