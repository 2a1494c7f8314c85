#include "base/arena.h"

#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>

enum { ALIGNMENT = 16, CHUNK_MIN = 16 * 1024, CHUNK_MAX = 1024 * 1024 };

struct chunk {
    struct chunk *next;
    size_t size; /* of data */
    size_t used;
    size_t own; /* holds one piece alone */
    size_t number; /* in order of making */
    size_t huge;   /* from mem_alloc_huge(); data starts at a multiple of ALIGNMENT */
    char data[];
};

struct deferred {
    struct deferred *next;
    void (*release)(void *ptr);
    void *ptr;
};

struct arena {
    struct chunk *chunk; /* the current one first */
    struct deferred *deferred;
    struct arena_budget *budget; /* own, or one that others draw from too */
    struct arena_budget own;
    size_t bytes_held;
    size_t chunk_next;
    size_t made; /* chunks, ever */
    bool huge_pages;
};

void arena_use_huge_pages(struct arena *arena)
{
    arena->huge_pages = true;
}

struct arena *arena_new(size_t bytes_max)
{
    struct arena *arena = mem_calloc(1, sizeof(*arena));
    if (!arena)
        return NULL;
    arena->own.bytes_max = bytes_max;
    arena->budget = &arena->own;
    arena->chunk_next = CHUNK_MIN;
    return arena;
}

struct arena *arena_new_within(struct arena_budget *budget)
{
    struct arena *arena = arena_new(0);
    if (arena)
        arena->budget = budget;
    return arena;
}

/* A reset arena keeps a chunk: many that share a small budget would keep it all. */
static size_t chunk_max(const struct arena *arena)
{
    enum { SHARE = 64 };
    size_t share = arena->budget->bytes_max / SHARE;
    if (arena->budget == &arena->own || share > CHUNK_MAX)
        return CHUNK_MAX;
    return share < CHUNK_MIN ? CHUNK_MIN : share;
}

static size_t chunk_bytes(const struct chunk *chunk)
{
    return sizeof(*chunk) + chunk->size;
}

static void free_chunk(struct arena *arena, struct chunk *chunk)
{
    arena->bytes_held -= chunk_bytes(chunk);
    arena->budget->bytes_held -= chunk_bytes(chunk);
    if (chunk->huge)
        mem_free_huge(chunk);
    else
        mem_free(chunk);
}

int arena_defer(struct arena *arena, void (*release)(void *ptr), void *ptr)
{
    struct deferred *entry = arena_alloc(arena, sizeof(*entry));
    if (!entry) {
        release(ptr);
        return -1;
    }
    *entry = (struct deferred){arena->deferred, release, ptr};
    arena->deferred = entry;
    return 0;
}

static void run_deferred(struct arena *arena)
{
    for (struct deferred *entry = arena->deferred; entry; entry = entry->next)
        entry->release(entry->ptr);
    arena->deferred = NULL;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    run_deferred(arena);
    for (struct chunk *chunk = arena->chunk, *next; chunk; chunk = next) {
        next = chunk->next;
        free_chunk(arena, chunk);
    }
    mem_free(arena);
}

void arena_reset(struct arena *arena)
{
    struct chunk *keep = NULL;
    run_deferred(arena);
    for (struct chunk *chunk = arena->chunk, *next; chunk; chunk = next) {
        next = chunk->next;
        if ((chunk->huge || chunk->size <= chunk_max(arena)) && (!keep || chunk->size > keep->size)) {
            struct chunk *swap = keep;
            keep = chunk;
            chunk = swap;
        }
        if (chunk)
            free_chunk(arena, chunk);
    }
    arena->chunk = keep;
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
    }
}

struct arena_mark arena_mark(const struct arena *arena)
{
    const struct chunk *chunk = arena->chunk;
    return (struct arena_mark){arena->chunk, chunk ? chunk->used : 0, arena->deferred, arena->made};
}

void arena_rewind(struct arena *arena, const struct arena_mark *mark)
{
    while (arena->deferred != mark->deferred) {
        struct deferred *entry = arena->deferred;
        arena->deferred = entry->next;
        entry->release(entry->ptr);
    }
    for (struct chunk **at = &arena->chunk; *at;) {
        struct chunk *chunk = *at;
        if (chunk->number < mark->made) {
            at = &chunk->next;
            continue;
        }
        *at = chunk->next;
        free_chunk(arena, chunk);
    }
    if (mark->chunk)
        mark->chunk->used = mark->used;
}

