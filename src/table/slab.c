#include "table/slab.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>

enum { CHUNKS_MAX = 1 << (32 - SLAB_UNIT_BITS), FIRST_CHUNK = 64 * 1024, EXACT_UNITS = 64, STEP_BITS = 3 };

static_assert(MEM_HUGE_BYTES == SLAB_UNIT << SLAB_UNIT_BITS, "a name reaches all of a chunk");

static size_t units_of(size_t bytes)
{
    return (bytes + SLAB_UNIT - 1) / SLAB_UNIT;
}

/* Up to 1 KiB each multiple of 16 bytes is a size; above, eight sizes for each power of two. */
static size_t round_units(size_t units)
{
    if (units <= EXACT_UNITS)
        return units;
    unsigned power = 63 - (unsigned)__builtin_clzll(units - 1);
    size_t step = (size_t)1 << (power - STEP_BITS);
    return (units + step - 1) / step * step;
}

/* units: rounded. */
static size_t class_of(size_t units)
{
    if (units <= EXACT_UNITS)
        return units - 1;
    unsigned power = 63 - (unsigned)__builtin_clzll(units - 1);
    return EXACT_UNITS - 1 + ((size_t)(power - 6) << STEP_BITS) + (units >> (power - STEP_BITS)) - (1U << STEP_BITS);
}

size_t slab_room(size_t bytes)
{
    return bytes > SLAB_PIECE_MAX ? bytes : round_units(units_of(bytes)) * SLAB_UNIT;
}

static void chunk_free(struct slab *slab, uint32_t at)
{
    struct slab_chunk *chunk = &slab->chunks[at];
    if (chunk->bytes == MEM_HUGE_BYTES)
        mem_free_huge(chunk->ptr);
    else
        mem_free(chunk->ptr);
    slab->bytes -= chunk->bytes;
    *chunk = (struct slab_chunk){0};
}

void slab_close(struct slab *slab)
{
    for (uint32_t i = 0; i < slab->count; i++)
        chunk_free(slab, i);
    mem_free(slab->chunks);
    *slab = (struct slab){0};
}

/* Where a chunk can be noted: behind the last, or where a large piece was. CHUNKS_MAX: there is no room. */
static uint32_t chunk_place(struct slab *slab)
{
    if (slab->count == slab->size) {
        uint32_t size = slab->size ? slab->size * 2 : 4;
        for (uint32_t i = 1; i < slab->count; i++)
            if (!slab->chunks[i].ptr)
                return i;
        struct slab_chunk *grown =
            slab->size == CHUNKS_MAX ? NULL : mem_realloc(slab->chunks, size * sizeof(*grown));
        if (!grown)
            return CHUNKS_MAX;
        slab->chunks = grown;
        slab->size = size;
    }
    slab->chunks[slab->count] = (struct slab_chunk){0};
    return slab->count++;
}

static uint32_t add_chunk(struct slab *slab, size_t bytes)
{
    uint32_t at = chunk_place(slab);
    if (at == CHUNKS_MAX)
        return CHUNKS_MAX;
    char *ptr = bytes == MEM_HUGE_BYTES ? mem_alloc_huge() : mem_alloc(bytes);
    if (!ptr)
        return CHUNKS_MAX;
    slab->chunks[at] = (struct slab_chunk){ptr, bytes};
    slab->bytes += bytes;
    return at;
}

/* What is left of the open chunk becomes pieces that wait. */
static void keep_rest(struct slab *slab)
{
    while (slab->next < slab->end) {
        uint32_t units = slab->end - slab->next < EXACT_UNITS ? slab->end - slab->next : EXACT_UNITS;
        slab_give(slab, slab->open << SLAB_UNIT_BITS | slab->next, (size_t)units * SLAB_UNIT);
        slab->next += units;
    }
}

static int open_chunk(struct slab *slab)
{
    size_t bytes = slab->count ? MEM_HUGE_BYTES : FIRST_CHUNK;
    uint32_t at = add_chunk(slab, bytes);
    if (at == CHUNKS_MAX)
        return -1;
    keep_rest(slab);
    slab->open = at;
    slab->next = at == 0; /* no piece has the name 0 */
    slab->end = (uint32_t)(bytes / SLAB_UNIT);
    return 0;
}

static uint32_t take_large(struct slab *slab, size_t bytes)
{
    if (slab->count == 0 && open_chunk(slab) < 0)
        return 0;
    /* never a chunk's usual size, by which it is known how to free it */
    uint32_t at = add_chunk(slab, bytes == MEM_HUGE_BYTES ? bytes + SLAB_UNIT : bytes);
    return at == CHUNKS_MAX ? 0 : at << SLAB_UNIT_BITS;
}

uint32_t slab_take(struct slab *slab, size_t bytes)
{
    assert(bytes > 0);
    if (bytes > SLAB_PIECE_MAX)
        return take_large(slab, bytes);
    size_t units = round_units(units_of(bytes)), class = class_of(units);
    uint32_t name = slab->freed[class];
    if (name) {
        memcpy(&slab->freed[class], slab_at(slab, name), sizeof(name));
        return name;
    }
    while (slab->end - slab->next < units)
        if (open_chunk(slab) < 0)
            return 0;
    name = slab->open << SLAB_UNIT_BITS | slab->next;
    slab->next += (uint32_t)units;
    return name;
}

void slab_give(struct slab *slab, uint32_t name, size_t bytes)
{
    assert(name);
    if (bytes > SLAB_PIECE_MAX) {
        chunk_free(slab, name >> SLAB_UNIT_BITS);
        return;
    }
    size_t class = class_of(round_units(units_of(bytes)));
    memcpy(slab_at(slab, name), &slab->freed[class], sizeof(name));
    slab->freed[class] = name;
}
