#pragma once
/*
 * base/zone_rule: the rule of a POSIX TZ string ("CET-1CEST,M3.5.0,M10.5.0/3"),
 * with the wider hours of RFC 8536 section 3.3.1. Part of base/zone.
 */
#include "base/slice.h"

struct zone_change {
    char kind; /* 'M' month.week.weekday, 'J' day 1..365 without 29 February, 'N' day 0..365 */
    int month, week, weekday;
    int day;
    int32_t second; /* of local time, may be negative or beyond a day */
};

struct zone_rule {
    int32_t standard_s, summer_s;            /* east of Greenwich */
    struct slice standard_name, summer_name; /* borrowed from the text */
    bool has_summer;
    struct zone_change start, end;
};

bool zone_rule_parse(struct slice text, struct zone_rule *out);
/* Seconds since 1970, UTC. */
bool zone_rule_is_summer(const struct zone_rule *rule, int64_t utc_s);
