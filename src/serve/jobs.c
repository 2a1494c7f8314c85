#include "serve/jobs.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/time_modifier.h"
#include "base/thread.h"
#include "event/schema.h"
#include "schedule/search_writes.h"
#include "search/cost.h"
#include "search/estimate.h"
#include "search/frame.h"
#include "search/output.h"
#include "search/parser.h"
#include "search/store_backend.h"
#include "search/table_source.h"
#include "serve/job_fields.h"
#include "serve/knowing.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { FORGET_AFTER_MINUTES = 15 };
enum { LOCK_WAIT_MS = 300 };
/* Searches stand behind what takes events in; long ones get only the time that nobody else wants. Beside ten of
 * them, on two shared cores, that keeps 89 to 101 % of its rate, 92 in the median; without any of this 39 % (test_worst_beside.py). */
enum { SEARCH_NICE = 15, LONG_AFTER_MS = 500 };

enum job_state { JOB_RUNNING, JOB_DONE, JOB_FAILED, JOB_CANCELLED };

struct job {
    struct job *next;
    struct jobs *jobs;
    char id[JOB_ID_SIZE];
    char *owner;
    struct arena *arena; /* the query's text and trees */
    struct knowledge *knowledge;
    struct table_backend *tables;
    struct search_writes writes;
    struct search_server server;
    enum role role;
    bool is_token;
    pthread_t thread;
    struct slice text;
    struct spl_query *query;
    struct search_options options;
    struct search *search, *counting; /* NULL before the thread has planned them; under the lock */
    struct store_backend backend, count_backend;
    bool events;
    atomic_size_t bytes; /* that its result holds, once it is done */
    int64_t started_ns;
    atomic_int waiting; /* readers that want the lock: the job lets them go first */
    atomic_bool cancel; /* for reading; */
    bool cancelled;     /* for the rest of the search */
    atomic_int holds;
    atomic_int state; /* enum job_state */
    _Atomic int64_t read_ns;
    pthread_mutex_t lock; /* of err, and of what is in the searches; taken for a step, which may be long */
    struct err err;
};

struct jobs {
    struct jobs_config config;
    pthread_mutex_t lock; /* of the list */
    struct job *first;
    uint64_t next_id;
};

struct jobs *jobs_new(const struct jobs_config *config)
{
    struct jobs *jobs = mem_calloc(1, sizeof(*jobs));
    if (!jobs)
        return NULL;
    jobs->config = *config;
    pthread_mutex_init(&jobs->lock, NULL);
    return jobs;
}

/* A job without a thread. */
static void job_drop(struct job *job)
{
    search_free(job->search);
    search_free(job->counting);
    know_release(job->knowledge);
    table_backend_free(job->tables);
    pthread_mutex_destroy(&job->lock);
    arena_free(job->arena);
    mem_free(job->owner);
    mem_free(job);
}

static void cancel(struct job *job)
{
    atomic_store(&job->cancel, true);
    __atomic_store_n(&job->cancelled, true, __ATOMIC_RELAXED);
}

static void job_free(struct job *job)
{
    cancel(job);
    pthread_join(job->thread, NULL);
    job_drop(job);
}

void jobs_free(struct jobs *jobs)
{
    if (!jobs)
        return;
    for (struct job *job = jobs->first, *next; job; job = next) {
        next = job->next;
        job_free(job);
    }
    pthread_mutex_destroy(&jobs->lock);
    mem_free(jobs);
}

/* ---- running ---- */

/* The calling thread is a worker of the API that looks at a search: what it does for that asks as well whether the
 * search is over. */
static _Thread_local bool reads_only;

/* For the thread that calls, if it is one of the search's own. */
static void stand_behind(void *context)
{
    static _Thread_local bool behind;
    const struct job *job = context;
    if (behind || reads_only || clock_mono_ns(job->jobs->config.clock) - job->started_ns < LONG_AFTER_MS * NS_PER_MS)
        return;
    thread_run_idle();
    behind = true;
}

