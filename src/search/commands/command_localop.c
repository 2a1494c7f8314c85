/* localop: accepted: everything runs here. */
#include "search/commands/ignored_args.h"

const struct command command_localop = {
    .name = "localop",
    .syntax = "localop",
    .summary = "accepted: everything runs here",
    .flags = COMMAND_STREAMS,
    .parse = ignored_args_parse,
    .push = stage_pass,
};
