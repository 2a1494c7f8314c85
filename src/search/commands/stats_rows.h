#pragma once
/* search/commands/stats_rows: one row a group; stats and sistats. */
#include "search/aggregate.h"

struct stats_args {
    bool allnum, accepted;
    struct slice delim;
    int64_t partitions;
    struct agg_list aggs;
    struct field_list by;
    struct slice fill; /* what a missing by field counts as; none: such rows are left out */
};

extern const struct command_option stats_options[4];
int stats_parse(struct spl_parser *p, struct spl_command *command);
void stats_want(const struct spl_command *command, struct wanted *wanted);
int stats_make(struct run *run, const struct spl_command *command, struct stage *op,
               struct err *err);
