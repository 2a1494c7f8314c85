#include "base/thread.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long fail_countdown = -1;

static bool must_fail(void)
{
    long left = atomic_load(&fail_countdown);
    while (left > 0 && !atomic_compare_exchange_weak(&fail_countdown, &left, left - 1))
        continue;
    return left == 0;
}

void thread_fail_after(long n)
{
    atomic_store(&fail_countdown, n);
}

int thread_start(pthread_t *thread, void *(*work)(void *context), void *context)
{
    return must_fail() ? EAGAIN : pthread_create(thread, NULL, work, context);
}

void thread_stand_behind(int nice)
{
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice);
}

void thread_go_before(void)
{
    thread_stand_behind(READ_NICE);
}

/* sched_attr of the kernel and its SCHED_FLAG_RESET_ON_FORK, which <linux/sched/types.h> gives only without <sched.h>. */
enum { RESET_ON_FORK = 1 };

struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

void thread_run_soon(void)
{
    struct scheduling attr = {.size = sizeof(attr)};
    if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0 || attr.policy != SCHED_OTHER)
        return;
    attr.runtime_ns = SOON_SLICE_NS;
    attr.flags |= RESET_ON_FORK;
    (void)syscall(SYS_sched_setattr, 0, &attr, 0);
}

void thread_run_idle(void)
{
    static const struct sched_param none;
    (void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
}
