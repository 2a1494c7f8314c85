#include "respond/wake/wake.h"

#include "base/mem.h"
#include "respond/wake/budget.h"
#include "respond/wake/drill.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { IDLE_MS = 1000 }; /* at least so often: what people arranged, and the drill, have times of the wall clock */

struct plan_held {
    struct arena *arena;
    const struct plan *plan;
    atomic_int holders;
};

struct wake {
    const struct respond_config *config;
    struct wake_hooks hooks;
    struct pager pager;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* of the four below */
    pthread_cond_t woken;
    struct plan_held *held;
    uint64_t wakes;
    bool stopping;
    atomic_int_least64_t last_run_mono;
};

static void note(const struct wake *wake, const char *text)
{
    if (wake->config->note)
        wake->config->note(wake->config->context, text);
}

/* ---- the plan ---- */

struct plan_held *wake_plan(struct wake *wake)
{
    pthread_mutex_lock(&wake->lock);
    struct plan_held *held = wake->held;
    if (held)
        atomic_fetch_add(&held->holders, 1);
    pthread_mutex_unlock(&wake->lock);
    return held;
}

const struct plan *wake_plan_of(const struct plan_held *held)
{
    return held ? held->plan : NULL;
}

void wake_plan_release(struct plan_held *held)
{
    if (held && atomic_fetch_sub(&held->holders, 1) == 1) {
        arena_free(held->arena);
        mem_free(held);
    }
}

static int read_plan(const struct wake *wake, struct slice text, struct plan_held **out, struct err *err)
{
    struct plan_held *held = mem_calloc(1, sizeof(*held));
    *out = held;
    if (!held)
        return err_nomem(err);
    held->arena = arena_new(PLAN_ARENA_MAX);
    atomic_init(&held->holders, 1);
    int result = held->arena ? plan_parse(text, wake->config->calendars, held->arena, &held->plan, err) : err_nomem(err);
    if (result == 0)
        return 0;
    wake_plan_release(held);
    *out = NULL;
    return -1;
}

static void put_in_force(struct wake *wake, struct plan_held *held)
{
    pthread_mutex_lock(&wake->lock);
    struct plan_held *before = wake->held;
    wake->held = held;
    pthread_mutex_unlock(&wake->lock);
    wake_plan_release(before);
    wake_now(wake);
}

static bool is_in_force(struct wake *wake, struct slice text)
{
    struct plan_held *held = wake_plan(wake);
    bool same = held && slice_equal(held->plan->text, text);
    wake_plan_release(held);
    return same;
}

int wake_plan_save(struct wake *wake, struct slice text, struct slice by, struct err *err)
{
    struct plan_held *held;
    if (is_in_force(wake, text))
        return 0;
    if (read_plan(wake, text, &held, err) < 0)
        return err_within(err, "waking plan");
    if (database_do(wake->config->database, "INSERT INTO waking_plans(text,saved_by,saved_ns) VALUES(?1,?2,?3)",
                    BINDS(bind_text(text), bind_text(by), bind_i64(clock_wall_ns(wake->config->clock))), err) < 0) {
        wake_plan_release(held);
        return -1;
    }
    put_in_force(wake, held);
    return 0;
}

