#pragma once
/*
 * table/clock_skew: how far a sender's clock is ahead, from stamps and the time of receipt.
 *
 * What comes late is late for many reasons; what comes soonest is late only for its clock. So of each window of time the
 * event that came soonest counts, and of the last windows the middle one. What is within a minute or two of a multiple
 * of 15 minutes, up to 14 hours, is a time zone and a rest; anything else is a clock that goes wrong:
 *
 *   stamp - receipt   +09:00:03  =>  zone +09:00, skew  +3 s
 *                        +07:02  =>  zone +00:00, skew +7:02
 *
 * Threads  One at a time. Limits  Fixed size.
 */
#include "base/buffer.h"

enum { CLOCK_SKEW_WINDOWS = 15, CLOCK_SKEW_EVENTS_MIN = 3 };

struct clock_skew {
    int64_t ahead_ns[CLOCK_SKEW_WINDOWS]; /* of windows that have ended, in a ring */
    uint32_t windows;                     /* that have ended, ever */
    int64_t begin_ns;                     /* of the window that is going on */
    int64_t now_ahead_ns;                 /* the most of it */
    uint32_t now_events, events;          /* of it; ever, up to UINT32_MAX */
};

void clock_skew_take(struct clock_skew *skew, int64_t event_ns, int64_t received_ns);

struct clock_skew_found {
    bool known;
    int64_t zone_ns; /* stamps are ahead by what a zone's offset would be; 0: none */
    int64_t skew_ns; /* and the clock by this; below 0: it is behind, or its events are on their way so long */
};
struct clock_skew_found clock_skew_find(const struct clock_skew *skew);

void clock_skew_save(const struct clock_skew *skew, struct buffer *to);
/* False when it is too short, or says what cannot be. */
MUST_USE bool clock_skew_load(struct clock_skew *skew, struct slice *from);
