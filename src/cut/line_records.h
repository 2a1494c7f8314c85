#pragma once
/*
 * cut/line_records: lines that are not each an event by itself: several that make one record, and the line
 * that names the columns of those behind it: a text of lines becomes the records of a delivery.
 *
 * Threads  One at a time.
 * Limits   EVENT_BYTES_MAX a record, and what a delivery holds (256 KiB at least): a longer one is cut between two
 *          lines, and each piece is an event.
 */
#include "base/buffer.h"
#include "cut/line_join.h"
#include "event/delivery.h"

struct line_records {
    const struct line_join *join; /* or NULL */
    struct buffer header;         /* the last line that names columns */
    bool looked;                  /* at the file's first line */
    bool comments;                /* it begins with '#': others may name columns */
};

void line_records_init(struct line_records *lines);
void line_records_close(struct line_records *lines);

/* Bytes of these whole lines up to where the last record begins, which may go on behind them; all of them when
 * no record begins but at their start. */
size_t line_records_end(const struct line_records *lines, struct slice text);

/* False when each of these lines is an event and nothing is known about their columns: they may be given as they
 * are. Else the delivery's records are made in `records`. */
bool line_records_give(struct line_records *lines, struct slice text, struct buffer *records,
                       struct delivery *out);
