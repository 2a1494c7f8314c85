#include "schedule/scheduler.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/queue.h"
#include "base/thread.h"
#include "flow/finding_sender.h"
#include "schedule/schedule_owner.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { SYNC_MS = 1000, WAIT_MS = 2, RUNNER_NICE = 15 }; /* as searches of people (serve/jobs) */

struct scheduler {
    struct scheduler_config config;
    atomic_bool stop;
    pthread_mutex_t lock; /* of the planner and in_hand */
    pthread_cond_t wake;
    struct planner *planner;
    int in_hand;          /* jobs in the queue or with a runner */
    struct queue *jobs;   /* of struct planner_job */
    pthread_mutex_t sending; /* of the sender; taken inside the other lock, never around it */
    struct finding_sender *sender;
    char said[ERR_TEXT_SIZE]; /* by the planner's thread: the last sentence, so that it comes once */
    pthread_t planning, runners[SCHEDULE_RUNNING_MAX];
    int runner_count;
    bool planning_started;
};

static void note(struct scheduler *scheduler, const char *text)
{
    scheduler->config.note(scheduler->config.context, text);
}

static void pause_ms(int64_t ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * NS_PER_MS}, NULL);
}

static void planner_note(void *context, const char *text)
{
    note(context, text);
}

/* ---- findings ---- */

/* In the journal, durable. */
static int send_all(struct scheduler *scheduler, const struct finding *findings, size_t count,
                    struct err *err)
{
    struct finding_sender_counts counts;
    for (size_t i = 0; i < count; i++)
        if (finding_sender_send(scheduler->sender, &findings[i], err) < 0)
            return -1;
    while (counts = finding_sender_counts(scheduler->sender), counts.durable < counts.sent) {
        if (atomic_load(&scheduler->stop))
            return err_set(err, ERR_CANCELLED, "the server stops");
        pause_ms(WAIT_MS);
        if (finding_sender_retry(scheduler->sender, err) < 0)
            return -1;
    }
    return 0;
}

static int deliver(struct scheduler *scheduler, const struct finding *findings, size_t count,
                   struct err *err)
{
    if (count == 0)
        return 0;
    pthread_mutex_lock(&scheduler->sending);
    int result = send_all(scheduler, findings, count, err);
    pthread_mutex_unlock(&scheduler->sending);
    if (result < 0)
        return -1;
    return scheduler->config.file(scheduler->config.context, findings, count, &scheduler->stop)
               ? 0
               : err_set(err, ERR_CANCELLED, "the server stops");
}

static int raise(void *context, const struct finding *finding, struct err *err)
{
    return deliver(context, finding, 1, err);
}

/* ---- running ---- */

/* The definition and the owner as they are at this moment. */
static int run_with(struct scheduler *scheduler, const struct planner_job *job,
                    const struct knowledge *set, struct arena *arena, struct err *err)
{
    const struct scheduler_config *config = &scheduler->config;
    const struct schedule *schedule = &job->schedule;
    const struct know_object *object = planner_find(set, schedule->search, schedule->scope);
    struct scheduled_run run;
    struct slice reason;
    enum schedule_right right;
    if (!object)
        return err_set(err, ERR_CONFLICT, "there is no such definition any more");
    if (schedule_owner_may(config->parts.database, schedule->owner, arena, &right, &reason, err) < 0)
        return -1;
    if (right == SCHEDULE_MAY_NOT || !slice_equal(schedule->owner, schedule_owner(object)))
        return err_set(err, ERR_CONFLICT, "its owner has changed"); /* the next planner_sync() says what */
    bool settled = config->settle(config->context, &scheduler->stop);
    if (atomic_load(&scheduler->stop))
        return err_set(err, ERR_CANCELLED, "the server stops");
    if (scheduled_run_do(&config->parts, set, object, job,
                         settled ? SLICE("") : SLICE("events that were received before could not be found yet"),
                         &scheduler->stop, arena, &run, err) < 0 ||
        deliver(scheduler, run.findings, run.finding_count, err) < 0)
        return -1;
    return schedules_record(config->parts.database, schedule->id, &run.record, run.quiet, run.quiet_count, err);
}

static bool run_job(struct scheduler *scheduler, const struct planner_job *job)
{
    struct err err;
    struct arena *arena = arena_new(SCHEDULE_MEMORY_MAX);
    struct knowledge *set = scheduler->config.knowledge(scheduler->config.context);
    int result = arena && set ? run_with(scheduler, job, set, arena, &err) : err_nomem(&err);
    if (result < 0 && err.code != ERR_CANCELLED && err.code != ERR_CONFLICT) {
        char text[ERR_TEXT_SIZE + 128];
        snprintf(text, sizeof(text), "the scheduled search %.*s runs again: %s",
                 job->schedule.search.len < 100 ? (int)job->schedule.search.len : 100,
                 job->schedule.search.ptr, err.text);
        note(scheduler, text);
    }
    know_release(set);
    arena_free(arena);
    return result == 0;
}

static void *run_all(void *context)
{
    struct scheduler *scheduler = context;
    struct planner_job *job;
    pthread_setname_np(pthread_self(), "scheduled");
    thread_stand_behind(RUNNER_NICE); /* behind what takes events in */
    while ((job = queue_pop(scheduler->jobs))) {
        bool recorded = !atomic_load(&scheduler->stop) && run_job(scheduler, job);
        pthread_mutex_lock(&scheduler->lock);
        planner_done(scheduler->planner, job, recorded);
        scheduler->in_hand--;
        pthread_cond_signal(&scheduler->wake);
        pthread_mutex_unlock(&scheduler->lock);
        mem_free(job);
    }
    return NULL;
}

/* ---- planning; the lock is held ---- */

