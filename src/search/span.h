#pragma once
/*
 * search/span: widths of buckets, for bin, chart, timechart and spans of transactions.
 *
 *   5m 1d 1mon 3q     time; calendar units begin where the calendar does, in the zone
 *   100 0.5           numbers
 *   log2 2log3        logarithmic: coefficient 2, base 3
 */
#include "base/time_modifier.h"
#include "event/value.h"

enum span_kind { SPAN_NONE, SPAN_TIME, SPAN_NUMBER, SPAN_LOG };

struct span {
    enum span_kind kind;
    int64_t count; /* TIME */
    enum time_unit unit;
    double number; /* NUMBER: width; LOG: coefficient */
    double base;   /* LOG */
};

bool span_parse(struct slice text, struct span *out);

/* The start of the bucket that time_ns is in; *end (may be NULL) is the start of the next. */
bool span_time_bucket(const struct span *span, const struct zone *zone, int64_t align_ns,
                      int64_t time_ns, int64_t *start, int64_t *end);
/* "lo-hi" of a number, in the arena. SLICE_NONE when it has no bucket (log of 0). */
struct slice span_number_bucket(const struct span *span, double n, struct arena *arena);
/* Nanoseconds; about right for months and years. */
int64_t span_ns(const struct span *span);
/* The smallest of the habitual spans (1s 5s 10s 30s 1m 5m 10m 30m 1h 1d 1mon) that cuts the range
 * into at most bins buckets, and is not less than least (a span of time, or of no kind). */
struct span span_for_range(int64_t from_ns, int64_t to_ns, int64_t bins, const struct span *least);
/* For bins=n: the smallest power of ten that cuts [low, high] into at most bins. */
double span_width_for_bins(double low, double high, int64_t bins);
