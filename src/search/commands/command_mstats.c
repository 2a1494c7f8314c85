/* mstats: statistics of metrics: events with metric_name and _value, or with a column a metric. */
#include "search/commands/tstats.h"

const struct command command_mstats = {
    .name = "mstats",
    .summary = "statistics of metrics: mstats avg(cpu.usage) where index=metrics by host span=1m",
    TSTATS_PARTS,
    .syntax = "mstats [options] FUNCTION(METRIC) [as NAME] ... [where TERMS] [by FIELD ... [span=SPAN]]",
    .notes = "Metrics that were delivered as such (OTLP, Prometheus, StatsD) are told apart by metric_name, and their number is "
             "_value. Where a metric is a column of events of its own, it is named; a star stands for several.",
};
