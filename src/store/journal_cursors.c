#include "store/journal_cursors.h"

#include "base/limits.h"
#include "base/mem.h"

#include <stdlib.h>

struct entry {
    struct slice name; /* both are its own */
    struct slice cursor;
    uint64_t used;
};

static size_t bytes_of(const struct entry *entry)
{
    return entry->name.len + entry->cursor.len + CURSOR_OVERHEAD;
}

static void free_entry(struct entry *entry)
{
    if (!entry)
        return;
    mem_free((char *)(uintptr_t)entry->name.ptr);
    mem_free((char *)(uintptr_t)entry->cursor.ptr);
    mem_free(entry);
}

/* A copy that is never NULL for what is empty. */
static int copy(struct slice from, struct slice *to)
{
    char *bytes = mem_alloc(from.len + 1);
    if (bytes && from.len)
        memcpy(bytes, from.ptr, from.len);
    *to = slice_of(bytes, bytes ? from.len : 0);
    return bytes ? 0 : -1;
}

int journal_cursors_init(struct journal_cursors *cursors, size_t bytes_max)
{
    *cursors = (struct journal_cursors){.arena = arena_new(JOURNAL_CURSOR_TABLE_BYTES_MAX), .bytes_max = bytes_max};
    map_init(&cursors->map, cursors->arena);
    return cursors->arena ? 0 : -1;
}

void journal_cursors_close(struct journal_cursors *cursors)
{
    size_t at = 0;
    for (const struct map_entry *entry; (entry = map_next(&cursors->map, &at));)
        free_entry(entry->value);
    arena_free(cursors->arena);
    *cursors = (struct journal_cursors){0};
}

/* ---- order of use ---- */

static int by_use(const void *a, const void *b)
{
    const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
    return x->used < y->used ? -1 : x->used > y->used;
}

/* Longest unused first; the caller frees it. NULL: memory is out. */
static struct entry **sorted(const struct journal_cursors *cursors)
{
    struct entry **list = mem_calloc(cursors->map.count + 1, sizeof(struct entry *));
    size_t at = 0, count = 0;
    for (const struct map_entry *found; list && (found = map_next(&cursors->map, &at));)
        list[count++] = found->value;
    if (count)
        qsort(list, count, sizeof(struct entry *), by_use);
    return list;
}

/* Down to seven eighths, so that it is not done for each. What memory has no room for is tried again with the next one. */
static void forget_unused(struct journal_cursors *cursors)
{
    size_t count = cursors->map.count, gone = 0, bytes = cursors->bytes, least = cursors->bytes_max - cursors->bytes_max / 8;
    struct arena *arena = arena_new(JOURNAL_CURSOR_TABLE_BYTES_MAX);
    struct entry **list = arena ? sorted(cursors) : NULL;
    struct map map;
    bool fine = list;
    map_init(&map, arena);
    for (; fine && gone + 1 < count && bytes > least; gone++)
        bytes -= bytes_of(list[gone]);
    for (size_t i = gone; fine && i < count; i++)
        fine = map_put(&map, list[i]->name, list[i]) == 0;
    for (size_t i = 0; fine && i < gone; i++)
        free_entry(list[i]);
    mem_free(list);
    arena_free(fine ? cursors->arena : arena);
    if (!fine)
        return;
    cursors->arena = arena;
    cursors->map = map;
    cursors->bytes = bytes;
    cursors->forgotten += gone;
}

/* ---- one of them ---- */

/* Takes the name. */
static int put_named(struct journal_cursors *cursors, struct slice name, struct slice cursor, struct err *err)
{
    struct entry *entry = map_find(&cursors->map, name);
    struct slice bytes = SLICE_NONE;
    bool known = entry;
    if (!known && (entry = mem_calloc(1, sizeof(*entry))))
        entry->name = name;
    if (!entry || copy(cursor, &bytes) < 0 || (!known && map_put(&cursors->map, name, entry) < 0)) {
        mem_free(known ? NULL : entry);
        mem_free((char *)(uintptr_t)bytes.ptr);
        mem_free((char *)(uintptr_t)name.ptr);
        return err_nomem(err);
    }
    if (known) {
        mem_free((char *)(uintptr_t)name.ptr);
        cursors->bytes -= bytes_of(entry);
        mem_free((char *)(uintptr_t)entry->cursor.ptr);
    }
    entry->cursor = bytes;
    entry->used = ++cursors->uses;
    cursors->bytes += bytes_of(entry);
    if (cursors->bytes > cursors->bytes_max)
        forget_unused(cursors);
    return 0;
}

/* An allocation of its own; SLICE_NONE: memory is out. */
static struct slice name_of(struct slice source, struct slice path)
{
    char *name = mem_alloc(source.len + path.len + 1);
    if (!name)
        return SLICE_NONE;
    if (source.len)
        memcpy(name, source.ptr, source.len);
    name[source.len] = '\0';
    if (path.len)
        memcpy(name + source.len + 1, path.ptr, path.len);
    return slice_of(name, source.len + path.len + 1);
}

int journal_cursors_put(struct journal_cursors *cursors, struct slice source, struct slice path, struct slice cursor,
                        struct err *err)
{
    struct slice name = name_of(source, path);
    return name.ptr ? put_named(cursors, name, cursor, err) : err_nomem(err);
}

struct slice journal_cursors_find(struct journal_cursors *cursors, struct slice source, struct slice path)
{
    struct slice name = name_of(source, path);
    struct entry *entry = name.ptr ? map_find(&cursors->map, name) : NULL;
    mem_free((char *)(uintptr_t)name.ptr);
    if (!entry)
        return SLICE_NONE;
    entry->used = ++cursors->uses;
    return entry->cursor;
}

/* ---- in the file ---- */

void journal_cursors_save(const struct journal_cursors *cursors, struct buffer *to)
{
    struct entry **list = sorted(cursors);
    buffer_put_le64(to, cursors->map.count);
    to->failed |= !list;
    for (size_t i = 0; list && i < cursors->map.count; i++) {
        buffer_put_block(to, list[i]->name);
        buffer_put_block(to, list[i]->cursor);
    }
    mem_free(list);
}

int journal_cursors_load(struct journal_cursors *cursors, struct slice *from, struct err *err)
{
    uint64_t count = 0;
    struct slice name, own, cursor;
    bool ok = slice_take_le64(from, &count);
    for (uint64_t i = 0; ok && i < count; i++) {
        ok = slice_take_block(from, &name) && slice_take_block(from, &cursor);
        if (ok && copy(name, &own) < 0)
            return err_nomem(err);
        if (ok && put_named(cursors, own, cursor, err) < 0)
            return -1;
    }
    return ok ? 0 : err_set(err, ERR_CORRUPT, "the list of cursors is cut short");
}