static void sync_now(struct scheduler *scheduler)
{
    struct err err;
    struct knowledge *set = scheduler->config.knowledge(scheduler->config.context);
    if (planner_sync(scheduler->planner, set, &err) == 0) {
        scheduler->said[0] = '\0';
    } else if (err.code != ERR_CANCELLED && strcmp(scheduler->said, err.text) != 0) {
        snprintf(scheduler->said, sizeof(scheduler->said), "%s", err.text);
        note(scheduler, err.text);
    }
    know_release(set);
}

static void hand_out(struct scheduler *scheduler)
{
    struct planner_job job;
    while (scheduler->in_hand < SCHEDULE_RUNNING_MAX && planner_take(scheduler->planner, &job)) {
        struct planner_job *copy = mem_alloc(sizeof(*copy));
        if (copy)
            *copy = job;
        if (!copy || !queue_try_push(scheduler->jobs, copy)) {
            planner_done(scheduler->planner, &job, false);
            mem_free(copy);
            return;
        }
        scheduler->in_hand++;
    }
}

/* Until something is due, somebody wakes it, or it is time to look at the definitions. */
static void wait_for_work(struct scheduler *scheduler, int64_t until_mono)
{
    const struct hin_clock *clock = scheduler->config.parts.clock;
    int64_t wait = until_mono - clock_mono_ns(clock);
    if (scheduler->in_hand < SCHEDULE_RUNNING_MAX) {
        int64_t next = planner_next_ns(scheduler->planner), now = clock_wall_ns(clock);
        wait = next < now + wait ? next - now : wait;
    }
    wait = wait < WAIT_MS * NS_PER_MS ? WAIT_MS * NS_PER_MS : wait;
    struct timespec until = clock_deadline(CLOCK_MONOTONIC, wait);
    pthread_cond_timedwait(&scheduler->wake, &scheduler->lock, &until);
}

static void *plan(void *context)
{
    struct scheduler *scheduler = context;
    const struct hin_clock *clock = scheduler->config.parts.clock;
    int64_t sync_at = clock_mono_ns(clock);
    pthread_setname_np(pthread_self(), "schedule");
    pthread_mutex_lock(&scheduler->lock);
    while (!atomic_load(&scheduler->stop)) {
        if (clock_mono_ns(clock) >= sync_at) {
            sync_now(scheduler);
            sync_at = clock_mono_ns(clock) + SYNC_MS * NS_PER_MS;
        }
        hand_out(scheduler);
        wait_for_work(scheduler, sync_at);
    }
    pthread_mutex_unlock(&scheduler->lock);
    return NULL;
}

int scheduler_run_now(struct scheduler *scheduler, int64_t id, struct slice by, struct err *err)
{
    pthread_mutex_lock(&scheduler->lock);
    int result = planner_want(scheduler->planner, id, by, err);
    pthread_cond_signal(&scheduler->wake);
    pthread_mutex_unlock(&scheduler->lock);
    return result;
}

/* ---- life ---- */

static int start_threads(struct scheduler *scheduler, struct err *err)
{
    int code = 0;
    for (; code == 0 && scheduler->runner_count < SCHEDULE_RUNNING_MAX; scheduler->runner_count += code == 0)
        code = pthread_create(&scheduler->runners[scheduler->runner_count], NULL, run_all, scheduler);
    if (code == 0)
        code = pthread_create(&scheduler->planning, NULL, plan, scheduler);
    scheduler->planning_started = code == 0;
    return code ? err_set_errno(err, code, "a thread for scheduled searches") : 0;
}

static int start(struct scheduler *scheduler, const struct scheduler_config *config, struct err *err)
{
    struct planner_config planner = {.database = config->parts.database, .clock = config->parts.clock,
                                     .raise = raise, .note = planner_note, .context = scheduler};
    scheduler->config = *config;
    scheduler->jobs = queue_new(SCHEDULE_RUNNING_MAX);
    scheduler->sender = finding_sender_new(config->parts.journal, config->parts.clock);
    if (!scheduler->jobs || !scheduler->sender)
        return err_nomem(err);
    return planner_open(&planner, &scheduler->planner, err) < 0 ? -1 : start_threads(scheduler, err);
}

int scheduler_start(const struct scheduler_config *config, struct scheduler **out, struct err *err)
{
    pthread_condattr_t monotonic;
    struct scheduler *scheduler = mem_calloc(1, sizeof(*scheduler));
    *out = NULL;
    if (!scheduler)
        return err_nomem(err);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&scheduler->lock, NULL);
    pthread_mutex_init(&scheduler->sending, NULL);
    pthread_cond_init(&scheduler->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (start(scheduler, config, err) < 0) {
        scheduler_stop(scheduler);
        return -1;
    }
    *out = scheduler;
    return 0;
}

void scheduler_stop(struct scheduler *scheduler)
{
    if (!scheduler)
        return;
    atomic_store(&scheduler->stop, true);
    pthread_mutex_lock(&scheduler->lock);
    pthread_cond_signal(&scheduler->wake);
    pthread_mutex_unlock(&scheduler->lock);
    if (scheduler->planning_started)
        pthread_join(scheduler->planning, NULL);
    if (scheduler->jobs)
        queue_close(scheduler->jobs);
    for (int i = 0; i < scheduler->runner_count; i++)
        pthread_join(scheduler->runners[i], NULL);
    planner_close(scheduler->planner);
    finding_sender_free(scheduler->sender);
    queue_free(scheduler->jobs);
    pthread_cond_destroy(&scheduler->wake);
    pthread_mutex_destroy(&scheduler->sending);
    pthread_mutex_destroy(&scheduler->lock);
    mem_free(scheduler);
}
