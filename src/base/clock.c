#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t read_clock(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static int64_t real_wall(void *context)
{
    (void)context;
    return read_clock(CLOCK_REALTIME);
}

static int64_t real_mono(void *context)
{
    (void)context;
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_thread_cpu_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

struct timespec clock_deadline(clockid_t clock, int64_t wait_ns)
{
    struct timespec at;
    clock_gettime(clock, &at);
    int64_t ns = at.tv_nsec + wait_ns % NS_PER_SECOND;
    int64_t carry = ns < 0 ? -1 : ns >= NS_PER_SECOND;
    at.tv_sec += (time_t)(wait_ns / NS_PER_SECOND + carry);
    at.tv_nsec = (long)(ns - carry * NS_PER_SECOND);
    return at;
}

const struct hin_clock *clock_real(void)
{
    static const struct hin_clock real = {real_wall, real_mono, NULL};
    return &real;
}

static int64_t manual_wall(void *context)
{
    return __atomic_load_n(&((struct clock_manual *)context)->wall_ns, __ATOMIC_RELAXED);
}

static int64_t manual_mono(void *context)
{
    return __atomic_load_n(&((struct clock_manual *)context)->mono_ns, __ATOMIC_RELAXED);
}

void clock_manual_init(struct clock_manual *manual, int64_t wall_ns)
{
    *manual = (struct clock_manual){.wall_ns = wall_ns};
    manual->clock = (struct hin_clock){manual_wall, manual_mono, manual};
}

void clock_manual_advance(struct clock_manual *manual, int64_t by_ns)
{
    __atomic_fetch_add(&manual->wall_ns, by_ns, __ATOMIC_RELAXED);
    __atomic_fetch_add(&manual->mono_ns, by_ns, __ATOMIC_RELAXED);
}
