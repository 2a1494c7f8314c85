#pragma once
/*
 * base/thread: threads that a work can do without, or with fewer of.
 *
 * Errors  0 or an errno; thread_fail_after() makes it so for tests.
 * Threads any; the counter is per process and meant for tests.
 */
#include "base/attr.h"

#include <pthread.h>

/* What comes over the network is taken in first: a datagram that is not read at once is lost. Who walks it through the
 * program and writes segments stands behind that, and who tells what is durable already behind them. */
enum { WALK_NICE = 5, TELL_NICE = 10, READ_NICE = -10, SOON_SLICE_NS = 100000 };

/* As pthread_create(), with the system's attributes. */
MUST_USE int thread_start(pthread_t *thread, void *(*work)(void *context), void *context);

/* The calling thread stands behind others of the program and the machine: nice levels as of setpriority(2); more than it has. */
void thread_stand_behind(int nice);
/* The calling thread goes before others by READ_NICE where the system lets it (root, CAP_SYS_NICE or RLIMIT_NICE): for what is
 * lost when it is not read in time, and for whom money waits. */
void thread_go_before(void);

/* The calling thread gets the processor soon when it wakes, for a short while: it asks for slices of SOON_SLICE_NS instead of the
 * scheduler's. Its share stays as it is, and others get theirs. Threads that it starts get the scheduler's slices again, and no nice
 * level below 0: searches that inherited short slices took half of the ingest's time. Linux 6.12 and later (sched_setattr(2)); no effect before. */
void thread_run_soon(void);

/* The calling thread gets only the time that nobody else wants (SCHED_IDLE). */
void thread_run_idle(void);

/* After n more threads (0: from the next on) none can be started: EAGAIN. -1 turns it off. */
void thread_fail_after(long n);
