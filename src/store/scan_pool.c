#include "store/scan_pool.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"

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
    struct scan_place place; /* of rows */
    struct scan_place left;  /* what is before it, of this share, the caller has had */
    int result;              /* of HAND_DONE: 0, or -1 and err */
    struct err err;
    struct scan_stats stats; /* as of what it offered last */
};

struct scan_pool {
    struct worker *workers;
    uint32_t count; /* 1: its scan is the caller's thread's */
    size_t unit;    /* whose rows come next */
    struct snapshot *snapshot;
    struct scan_request request;
    struct scan *alone; /* after the threads ran out of their shares of memory */
    pthread_mutex_t lock;
    pthread_cond_t offered, taken;
    bool started, stopping;
    bool parted; /* the caller's threads have taken parts */
    struct scan_stats before; /* of the threads, when alone */
    struct scan_stats stats;  /* for scan_pool_stats */
};

static void *work(void *context)
{
    struct worker *worker = context;
    struct scan_pool *pool = worker->pool;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stopping) {
        struct scan_rows rows = {0};
        struct err err;
        err_clear(&err);
        pthread_mutex_unlock(&pool->lock);
        int got = scan_next(worker->scan, &rows, &err);
        pthread_mutex_lock(&pool->lock);
        worker->stats = *scan_get_stats(worker->scan);
        worker->stats.cpu_ns = clock_thread_cpu_ns();
        worker->place = scan_get_place(worker->scan);
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

/* False: there are not enough threads, and none is at work. */
static bool start(struct scan_pool *pool)
{
    pool->started = true;
    for (uint32_t i = 0; i < pool->count; i++) {
        struct worker *worker = &pool->workers[i];
        worker->started = thread_start(&worker->thread, work, worker) == 0;
        if (!worker->started) {
            end_threads(pool);
            return false;
        }
    }
    return true;
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
    if ((pool->workers ? open_scans(pool, snapshot, request, err) : err_nomem(err)) < 0) {
        scan_pool_close(pool);
        return -1;
    }
    *out = pool;
    return 0;
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
    for (uint32_t done = 0; done < pool->count; pool->unit++) {
        struct worker *worker = &pool->workers[pool->unit % pool->count];
        while (worker->hand == HAND_WORKS)
            pthread_cond_wait(&pool->offered, &pool->lock);
        bool over = worker->hand == HAND_DONE;
        if (over && worker->result < 0)
            return worker;
        if (!over && worker->place.unit == pool->unit)
            return worker;
        done = over ? done + 1 : 0;
    }
    return NULL;
}

/* One thread with all the memory goes on where the threads are: what was given of the units at hand is
 * read again and left out. */
static int go_alone(struct scan_pool *pool, struct err *err)
{
    size_t from[SCAN_THREADS_MAX];
    struct scan_request rest = pool->request;
    struct scan_stats stats = *scan_pool_stats(pool);
    end_threads(pool);
    for (uint32_t i = 0; i < pool->count; i++) {
        scan_release_memory(pool->workers[i].scan); /* the names of damages live on with them */
        from[i] = pool->workers[i].left.unit / pool->count;
    }
    pool->before = stats;
    rest.rest_count = pool->count;
    rest.rest_from = from;
    return scan_open(pool->snapshot, &rest, &pool->alone, err);
}

/* How many of the rows were given before. */
static uint32_t rows_given(const struct scan_pool *pool, const struct scan_place *place, uint32_t rows)
{
    const struct scan_place *left = &pool->workers[place->unit % pool->count].left;
    if (place->unit != left->unit || place->block > left->block)
        return 0;
    if (place->block < left->block || left->row >= place->row + rows)
        return rows;
    return left->row > place->row ? left->row - place->row : 0;
}

static int next_alone(struct scan_pool *pool, struct scan_rows *out, struct err *err)
{
    int got;
    while ((got = scan_next(pool->alone, out, err)) > 0) {
        struct scan_place place = scan_get_place(pool->alone);
        out->first = rows_given(pool, &place, out->row_count);
        if (out->first < out->row_count)
            break;
    }
    return got;
}

static void note_given(struct worker *worker, struct scan_rows *out)
{
    *out = worker->rows;
    out->first = 0;
    worker->left = (struct scan_place){worker->place.unit, worker->place.block + 1, 0};
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
        note_given(worker, out);
        worker->hand = HAND_GIVEN;
        result = 1;
    }
    pthread_mutex_unlock(&pool->lock);
    return result;
}

/* The caller's thread reads a block of a share. */
static void fetch(struct worker *worker)
{
    struct scan_rows rows = {0};
    err_clear(&worker->err);
    int got = scan_next(worker->scan, &rows, &worker->err);
    pthread_mutex_lock(&worker->pool->lock);
    worker->stats = *scan_get_stats(worker->scan);
    pthread_mutex_unlock(&worker->pool->lock);
    worker->hand = got > 0 ? HAND_OFFERS : HAND_DONE;
    worker->result = got;
    if (got > 0) {
        worker->rows = rows;
        worker->place = scan_get_place(worker->scan);
    }
}

/* What the parts have left, in the order of units. */
static int take_rest(struct scan_pool *pool, struct scan_rows *out, struct err *err)
{
    struct worker *first = NULL;
    for (uint32_t i = 0; i < pool->count; i++) {
        struct worker *worker = &pool->workers[i];
        if (worker->hand == HAND_WORKS)
            fetch(worker);
        if (worker->hand == HAND_DONE && worker->result < 0) {
            *err = worker->err;
            return -1;
        }
        if (worker->hand == HAND_OFFERS && (!first || worker->place.unit < first->place.unit))
            first = worker;
    }
    if (!first)
        return 0;
    uint32_t given = rows_given(pool, &first->place, first->rows.row_count);
    note_given(first, out);
    out->first = given;
    first->hand = HAND_WORKS;
    return 1;
}

static bool lacks_memory(const struct err *err)
{
    return err->code == ERR_NOMEM || err->code == ERR_LIMIT;
}

int scan_pool_next(struct scan_pool *pool, struct scan_rows *out, struct err *err)
{
    if (pool->count == 1)
        return scan_next(pool->workers[0].scan, out, err);
    if (pool->alone)
        return next_alone(pool, out, err);
    struct err own, *why = err ? err : &own;
    if (!pool->parted && !pool->started && !start(pool))
        return go_alone(pool, why) < 0 ? -1 : next_alone(pool, out, why);
    int result = pool->parted ? take_rest(pool, out, why) : take(pool, out, why);
    if (result >= 0 || !lacks_memory(why))
        return result;
    return go_alone(pool, why) < 0 ? -1 : next_alone(pool, out, why);
}

uint32_t scan_pool_parts(const struct scan_pool *pool)
{
    return pool->count;
}

int scan_pool_part(struct scan_pool *pool, uint32_t part, struct scan_rows *out, struct err *err)
{
    struct worker *worker = &pool->workers[part];
    __atomic_store_n(&pool->parted, true, __ATOMIC_RELAXED);
    fetch(worker);
    if (worker->hand == HAND_DONE) {
        if (worker->result < 0 && err)
            *err = worker->err;
        return worker->result;
    }
    worker->hand = HAND_WORKS;
    note_given(worker, out);
    return 1;
}

void scan_pool_put_back(struct scan_pool *pool, uint32_t part, uint32_t row)
{
    struct worker *worker = &pool->workers[part];
    worker->left = worker->place;
    worker->left.row = row;
    worker->hand = HAND_OFFERS;
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
