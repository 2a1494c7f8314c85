#include "collect/remote/poll_seen.h"

#include "base/limits.h"
#include "base/mem.h"

#include <sodium.h>

_Static_assert(crypto_shorthash_KEYBYTES == POLL_SEEN_KEY_BYTES, "the key of SipHash");

#define AGE_MASK UINT64_C(3)

void poll_seen_init(struct poll_seen *seen)
{
    *seen = (struct poll_seen){0};
    randombytes_buf(seen->key, sizeof(seen->key));
}

void poll_seen_close(struct poll_seen *seen)
{
    mem_free(seen->ids);
    mem_free(seen->table);
    seen->ids = NULL;
    seen->table = NULL;
    seen->count = seen->size = seen->table_size = 0;
}

uint64_t poll_seen_hash(const struct poll_seen *seen, struct slice id)
{
    uint64_t hash;
    crypto_shorthash((unsigned char *)&hash, (const unsigned char *)id.ptr, id.len, seen->key);
    return hash & ~AGE_MASK;
}

/* Where it is, or where it would be put. */
static uint32_t *slot_of(const struct poll_seen *seen, uint64_t hash)
{
    size_t mask = seen->table_size - 1, at = (size_t)(hash >> 8) & mask;
    while (seen->table[at] && (seen->ids[seen->table[at] - 1] & ~AGE_MASK) != hash)
        at = (at + 1) & mask;
    return &seen->table[at];
}

bool poll_seen_has(struct poll_seen *seen, uint64_t hash)
{
    uint32_t place = seen->table_size ? *slot_of(seen, hash) : 0;
    if (place)
        seen->ids[place - 1] = hash;
    return place;
}

static void fill_table(struct poll_seen *seen)
{
    memset(seen->table, 0, seen->table_size * sizeof(*seen->table));
    for (size_t i = 0; i < seen->count; i++)
        *slot_of(seen, seen->ids[i] & ~AGE_MASK) = (uint32_t)i + 1;
}

static bool make_room(struct poll_seen *seen, size_t size)
{
    uint64_t *ids = mem_realloc(seen->ids, size * sizeof(*ids));
    if (ids)
        seen->ids = ids;
    uint32_t *table = ids ? mem_calloc(size * 2, sizeof(*table)) : NULL;
    if (!table)
        return false;
    mem_free(seen->table);
    seen->table = table;
    seen->table_size = size * 2;
    seen->size = size;
    fill_table(seen);
    return true;
}

static void forget_oldest(struct poll_seen *seen)
{
    size_t gone = seen->count / 8;
    memmove(seen->ids, seen->ids + gone, (seen->count - gone) * sizeof(*seen->ids));
    seen->count -= gone;
    seen->forgotten += gone;
    fill_table(seen);
}

bool poll_seen_add(struct poll_seen *seen, uint64_t hash)
{
    if (poll_seen_has(seen, hash))
        return true;
    if (seen->count == POLL_IDS_MAX)
        forget_oldest(seen);
    else if (seen->count == seen->size && !make_room(seen, seen->size ? seen->size * 2 : 1024))
        return false;
    seen->ids[seen->count++] = hash;
    *slot_of(seen, hash) = (uint32_t)seen->count;
    return true;
}

void poll_seen_turn(struct poll_seen *seen)
{
    size_t kept = 0;
    for (size_t i = 0; i < seen->count; i++)
        if ((seen->ids[i] & AGE_MASK) < POLL_SEEN_ROUNDS)
            seen->ids[kept++] = seen->ids[i] + 1;
    seen->count = kept;
    if (seen->table_size)
        fill_table(seen);
}

void poll_seen_save(const struct poll_seen *seen, struct buffer *to)
{
    buffer_put(to, slice_of(seen->key, sizeof(seen->key)));
    buffer_put_varint(to, seen->count);
    for (size_t i = 0; i < seen->count; i++)
        buffer_put_le64(to, seen->ids[i]);
}

bool poll_seen_load(struct poll_seen *seen, struct slice *from)
{
    struct slice key;
    uint64_t count, id;
    seen->count = 0;
    if (!slice_take(from, sizeof(seen->key), &key) || !slice_take_varint(from, &count) || count > POLL_IDS_MAX ||
        from->len < count * sizeof(id))
        return false;
    memcpy(seen->key, key.ptr, sizeof(seen->key));
    for (uint64_t i = 0; i < count; i++) {
        if (!slice_take_le64(from, &id) || !poll_seen_add(seen, id & ~AGE_MASK) || seen->count != i + 1)
            return false; /* one that stands there twice was never saved */
        seen->ids[i] = id;
    }
    return true;
}
