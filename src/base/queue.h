#pragma once
/*
 * base/queue: a bounded queue of pointers between threads. Pushing gives the
 * pointer away. Full means the sender waits (queue_push) or is told
 * (queue_try_push); the caller writes at the queue which one it uses.
 *
 * Threads  Any number on both sides.
 */
#include "base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

MUST_USE struct queue *queue_new(size_t slots);
void queue_free(struct queue *queue); /* NULL is fine; what is still inside is not freed */

/* False when the queue is closed: the pointer is still the caller's. */
MUST_USE bool queue_push(struct queue *queue, void *item);
MUST_USE bool queue_try_push(struct queue *queue, void *item); /* false also when full */

/* NULL when closed and empty. */
void *queue_pop(struct queue *queue);
/* As queue_pop, but NULL also after wait_ms (0 = do not wait). */
void *queue_pop_wait(struct queue *queue, int64_t wait_ms);

/* Nothing can be pushed any more; what is inside can still be popped. */
void queue_close(struct queue *queue);
size_t queue_count(struct queue *queue);
