#include "serve/whatif_jobs.h"

#include "base/mem.h"
#include "base/thread.h"
#include "store/store.h"

#include <pthread.h>
#include <stdio.h>

enum whatif_state { RUNNING, DONE, FAILED, CANCELLED };
enum { WHATIF_NICE = 15 };
#define RESULT_BYTES_MAX (16 * MIB)

struct job {
    char id[WHATIF_JOB_ID_SIZE];
    char *owner;
    struct rulebook *book;
    struct whatif *whatif;
    struct snapshot *snapshot;
    struct whatif_walk walk;
    const struct hin_clock *clock;
    pthread_t thread;
    atomic_bool cancel;
    _Atomic int64_t reached_ns;
    _Atomic uint64_t events;
    atomic_int state; /* enum whatif_state; what stands below is the thread's until it is not RUNNING */
    int64_t started_ns, ended_ns;
    uint64_t damages;
    struct err err;
    struct buffer result; /* JSON */
};

struct whatif_jobs {
    struct store *store;
    const struct hin_clock *clock;
    pthread_mutex_t lock;
    struct job *kept[WHATIF_JOBS_MAX]; /* the newest first */
    size_t count;
    uint64_t next_id;
};

struct whatif_jobs *whatif_jobs_new(struct store *store, const struct hin_clock *clock)
{
    struct whatif_jobs *jobs = mem_calloc(1, sizeof(*jobs));
    if (!jobs)
        return NULL;
    jobs->store = store;
    jobs->clock = clock;
    pthread_mutex_init(&jobs->lock, NULL);
    return jobs;
}

/* What is only needed while it runs. */
static void put_down(struct job *job)
{
    whatif_free(job->whatif);
    store_snapshot_release(job->snapshot);
    rulebook_release(job->book);
    job->whatif = NULL;
    job->snapshot = NULL;
    job->book = NULL;
}

/* Without a thread. */
static void drop(struct job *job)
{
    put_down(job);
    buffer_close(&job->result);
    mem_free(job->owner);
    mem_free(job);
}

static void end(struct job *job)
{
    atomic_store(&job->cancel, true);
    pthread_join(job->thread, NULL);
    drop(job);
}

void whatif_jobs_free(struct whatif_jobs *jobs)
{
    if (!jobs)
        return;
    for (size_t i = 0; i < jobs->count; i++)
        end(jobs->kept[i]);
    pthread_mutex_destroy(&jobs->lock);
    mem_free(jobs);
}

/* ---- running ---- */

static void on_reached(void *context, int64_t time_ns)
{
    struct job *job = context;
    atomic_store(&job->reached_ns, time_ns);
    atomic_store(&job->events, whatif_events(job->whatif));
}

static int put_result(struct job *job, struct err *err)
{
    struct json json;
    json_init(&json, &job->result);
    json_open(&json, '{');
    whatif_json(job->whatif, &json);
    json_close(&json, '}');
    return buffer_failed(&job->result) ? err_nomem(err) : 0;
}

static void *run(void *context)
{
    struct job *job = context;
    struct history_stats stats = {0};
    pthread_setname_np(pthread_self(), "whatif");
    thread_stand_behind(WHATIF_NICE);
    thread_run_idle();
    int result = whatif_walk(job->whatif, &job->walk, &stats, &job->err);
    if (result == 0)
        result = put_result(job, &job->err);
    job->damages = stats.damages;
    job->ended_ns = clock_wall_ns(job->clock);
    atomic_store(&job->events, whatif_events(job->whatif));
    put_down(job);
    atomic_store(&job->state, result == 0 ? DONE : job->err.code == ERR_CANCELLED ? CANCELLED : FAILED);
    return NULL;
}

/* ---- starting ---- */

static int add_labels(struct whatif *whatif, const struct json_node *labels, struct err *err)
{
    size_t number = 1;
    for (const struct json_node *label = labels ? labels->first : NULL; label; label = label->next, number++)
        if (whatif_label(whatif, label, err) < 0)
            return err_within(err, "label %zu", number);
    return 0;
}

static int prepare(struct whatif_jobs *jobs, const struct whatif_request *request, struct job *job, struct err *err)
{
    struct whatif_config config = request->config;
    config.book = job->book;
    job->owner = mem_strdup(request->owner.ptr, request->owner.len);
    job->clock = jobs->clock;
    job->started_ns = clock_wall_ns(jobs->clock);
    buffer_init(&job->result, RESULT_BYTES_MAX);
    if (!job->owner)
        return err_nomem(err);
    if (whatif_new(&config, &job->whatif, err) < 0 || add_labels(job->whatif, request->labels, err) < 0)
        return -1;
    job->snapshot = store_snapshot(jobs->store);
    job->walk = (struct whatif_walk){.snapshot = job->snapshot, .from_ns = request->from_ns, .to_ns = request->to_ns,
                                     .learn_ns = request->learn_ns, .cancel = &job->cancel, .reached = on_reached, .context = job};
    return job->snapshot ? 0 : err_nomem(err);
}

/* The lock is held. */
static bool one_runs(const struct whatif_jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++)
        if (atomic_load(&jobs->kept[i]->state) == RUNNING)
            return true;
    return false;
}

