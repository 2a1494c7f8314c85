#pragma once
/*
 * base/cron: the five fields of cron(8): minute hour day-of-month month day-of-week.
 *
 *   0-59   0-23   1-31   1-12 or jan-dec   0-7 or sun-sat (0 and 7: Sunday)
 *   each: *  5  1-5  1,3,7  and with a step: * / 10 (without the blanks), 8-18/2
 *
 * When both day fields say something (neither begins with *), a day that fulfils either counts, as
 * POSIX crontab has it.
 *
 * Where the clocks change: a time that does not exist stands for the moment of the change, once,
 * however many such times there are; a time that exists twice stands for the first. Only where every hour
 * is in the hour field do the minutes follow each hour that passes, so the hour that comes twice counts
 * twice and the hour that does not exist is not missing.
 *
 * Sources  POSIX.1-2017 crontab; cron(8) and crontab(5) of Vixie cron 3.0.
 * Threads  Any.
 * Errors   -1 with the field that is wrong; fields that no day can fulfil (30 February) are wrong.
 */
#include "base/err.h"
#include "base/zone.h"

enum { CRON_TEXT_MAX = 256 };

struct cron {
    uint64_t minutes;
    uint32_t hours, days, months, weekdays; /* a bit for each number */
    bool any_day, any_weekday;              /* the field begins with * */
};

MUST_USE int cron_parse(struct slice text, struct cron *out, struct err *err);
/* The first due time after after_ns; a NULL zone is UTC. False when none comes before the end of time
 * (the year 2262). */
bool cron_next(const struct cron *cron, const struct zone *zone, int64_t after_ns, int64_t *out);
