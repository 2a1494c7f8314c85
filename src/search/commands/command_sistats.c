/* sistats: as stats. */
#include "search/commands/stats_rows.h"

const struct command command_sistats = {
    .name = "sistats",
    .summary = "as stats",
    .syntax = "sistats [options] AGGREGATE ... [by FIELD ...]",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS,
    .options = stats_options,
    .option_count = ARRAY_COUNT(stats_options),
    .parse = stats_parse,
    .make = stats_make,
    .want = stats_want,
};