int wake_plan_saved(struct wake *wake, struct arena *arena, struct slice *by, int64_t *saved_ns, struct err *err)
{
    struct query *query;
    *saved_ns = 0;
    *by = SLICE_NONE;
    if (query_begin(wake->config->database, "SELECT saved_by,saved_ns FROM waking_plans ORDER BY id DESC LIMIT 1", &query,
                    err) < 0)
        return -1;
    int result = query_step(query, err);
    if (result == 1) {
        *by = query_get_text(query, 0, arena);
        *saved_ns = query_get_i64(query, 1);
    }
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int read_saved(struct wake *wake, struct err *err)
{
    struct query *query;
    struct arena *arena = arena_new(2 * PLAN_BYTES_MAX);
    struct slice text = SLICE_NONE;
    if (!arena)
        return err_nomem(err);
    int result = query_begin(wake->config->database, "SELECT text FROM waking_plans ORDER BY id DESC LIMIT 1", &query, err);
    if (result == 0) {
        result = query_step(query, err);
        if (result == 1)
            text = query_get_text(query, 0, arena);
        query_end(query);
    }
    struct plan_held *held = NULL;
    struct err problem;
    if (result == 1 && read_plan(wake, text, &held, &problem) < 0) {
        char line[ERR_TEXT_SIZE + 128];
        snprintf(line, sizeof(line), "the waking plan cannot be read any more, nobody is woken: %s", problem.text);
        note(wake, line);
    }
    wake->held = held;
    arena_free(arena);
    return result < 0 ? -1 : 0;
}

/* ---- running ---- */

struct pager *wake_pager(struct wake *wake)
{
    return &wake->pager;
}

int wake_put(struct wake *wake, const struct incident *incident, const struct page_cause *cause, struct arena *arena,
             struct err *err)
{
    struct plan_held *held = wake_plan(wake);
    int result = page_put(&wake->pager, wake_plan_of(held), incident, cause, arena, err);
    wake_plan_release(held);
    return result;
}

int wake_run(struct wake *wake, int64_t *next_pace, struct err *err)
{
    struct plan_held *held = wake_plan(wake);
    int result = page_run(&wake->pager, wake_plan_of(held), next_pace, err);
    if (result == 0 && held)
        result = drill_run(&wake->pager, held->plan, &wake->hooks, next_pace, err);
    if (result == 0 && held)
        result = budget_run(&wake->pager, held->plan, err);
    wake_plan_release(held);
    if (result == 0)
        atomic_store(&wake->last_run_mono, clock_mono_ns(wake->config->clock));
    outbox_wake(wake->pager.outbox);
    return result;
}

int64_t wake_last_run_mono(const struct wake *wake)
{
    return atomic_load(&wake->last_run_mono);
}

void wake_now(struct wake *wake)
{
    pthread_mutex_lock(&wake->lock);
    wake->wakes++;
    pthread_cond_broadcast(&wake->woken);
    pthread_mutex_unlock(&wake->lock);
}

/* False when it is time to stop. */
static bool wait_for(struct wake *wake, uint64_t *seen, int64_t wait_ms)
{
    struct timespec until = clock_deadline(CLOCK_MONOTONIC, wait_ms * NS_PER_MS);
    pthread_mutex_lock(&wake->lock);
    while (!wake->stopping && wake->wakes == *seen)
        if (pthread_cond_timedwait(&wake->woken, &wake->lock, &until) != 0)
            break;
    *seen = wake->wakes;
    bool on = !wake->stopping;
    pthread_mutex_unlock(&wake->lock);
    return on;
}

static void *run(void *context)
{
    struct wake *wake = context;
    uint64_t seen = 0;
    int64_t wait_ms = 0;
    bool said = false;
    pthread_setname_np(pthread_self(), "wake");
    while (wait_for(wake, &seen, wait_ms)) {
        struct err err;
        int64_t next;
        int result = wake_run(wake, &next, &err);
        if (result < 0 && !said)
            note(wake, err.text);
        said = result < 0;
        wait_ms = next == INT64_MAX ? IDLE_MS : (next - pace_now(wake->pager.pace)) / NS_PER_MS + 1;
        wait_ms = wait_ms < 1 ? 1 : wait_ms > IDLE_MS || result < 0 ? IDLE_MS : wait_ms;
    }
    return NULL;
}

/* ---- start and stop ---- */

int wake_open(const struct respond_config *config, const struct pace *pace, struct outbox *outbox,
              const struct wake_hooks *hooks, struct wake **out, struct err *err)
{
    pthread_condattr_t monotonic;
    struct wake *wake = mem_calloc(1, sizeof(*wake));
    *out = NULL;
    if (!wake)
        return err_nomem(err);
    wake->config = config;
    wake->hooks = hooks ? *hooks : (struct wake_hooks){0};
    wake->pager = (struct pager){config->database, outbox, pace, config, arena_new(PAGER_ARENA_MAX), 0};
    pthread_mutex_init(&wake->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&wake->woken, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (!wake->pager.arena || read_saved(wake, err) < 0) {
        int result = wake->pager.arena ? -1 : err_nomem(err);
        wake_stop(wake);
        return result;
    }
    *out = wake;
    return 0;
}

int wake_start(struct wake *wake, struct err *err)
{
    int code = pthread_create(&wake->thread, NULL, run, wake);
    if (code != 0)
        return err_set_errno(err, code, "a thread for waking people");
    wake->started = true;
    return 0;
}

void wake_stop(struct wake *wake)
{
    if (!wake)
        return;
    pthread_mutex_lock(&wake->lock);
    wake->stopping = true;
    pthread_cond_broadcast(&wake->woken);
    pthread_mutex_unlock(&wake->lock);
    if (wake->started)
        pthread_join(wake->thread, NULL);
    wake_plan_release(wake->held);
    arena_free(wake->pager.arena);
    pthread_cond_destroy(&wake->woken);
    pthread_mutex_destroy(&wake->lock);
    mem_free(wake);
}
