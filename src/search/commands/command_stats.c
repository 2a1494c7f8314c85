/* stats: one row a group, and what planning asks of it. */
#include "search/commands/chart.h"
#include "search/commands/stats_rows.h"
#include "search/spl_pipeline.h"

bool stats_need_order(const struct spl_command *command)
{
    static const char *const names[] = {"first", "last", "list", "mode"};
    const struct agg_list *aggs = chart_aggs(command);
    if (command->descriptor == &command_top || command->descriptor == &command_rare)
        return false;
    if (command->descriptor == &command_stats || command->descriptor == &command_sistats)
        aggs = &((const struct stats_args *)command->args)->aggs;
    for (size_t i = 0; aggs && i < aggs->count; i++)
        for (size_t n = 0; n < ARRAY_COUNT(names); n++)
            if (slice_is(slice_text(aggs->aggs[i].stat->name), names[n]))
                return true;
    return !aggs;
}

bool stats_reads_codes(const struct spl_command *command)
{
    const struct stats_args *args = command->args;
    if (command->descriptor != &command_stats)
        return false;
    for (size_t i = 0; i < args->aggs.count; i++)
        if (args->aggs.aggs[i].expr)
            return false;
    return true;
}

bool stats_merge(const struct spl_command *command)
{
    const struct stats_args *args = command->args;
    return command->descriptor == &command_stats && !args->allnum && aggs_merge(&args->aggs);
}

const struct command command_stats = {
    .name = "stats",
    .summary = "statistics, one row a group",
    .syntax = "stats [options] AGGREGATE [as NEW] ... [by FIELD ...]",
    .notes = "Rows without one of the fields behind by are left out.\n"
             "list() is bounded by memory, not by 100 values.",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS,
    .options = stats_options,
    .option_count = ARRAY_COUNT(stats_options),
    .parse = stats_parse,
    .make = stats_make,
    .want = stats_want,
};
