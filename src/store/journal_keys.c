#include "store/journal_keys.h"

#include "base/mem.h"

#include <assert.h>

enum { KEYS_FIRST = 1024, KEY_BYTES = 48 };

void journal_keys_init(struct journal_keys *keys, uint32_t keys_max)
{
    *keys = (struct journal_keys){.keys_max = keys_max};
}

void journal_keys_close(struct journal_keys *keys)
{
    mem_free(keys->ring);
    mem_free(keys->index);
    *keys = (struct journal_keys){.keys_max = keys->keys_max};
}

static struct journal_key *at(struct journal_keys *keys, uint64_t number)
{
    return &keys->ring[number % keys->ring_size];
}

static uint32_t home(const struct journal_keys *keys, struct hash128 key)
{
    return (uint32_t)key.low & (keys->index_size - 1);
}

static bool same(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

/* The index slot of the key, or the free one where it would go. */
static uint32_t slot_of(struct journal_keys *keys, struct hash128 key)
{
    uint32_t slot = home(keys, key);
    while (keys->index[slot] && !same(keys->ring[keys->index[slot] - 1].key, key))
        slot = (slot + 1) & (keys->index_size - 1);
    return slot;
}

struct journal_key *journal_keys_find(struct journal_keys *keys, struct hash128 key)
{
    if (!keys->index_size)
        return NULL;
    uint32_t slot = slot_of(keys, key);
    return keys->index[slot] ? &keys->ring[keys->index[slot] - 1] : NULL;
}

/* Removal from open addressing: later members of the same run move up. */
static void index_remove(struct journal_keys *keys, struct hash128 key)
{
    uint32_t mask = keys->index_size - 1;
    uint32_t hole = slot_of(keys, key);
    assert(keys->index[hole]);
    keys->index[hole] = 0;
    for (uint32_t slot = (hole + 1) & mask; keys->index[slot]; slot = (slot + 1) & mask) {
        uint32_t wants = home(keys, keys->ring[keys->index[slot] - 1].key);
        if (((slot - wants) & mask) < ((slot - hole) & mask))
            continue; /* its home lies behind the hole */
        keys->index[hole] = keys->index[slot];
        keys->index[slot] = 0;
        hole = slot;
    }
}

static int grow(struct journal_keys *keys, struct err *err)
{
    uint64_t count = keys->added - keys->dropped;
    uint64_t size = keys->ring_size ? (uint64_t)keys->ring_size * 2 : KEYS_FIRST;
    if (size > keys->keys_max)
        size = keys->keys_max;
    uint32_t index_size = 2;
    while (index_size < size * 2)
        index_size *= 2;
    struct journal_key *ring = mem_calloc((size_t)size, sizeof(*ring));
    uint32_t *index = mem_calloc(index_size, sizeof(*index));
    if (!ring || !index) {
        mem_free(ring);
        mem_free(index);
        return err_nomem(err);
    }
    for (uint64_t i = 0; i < count; i++)
        ring[i] = *at(keys, keys->dropped + i);
    journal_keys_close(keys);
    *keys = (struct journal_keys){.ring = ring,
                                  .index = index,
                                  .ring_size = (uint32_t)size,
                                  .index_size = index_size,
                                  .keys_max = keys->keys_max,
                                  .added = count};
    for (uint32_t i = 0; i < count; i++)
        keys->index[slot_of(keys, ring[i].key)] = i + 1;
    return 0;
}

int journal_keys_add(struct journal_keys *keys, const struct journal_key *entry, struct err *err)
{
    if (keys->added - keys->dropped == keys->ring_size) {
        if (keys->ring_size < keys->keys_max) {
            if (grow(keys, err) < 0)
                return -1;
        } else {
            index_remove(keys, at(keys, keys->dropped)->key);
            keys->dropped++;
        }
    }
    uint32_t slot = slot_of(keys, entry->key);
    assert(keys->index[slot] == 0);
    *at(keys, keys->added) = *entry;
    keys->index[slot] = (uint32_t)(keys->added % keys->ring_size) + 1;
    keys->added++;
    return 0;
}

void journal_keys_undo(struct journal_keys *keys, uint64_t added)
{
    while (keys->added > added) {
        index_remove(keys, at(keys, keys->added - 1)->key);
        keys->added--;
    }
}

void journal_keys_save(const struct journal_keys *keys, struct buffer *to)
{
    buffer_put_le64(to, keys->added - keys->dropped);
    for (uint64_t n = keys->dropped; n < keys->added; n++) {
        const struct journal_key *entry = &keys->ring[n % keys->ring_size];
        buffer_put_le64(to, entry->key.low);
        buffer_put_le64(to, entry->key.high);
        buffer_put_le64(to, entry->body.low);
        buffer_put_le64(to, entry->body.high);
        buffer_put_le64(to, entry->first_seq);
        buffer_put_le64(to, entry->position);
    }
}

int journal_keys_load(struct journal_keys *keys, struct slice *from, struct err *err)
{
    uint64_t count;
    if (!slice_take_le64(from, &count) || count > from->len / KEY_BYTES)
        return err_set(err, ERR_CORRUPT, "the list of batch ids is cut short");
    for (uint64_t i = 0; i < count; i++) {
        struct journal_key entry;
        bool ok = slice_take_le64(from, &entry.key.low) && slice_take_le64(from, &entry.key.high) &&
                  slice_take_le64(from, &entry.body.low) &&
                  slice_take_le64(from, &entry.body.high) &&
                  slice_take_le64(from, &entry.first_seq) && slice_take_le64(from, &entry.position);
        assert(ok);
        if (!journal_keys_find(keys, entry.key) && journal_keys_add(keys, &entry, err) < 0)
            return -1;
    }
    return 0;
}
