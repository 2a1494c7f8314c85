#pragma once
/*
 * base/mem: the only place that calls malloc. Other rooms use arenas and the
 * containers here; they call these for things with a life of their own.
 *
 * Errors  NULL when memory is out. mem_fail_after() makes the n-th later call
 *         fail, once, so that tests can walk through every failure path.
 * Threads any; the failure counter is per process and meant for tests.
 */
#include "base/attr.h"

#include <stdbool.h>
#include <stddef.h>

MUST_USE void *mem_alloc(size_t size);                    /* not cleared */
MUST_USE void *mem_calloc(size_t count, size_t size);     /* cleared, product checked */
MUST_USE void *mem_realloc(void *ptr, size_t size);       /* ptr stays valid on failure */
MUST_USE char *mem_strdup(const char *text, size_t len);  /* copy plus a zero */
void mem_free(void *ptr);                                 /* NULL is fine */

/* MEM_HUGE_BYTES at a multiple of that, not cleared, as one page of the processor where the kernel has one: what is
 * written and read all over needs a five hundredth of the address look-ups. */
enum { MEM_HUGE_BYTES = 2 * 1024 * 1024 };
MUST_USE void *mem_alloc_huge(void);
void mem_free_huge(void *ptr); /* NULL is fine */

/* Keeps freed memory in the process instead of giving pages back and faulting them in anew at every
 * batch and seal. For programs that run long; call it once, first thing in main. */
void mem_keep_pages(void);
/* Gives back what has been free for a while, when it is more than MEM_FREE_KEPT: a peak is not held for ever. Call it about
 * once a second, from one thread. */
void mem_tidy(void);

/* The n-th call from now (0 = the next) fails, then none. -1 turns it off. */
void mem_fail_after(long n);
void mem_fail_here_after(long n); /* only calls of this thread count and fail */

/* False when a * b does not fit. */
static inline bool mem_multiply(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
