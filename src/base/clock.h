#pragma once
/*
 * base/clock: time as a parameter (the hin_clock seam), so that live, replay
 * and tests run the same code. Nanoseconds in int64_t, Unix epoch, UTC.
 */
#include <stdint.h>
#include <time.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MINUTE (60 * NS_PER_SECOND)
#define NS_PER_HOUR (3600 * NS_PER_SECOND)
#define NS_PER_DAY (86400 * NS_PER_SECOND)

struct hin_clock {
    int64_t (*wall_ns)(void *context); /* may jump */
    int64_t (*mono_ns)(void *context); /* never goes back; for waits, rates and expiry */
    void *context;
};

/* Of processor time that the calling thread has used. */
int64_t clock_thread_cpu_ns(void);

/* So many nanoseconds from now, or before, by one of the machine's clocks: for pthread_cond_timedwait(). */
struct timespec clock_deadline(clockid_t clock, int64_t wait_ns);

/* The machine's clock. */
const struct hin_clock *clock_real(void);

/* A clock that a test or a replay sets by hand, while other threads may read it. */
struct clock_manual {
    struct hin_clock clock;
    int64_t wall_ns;
    int64_t mono_ns;
};
void clock_manual_init(struct clock_manual *manual, int64_t wall_ns);
void clock_manual_advance(struct clock_manual *manual, int64_t by_ns);

static inline int64_t clock_wall_ns(const struct hin_clock *clock)
{
    return clock->wall_ns(clock->context);
}

static inline int64_t clock_mono_ns(const struct hin_clock *clock)
{
    return clock->mono_ns(clock->context);
}
