#pragma once
/*
 * base/time: the calendar (proleptic Gregorian, UTC) and the usual spellings.
 * Times are nanoseconds since 1970 in int64_t (1677..2262).
 *
 * Sources  RFC 3339, ISO 8601 (the parts logs use), RFC 5424 6.2.3;
 *          civil-day arithmetic after Howard Hinnant, "chrono-compatible date algorithms".
 */
#include "base/clock.h"
#include "base/slice.h"

struct time_parts {
    int year;           /* 1677..2262 */
    int month, day;     /* 1..12, 1..31 */
    int hour, minute;   /* 0..23, 0..59 */
    int second;         /* 0..60, a leap second counts as the next second */
    int32_t nanosecond;
    int weekday;        /* 0 = Sunday; set by time_split, not read by time_join */
    int yearday;        /* 0..365; likewise */
};

void time_split(int64_t time_ns, struct time_parts *parts);
/* False when a part is out of range or the time does not fit. */
bool time_join(const struct time_parts *parts, int64_t *time_ns);

int64_t time_days_from_civil(int64_t year, int month, int day); /* days since 1970-01-01 */
int time_days_in_month(int64_t year, int month);
/* Days since 1970, rounded down. */
int64_t time_day(int64_t time_ns);

/* "2018-01-26T00:11:02.114Z", "+09:00", "+0900", a space instead of T, fractions of 1..9 digits
 * (more are cut). zone_seen says whether there was one; without, UTC is taken. Whole text. */
bool time_parse_rfc3339(struct slice text, int64_t *time_ns, bool *zone_seen);

/* Epoch seconds, milliseconds, microseconds or nanoseconds, told apart by magnitude; a fraction
 * is allowed ("1516924800.25"). Exact, never through a double. */
bool time_parse_epoch(struct slice text, int64_t *time_ns);

enum { TIME_TEXT_SIZE = 40 };
/* RFC 3339 in UTC; 0, 3, 6 or 9 digits of fraction, as few as lose nothing. Returns the length. */
size_t time_format(int64_t time_ns, char to[TIME_TEXT_SIZE]);
/* The same, to the millisecond before it: for people, at most 24 bytes. */
size_t time_format_ms(int64_t time_ns, char to[TIME_TEXT_SIZE]);

/* 1..12 for "Jan" .. "Dec" (any case, first three letters), else 0. */
int time_month_by_name(struct slice name);
