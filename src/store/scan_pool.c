#include "store/scan_pool.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

#include <pthread.h>

enum { UNITS_A_THREAD = 2 }; /* fewer are not worth one */

enum hand { HAND_WORKS, HAND_OFFERS, HAND_GIVEN, HAND_DONE };

struct worker {
    struct scan_pool *pool;
    struct scan *scan;
    pthread_t thread;
    bool started;
    enum hand hand; /* this and all below under the pool's lock */
    struct scan_rows rows;
    size_t unit;            /* that rows are of */
    int result;             /* of HAND_DONE: 0, or -1 and err */
    struct err err;
    struct scan_stats stats; /* as of what it offered last */
};

struct scan_pool {
    struct worker *workers;
    uint32_t count; /* 1: its scan is the caller's thread's */
    size_t unit;    /* whose rows come next */
    uint32_t given; /* blocks of it that were */
    struct snapshot *snapshot;
    struct scan_request request;
    struct scan *alone; /* after the threads ran out of their shares of memory */
    pthread_mutex_t lock;
    pthread_cond_t offered, taken;
    bool stopping;
    struct scan_stats before; /* of the threads, when alone */
    struct scan_stats stats;  /* for scan_pool_stats */
};

static void *work(void *context)
{
    struct worker *worker = context;
    struct scan_pool *pool = worker->pool;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stopping) {
        struct scan_rows rows;
        struct err err;
        err_clear(&err);
        pthread_mutex_unlock(&pool->lock);
        int got = scan_next(worker->scan, &rows, &err);
        pthread_mutex_lock(&pool->lock);
        worker->stats = *scan_get_stats(worker->scan);
        worker->stats.cpu_ns = clock_thread_cpu_ns();
        worker->unit = scan_get_unit(worker->scan);
        worker->rows = rows;
        worker->err = err;
        worker->result = got;
        worker->hand = got > 0 ? HAND_OFFERS : HAND_DONE;
        pthread_cond_broadcast(&pool->offered);
        if (got <= 0)
            break;
        while (worker->hand != HAND_WORKS && !pool->stopping)
            pthread_cond_wait(&pool->taken, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static int start(struct scan_pool *pool, struct err *err)
{
    for (uint32_t i = 0; pool->count > 1 && i < pool->count; i++) {
        struct worker *worker = &pool->workers[i];
        int code = pthread_create(&worker->thread, NULL, work, worker);
        if (code != 0)
            return err_set_errno(err, code, "cannot start a thread of the search");
        worker->started = true;
    }
    return 0;
}

static int open_scans(struct scan_pool *pool, struct snapshot *snapshot,
                      const struct scan_request *request, struct err *err)
{
    struct scan_request share = *request;
    size_t memory = request->memory_max ? request->memory_max : MEMORY_QUERY_MAX;
    if (pool->count > 1) {
        share.memory_max = memory / pool->count;
        share.share_count = pool->count;
    }
    for (uint32_t i = 0; i < pool->count; i++) {
        share.share_index = i;
        pool->workers[i].pool = pool;
        if (scan_open(snapshot, &share, &pool->workers[i].scan, err) < 0)
            return -1;
    }
    return 0;
}

/* As many as have enough to do. */
static uint32_t useful_threads(struct snapshot *snapshot, const struct scan_request *request,
                               uint32_t threads)
{
    size_t units = scan_unit_count(snapshot, request) / UNITS_A_THREAD;
    threads = threads > SCAN_THREADS_MAX ? SCAN_THREADS_MAX : threads;
    threads = units < threads ? (uint32_t)units : threads;
    return request->newest_first || threads == 0 ? 1 : threads;
}

int scan_pool_open(struct snapshot *snapshot, const struct scan_request *request, uint32_t threads,
                   struct scan_pool **out, struct err *err)
{
    *out = NULL;
    struct scan_pool *pool = mem_calloc(1, sizeof(*pool));
    if (!pool)
        return err_nomem(err);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->offered, NULL);
    pthread_cond_init(&pool->taken, NULL);
    pool->snapshot = snapshot;
    pool->request = *request;
    pool->count = useful_threads(snapshot, request, threads);
    pool->workers = mem_calloc(pool->count, sizeof(*pool->workers));
    if (!pool->workers)
        pool->count = 0;
    int result = pool->workers ? open_scans(pool, snapshot, request, err) : err_nomem(err);
    if (result == 0)
        result = start(pool, err);
    if (result < 0) {
        scan_pool_close(pool);
        return -1;
    }
    *out = pool;
    return 0;
}

static void end_threads(struct scan_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->taken);
    pthread_mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < pool->count; i++) {
        struct worker *worker = &pool->workers[i];
        if (worker->started)
            pthread_join(worker->thread, NULL);
        worker->started = false;
    }
}

