/* multisearch: rows of several searches. */
#include "search/commands/sub_rows.h"

const struct command command_multisearch = {
    .name = "multisearch",
    .summary = "rows of several searches",
    .syntax = "multisearch [SUBSEARCH] [SUBSEARCH] ...",
    .flags = COMMAND_GENERATES | COMMAND_BRACKETS,
    .parse = sub_parse_many,
    .make = sub_make,
};
