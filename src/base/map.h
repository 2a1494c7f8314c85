#pragma once
/*
 * base/map: slice to pointer-sized value, open addressing, grown in an arena.
 * Keys are borrowed: copy them into the arena first if they must live longer.
 * Nothing can be removed; for that make a new map.
 *
 * Threads  One writer; any number of readers when nobody writes.
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"

struct map_entry {
    struct slice key;
    uint64_t hash;
    void *value;
};

struct map {
    struct arena *arena;
    struct map_entry *entries; /* key.ptr NULL = free */
    size_t count;
    size_t size; /* power of two, or 0 */
};

void map_init(struct map *map, struct arena *arena);

/* The place of the value for key, made (NULL) when missing. NULL when memory is out. */
MUST_USE void **map_slot(struct map *map, struct slice key);
/* Replaces the value. 0, or -1 when memory is out. */
MUST_USE int map_put(struct map *map, struct slice key, void *value);
/* NULL when missing. */
void *map_find(const struct map *map, struct slice key);
void *map_find_hashed(const struct map *map, struct slice key, uint64_t hash);
bool map_has(const struct map *map, struct slice key);

/* Walks in no particular order: start with *at = 0; NULL at the end. */
const struct map_entry *map_next(const struct map *map, size_t *at);