static int refuse_second(struct err *err)
{
    return err_set(err, ERR_LIMIT, "another what-if is running; wait for it, or end it");
}

/* *oldest: what made room for it, or NULL. */
static int add(struct whatif_jobs *jobs, struct job *job, struct job **oldest, struct err *err)
{
    if (one_runs(jobs))
        return refuse_second(err);
    (void)snprintf(job->id, sizeof(job->id), "w%llu", (unsigned long long)++jobs->next_id);
    int code = thread_start(&job->thread, run, job);
    if (code)
        return err_set_errno(err, code, "cannot start the what-if");
    if (jobs->count == WHATIF_JOBS_MAX)
        *oldest = jobs->kept[--jobs->count];
    memmove(jobs->kept + 1, jobs->kept, jobs->count * sizeof(struct job *));
    jobs->kept[0] = job;
    jobs->count++;
    return 0;
}

int whatif_jobs_start(struct whatif_jobs *jobs, const struct whatif_request *request, char id[WHATIF_JOB_ID_SIZE], struct err *err)
{
    pthread_mutex_lock(&jobs->lock);
    bool busy = one_runs(jobs);
    pthread_mutex_unlock(&jobs->lock);
    if (busy)
        return refuse_second(err);
    struct job *oldest = NULL, *job = mem_calloc(1, sizeof(*job));
    if (!job)
        return err_nomem(err);
    job->book = rulebook_hold(request->book);
    if (prepare(jobs, request, job, err) < 0) {
        drop(job);
        return -1;
    }
    pthread_mutex_lock(&jobs->lock);
    int result = add(jobs, job, &oldest, err);
    if (result == 0)
        memcpy(id, job->id, WHATIF_JOB_ID_SIZE);
    pthread_mutex_unlock(&jobs->lock);
    if (result < 0)
        drop(job);
    if (oldest)
        end(oldest);
    return result;
}

/* ---- how they stand ---- */

static void put_job(struct job *job, bool whole, struct json *json)
{
    static const char *const names[] = {"running", "done", "failed", "cancelled"};
    int state = atomic_load(&job->state);
    json_open(json, '{');
    json_put_text(json, "id", slice_text(job->id));
    json_put_text(json, "by", slice_text(job->owner));
    json_put_text(json, "state", slice_text(names[state]));
    json_put_time(json, "started", job->started_ns);
    json_put_time_or_null(json, "ended", state == RUNNING ? 0 : job->ended_ns);
    json_put_time_or_null(json, "from", job->walk.from_ns);
    json_put_time_or_null(json, "to", job->walk.to_ns);
    json_put_time_or_null(json, "reached", atomic_load(&job->reached_ns));
    json_put_i64(json, "events", (int64_t)atomic_load(&job->events));
    json_put_text_or_null(json, "error", state == RUNNING || state == DONE ? SLICE("") : slice_text(job->err.text));
    json_put_i64(json, "unreadable", state == RUNNING ? 0 : (int64_t)job->damages);
    if (whole) {
        json_key(json, "result");
        if (state == DONE)
            json_raw(json, buffer_slice(&job->result));
        else
            json_null(json);
    }
    json_close(json, '}');
}

/* Its place, or count. The lock is held. */
static size_t find(const struct whatif_jobs *jobs, struct slice id)
{
    size_t i = 0;
    while (i < jobs->count && !slice_is(id, jobs->kept[i]->id))
        i++;
    return i;
}

static int no_such(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no such what-if; the last %d are kept until the server ends", WHATIF_JOBS_MAX);
}

int whatif_jobs_page(struct whatif_jobs *jobs, struct slice id, struct json *json, struct err *err)
{
    pthread_mutex_lock(&jobs->lock);
    size_t at = find(jobs, id);
    bool known = at < jobs->count;
    if (known)
        put_job(jobs->kept[at], true, json);
    pthread_mutex_unlock(&jobs->lock);
    return known ? 0 : no_such(err);
}

void whatif_jobs_list(struct whatif_jobs *jobs, struct json *json)
{
    json_open(json, '[');
    pthread_mutex_lock(&jobs->lock);
    for (size_t i = 0; i < jobs->count; i++)
        put_job(jobs->kept[i], false, json);
    pthread_mutex_unlock(&jobs->lock);
    json_close(json, ']');
}

int whatif_jobs_end(struct whatif_jobs *jobs, struct slice id, struct err *err)
{
    struct job *ended = NULL;
    pthread_mutex_lock(&jobs->lock);
    size_t at = find(jobs, id);
    bool known = at < jobs->count, runs = known && atomic_load(&jobs->kept[at]->state) == RUNNING;
    if (runs) {
        atomic_store(&jobs->kept[at]->cancel, true);
    } else if (known) {
        ended = jobs->kept[at];
        jobs->count--;
        memmove(jobs->kept + at, jobs->kept + at + 1, (jobs->count - at) * sizeof(struct job *));
    }
    pthread_mutex_unlock(&jobs->lock);
    if (ended)
        end(ended);
    return known ? 0 : no_such(err);
}
