#pragma once
/*
 * app/health_look: looks after the running server and says what is wrong (serve/health.h).
 *
 * Threads  One.
 */
#include "serve/health.h"

#include <stdbool.h>

struct hin_clock;
struct hin_io;
struct respond;

struct health_look {
    const struct hin_clock *clock;
    const struct hin_io *io;
    const char *dir;           /* the data folder */
    struct respond *respond;
    /* its own */
    int64_t wall_ns, mono_ns;  /* at the last look; 0: there was none */
    int64_t stepped_ns;        /* when the clock was seen to step, on the one that never goes back */
    bool stepped, waits, wakes_nobody;
    int64_t people; /* who can be reached; -1: not known */
    unsigned looks;
};

/* What can be seen from here: HEALTH_DISK, HEALTH_CLOCK, HEALTH_NOTICES, HEALTH_WAKING. Call it every second or so. */
unsigned health_look(struct health_look *look);
