#pragma once
/*
 * base/elapsed: how long something took, as logs write it, in nanoseconds.
 *
 *   1h2m3s  2h:05m:09s  250ms  1.5 s  3 days, 4:05:06  00:01:02  1.02:03:04.5  PT1H2M3.5S
 *
 * Exact; what is finer than a nanosecond is rounded. Nothing is below zero.
 * Source  ISO 8601 of PT..., .NET's TimeSpan of 1.02:03:04.
 */
#include "base/slice.h"

#include <stdint.h>

/* False when the text has no unit and is no clock, or is over 292 years. */
bool elapsed_parse(struct slice text, int64_t *ns);
/* A number of something that has unit_ns nanoseconds; false when it is none, or too much. */
bool elapsed_scaled(struct slice number, int64_t unit_ns, int64_t *ns);
/* Of "ms", "min", "hours" and the like; 0: there is no such unit. */
int64_t elapsed_unit_ns(struct slice word);
