#pragma once
/*
 * base/time_pattern: times by a pattern as strftime and strptime have it, for
 * decoders and for SPL's strftime() and strptime(). English names, no locale.
 *
 *   %Y %y %G %m %d %e %j   2026  26  ISO year  01  09  " 9"  day of year
 *   %H %k %I %l %p %M %S   hour 00..23, space-padded, 01..12, space-padded, AM/PM, minute, second
 *   %a %A %b %h %B         Mon Monday Jan Jan January
 *   %w %u %U %W %V         weekday 0..6 from Sunday, 1..7 from Monday; week of the year
 *   %s                     seconds since 1970
 *   %N %Q %f               fraction: 9, 3, 6 digits; %3N, %6Q ... say how many
 *   %z %:z %::z %Z         +0900  +09:00  +09:00:00  JST
 *   %T %F %D %R %c %x %X %+  %H:%M:%S  %Y-%m-%d  %m/%d/%y  %H:%M ...
 *   %n %t %%               line feed, tab, percent
 *
 * Threads  any
 */
#include "base/err.h"
#include "base/zone.h"

struct buffer;

/* -1 with the position of the first thing that is not in the list above. */
MUST_USE int time_pattern_check(struct slice pattern, struct err *err);

struct time_pattern_in {
    const struct zone *zone; /* for texts that name none; NULL is UTC */
    int64_t near_ns;         /* receipt or now: fills in a missing year (time_latest_year)
                                or a missing date (the day of near_ns in the zone) */
};

/* Reads text by pattern. White space in the pattern stands for any amount of it; numbers may have
 * fewer digits than usual and spaces before them; names are caseless. A date without a day is its
 * first day. *used (may be NULL) gets the bytes read, so the caller decides whether more may
 * follow. False when the text does not fit; *time_ns is then untouched. */
bool time_pattern_parse(struct slice pattern, struct slice text, const struct time_pattern_in *in,
                        int64_t *time_ns, size_t *used);

/* Unknown directives are printed as they stand. */
void time_pattern_format(struct slice pattern, int64_t time_ns, const struct zone *zone,
                         struct buffer *to);

/* The latest time with these parts, year left out, that is not more than a week after near_ns (RFC 3164
 * stamps). */
bool time_latest_year(const struct time_parts *parts, const struct zone *zone, int64_t near_ns,
                      int64_t *time_ns);
