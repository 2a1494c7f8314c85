/* The list of sources: found by their names, made, forgotten. */
#include "base/mem.h"
#include "flow/source_entry.h"

#include <stdlib.h>
#include <string.h>

enum { FORGET_PART = 10 };

void source_entry_free(struct source_entry *entry)
{
    if (!entry)
        return;
    for (uint32_t i = 0; i < entry->sequence_count; i++)
        mem_free((char *)(uintptr_t)entry->sequences[i].name.ptr);
    mem_free(entry->sequences);
    source_profile_close(&entry->profile);
    mem_free((char *)(uintptr_t)entry->key.ptr);
    mem_free((char *)(uintptr_t)entry->stream.ptr);
    mem_free((char *)(uintptr_t)entry->dataset.ptr);
    mem_free((char *)(uintptr_t)entry->only_host.ptr);
    mem_free(entry);
}

void source_entry_keep(struct slice *to, struct slice text)
{
    if (slice_equal(*to, text))
        return;
    char *copy = mem_strdup(text.len ? text.ptr : "", text.len);
    if (!copy)
        return; /* the one before stays */
    mem_free((char *)(uintptr_t)to->ptr);
    *to = (struct slice){copy, text.len};
}

/* The kind, then each name with its length: no two sources have the same. */
static struct slice key_of(const struct source_entry *like, struct arena *arena)
{
    return arena_printf(arena, "%d %zu %zu %zu %zu %.*s%.*s%.*s%.*s", (int)like->kind, like->source.len, like->sender.len,
                        like->path.len, like->host.len, SLICE_ARG(like->source), SLICE_ARG(like->sender),
                        SLICE_ARG(like->path), SLICE_ARG(like->host));
}

static void cut_names(struct source_entry *entry, const struct source_entry *like)
{
    size_t all = like->source.len + like->sender.len + like->path.len + like->host.len;
    struct slice rest = slice_from(entry->key, entry->key.len - all);
    struct slice *to[] = {&entry->source, &entry->sender, &entry->path, &entry->host};
    const size_t lengths[] = {like->source.len, like->sender.len, like->path.len, like->host.len};
    for (size_t i = 0; i < ARRAY_COUNT(to); i++) {
        *to[i] = slice_sub(rest, 0, lengths[i]);
        rest = slice_from(rest, lengths[i]);
    }
}

/* ---- room ---- */

static bool may_go(const struct source_entry *entry)
{
    return entry->kind >= SOURCE_SENDER && !entry->members && !entry->every_ns && !entry->held;
}

static int by_last(const void *a, const void *b)
{
    const struct source_entry *x = *(struct source_entry *const *)a, *y = *(struct source_entry *const *)b;
    if (may_go(x) != may_go(y))
        return may_go(x) ? -1 : 1;
    return x->rhythm.last_ns < y->rhythm.last_ns ? -1 : x->rhythm.last_ns > y->rhythm.last_ns;
}

static int map_all(struct sources *sources)
{
    arena_reset(sources->names);
    map_init(&sources->by_key, sources->names);
    for (size_t i = 0; i < sources->count; i++)
        if (map_put(&sources->by_key, sources->list[i]->key, sources->list[i]) < 0)
            return -1;
    return 0;
}

/* The tenth that was silent longest. False when nobody may go. */
static bool forget_some(struct sources *sources)
{
    size_t gone = 0;
    struct source_entry **sorted = arena_array(sources->scratch, sources->count + 1, sizeof(*sorted));
    if (!sorted)
        return false;
    memcpy(sorted, sources->list, sources->count * sizeof(*sorted));
    qsort(sorted, sources->count, sizeof(*sorted), by_last);
    while (gone < sources->count / FORGET_PART && may_go(sorted[gone]))
        sorted[gone++]->turn_out = true;
    size_t kept = 0;
    for (size_t i = 0; i < sources->count; i++) {
        struct source_entry *entry = sources->list[i];
        if (!entry->turn_out) {
            sources->list[kept++] = entry;
            continue;
        }
        entry->group->members--;
        source_entry_free(entry);
    }
    sources->count = kept;
    sources->forgotten += gone;
    return map_all(sources) == 0 && gone > 0;
}

