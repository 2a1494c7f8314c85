#pragma once
/* search/commands/tstats: statistics over stored columns; tstats, mstats and mcatalog. */
#include "search/stage.h"

extern const struct command command_mcatalog; /* sees metrics only */
extern const struct command_option tstats_options[9];
/* What their descriptors have in common. */
#define TSTATS_PARTS                                                                                                       \
    .flags = COMMAND_GENERATES | COMMAND_STREAMS | COMMAND_BRACKETS, .options = tstats_options,                            \
    .option_count = ARRAY_COUNT(tstats_options), .parse = tstats_parse, .make = tstats_make, .expand = tstats_expand

int tstats_parse(struct spl_parser *p, struct spl_command *command);
int tstats_make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err);
int tstats_expand(struct run *run, const struct spl_command *command, struct spl_expansion *out,
                  struct err *err);
