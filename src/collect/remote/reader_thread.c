#include "collect/remote/reader_thread.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"

#include <stdio.h>

enum answer { ANSWER_NONE, ANSWER_STORED, ANSWER_FAILED };
enum { GIVE_AGAIN_MS = 50, GIVE_AGAIN_FAILED_MS = 1000 };

void *reader_new(size_t size, const struct collector_host *host, const struct collector_settings *settings, size_t hints_max,
                 struct err *err)
{
    struct reader_thread *reader = mem_calloc(1, size);
    if (!reader) {
        err_nomem(err);
        return NULL;
    }
    reader->host = host;
    reader->settings = settings;
    buffer_init(&reader->records, JOURNAL_RECORD_BYTES_MAX);
    buffer_init(&reader->hints, hints_max);
    pthread_mutex_init(&reader->lock, NULL);
    pthread_cond_init(&reader->changed, NULL);
    return reader;
}

int reader_thread_start(struct reader_thread *reader, void *(*work)(void *context), void *context, struct err *err)
{
    int code = thread_start(&reader->thread, work, context);
    if (code)
        return err_set_errno(err, code, "no thread could be started");
    reader->running = true;
    return 0;
}

void reader_stop(void *collector)
{
    struct reader_thread *reader = collector;
    pthread_mutex_lock(&reader->lock);
    reader->stopping = true;
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->lock);
    if (reader->running)
        pthread_join(reader->thread, NULL);
    reader->running = false;
}

void reader_free(void *collector)
{
    struct reader_thread *reader = collector;
    buffer_close(&reader->records);
    buffer_close(&reader->hints);
    pthread_cond_destroy(&reader->changed);
    pthread_mutex_destroy(&reader->lock);
    mem_free(collector);
}

bool reader_is_stopping(struct reader_thread *reader)
{
    pthread_mutex_lock(&reader->lock);
    bool stopping = reader->stopping;
    pthread_mutex_unlock(&reader->lock);
    return stopping;
}

bool reader_sleep(struct reader_thread *reader, int64_t ns)
{
    struct timespec until = clock_deadline(CLOCK_REALTIME, ns);
    pthread_mutex_lock(&reader->lock);
    while (!reader->stopping && pthread_cond_timedwait(&reader->changed, &reader->lock, &until) == 0) {
    }
    bool stopping = reader->stopping;
    pthread_mutex_unlock(&reader->lock);
    return !stopping;
}

static void on_done(void *context, const struct sink_ack *ack)
{
    struct reader_thread *reader = context;
    pthread_mutex_lock(&reader->lock);
    reader->answer = ack->result == SINK_FAILED || ack->result == SINK_CONFLICT ? ANSWER_FAILED : ANSWER_STORED;
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->lock);
}

/* The sink answers everything, soon: also when it is to stop. */
static bool wait_for_answer(struct reader_thread *reader)
{
    pthread_mutex_lock(&reader->lock);
    while (reader->answer == ANSWER_NONE)
        pthread_cond_wait(&reader->changed, &reader->lock);
    bool stored = reader->answer == ANSWER_STORED;
    pthread_mutex_unlock(&reader->lock);
    return stored;
}

bool reader_give(struct reader_thread *reader, struct delivery *delivery)
{
    const struct sink *sink = reader->host->sink;
    bool said = false;
    struct err err;
    for (;;) {
        reader->answer = ANSWER_NONE;
        delivery->received_ns = clock_wall_ns(sink->clock);
        bool taken = sink_take(sink, delivery, on_done, reader, &err) == 0;
        if (taken && wait_for_answer(reader)) {
            if (said)
                reader_say(reader, NULL);
            return true;
        }
        bool wait = !taken && err.code == ERR_LIMIT;
        if (!wait)
            reader_say(reader, "what was read could not be stored, and is given again until it can");
        said = said || !wait;
        if (!reader_sleep(reader, (wait ? GIVE_AGAIN_MS : GIVE_AGAIN_FAILED_MS) * NS_PER_MS))
            return false;
    }
}

void reader_say(struct reader_thread *reader, const char *sentence)
{
    char line[512];
    pthread_mutex_lock(&reader->lock);
    bool same = strncmp(reader->problem, sentence ? sentence : "", sizeof(reader->problem) - 1) == 0;
    snprintf(reader->problem, sizeof(reader->problem), "%s", sentence ? sentence : "");
    pthread_mutex_unlock(&reader->lock);
    if (same || !reader->host->note)
        return;
    snprintf(line, sizeof(line), "collector %.*s: %s", SLICE_ARG(reader->settings->name), sentence ? sentence : "goes on");
    reader->host->note(reader->host->context, line);
}

void reader_problem_of(struct reader_thread *reader, char to[240])
{
    pthread_mutex_lock(&reader->lock);
    snprintf(to, 240, "%s", reader->problem);
    pthread_mutex_unlock(&reader->lock);
}

int64_t reader_backoff_ns(unsigned failures, const struct hin_rand *rand)
{
    int64_t wait = NS_PER_SECOND << (failures > 12 ? 12 : failures ? failures - 1 : 0);
    if (wait > READER_WAIT_MAX_S * NS_PER_SECOND)
        wait = READER_WAIT_MAX_S * NS_PER_SECOND;
    return wait / 2 + (int64_t)rand_below(rand, (uint64_t)wait / 2 + 1);
}