/* ---- finding and making ---- */

static bool is_about(const struct heartbeat *beat, const struct source_entry *entry)
{
    return slice_equal(beat->source, entry->source) && slice_equal(beat->sender, entry->sender) &&
           slice_equal(beat->host, entry->host) && !entry->path.len;
}

void source_entry_settle(const struct sources *sources, struct source_entry *entry)
{
    entry->every_ns = 0;
    entry->clock_use = CLOCK_SHOWN;
    for (size_t i = 0; i < sources->clock_count; i++)
        if (slice_equal(sources->clocks[i].source, entry->source))
            entry->clock_use = sources->clocks[i].use;
    for (size_t i = 0; i < sources->heartbeat_count; i++)
        if (is_about(&sources->heartbeats[i], entry))
            entry->every_ns = sources->heartbeats[i].every_ns ? sources->heartbeats[i].every_ns : -1;
}

static struct source_entry *find_group(struct sources *sources, const struct source_entry *like, int64_t now_ns)
{
    struct source_entry group = {.kind = SOURCE_EVERYTHING};
    if (like->kind == SOURCE_EVERYTHING)
        return NULL;
    if (like->kind >= SOURCE_SENDER)
        group = (struct source_entry){.kind = SOURCE_INPUT, .source = like->source};
    if (like->kind == SOURCE_HOST && like->sender.len)
        group = (struct source_entry){.kind = SOURCE_SENDER, .source = like->source, .sender = like->sender};
    return source_entry_get(sources, &group, now_ns);
}

struct source_entry *source_entry_add(struct sources *sources, const struct source_entry *like)
{
    struct slice key = key_of(like, sources->scratch);
    struct source_entry *entry = key.ptr ? mem_alloc(sizeof(*entry)) : NULL;
    char *copy = entry ? mem_alloc(key.len + 1) : NULL;
    if (!copy) {
        mem_free(entry);
        return NULL;
    }
    if (sources->count == sources->size) {
        size_t size = sources->size ? sources->size * 2 : 64;
        struct source_entry **list = mem_realloc(sources->list, size * sizeof(struct source_entry *));
        if (list) {
            sources->list = list;
            sources->size = size;
        }
    }
    memcpy(copy, key.ptr, key.len);
    *entry = *like;
    entry->key = (struct slice){copy, key.len};
    cut_names(entry, like);
    entry->stream = entry->dataset = entry->only_host = SLICE_NONE;
    if (sources->count == sources->size || map_put(&sources->by_key, entry->key, entry) < 0) {
        source_entry_free(entry);
        return NULL;
    }
    sources->list[sources->count++] = entry;
    if (entry->group)
        entry->group->members++;
    source_entry_settle(sources, entry);
    return entry;
}

struct source_entry *source_entry_find(struct sources *sources, const struct source_entry *like)
{
    struct slice key = key_of(like, sources->scratch);
    return key.ptr ? map_find(&sources->by_key, key) : NULL;
}

struct source_entry *source_entry_get(struct sources *sources, const struct source_entry *like, int64_t now_ns)
{
    struct source_entry *entry = source_entry_find(sources, like);
    if (entry)
        return entry;
    struct source_entry fresh = {.kind = like->kind, .source = like->source, .sender = like->sender,
                                 .path = like->path, .host = like->host};
    if (sources->count >= SOURCES_KEPT_MAX && like->kind >= SOURCE_SENDER && !forget_some(sources))
        return NULL;
    fresh.group = find_group(sources, like, now_ns);
    if (!fresh.group && like->kind != SOURCE_EVERYTHING)
        return NULL;
    rhythm_begin(&fresh.rhythm, now_ns);
    return source_entry_add(sources, &fresh);
}