void scan_pool_close(struct scan_pool *pool)
{
    if (!pool)
        return;
    end_threads(pool);
    for (uint32_t i = 0; i < pool->count; i++)
        scan_close(pool->workers[i].scan);
    scan_close(pool->alone);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->offered);
    pthread_cond_destroy(&pool->taken);
    mem_free(pool->workers);
    mem_free(pool);
}

/* ---- taking ------------------------------------------------------------------------------ */

/* What was given before may be overwritten now. */
static void hand_back(struct scan_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++)
        if (pool->workers[i].hand == HAND_GIVEN) {
            pool->workers[i].hand = HAND_WORKS;
            pthread_cond_broadcast(&pool->taken);
        }
}

/* The worker that has the next rows, or fails; NULL at the end. */
static struct worker *next_worker(struct scan_pool *pool)
{
    for (uint32_t done = 0; done < pool->count; pool->unit++, pool->given = 0) {
        struct worker *worker = &pool->workers[pool->unit % pool->count];
        while (worker->hand == HAND_WORKS)
            pthread_cond_wait(&pool->offered, &pool->lock);
        bool over = worker->hand == HAND_DONE;
        if (over && worker->result < 0)
            return worker;
        if (!over && worker->unit * pool->count + pool->unit % pool->count == pool->unit)
            return worker;
        done = over ? done + 1 : 0;
    }
    return NULL;
}

/* One thread with all the memory goes on where the threads are: what was given of the unit at hand is
 * read again and left out. */
static int go_alone(struct scan_pool *pool, struct err *err)
{
    struct scan_rows rows;
    struct scan_stats stats = *scan_pool_stats(pool);
    end_threads(pool);
    for (uint32_t i = 0; i < pool->count; i++)
        scan_release_memory(pool->workers[i].scan); /* the names of damages live on with them */
    pool->before = stats;
    if (scan_open(pool->snapshot, &pool->request, &pool->alone, err) < 0)
        return -1;
    scan_skip_units(pool->alone, pool->unit);
    for (uint32_t i = 0; i < pool->given; i++)
        if (scan_next(pool->alone, &rows, err) < 0)
            return -1;
    return 0;
}

/* 1, 0, -1 as scan_next(). */
static int take(struct scan_pool *pool, struct scan_rows *out, struct err *err)
{
    int result = 0;
    pthread_mutex_lock(&pool->lock);
    hand_back(pool);
    struct worker *worker = next_worker(pool);
    if (worker && worker->hand == HAND_DONE) {
        *err = worker->err;
        result = -1;
    } else if (worker) {
        *out = worker->rows;
        worker->hand = HAND_GIVEN;
        pool->given++;
        result = 1;
    }
    pthread_mutex_unlock(&pool->lock);
    return result;
}

int scan_pool_next(struct scan_pool *pool, struct scan_rows *out, struct err *err)
{
    if (pool->count == 1)
        return scan_next(pool->workers[0].scan, out, err);
    if (pool->alone)
        return scan_next(pool->alone, out, err);
    struct err own, *why = err ? err : &own;
    int result = take(pool, out, why);
    if (result >= 0 || (why->code != ERR_NOMEM && why->code != ERR_LIMIT))
        return result;
    return go_alone(pool, err) < 0 ? -1 : scan_next(pool->alone, out, err);
}

const struct scan_stats *scan_pool_stats(struct scan_pool *pool)
{
    if (pool->count == 1)
        return scan_get_stats(pool->workers[0].scan);
    if (pool->alone) {
        pool->stats = pool->before;
        scan_stats_add(&pool->stats, scan_get_stats(pool->alone));
        return &pool->stats;
    }
    pool->stats = (struct scan_stats){0};
    pthread_mutex_lock(&pool->lock);
    for (uint32_t i = 0; i < pool->count; i++)
        scan_stats_add(&pool->stats, &pool->workers[i].stats);
    pthread_mutex_unlock(&pool->lock);
    return &pool->stats;
}
