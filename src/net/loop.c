#include "net/loop.h"

#include "base/thread.h"
#include "net/closer.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

struct task {
    struct task *next;
    void (*function)(void *context);
    void *context;
};

struct net_timer {
    struct net_closer closer;
    struct net_timer *next;
    uv_timer_t timer;
    struct net_loop *loop;
    void (*function)(void *context);
    void *context;
};

struct net_loop {
    uv_loop_t uv;
    struct net_timer *timers; /* all there were; freed with the loop */
    uv_async_t wake;
    pthread_t thread;
    const char *name;
    pthread_mutex_t lock; /* of the tasks and stopping */
    struct task *first, *last;
    bool stopping; /* everything is being closed */
    bool ended;    /* nothing that is posted would run */
    atomic_int holds; /* net_loop_stop's own included */
};

struct uv_loop_s *net_loop_uv(struct net_loop *loop)
{
    return &loop->uv;
}

static struct task *take_tasks(struct net_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct task *tasks = loop->first;
    loop->first = loop->last = NULL;
    pthread_mutex_unlock(&loop->lock);
    return tasks;
}

static void run_tasks(struct net_loop *loop)
{
    struct task *task;
    while ((task = take_tasks(loop)))
        for (struct task *next; task; task = next) {
            next = task->next;
            task->function(task->context);
            mem_free(task);
        }
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (uv_is_closing(handle))
        return;
    /* What this room keeps in handle->data starts with a function that closes it (net/closer.h). */
    const struct net_closer *closer = handle->data;
    if (closer)
        closer->close(handle->data);
    else
        uv_close(handle, NULL);
}

static void on_wake(uv_async_t *wake)
{
    struct net_loop *loop = wake->loop->data;
    run_tasks(loop);
    pthread_mutex_lock(&loop->lock);
    bool stopping = loop->stopping;
    pthread_mutex_unlock(&loop->lock);
    if (stopping)
        uv_walk(&loop->uv, close_handle, NULL);
}

static void *run(void *context)
{
    struct net_loop *loop = context;
    pthread_setname_np(pthread_self(), loop->name);
    thread_run_soon();
    thread_go_before();
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    run_tasks(loop); /* what was posted while closing still runs, so nothing it owns leaks */
    pthread_mutex_lock(&loop->lock);
    loop->ended = true;
    pthread_mutex_unlock(&loop->lock);
    run_tasks(loop);
    return NULL;
}

void net_loop_hold(struct net_loop *loop)
{
    atomic_fetch_add(&loop->holds, 1);
}

void net_loop_drop(struct net_loop *loop)
{
    if (atomic_fetch_sub(&loop->holds, 1) != 1)
        return;
    for (struct net_timer *timer = loop->timers, *next; timer; timer = next) {
        next = timer->next;
        mem_free(timer);
    }
    pthread_mutex_destroy(&loop->lock);
    mem_free(loop);
}

int net_loop_start(const char *name, struct net_loop **out, struct err *err)
{
    *out = NULL;
    struct net_loop *loop = mem_calloc(1, sizeof(*loop));
    if (!loop)
        return err_nomem(err);
    loop->name = name;
    loop->holds = 1;
    pthread_mutex_init(&loop->lock, NULL);
    int code = uv_loop_init(&loop->uv);
    if (code < 0) {
        net_loop_drop(loop);
        return err_set(err, ERR_IO, "cannot make an event loop: %s", uv_strerror(code));
    }
    loop->uv.data = loop;
    uv_async_init(&loop->uv, &loop->wake, on_wake);
    loop->wake.data = NULL;
    code = pthread_create(&loop->thread, NULL, run, loop);
    if (code != 0) {
        uv_close((uv_handle_t *)&loop->wake, NULL);
        uv_run(&loop->uv, UV_RUN_DEFAULT);
        uv_loop_close(&loop->uv);
        net_loop_drop(loop);
        return err_set_errno(err, code, "cannot start the thread %s", name);
    }
    *out = loop;
    return 0;
}

void net_loop_stop(struct net_loop *loop)
{
    if (!loop)
        return;
    pthread_mutex_lock(&loop->lock);
    loop->stopping = true;
    pthread_mutex_unlock(&loop->lock);
    uv_async_send(&loop->wake);
    pthread_join(loop->thread, NULL);
    uv_loop_close(&loop->uv);
    net_loop_drop(loop);
}

bool net_loop_post(struct net_loop *loop, void (*function)(void *context), void *context)
{
    struct task *task = mem_alloc(sizeof(*task));
    if (!task)
        return false;
    *task = (struct task){NULL, function, context};
    pthread_mutex_lock(&loop->lock);
    bool open = !loop->ended;
    if (open) {
        if (loop->last)
            loop->last->next = task;
        else
            loop->first = task;
        loop->last = task;
        uv_async_send(&loop->wake);
    }
    pthread_mutex_unlock(&loop->lock);
    if (!open)
        mem_free(task);
    return open;
}

struct waiting {
    void (*function)(void *context);
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t ready;
    bool done;
};

static void run_waiting(void *context)
{
    struct waiting *waiting = context;
    waiting->function(waiting->context);
    pthread_mutex_lock(&waiting->lock);
    waiting->done = true;
    pthread_cond_signal(&waiting->ready);
    pthread_mutex_unlock(&waiting->lock);
}

bool net_loop_call(struct net_loop *loop, void (*function)(void *context), void *context)
{
    struct waiting waiting = {.function = function, .context = context};
    pthread_mutex_init(&waiting.lock, NULL);
    pthread_cond_init(&waiting.ready, NULL);
    bool posted = net_loop_post(loop, run_waiting, &waiting);
    pthread_mutex_lock(&waiting.lock);
    while (posted && !waiting.done)
        pthread_cond_wait(&waiting.ready, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
    pthread_cond_destroy(&waiting.ready);
    pthread_mutex_destroy(&waiting.lock);
    return posted;
}

/* ---- timers ---- */

static void close_timer(void *self)
{
    struct net_timer *timer = self;
    uv_close((uv_handle_t *)&timer->timer, NULL);
}

static void on_timer(uv_timer_t *handle)
{
    struct net_timer *timer = handle->data;
    timer->function(timer->context);
}

static void init_timer(void *context)
{
    struct net_timer *timer = context;
    uv_timer_init(&timer->loop->uv, &timer->timer);
    timer->timer.data = timer;
    timer->next = timer->loop->timers;
    timer->loop->timers = timer;
}

struct net_timer *net_timer_new(struct net_loop *loop, void (*function)(void *context), void *context)
{
    struct net_timer *timer = mem_calloc(1, sizeof(*timer));
    if (!timer)
        return NULL;
    timer->closer.close = close_timer;
    timer->loop = loop;
    timer->function = function;
    timer->context = context;
    if (pthread_equal(pthread_self(), loop->thread)) {
        init_timer(timer);
    } else if (!net_loop_call(loop, init_timer, timer)) {
        mem_free(timer);
        return NULL;
    }
    return timer;
}

void net_timer_start(struct net_timer *timer, int64_t after_ms, int64_t repeat_ms)
{
    if (!uv_is_closing((uv_handle_t *)&timer->timer))
        uv_timer_start(&timer->timer, on_timer, (uint64_t)after_ms, (uint64_t)repeat_ms);
}

bool net_timer_is_set(const struct net_timer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->timer);
}
