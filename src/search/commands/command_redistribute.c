/* redistribute: accepted: blocks are read by several threads anyway. */
#include "search/commands/ignored_args.h"

const struct command command_redistribute = {
    .name = "redistribute",
    .syntax = "redistribute",
    .summary = "accepted: blocks are read by several threads anyway",
    .flags = COMMAND_STREAMS,
    .parse = ignored_args_parse,
    .push = stage_pass,
};
