#pragma once
/*
 * base/due: when something is due: at whole multiples of a duration since 1970, or by cron.
 *
 *   every 5m
 *   cron 30 2 * * * Europe/Berlin      five fields and a zone
 *
 * Threads  Any.
 * Limits   SCHEDULE_EVERY_MIN_S to SCHEDULE_EVERY_MAX_DAYS.
 */
#include "base/cron.h"

struct due {
    int64_t every_ns; /* 0: by cron */
    struct cron cron;
    const struct zone *zone;
};

MUST_USE int due_parse(struct slice text, struct due *out, struct err *err);
/* The first due time after after_ns; false: none before the year 2262. */
bool due_next(const struct due *due, int64_t after_ns, int64_t *out);
/* Due times after after_ns, up to and including to_ns; first and last are set when there is one. */
int64_t due_count(const struct due *due, int64_t after_ns, int64_t to_ns, int64_t *first,
                  int64_t *last);
