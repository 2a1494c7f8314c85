/* union: rows of several searches. */
#include "search/commands/sub_rows.h"

const struct command command_union = {
    .name = "union",
    .summary = "rows of several searches",
    .syntax = "union [options] [SUBSEARCH] ...",
    .flags = COMMAND_GENERATES | COMMAND_BRACKETS,
    .options = &sub_options[1],
    .option_count = 3,
    .parse = sub_parse_many,
    .make = sub_make,
};
