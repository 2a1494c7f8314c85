#pragma once
/* The lines of a text as one delivery. */
#include "base/clock.h"
#include "event/delivery.h"

static inline struct delivery bench_lines(struct slice text)
{
    return (struct delivery){.origin = {.source = SLICE("bench")},
                             .framing = FRAMING_LINES,
                             .received_ns = clock_wall_ns(clock_real()),
                             .body = text};
}