/* One batch; the lock is free between batches, and readers go first. */
static int step(struct job *job, struct search *search)
{
    while (atomic_load(&job->waiting) > 0) {
        struct timespec pause = {.tv_nsec = 200 * NS_PER_US};
        nanosleep(&pause, NULL);
    }
    pthread_mutex_lock(&job->lock);
    int more = atomic_load(&job->cancel) ? err_set(&job->err, ERR_CANCELLED, "cancelled")
                                         : search_step(search, &job->err);
    pthread_mutex_unlock(&job->lock);
    return more;
}

static int read_query(struct job *job, struct slice text, struct spl_query **out, struct err *err)
{
    struct spl_options options = {.knowledge = job->knowledge, .person = slice_text(job->owner)};
    return spl_parse_with(text, job->arena, &options, out, err);
}

/* The same events, counted over time. A query that is no plain search has no histogram. */
static int plan_counting(struct job *job, struct search **out, struct err *err)
{
    struct spl_query *parsed;
    struct search_options counting = job->options;
    counting.writer = NULL;
    counting.backend = &job->count_backend.backend;
    struct slice text = arena_printf(job->arena, "%.*s | timechart count", SLICE_ARG(job->text));
    *out = NULL;
    if (!job->events)
        return 0;
    if (!text.ptr || read_query(job, text, &parsed, err) < 0)
        return -1;
    return search_new(parsed, &counting, out, err);
}

/* Subsearches of the filter run here, and readers do not wait for them. */
static int plan(struct job *job)
{
    struct search *search = NULL, *counting = NULL;
    struct err err;
    err_clear(&err);
    int result = search_new(job->query, &job->options, &search, &err);
    if (result == 0)
        result = plan_counting(job, &counting, &err);
    pthread_mutex_lock(&job->lock);
    job->search = search;
    job->counting = counting;
    if (result < 0)
        job->err = err;
    pthread_mutex_unlock(&job->lock);
    return result;
}

static void *run(void *context)
{
    struct job *job = context;
    pthread_setname_np(pthread_self(), "search");
    thread_stand_behind(SEARCH_NICE);
    int more = plan(job) < 0 ? -1 : 1;
    while (more > 0)
        more = step(job, job->search);
    bool counts = more == 0 && job->counting;
    more = counts ? 1 : more;
    while (counts && more > 0)
        more = step(job, job->counting);
    pthread_mutex_lock(&job->lock);
    atomic_store(&job->bytes, job->search ? search_bytes(job->search) : 0);
    atomic_store(&job->state, more == 0                        ? JOB_DONE
                              : job->err.code == ERR_CANCELLED ? JOB_CANCELLED
                                                               : JOB_FAILED);
    pthread_mutex_unlock(&job->lock);
    return NULL;
}

/* ---- starting ---- */

static int read_time(const struct jobs *jobs, struct slice text, const struct zone *zone,
                     int64_t *out, struct err *err)
{
    *out = 0;
    if (!text.len)
        return 0;
    return time_modifier_read(text, clock_wall_ns(jobs->config.clock), zone, out, err);
}

static void init_backend(struct job *job, struct store_backend *backend)
{
    const struct jobs_config *config = &job->jobs->config;
    store_backend_init(backend, config->store, config->clock, &job->cancel);
    backend->backend.files = config->files;
    backend->backend.redecoder = config->redecoder;
    backend->backend.server = &job->server;
}

static void init_options(struct job *job, const struct zone *zone)
{
    const struct jobs_config *config = &job->jobs->config;
    bool may_write = role_allows(job->role, ROLE_ANALYST);
    init_backend(job, &job->backend);
    init_backend(job, &job->count_backend);
    job->options = (struct search_options){.backend = &job->backend.backend,
                                           .clock = config->clock,
                                           .zone = zone,
                                           .knowledge = job->knowledge,
                                           .person = slice_text(job->owner),
                                           .tables = table_backend_get(job->tables),
                                           .writer = may_write ? &job->writes.writer : NULL,
                                           .cancelled = &job->cancelled,
                                           .busy = stand_behind,
                                           .busy_context = job};
}

