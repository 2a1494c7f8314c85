#include "table/seen.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 1024, MINUTES_MAX = INT64_MAX / NS_PER_MINUTE };

struct seen {
    struct seen_key *slots; /* open addressing; hash 0 is free */
    size_t size, count, keys_max;
    uint64_t seed; /* of this set: it is saved, so that its hashes stay good */
    uint64_t evicted;
};

struct seen *seen_new(size_t keys_max)
{
    struct seen *seen = mem_calloc(1, sizeof(*seen));
    if (seen) {
        seen->keys_max = keys_max;
        seen->seed = hash_seed;
    }
    return seen;
}

void seen_free(struct seen *seen)
{
    if (!seen)
        return;
    mem_free(seen->slots);
    mem_free(seen);
}

static struct seen_key *probe(struct seen_key *slots, size_t size, uint64_t hash)
{
    for (size_t at = hash & (size - 1);; at = (at + 1) & (size - 1))
        if (!slots[at].hash || slots[at].hash == hash)
            return &slots[at];
}

/* The keys that were seen at limit_min or after, in a table of that size. */
static int rebuild(struct seen *seen, size_t size, uint32_t limit_min)
{
    struct seen_key *slots = mem_calloc(size, sizeof(*slots));
    if (!slots)
        return -1;
    seen->count = 0;
    for (size_t i = 0; i < seen->size; i++)
        if (seen->slots[i].hash && seen->slots[i].last_min >= limit_min) {
            *probe(slots, size, seen->slots[i].hash) = seen->slots[i];
            seen->count++;
        }
    mem_free(seen->slots);
    seen->slots = slots;
    seen->size = size;
    return 0;
}

static int by_minute(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The minute before which a tenth was last seen, from a sample that goes through the whole table. */
static uint32_t oldest_tenth(const struct seen *seen)
{
    enum { SAMPLE = 1000 };
    uint32_t minutes[SAMPLE];
    size_t count = 0, step = seen->size / SAMPLE + 1;
    for (size_t i = 0; i < seen->size && count < SAMPLE; i += step)
        if (seen->slots[i].hash)
            minutes[count++] = seen->slots[i].last_min;
    if (!count)
        return 0;
    qsort(minutes, count, sizeof(*minutes), by_minute);
    return minutes[count / 10] + 1;
}

static int make_room(struct seen *seen)
{
    if (seen->count >= seen->keys_max) {
        size_t before = seen->count;
        if (rebuild(seen, seen->size, oldest_tenth(seen)) < 0)
            return -1;
        seen->evicted += before - seen->count;
    }
    if (seen->count * 3 < seen->size * 2)
        return 0;
    return rebuild(seen, seen->size ? seen->size * 2 : SLOTS_FIRST, 0);
}

static uint32_t minute_of(int64_t time_ns)
{
    int64_t minute = time_ns / NS_PER_MINUTE;
    return minute < 0 ? 0 : (uint32_t)minute;
}

int seen_note(struct seen *seen, struct slice key, int64_t time_ns, struct seen_key *before)
{
    uint64_t hash = hash_bytes_seeded(key, seen->seed);
    uint32_t minute = minute_of(time_ns);
    hash += !hash;
    *before = (struct seen_key){0};
    struct seen_key *slot = seen->size ? probe(seen->slots, seen->size, hash) : NULL;
    if (slot && slot->hash) {
        *before = *slot;
        slot->first_min = minute < slot->first_min ? minute : slot->first_min;
        slot->last_min = minute > slot->last_min ? minute : slot->last_min;
        return 0;
    }
    if (make_room(seen) < 0)
        return -1;
    *probe(seen->slots, seen->size, hash) = (struct seen_key){hash, minute, minute};
    seen->count++;
    return 0;
}

void seen_forget_before(struct seen *seen, int64_t time_ns)
{
    if (seen->count && rebuild(seen, seen->size, minute_of(time_ns)) < 0)
        return; /* no memory for it: they stay a little longer */
}

struct seen_stats seen_stats(const struct seen *seen)
{
    return (struct seen_stats){seen->count, sizeof(*seen) + seen->size * sizeof(*seen->slots), seen->evicted};
}

/* ---- snapshots: the numbers, then 16 bytes a key ---- */

void seen_save(const struct seen *seen, struct buffer *to)
{
    buffer_put_le64(to, seen->seed);
    buffer_put_varint(to, seen->evicted);
    buffer_put_varint(to, seen->count);
    for (size_t i = 0; i < seen->size; i++)
        if (seen->slots[i].hash) {
            buffer_put_le64(to, seen->slots[i].hash);
            buffer_put_le32(to, seen->slots[i].first_min);
            buffer_put_le32(to, seen->slots[i].last_min);
        }
}

int seen_load(struct seen *seen, struct slice *from, struct err *err)
{
    enum { KEY_BYTES = 16 };
    uint64_t count;
    struct seen_key key;
    size_t size = SLOTS_FIRST;
    if (!slice_take_le64(from, &seen->seed) || !slice_take_varint(from, &seen->evicted) ||
        !slice_take_varint(from, &count) || count > from->len / KEY_BYTES)
        return err_set(err, ERR_CORRUPT, "a snapshot of seen keys is damaged");
    while (size * 2 <= count * 3 + 3)
        size *= 2;
    if (rebuild(seen, size, UINT32_MAX) < 0)
        return err_nomem(err);
    for (uint64_t i = 0; i < count; i++) {
        if (!slice_take_le64(from, &key.hash) || !slice_take_le32(from, &key.first_min) ||
            !slice_take_le32(from, &key.last_min) || !key.hash || key.first_min > MINUTES_MAX ||
            key.last_min > MINUTES_MAX)
            return err_set(err, ERR_CORRUPT, "a snapshot of seen keys is damaged");
        struct seen_key *slot = probe(seen->slots, seen->size, key.hash);
        seen->count += !slot->hash;
        *slot = key;
    }
    return 0;
}
