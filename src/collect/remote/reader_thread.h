#pragma once
/*
 * collect/reader_thread: the thread of a reader of remote things: one delivery at a time, which is given until it is
 * durable.
 *
 * Ownership  Lives inside its collector, as its first member (reader_stop). host and settings outlive it.
 * Threads    new, start, stop and free from the one that opens collectors; reader_problem_of() and reader_is_stopping()
 *            from any; the rest from the reader's own.
 * Errors     A sink without room (ERR_LIMIT) makes it wait and try again; so does a disk that refuses, which is said.
 */
#include "base/rand.h"
#include "collect/collector.h"

#include <pthread.h>

struct reader_thread {
    const struct collector_host *host;
    const struct collector_settings *settings;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool running, stopping;
    int answer;          /* of the delivery under way */
    char problem[240];
    struct buffer records, hints; /* of the delivery that is being gathered, and of one event; the work's own */
};

/* A zeroed collector of so many bytes, which begins with its reader_thread. NULL: memory is out. The kind's free() ends with
 * reader_free(). */
void *reader_new(size_t size, const struct collector_host *host, const struct collector_settings *settings, size_t hints_max,
                 struct err *err);
MUST_USE int reader_thread_start(struct reader_thread *reader, void *(*work)(void *context), void *context, struct err *err);
/* The stop() of a kind whose collectors begin with their reader_thread: it has ended when this returns. */
void reader_stop(void *collector);
void reader_free(void *collector);

bool reader_is_stopping(struct reader_thread *reader);
/* False: it is to stop. */
bool reader_sleep(struct reader_thread *reader, int64_t ns);
/* True when it is durable. False: it is to stop, and nobody knows. */
bool reader_give(struct reader_thread *reader, struct delivery *delivery);
/* What it suffers from now, for counts and, when it is another one than before, the log. NULL: nothing any more. */
void reader_say(struct reader_thread *reader, const char *sentence);
void reader_problem_of(struct reader_thread *reader, char to[240]);

/* How long to wait after so many failures in a row (from 1): doubles from one second to READER_WAIT_MAX_S, of which
 * the last half is left to chance, so that many who failed together do not come back together. */
int64_t reader_backoff_ns(unsigned failures, const struct hin_rand *rand);
