/* timechart: statistics over time. */
#include "event/schema.h"
#include "search/commands/chart.h"
#include "search/spl_pipeline.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    return chart_parse(p, command, true);
}

/* Rows were held because the width of buckets follows from them. */
static int finish_held(struct stage *op, struct err *err)
{
    const struct chart_args *args = op->command->args;
    struct chart *chart = op->state;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    const struct column *times = batch_find(frame.batch, FIELD_TIMESTAMP);
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (uint32_t i = 0; times && i < times->count; i++) {
        bool ok;
        int64_t ns;
        ok = rows_time(times->values[i], &ns);
        low = ok && ns < low ? ns : low;
        high = ok && ns > high ? ns : high;
    }
    if (low > high)
        return 0;
    chart->span = span_for_range(low, high, args->bins, &args->min_span);
    /* a preview may have been here: begin anew */
    if (chart_begin(op, err) < 0 || chart_push(op, &frame, err) < 0)
        return -1;
    return chart_emit(op, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct chart_args *args = command->args;
    bool open = !args->span.kind && !(run->from_ns > 0 && run->to_ns < INT64_MAX);
    if (chart_make(run, command, op, open, err) < 0)
        return -1;
    struct chart *chart = op->state;
    if (open)
        op->finish = finish_held;
    else if (!args->span.kind)
        chart->span = span_for_range(run->from_ns, run->to_ns, args->bins, &args->min_span);
    return 0;
}

static bool is_whole_minutes(const struct span *span)
{
    int64_t seconds = span->unit == TIME_UNIT_SECOND ? span->count : 60;
    return span->kind == SPAN_TIME && span->unit >= TIME_UNIT_SECOND && seconds % 60 == 0;
}

bool chart_counts_minutes(const struct spl_command *command)
{
    const struct chart_args *args = command->args;
    if (command->descriptor != &command_timechart || args->y.ptr || !is_whole_minutes(&args->span))
        return false;
    for (size_t i = 0; i < args->aggs.count; i++)
        if (!agg_counts_rows(&args->aggs.aggs[i]))
            return false;
    return true;
}

const struct command command_timechart = {
    .name = "timechart",
    .summary = "statistics over time",
    .syntax = "timechart [options] AGGREGATE ... [by FIELD [where PICK]]",
    .notes = "PICK says which columns are shown instead of limit: sum in top5, max notin bottom3, "
             "avg > 10.\n"
             "Without span it follows from the range of the search.\n"
             "OTHER of avg() is the mean of the columns that it stands for, and a message says so.",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS,
    .options = chart_options,
    .option_count = ARRAY_COUNT(chart_options),
    .parse = parse,
    .make = make,
    .want = chart_want,
};
