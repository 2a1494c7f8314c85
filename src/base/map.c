#include "base/map.h"

void map_init(struct map *map, struct arena *arena)
{
    *map = (struct map){.arena = arena};
}

static struct map_entry *probe(struct map_entry *entries, size_t size, struct slice key,
                               uint64_t hash)
{
    for (size_t at = hash & (size - 1);; at = (at + 1) & (size - 1)) {
        struct map_entry *entry = &entries[at];
        if (!entry->key.ptr || (entry->hash == hash && slice_equal(entry->key, key)))
            return entry;
    }
}

static int grow(struct map *map)
{
    size_t size = map->size ? map->size * 2 : 16;
    struct map_entry *entries = arena_array(map->arena, size, sizeof(*entries));
    if (!entries)
        return -1;
    for (size_t i = 0; i < map->size; i++)
        if (map->entries[i].key.ptr)
            *probe(entries, size, map->entries[i].key, map->entries[i].hash) = map->entries[i];
    map->entries = entries;
    map->size = size;
    return 0;
}

void **map_slot(struct map *map, struct slice key)
{
    if (map->count * 4 >= map->size * 3 && grow(map) < 0)
        return NULL;
    uint64_t hash = hash_bytes(key);
    struct map_entry *entry = probe(map->entries, map->size, key, hash);
    if (!entry->key.ptr) {
        *entry = (struct map_entry){key.ptr ? key : SLICE(""), hash, NULL};
        map->count++;
    }
    return &entry->value;
}

int map_put(struct map *map, struct slice key, void *value)
{
    void **slot = map_slot(map, key);
    if (!slot)
        return -1;
    *slot = value;
    return 0;
}

void *map_find_hashed(const struct map *map, struct slice key, uint64_t hash)
{
    if (map->size == 0)
        return NULL;
    return probe(map->entries, map->size, key, hash)->value;
}

void *map_find(const struct map *map, struct slice key)
{
    return map_find_hashed(map, key, hash_bytes(key));
}

bool map_has(const struct map *map, struct slice key)
{
    return map->size && probe(map->entries, map->size, key, hash_bytes(key))->key.ptr;
}

const struct map_entry *map_next(const struct map *map, size_t *at)
{
    while (*at < map->size) {
        const struct map_entry *entry = &map->entries[(*at)++];
        if (entry->key.ptr)
            return entry;
    }
    return NULL;
}
