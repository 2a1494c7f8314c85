/* chart: statistics as a table of two fields. */
#include "search/commands/chart.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    return chart_parse(p, command, false);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    return chart_make(run, command, op, false, err);
}

const struct command command_chart = {
    .name = "chart",
    .summary = "statistics as a table of two fields",
    .syntax = "chart [options] AGGREGATE ... over ROWS [by COLUMNS [where PICK]]",
    .notes =
        "PICK says which columns are shown instead of limit: sum in top5, max notin bottom3, avg > "
        "10.\n"
        "OTHER of avg() is the mean of the columns that it stands for, and a message says so.\n"
        "also: chart AGGREGATE ... by ROWS COLUMNS",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS,
    .options = chart_options,
    .option_count = ARRAY_COUNT(chart_options),
    .parse = parse,
    .make = make,
    .want = chart_want,
};