/* The query and what it runs with. */
static int prepare_query(struct job *job, const struct job_request *request, struct err *err)
{
    struct jobs *jobs = job->jobs;
    job->text = arena_copy(job->arena, request->query);
    if (!job->text.ptr)
        return err_nomem(err);
    if (table_backend_new(NULL, jobs->config.lookups, &job->tables, err) < 0)
        return -1;
    init_options(job, request->zone);
    if (read_time(jobs, request->from, request->zone, &job->options.from_ns, err) < 0 ||
        read_time(jobs, request->to, request->zone, &job->options.to_ns, err) < 0)
        return -1;
    return read_query(job, job->text, &job->query, err);
}

/* What is wrong with the text is told at once; nothing is read for that. */
static int prepare(struct job *job, const struct job_request *request, struct err *err)
{
    struct search *planned;
    if (prepare_query(job, request, err) < 0)
        return -1;
    struct search_options looking = job->options;
    looking.plan_only = true;
    looking.busy = NULL;
    if (search_new(job->query, &looking, &planned, err) < 0)
        return -1;
    job->events = search_result(planned)->events;
    job->options.rows_max = job->events ? JOB_EVENTS_MAX : JOB_ROWS_MAX;
    search_free(planned);
    return 0;
}

static struct job *new_job(struct jobs *jobs, const struct job_person *person)
{
    struct job *job = mem_calloc(1, sizeof(*job));
    if (!job)
        return NULL;
    job->jobs = jobs;
    job->owner = mem_strdup(person->name.ptr, person->name.len);
    job->role = person->role;
    job->is_token = person->is_token;
    job->arena = arena_new(64 * MIB);
    job->knowledge = knowing_hold(jobs->config.knowing);
    job->started_ns = clock_mono_ns(jobs->config.clock);
    atomic_store(&job->read_ns, job->started_ns);
    pthread_mutex_init(&job->lock, NULL);
    if (job->owner && job->arena)
        return job;
    job_drop(job);
    return NULL;
}

/* The lock of the list is held. Finished jobs nobody reads go; NULL-safe order: newest first. */
static struct job *take_forgotten(struct jobs *jobs, size_t *running)
{
    struct job **link = &jobs->first, *forgotten = NULL;
    int64_t oldest = clock_mono_ns(jobs->config.clock) - FORGET_AFTER_MINUTES * NS_PER_MINUTE;
    size_t kept = 0, bytes = 0;
    *running = 0;
    while (*link) {
        struct job *job = *link;
        bool done = atomic_load(&job->state) != JOB_RUNNING;
        bool go = done && atomic_load(&job->holds) == 0 &&
                  (atomic_load(&job->read_ns) < oldest || kept >= JOBS_KEPT_MAX || bytes > JOBS_KEPT_BYTES);
        *running += !done;
        kept += done;
        bytes += done ? atomic_load(&job->bytes) : 0;
        if (!go) {
            link = &job->next;
            continue;
        }
        *link = job->next;
        job->next = forgotten;
        forgotten = job;
    }
    return forgotten;
}

static int add_job(struct jobs *jobs, struct job *job, struct err *err)
{
    size_t running;
    pthread_mutex_lock(&jobs->lock);
    struct job *forgotten = take_forgotten(jobs, &running);
    int code = 0;
    if (running < JOBS_RUNNING_MAX) {
        snprintf(job->id, sizeof(job->id), "s%llu", (unsigned long long)++jobs->next_id);
        code = pthread_create(&job->thread, NULL, run, job);
        if (code == 0) {
            job->next = jobs->first;
            jobs->first = job;
        }
    }
    pthread_mutex_unlock(&jobs->lock);
    for (struct job *next; forgotten; forgotten = next) {
        next = forgotten->next;
        job_free(forgotten);
    }
    if (running >= JOBS_RUNNING_MAX)
        return err_set(err, ERR_LIMIT, "%d searches are running already; cancel one or wait",
                       JOBS_RUNNING_MAX);
    return code ? err_set_errno(err, code, "cannot start the search") : 0;
}

/* ---- reading ---- */

