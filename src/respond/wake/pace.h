#pragma once
/*
 * respond/wake/pace: the time by which waits are measured: retries, steps, "nobody answered for 15 minutes".
 *
 * It goes on evenly while the wall clock is set forward or back, and over a restart it never goes back behind what was
 * written down by it. It is near the wall clock, but people are shown wall times and who is on call is asked of the wall
 * clock.
 * Threads  Read-only after pace_start().
 */
#include "base/clock.h"

struct pace {
    const struct hin_clock *clock;
    int64_t offset_ns;
};

/* least_ns: the latest pace that was written down; 0: none. */
static inline void pace_start(struct pace *pace, const struct hin_clock *clock, int64_t least_ns)
{
    int64_t wall = clock_wall_ns(clock), now = wall > least_ns ? wall : least_ns;
    *pace = (struct pace){clock, now - clock_mono_ns(clock)};
}

static inline int64_t pace_now(const struct pace *pace)
{
    return pace->offset_ns + clock_mono_ns(pace->clock);
}
