/* multisearch: rows of several searches. */
#include "search/commands/sub_rows.h"

const struct command command_multisearch = {
    .name = "multisearch",
    .summary = "rows of several searches: multisearch [search ...] [search ...]",
    .flags = COMMAND_GENERATES,
    .options = sub_options,
    .option_count = ARRAY_COUNT(sub_options),
    .parse = sub_parse_many,
    .make = sub_make,
};