/* A request of its own size goes behind the current chunk, so the current one stays in use. */
static void *add_chunk(struct arena *arena, size_t size)
{
    struct arena_budget *budget = arena->budget;
    bool own = size > arena->chunk_next;
    bool huge = !own && arena->chunk_next == CHUNK_MAX && arena->huge_pages;
    size_t data_size = own ? size : huge ? MEM_HUGE_BYTES - sizeof(struct chunk) : arena->chunk_next;
    if (budget->bytes_held + data_size + sizeof(struct chunk) > budget->bytes_max) {
        data_size = size;
        huge = false;
        if (budget->bytes_held + data_size + sizeof(struct chunk) > budget->bytes_max)
            return NULL;
    }
    struct chunk *chunk = huge ? mem_alloc_huge() : mem_alloc(sizeof(*chunk) + data_size);
    if (!chunk)
        return NULL;
    chunk->size = data_size;
    chunk->used = size;
    chunk->own = own;
    chunk->huge = huge;
    chunk->number = arena->made++;
    arena->bytes_held += chunk_bytes(chunk);
    budget->bytes_held += chunk_bytes(chunk);
    if (own && arena->chunk) {
        chunk->next = arena->chunk->next;
        arena->chunk->next = chunk;
    } else {
        chunk->next = arena->chunk;
        arena->chunk = chunk;
        if (2 * arena->chunk_next <= chunk_max(arena))
            arena->chunk_next *= 2;
    }
    return chunk->data;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > arena->budget->bytes_max)
        return NULL;
    size = (size + (ALIGNMENT - 1)) & ~(size_t)(ALIGNMENT - 1);
    struct chunk *chunk = arena->chunk;
    if (LIKELY(chunk && chunk->size - chunk->used >= size)) {
        void *ptr = chunk->data + chunk->used;
        chunk->used += size;
        return ptr;
    }
    return add_chunk(arena, size);
}

void *arena_calloc(struct arena *arena, size_t size)
{
    void *ptr = arena_alloc(arena, size);
    return ptr ? memset(ptr, 0, size) : NULL;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    return mem_multiply(count, size, &bytes) ? arena_calloc(arena, bytes) : NULL;
}

void *arena_grow(struct arena *arena, void *ptr, size_t old_size, size_t new_size)
{
    size_t old_room = (old_size + (ALIGNMENT - 1)) & ~(size_t)(ALIGNMENT - 1);
    struct chunk *chunk = arena->chunk;
    if (ptr && chunk && (char *)ptr + old_room == chunk->data + chunk->used &&
        new_size <= chunk->size && (size_t)((char *)ptr - chunk->data) <= chunk->size - new_size) {
        size_t room = (new_size + (ALIGNMENT - 1)) & ~(size_t)(ALIGNMENT - 1);
        size_t start = (size_t)((char *)ptr - chunk->data);
        if (start + room <= chunk->size) {
            chunk->used = start + room;
            return ptr;
        }
    }
    void *fresh = arena_alloc(arena, new_size);
    if (fresh && ptr && old_size)
        memcpy(fresh, ptr, old_size < new_size ? old_size : new_size);
    return fresh;
}

void arena_give_back(struct arena *arena, void *ptr)
{
    for (struct chunk **at = &arena->chunk; ptr && *at; at = &(*at)->next) {
        struct chunk *chunk = *at;
        if (!chunk->own || ptr != chunk->data)
            continue;
        *at = chunk->next;
        free_chunk(arena, chunk);
        return;
    }
}

struct slice arena_copy(struct arena *arena, struct slice text)
{
    char *copy = arena_string(arena, text);
    return copy ? slice_of(copy, text.len) : SLICE_NONE;
}

char *arena_string(struct arena *arena, struct slice text)
{
    char *copy = arena_alloc(arena, text.len + 1);
    if (!copy)
        return NULL;
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

struct slice arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len < 0 ? NULL : arena_alloc(arena, (size_t)len + 1);
    if (!text)
        return SLICE_NONE;
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return slice_of(text, (size_t)len);
}

size_t arena_used(const struct arena *arena)
{
    return arena->bytes_held;
}