/* Held: it cannot be forgotten until let_go(). */
static struct job *find(struct jobs *jobs, struct slice id, struct slice owner, struct err *err)
{
    struct job *found = NULL;
    pthread_mutex_lock(&jobs->lock);
    for (struct job *job = jobs->first; job && !found; job = job->next)
        if (slice_is(id, job->id) && slice_is(owner, job->owner))
            found = job;
    if (found)
        atomic_fetch_add(&found->holds, 1);
    pthread_mutex_unlock(&jobs->lock);
    if (!found) {
        err_set(err, ERR_NOT_FOUND, "there is no such search; it may have been forgotten");
        return NULL;
    }
    atomic_store(&found->read_ns, clock_mono_ns(jobs->config.clock));
    return found;
}

static void let_go(struct job *job)
{
    atomic_fetch_sub(&job->holds, 1);
}

/* False: the search is busy with a long step; a worker of the API must not wait for its end. */
static bool lock_soon(struct job *job)
{
    bool locked = false;
    atomic_fetch_add(&job->waiting, 1); /* the search lets go between two steps */
    for (int ms = 0; !(locked = pthread_mutex_trylock(&job->lock) == 0) && ms < LOCK_WAIT_MS; ms++) {
        struct timespec pause = {.tv_nsec = NS_PER_MS};
        nanosleep(&pause, NULL);
    }
    atomic_fetch_sub(&job->waiting, 1);
    return locked;
}

/* ---- what searches ask of their server ---- */

/* The rows of another job, copied: it may be forgotten while they are used. */
static int copy_result(struct job *from, struct arena *arena, struct search_job *out, struct err *err)
{
    const struct search_result *result = search_result(from->search);
    struct row_store rows;
    struct frame frame;
    struct arena *work = arena_new(MEMORY_QUERY_MAX);
    int failed = !work;
    row_store_init(&rows, arena);
    if (!failed && result->rows->row_count)
        failed = frame_share(&frame, result->rows, NULL, work) < 0 || row_store_add(&rows, &frame) < 0;
    arena_free(work);
    struct batch *none = failed || rows.batch ? NULL : frame_batch_new(arena, 0);
    if (failed || (!rows.batch && !none))
        return err_nomem(err);
    *out = (struct search_job){.rows = rows.batch ? rows.batch : none,
                               .events = result->events,
                               .complete = result->complete};
    return 0;
}

static int load_job(void *context, struct slice id, struct arena *arena, struct search_job *out,
                    struct err *err)
{
    const struct job *asking = context;
    struct job *job = find(asking->jobs, id, slice_text(asking->owner), err);
    if (!job)
        return -1;
    int result = 0, state = atomic_load(&job->state); /* once done, its thread has no use for the lock */
    bool locked = state == JOB_DONE && lock_soon(job);
    if (locked)
        result = copy_result(job, arena, out, err);
    else if (state == JOB_DONE || state == JOB_RUNNING)
        result = err_set(err, ERR_CONFLICT, "the search %.*s is not done; wait for its end", SLICE_ARG(id));
    else
        result = err_set(err, ERR_CONFLICT, "the search %.*s has no answer: it failed or was cancelled",
                         SLICE_ARG(id));
    if (locked)
        pthread_mutex_unlock(&job->lock);
    let_go(job);
    return result;
}

static int ask_api(void *context, struct slice path, struct arena *arena, struct slice *json,
                   struct err *err)
{
    const struct job *job = context;
    const struct jobs_config *config = &job->jobs->config;
    const struct job_person person = {slice_text(job->owner), job->role, job->is_token};
    return config->get(config->get_context, &person, path, arena, json, err);
}

static struct job *job_of(struct jobs *jobs, const struct job_person *person, struct err *err)
{
    struct job *job = new_job(jobs, person);
    if (!job) {
        err_nomem(err);
        return NULL;
    }
    search_writes_init(&job->writes, &(struct search_writes){
        .database = jobs->config.database, .clock = jobs->config.clock, .journal = jobs->config.journal,
        .lookups = jobs->config.lookups, .person = slice_text(job->owner), .via = SLICE("search"),
        .what = job->id});
    job->server = (struct search_server){.job = load_job, .get = ask_api, .context = job};
    return job;
}

