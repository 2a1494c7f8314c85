#pragma once
/*
 * search/commands/series: a field's values against those of earlier rows; accum, autoregress,
 * delta, trendline.
 */
#include "search/hold.h"
#include "search/rows.h"

struct series {
    struct slice field, as;
    int64_t from, to; /* rows back; the period of a trend */
    int kind;         /* the command's own */
};

struct series_args {
    struct series *list;
    size_t count;
    struct slice period;
    struct slice written; /* the field as it was spelt */
};

extern const struct command_option series_options[1];
/* f [as g] [p=1] as the only one of the list */
int series_parse(struct spl_parser *p, struct spl_command *command);
void series_want(const struct spl_command *command, struct wanted *wanted);

/* Makes the columns of one series of all rows. */
typedef int (*series_put)(struct stage *op, struct frame *frame, const struct series *s,
                          struct err *err);
/* put for each series, then the rows go on. */
int series_finish(struct stage *op, series_put put, struct err *err);

int series_add(struct stage *op, struct frame *frame, struct column *to, uint32_t row,
               struct value v, struct err *err);
