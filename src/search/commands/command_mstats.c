/* mstats: statistics of metrics, which are events with a column a metric. */
#include "search/commands/tstats.h"

const struct command command_mstats = {
    .name = "mstats",
    .summary = "statistics of metrics: mstats avg(cpu.usage) where index=metrics by host span=1m",
    .flags = COMMAND_GENERATES | COMMAND_STREAMS | COMMAND_BRACKETS,
    .options = tstats_options,
    .option_count = ARRAY_COUNT(tstats_options),
    .parse = tstats_parse,
    .make = tstats_make,
    .expand = tstats_expand,
    .syntax = "mstats [options] FUNCTION(METRIC) [as NAME] ... [where TERMS] [by FIELD ... [span=SPAN]]",
    .notes = "A metric is a column of events, so it is named: there is no _value. A star stands for "
             "several metrics.",
};
