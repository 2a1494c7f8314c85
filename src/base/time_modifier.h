#pragma once
/*
 * base/time_modifier: times as searchers write them, relative to now.
 *
 *   now  now()  0  1516924800.25  01/26/2018:00:11:02  2018-01-26T00:11:02Z
 *   -24h  -7d@d  @w1  -1mon@mon+2d  +1h@h
 *
 * Offsets and snaps apply from left to right, in the calendar of the zone. @ goes down to the
 * start of the unit; @w and @w0 (also @w7) are Sunday, @w1 Monday. Months and years keep the
 * day, clipped to the month's end.
 *
 * Threads  any
 */
#include "base/err.h"
#include "base/zone.h"

enum time_unit {
    TIME_UNIT_NONE = 0,
    TIME_UNIT_MICROSECOND,
    TIME_UNIT_MILLISECOND,
    TIME_UNIT_SECOND,
    TIME_UNIT_MINUTE,
    TIME_UNIT_HOUR,
    TIME_UNIT_DAY,
    TIME_UNIT_WEEK,
    TIME_UNIT_MONTH,
    TIME_UNIT_QUARTER,
    TIME_UNIT_YEAR,
};

/* False when text is none of the above. A NULL zone is UTC. */
bool time_modifier_parse(struct slice text, int64_t now_ns, const struct zone *zone,
                         int64_t *time_ns);
/* As above; -1 with a sentence that shows what can be written. */
MUST_USE int time_modifier_read(struct slice text, int64_t now_ns, const struct zone *zone,
                                int64_t *time_ns, struct err *err);

/* "s", "sec", "minutes", "mon" ... the whole text; TIME_UNIT_NONE when it is no unit. */
enum time_unit time_unit_by_name(struct slice name);
/* Nanoseconds of units that always last the same (up to a week); 0 for the others. */
int64_t time_unit_ns(enum time_unit unit);
/* False when the result does not fit. */
bool time_add_units(int64_t time_ns, int64_t count, enum time_unit unit, const struct zone *zone,
                    int64_t *out);
/* Down to the start of the unit; weekday (0 = Sunday) is for weeks. */
bool time_snap(int64_t time_ns, enum time_unit unit, int weekday, const struct zone *zone,
               int64_t *out);