int jobs_estimate(struct jobs *jobs, const struct job_request *request, struct json *json,
                  struct err *err)
{
    struct search_estimate estimate;
    struct job *job = job_of(jobs, &request->person, err);
    if (!job)
        return -1;
    int result = prepare_query(job, request, err);
    job->options.busy = NULL; /* the caller's thread is not the job's */
    if (result == 0)
        result = search_estimate(job->query, &job->options, &estimate, err);
    if (result == 0)
        cost_put_estimate(&estimate, json);
    job_drop(job);
    return result;
}

int jobs_start(struct jobs *jobs, const struct job_request *request, char id[JOB_ID_SIZE],
               struct err *err)
{
    struct job *job = job_of(jobs, &request->person, err);
    if (!job)
        return -1;
    if (prepare(job, request, err) == 0 && add_job(jobs, job, err) == 0) {
        snprintf(id, JOB_ID_SIZE, "%s", job->id);
        return 0;
    }
    job_drop(job);
    return -1;
}

/* ---- pages ---- */

static int current(struct job *job, struct search *search, struct arena *arena,
                   struct search_result *out, struct err *err)
{
    if (atomic_load(&job->state) != JOB_RUNNING || search_result(search)->complete) {
        *out = *search_result(search);
        return 0;
    }
    return search_preview(search, arena, out, err);
}

static void put_messages(const struct search_result *result, struct json *json)
{
    json_key(json, "messages");
    json_open(json, '[');
    for (const struct search_message *message = result->messages; message; message = message->next) {
        json_open(json, '{');
        json_put_text(json, "code", slice_text(message->code));
        bool error = slice_is(slice_text(message->code), "incomplete");
        json_put_text(json, "level", error ? SLICE("error") : SLICE("warning"));
        json_put_text(json, "text", message->text);
        json_close(json, '}');
    }
    json_close(json, ']');
}

/* timechart's rows as start, span and counts. */
static void put_histogram(const struct search_result *result, struct json *json)
{
    const struct batch *rows = result->rows;
    json_key(json, "histogram");
    if (!rows || rows->row_count == 0) {
        json_null(json);
        return;
    }
    int64_t start = batch_first(rows, 0, FIELD_TIMESTAMP).i64;
    int64_t second = rows->row_count > 1 ? batch_first(rows, 1, FIELD_TIMESTAMP).i64 : start + NS_PER_MINUTE;
    json_open(json, '{');
    json_put_time(json, "start", start);
    json_put_i64(json, "span_ms", (second - start) / NS_PER_MS);
    json_key(json, "counts");
    json_open(json, '[');
    for (uint32_t row = 0; row < rows->row_count; row++) {
        struct value count = batch_first(rows, row, SLICE("count"));
        json_i64(json, count.type == VALUE_I64 ? count.i64 : 0);
    }
    json_close(json, ']');
    json_close(json, '}');
}

static void put_rows(const struct search_result *result, int64_t offset, int64_t limit,
                     struct arena *arena, struct json *json)
{
    int64_t total = result->rows ? result->rows->row_count : 0;
    int64_t end = offset + limit < total ? offset + limit : total;
    json_put_i64(json, "total", total);
    json_put_i64(json, "offset", offset);
    if (result->events)
        fields_put_events(result, offset, end, arena, json);
    else
        fields_put_table(result, offset, end, json);
}

static void put_error(const struct job *job, enum job_state state, struct json *json)
{
    json_key(json, "error");
    if (state != JOB_FAILED) {
        json_null(json);
        return;
    }
    json_open(json, '{');
    json_put_text(json, "code", SLICE("failed"));
    json_put_text(json, "message", slice_text(job->err.text));
    if (job->err.start >= 0) {
        json_put_i64(json, "start", job->err.start);
        json_put_i64(json, "end", job->err.end);
    }
    json_close(json, '}');
}

/* What there is so far; nothing when the search is busy, or when only its own next step can say that it
 * fails. */
