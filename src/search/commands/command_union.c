/* union: rows of several searches. */
#include "search/commands/sub_rows.h"

const struct command command_union = {
    .name = "union",
    .summary = "rows of several searches",
    .flags = COMMAND_GENERATES,
    .options = sub_options,
    .option_count = ARRAY_COUNT(sub_options),
    .parse = sub_parse_many,
    .make = sub_make,
};
