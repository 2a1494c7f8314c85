#pragma once
/*
 * serve/health: what is wrong with this server, in words for whoever watches it from outside (GET /v1/health). Who looks
 * after the server says it about once a second; when nobody does any more, that is told too.
 *
 * Threads  One sets, any read.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum health_problem {
    HEALTH_PIPELINE = 1 << 0, /* it has stopped */
    HEALTH_JOURNAL = 1 << 1,  /* cannot be written */
    HEALTH_DISK = 1 << 2,     /* less than HEALTH_DISK_FREE is free */
    HEALTH_MEMORY = 1 << 3,   /* what rules remember is lost, or still being read */
    HEALTH_BEHIND = 1 << 4,   /* events wait */
    HEALTH_GATE = 1 << 5,     /* it holds everything for a reason of its own */
    HEALTH_CLOCK = 1 << 6,    /* the wall clock was stepped lately */
    HEALTH_NOTICES = 1 << 7,  /* a notification waits for longer than HEALTH_NOTICE_S */
    HEALTH_WAKING = 1 << 8,   /* somebody is to wake up, and no contact takes the message */
    HEALTH_STUCK = 1 << 9,    /* nobody has looked for HEALTH_LOOK_S */
};
/* With one of these the server should not be asked to take anything: 503. */
enum { HEALTH_DEGRADED = HEALTH_PIPELINE | HEALTH_JOURNAL | HEALTH_DISK | HEALTH_MEMORY | HEALTH_BEHIND | HEALTH_GATE | HEALTH_WAKING |
       HEALTH_STUCK };

struct health { /* zero is a valid start: nobody has looked yet, nothing is wrong */
    atomic_uint problems;
    atomic_long looked_ns; /* on the clock that never goes back; 0: never */
};

void health_set(struct health *health, unsigned problems, int64_t mono_ns);
unsigned health_get(struct health *health, int64_t mono_ns);
/* "disk"; the n-th bit's name, NULL behind the last. */
const char *health_name(unsigned n);
