#pragma once
/*
 * search/commands/chart_series: the columns of chart and timechart: which are shown, and how they
 * are called.
 */
#include "search/commands/chart.h"

/* The values of one of the two fields that some group has, in order. */
struct axis {
    const struct grouper *groups;
    size_t field;
    uint32_t *ids;   /* numbers of values, in order */
    uint32_t *place; /* by number of value: position */
    uint32_t count;
};
/* -1: no memory. */
int chart_axis(struct axis *axis, const struct grouper *groups, size_t field, struct arena *arena);

enum series { SERIES_SHOWN, SERIES_OTHER, SERIES_DROPPED };
/* What becomes of each column; [id] by number of value. */
int chart_choose(struct stage *op, const struct axis *y, enum series **out, struct err *err);
/* format="$VAL$ ($AGG$)". SLICE_NONE: no memory. */
struct slice chart_series_format(struct slice format, struct slice agg, struct slice value,
                                 struct arena *arena);
/* SLICE_NONE: no memory. */
struct slice chart_series_name(struct stage *op, struct slice agg, struct slice value);
