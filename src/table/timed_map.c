#include "table/timed_map.h"

#include "base/hash.h"
#include "base/mem.h"

enum { SLOTS_FIRST = 64 };

struct timed_map {
    struct timed_entry **slots; /* open addressing; an entry's key and text are its own */
    size_t size, count, entries_max;
    uint64_t evicted;
};

struct timed_map *timed_map_new(size_t entries_max)
{
    struct timed_map *map = mem_calloc(1, sizeof(*map));
    if (map)
        map->entries_max = entries_max;
    return map;
}

static void entry_free(struct timed_entry *entry)
{
    if (!entry)
        return;
    mem_free((char *)(uintptr_t)entry->key.ptr);
    mem_free((char *)(uintptr_t)entry->text.ptr);
    mem_free(entry);
}

void timed_map_free(struct timed_map *map)
{
    if (!map)
        return;
    for (size_t i = 0; i < map->size; i++)
        entry_free(map->slots[i]);
    mem_free(map->slots);
    mem_free(map);
}

static struct timed_entry **probe(struct timed_entry **slots, size_t size, struct slice key)
{
    for (size_t at = hash_bytes(key) & (size - 1);; at = (at + 1) & (size - 1))
        if (!slots[at] || slice_equal(slots[at]->key, key))
            return &slots[at];
}

struct timed_entry *timed_map_find(struct timed_map *map, struct slice key)
{
    return map->size ? *probe(map->slots, map->size, key) : NULL;
}

/* All entries that keep() lets stay, in a table of the size. */
static int rebuild(struct timed_map *map, size_t size, int64_t oldest)
{
    struct timed_entry **slots = mem_calloc(size, sizeof(struct timed_entry *));
    if (!slots)
        return -1;
    map->count = 0;
    for (size_t i = 0; i < map->size; i++) {
        struct timed_entry *entry = map->slots[i];
        if (entry && entry->time_ns < oldest) {
            entry_free(entry);
        } else if (entry) {
            *probe(slots, size, entry->key) = entry;
            map->count++;
        }
    }
    mem_free(map->slots);
    map->slots = slots;
    map->size = size;
    return 0;
}

void timed_map_drop_before(struct timed_map *map, int64_t time_ns)
{
    if (map->count && rebuild(map, map->size, time_ns) < 0)
        return; /* no memory to shrink: they stay a little longer */
}

/* Drops what is older than a tenth of the way from the oldest to the newest. */
static void evict(struct timed_map *map)
{
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (size_t i = 0; i < map->size; i++)
        if (map->slots[i]) {
            int64_t time_ns = map->slots[i]->time_ns;
            low = time_ns < low ? time_ns : low;
            high = time_ns > high ? time_ns : high;
        }
    size_t before = map->count;
    timed_map_drop_before(map, low + (high - low) / 10 + 1);
    map->evicted += before - map->count;
}

struct timed_entry *timed_map_touch(struct timed_map *map, struct slice key, int64_t time_ns)
{
    struct timed_entry *entry = timed_map_find(map, key);
    if (!entry) {
        if (map->count >= map->entries_max)
            evict(map);
        if (map->count * 4 >= map->size * 3 &&
            rebuild(map, map->size ? map->size * 2 : SLOTS_FIRST, INT64_MIN) < 0)
            return NULL;
        char *copy = mem_strdup(key.ptr, key.len);
        entry = copy ? mem_calloc(1, sizeof(*entry)) : NULL;
        if (!entry) {
            mem_free(copy);
            return NULL;
        }
        entry->key = slice_of(copy, key.len);
        entry->time_ns = time_ns;
        *probe(map->slots, map->size, entry->key) = entry;
        map->count++;
    }
    if (time_ns > entry->time_ns)
        entry->time_ns = time_ns;
    entry->count++;
    return entry;
}

int timed_map_set_text(struct timed_entry *entry, struct slice text)
{
    char *copy = mem_strdup(text.ptr, text.len);
    if (!copy)
        return -1;
    mem_free((char *)(uintptr_t)entry->text.ptr);
    entry->text = slice_of(copy, text.len);
    return 0;
}

void timed_map_remove(struct timed_map *map, struct slice key)
{
    struct timed_entry **slot = map->size ? probe(map->slots, map->size, key) : NULL;
    if (!slot || !*slot)
        return;
    entry_free(*slot);
    size_t mask = map->size - 1, gap = (size_t)(slot - map->slots);
    map->slots[gap] = NULL;
    map->count--;
    for (size_t next = (gap + 1) & mask; map->slots[next]; next = (next + 1) & mask) {
        size_t home = hash_bytes(map->slots[next]->key) & mask;
        if (((next - home) & mask) >= ((next - gap) & mask)) {
            map->slots[gap] = map->slots[next];
            map->slots[next] = NULL;
            gap = next;
        }
    }
}

struct timed_entry *timed_map_next(struct timed_map *map, size_t *at)
{
    while (*at < map->size) {
        struct timed_entry *entry = map->slots[(*at)++];
        if (entry)
            return entry;
    }
    return NULL;
}

size_t timed_map_count(const struct timed_map *map)
{
    return map->count;
}

uint64_t timed_map_evicted(const struct timed_map *map)
{
    return map->evicted;
}

void timed_map_save(const struct timed_map *map, struct buffer *to)
{
    buffer_put_varint(to, map->count);
    for (size_t i = 0; i < map->size; i++) {
        const struct timed_entry *entry = map->slots[i];
        if (!entry)
            continue;
        buffer_put_block(to, entry->key);
        buffer_put_block(to, entry->text);
        buffer_put_le64(to, (uint64_t)entry->time_ns);
        buffer_put_varint(to, entry->count);
        buffer_put_char(to, (char)entry->mark);
    }
}

static bool load_entry(struct timed_map *map, struct slice *from)
{
    struct slice key, text, mark;
    uint64_t time_ns, count;
    if (!slice_take_block(from, &key) || !slice_take_block(from, &text) || !slice_take_le64(from, &time_ns) ||
        !slice_take_varint(from, &count) || !slice_take(from, 1, &mark))
        return false;
    struct timed_entry *entry = timed_map_touch(map, key, (int64_t)time_ns);
    if (!entry || (text.len && timed_map_set_text(entry, text) < 0))
        return false;
    entry->count = count;
    entry->mark = mark.ptr[0] != 0;
    return true;
}

int timed_map_load(struct timed_map *map, struct slice *from, struct err *err)
{
    uint64_t count;
    bool ok = slice_take_varint(from, &count);
    for (uint64_t i = 0; ok && i < count; i++)
        ok = load_entry(map, from);
    return ok ? 0 : err_set(err, ERR_CORRUPT, "a snapshot of remembered keys is damaged");
}
