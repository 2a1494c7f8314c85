#pragma once
/*
 * search/commands/chart: statistics with a column for each value of a field; chart and timechart.
 *
 *   chart_args.c   what is read and wanted
 *   chart_rows.c   rows in: the buckets of the first axis, then the aggregator's groups
 *   chart_series.c which columns are shown and how they are called
 *   chart_table.c  table out: the axes in order, empty buckets, columns, OTHER
 */
#include "search/aggregate.h"
#include "search/hold.h"
#include "search/rows.h"

/* Which columns are shown; the others are OTHER. */
struct chart_pick {
    enum { PICK_FIRST, PICK_ABOVE, PICK_BELOW } by; /* the limit in order; a bound */
    const struct stat *stat;                        /* of a column's cells */
    double percent, bound;
    bool others; /* notin */
};

struct chart_args {
    struct slice limit_text, agg_text, other, null, sep, format;
    struct chart_pick pick;
    bool use_other, use_null, cont, partial, fixed_range, bottom;
    int64_t limit, bins;
    struct span span, min_span;
    struct slice align;
    struct agg_list aggs;
    struct slice x, y; /* y SLICE_NONE: none */
    bool time;
};

struct chart {
    struct hold hold; /* timechart without a span and range: the rows */
    struct aggregator a;
    struct span span;
    struct slice by[2];
};

extern const struct command_option chart_options[15];
/* time: the rows' axis is _time. */
int chart_parse(struct spl_parser *p, struct spl_command *command, bool time);
/* Of chart and timechart; NULL: another command. */
const struct agg_list *chart_aggs(const struct spl_command *command);
void chart_want(const struct spl_command *command, struct wanted *wanted);

/* hold: the width of buckets is not known yet, so rows are kept. */
int chart_make(struct run *run, const struct spl_command *command, struct stage *op, bool hold,
               struct err *err);
/* The aggregator, empty. */
int chart_begin(struct stage *op, struct err *err);
int chart_push(struct stage *op, struct frame *frame, struct err *err);

/* All groups as a table. */
int chart_emit(struct stage *op, struct err *err);