static void look(struct job *job, bool busy, struct arena *arena, struct search_result *result,
                 struct search_result *counts)
{
    static const struct batch none;
    struct err err;
    int64_t elapsed = clock_mono_ns(job->jobs->config.clock) - job->started_ns;
    *counts = (struct search_result){0};
    *result = (struct search_result){.rows = &none, .events = job->events};
    result->progress.elapsed_ms = elapsed / NS_PER_MS;
    struct search_result nothing = *result;
    if (busy || !job->search)
        return;
    if (current(job, job->search, arena, result, &err) < 0)
        *result = nothing;
    if (job->counting && current(job, job->counting, arena, counts, &err) < 0)
        *counts = (struct search_result){0};
}

static void put_page(struct job *job, bool busy, int64_t offset, int64_t limit, struct arena *arena,
                     struct json *json)
{
    static const char *const states[] = {"running", "done", "failed", "cancelled"};
    struct search_result result, counts;
    enum job_state state = busy ? JOB_RUNNING : (enum job_state)atomic_load(&job->state);
    look(job, busy, arena, &result, &counts);
    bool done = state == JOB_DONE;
    json_open(json, '{');
    json_put_text(json, "id", slice_text(job->id));
    json_put_text(json, "state", slice_text(states[state]));
    json_put_bool(json, "complete", done && result.complete);
    json_put_text(json, "kind", result.events ? SLICE("events") : SLICE("table"));
    json_put_i64(json, "scanned_rows", (int64_t)result.progress.rows_read);
    int64_t matched = result.rows ? result.rows->row_count : 0, counted = 0;
    for (uint32_t row = 0; counts.rows && row < counts.rows->row_count; row++)
        counted += batch_first(counts.rows, row, SLICE("count")).i64;
    json_put_i64(json, "matched_rows", counted > matched ? counted : matched);
    json_put_i64(json, "elapsed_ms", result.progress.elapsed_ms);
    json_put_i64(json, "blocks", (int64_t)result.progress.blocks);
    json_put_i64(json, "blocks_skipped", (int64_t)result.progress.blocks_skipped);
    json_put_i64(json, "bytes_read", (int64_t)result.progress.bytes_read);
    put_rows(&result, offset, limit, arena, json);
    fields_put(&result, arena, json);
    put_histogram(&counts, json);
    put_messages(&result, json);
    put_error(job, state, json);
    json_close(json, '}');
}

int jobs_page(struct jobs *jobs, struct slice id, struct slice owner, int64_t offset, int64_t limit,
              struct json *json, struct err *err)
{
    struct job *job = find(jobs, id, owner, err);
    if (!job)
        return -1;
    bool locked = lock_soon(job);
    struct arena *arena = arena_new(256 * MIB);
    int result = arena ? 0 : err_nomem(err);
    reads_only = true;
    if (arena)
        put_page(job, !locked, offset, limit, arena, json);
    reads_only = false;
    arena_free(arena);
    if (locked)
        pthread_mutex_unlock(&job->lock);
    let_go(job);
    return result;
}

int jobs_cancel(struct jobs *jobs, struct slice id, struct slice owner, struct err *err)
{
    struct job *job = find(jobs, id, owner, err);
    if (!job)
        return -1;
    cancel(job);
    atomic_store(&job->read_ns, 0); /* forgotten at the next start */
    let_go(job);
    return 0;
}

int jobs_export(struct jobs *jobs, struct slice id, struct slice owner, bool csv, struct buffer *to,
                struct err *err)
{
    struct job *job = find(jobs, id, owner, err);
    if (!job)
        return -1;
    int result = 0;
    bool locked = lock_soon(job);
    if (locked && atomic_load(&job->state) == JOB_DONE)
        output_put(search_result(job->search), csv ? OUTPUT_CSV : OUTPUT_JSON, to);
    else
        result = err_set(err, ERR_CONFLICT, "the search is not done; wait or run it again");
    if (locked)
        pthread_mutex_unlock(&job->lock);
    let_go(job);
    if (result == 0 && buffer_failed(to))
        return err_set(err, ERR_LIMIT, "the result is too large to export at once; narrow it");
    return result;
}
