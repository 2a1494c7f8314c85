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
 * program and writes segments stands behind that. */
enum { WALK_NICE = 5, READ_NICE = -10 };

/* As pthread_create(), with the system's attributes. */
MUST_USE int thread_start(pthread_t *thread, void *(*work)(void *context), void *context);

/* The calling thread stands behind others of the program and the machine: nice levels as of setpriority(2); more than it has. */
void thread_stand_behind(int nice);
/* The calling thread goes before others by READ_NICE where the system lets it (root, CAP_SYS_NICE or RLIMIT_NICE): for what is
 * lost when it is not read in time. */
void thread_go_before(void);

/* After n more threads (0: from the next on) none can be started: EAGAIN. -1 turns it off. */
void thread_fail_after(long n);
