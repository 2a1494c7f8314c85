/* noop: accepted, changes nothing. */
#include "search/commands/ignored_args.h"

const struct command command_noop = {
    .name = "noop",
    .syntax = "noop",
    .summary = "accepted, changes nothing",
    .flags = COMMAND_STREAMS,
    .parse = ignored_args_parse,
    .push = stage_pass,
};
