#pragma once
/*
 * base/arena: memory with one lifetime, freed all at once.
 *
 * Ownership  Who makes it frees it; what is allocated lives until arena_reset()
 *            or arena_free().
 * Threads    One thread at a time.
 * Limits     A cap in bytes given at creation; reaching it returns NULL. Arenas may share one.
 * Alignment  16 bytes.
 *
 *   arena ── chunk ── chunk ── chunk        chunks double up to 1 MiB (1/64 of a budget that is
 *            [used|free] ...                shared); a larger request gets a chunk of its own
 */
#include "base/attr.h"
#include "base/slice.h"

#include <stdarg.h>
#include <stddef.h>

struct arena;
struct chunk;
struct deferred;

MUST_USE struct arena *arena_new(size_t bytes_max);
/* It grows by huge pages (base/mem.h) from now on, once it has its first chunks: for the few that hold many MiB at a
 * time, all of which are touched again and again; part of the last page stays unused. */
void arena_use_huge_pages(struct arena *arena);

/* What several arenas may hold together; all of them belong to one thread, and it outlives them. */
struct arena_budget {
    size_t bytes_max;
    size_t bytes_held;
};
MUST_USE struct arena *arena_new_within(struct arena_budget *budget);
void arena_free(struct arena *arena); /* NULL is fine */

/* Forgets everything; keeps the largest normal chunk so that the next round rarely allocates. */
void arena_reset(struct arena *arena);

/* What is allocated after the mark is forgotten by arena_rewind(); what was before stays. A mark is
 * good until the arena is rewound to an earlier one or reset. */
struct arena_mark {
    struct chunk *chunk;
    size_t used;
    struct deferred *deferred;
    size_t made;
};
struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, const struct arena_mark *mark);

MUST_USE void *arena_alloc(struct arena *arena, size_t size);  /* not cleared */
MUST_USE void *arena_calloc(struct arena *arena, size_t size); /* cleared */
MUST_USE void *arena_array(struct arena *arena, size_t count, size_t size); /* cleared, checked */

/* Grows an array that the arena gave; the old place stays valid. In place when it was the last. */
MUST_USE void *arena_grow(struct arena *arena, void *ptr, size_t old_size, size_t new_size);
/* Frees a large piece before the arena goes, when nobody has it any more; small ones stay. NULL is fine. */
void arena_give_back(struct arena *arena, void *ptr);

/* SLICE_NONE when memory is out. A copy of an empty slice has a non-NULL ptr. A zero follows. */
MUST_USE struct slice arena_copy(struct arena *arena, struct slice text);
MUST_USE char *arena_string(struct arena *arena, struct slice text); /* zero-terminated */
PRINTF_LIKE(2, 3) MUST_USE struct slice arena_printf(struct arena *arena, const char *format, ...);

/* Calls release(ptr) when the arena is reset or freed, last registered first: for what an arena
 * cannot hold itself, such as compiled regular expressions. -1 when memory is out: then release
 * has been called already. */
MUST_USE int arena_defer(struct arena *arena, void (*release)(void *ptr), void *ptr);

size_t arena_used(const struct arena *arena);  /* bytes held from the system, all chunks */
