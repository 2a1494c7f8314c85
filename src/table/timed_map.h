#pragma once
/*
 * table/timed_map: keys with the time they were last touched and a short text,
 * for what must be remembered for a while: partners seen, sources heard,
 * findings raised. Entries older than an age are dropped.
 *
 * Ownership  Keys and texts are copied. Threads  One at a time.
 * Limits     entries_max; beyond, the oldest tenth is dropped and counted.
 */
#include "base/buffer.h"
#include "base/err.h"

#include <stdint.h>

struct timed_map;

struct timed_entry {
    struct slice key, text;
    int64_t time_ns;
    uint64_t count; /* times it was touched */
    bool mark;      /* the caller's */
};

MUST_USE struct timed_map *timed_map_new(size_t entries_max);
void timed_map_free(struct timed_map *map);

/* Finds or makes, sets the time when it is newer, counts. The pointer is valid until the next
 * touch or drop. NULL when memory is out. */
MUST_USE struct timed_entry *timed_map_touch(struct timed_map *map, struct slice key, int64_t time_ns);
struct timed_entry *timed_map_find(struct timed_map *map, struct slice key);
MUST_USE int timed_map_set_text(struct timed_entry *entry, struct slice text);
void timed_map_remove(struct timed_map *map, struct slice key);
void timed_map_drop_before(struct timed_map *map, int64_t time_ns);
/* Start with *at = 0; NULL at the end. No touching in between. */
struct timed_entry *timed_map_next(struct timed_map *map, size_t *at);
size_t timed_map_count(const struct timed_map *map);
uint64_t timed_map_evicted(const struct timed_map *map);

void timed_map_save(const struct timed_map *map, struct buffer *to);
MUST_USE int timed_map_load(struct timed_map *map, struct slice *from, struct err *err);
