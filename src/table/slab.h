#pragma once
/*
 * table/slab: many small pieces of memory that come and go, each named by 32 bits. A piece is a multiple of
 * 16 bytes; one that is given back waits for the next of its size. Names are half of what pointers take, and
 * everything is freed at once.
 *
 *   chunk 0 [64 KiB]  chunk 1 [2 MiB]  chunk 2 ...      name = chunk << 17 | offset / 16
 *
 * Ownership  slab_close() frees all pieces. A piece stays where it is until it is given back.
 * Threads    One at a time.
 * Limits     64 GiB. A piece over SLAB_PIECE_MAX has a chunk of its own.
 */
#include "base/attr.h"

#include <stddef.h>
#include <stdint.h>

enum { SLAB_CLASSES = 128, SLAB_PIECE_MAX = 64 * 1024, SLAB_UNIT = 16, SLAB_UNIT_BITS = 17 };

struct slab {
    struct slab_chunk *chunks;
    uint32_t count, size;
    uint32_t open;                /* the chunk that new pieces are cut from */
    uint32_t next, end;           /* units of it */
    uint32_t freed[SLAB_CLASSES]; /* the first piece of each size that waits; 0: none */
    size_t bytes;                 /* held from the system */
};

struct slab_chunk {
    char *ptr;
    size_t bytes;
};

/* A slab begins as zeros. */
void slab_close(struct slab *slab);

/* What a piece of so many bytes takes; another size with the same answer fits into it. */
size_t slab_room(size_t bytes);
/* Not cleared. 0: memory is out. */
MUST_USE uint32_t slab_take(struct slab *slab, size_t bytes);
/* bytes: as it was taken, or another size of the same room. */
void slab_give(struct slab *slab, uint32_t name, size_t bytes);

static inline void *slab_at(const struct slab *slab, uint32_t name)
{
    return slab->chunks[name >> SLAB_UNIT_BITS].ptr +
           (size_t)(name & ((1U << SLAB_UNIT_BITS) - 1)) * SLAB_UNIT;
}
