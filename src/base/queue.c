#include "base/queue.h"

#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <time.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled, drained;
    bool closed;
    size_t slots, first, count;
    void *items[];
};

struct queue *queue_new(size_t slots)
{
    struct queue *queue = mem_calloc(1, sizeof(*queue) + slots * sizeof(void *));
    if (!queue)
        return NULL;
    queue->slots = slots;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled, &monotonic);
    pthread_cond_init(&queue->drained, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return queue;
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    pthread_cond_destroy(&queue->filled);
    pthread_cond_destroy(&queue->drained);
    pthread_mutex_destroy(&queue->lock);
    mem_free(queue);
}

static void put(struct queue *queue, void *item)
{
    queue->items[(queue->first + queue->count) % queue->slots] = item;
    queue->count++;
    pthread_cond_signal(&queue->filled);
}

static void *take(struct queue *queue)
{
    void *item = queue->items[queue->first];
    queue->first = (queue->first + 1) % queue->slots;
    queue->count--;
    pthread_cond_signal(&queue->drained);
    return item;
}

bool queue_push(struct queue *queue, void *item)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->count == queue->slots && !queue->closed)
        pthread_cond_wait(&queue->drained, &queue->lock);
    bool open = !queue->closed;
    if (open)
        put(queue, item);
    pthread_mutex_unlock(&queue->lock);
    return open;
}

bool queue_try_push(struct queue *queue, void *item)
{
    pthread_mutex_lock(&queue->lock);
    bool fits = queue->count < queue->slots && !queue->closed;
    if (fits)
        put(queue, item);
    pthread_mutex_unlock(&queue->lock);
    return fits;
}

void *queue_pop(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->count == 0 && !queue->closed)
        pthread_cond_wait(&queue->filled, &queue->lock);
    void *item = queue->count ? take(queue) : NULL;
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void *queue_pop_wait(struct queue *queue, int64_t wait_ms)
{
    struct timespec until = clock_deadline(CLOCK_MONOTONIC, wait_ms * NS_PER_MS);
    pthread_mutex_lock(&queue->lock);
    while (queue->count == 0 && !queue->closed && wait_ms > 0)
        if (pthread_cond_timedwait(&queue->filled, &queue->lock, &until) != 0)
            break;
    void *item = queue->count ? take(queue) : NULL;
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->filled);
    pthread_cond_broadcast(&queue->drained);
    pthread_mutex_unlock(&queue->lock);
}

size_t queue_count(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t count = queue->count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}
