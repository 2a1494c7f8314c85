/* store/store_commit: every change of the manifest. */
#include "store/store_state.h"

#include "base/mem.h"

#include <stdio.h>

uint64_t store_take_number(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    uint64_t number = store->next_number++;
    pthread_mutex_unlock(&store->lock);
    return number;
}

void store_take_summary(struct segment_info *info, const struct segment_summary *summary)
{
    info->file_id = summary->file_id;
    info->rows = summary->rows;
    info->blocks = summary->blocks;
    info->time_min = summary->time_min;
    info->time_max = summary->time_max;
    info->seq_min = summary->seq_min;
    info->seq_max = summary->seq_max;
    info->bytes = summary->bytes;
    info->raw_bytes = summary->raw_bytes;
}

void store_forget_segments(struct store_segment **segments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        atomic_store(&segments[i]->dropped, !segments[i]->doubtful);
        store_segment_unref(segments[i]);
    }
}

static bool is_among(const struct store_segment *segment, struct store_segment *const *list,
                     size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == segment)
            return true;
    return false;
}

/* Under the lock: someone else's change may have come first. */
static bool still_there(const struct store *store, const struct store_change *change)
{
    for (size_t i = 0; i < change->removed_count; i++)
        if (!is_among(change->removed[i], store->segments, store->segment_count))
            return false;
    return true;
}

/* The list as it will be. Under the lock. */
static struct store_segment **next_list(const struct store *store, const struct store_change *change,
                                        size_t *count)
{
    struct store_segment **list =
        mem_alloc((store->segment_count + change->added_count + 1) * sizeof(struct store_segment *));
    *count = 0;
    if (!list)
        return NULL;
    for (size_t i = 0; i < store->segment_count; i++)
        if (!is_among(store->segments[i], change->removed, change->removed_count))
            list[(*count)++] = store->segments[i];
    for (size_t i = 0; i < change->added_count; i++)
        list[(*count)++] = change->added[i];
    return list;
}

bool store_intern_stream(struct store *store, struct slice *stream)
{
    const struct slice *known = map_find(&store->streams, *stream);
    if (!known) {
        struct slice *copy = arena_alloc(store->arena, sizeof(*copy));
        if (!copy || !(*copy = arena_copy(store->arena, *stream)).ptr ||
            map_put(&store->streams, *copy, copy) < 0)
            return false;
        known = copy;
    }
    *stream = *known;
    return true;
}

/* Those that a segment lies in; the ones behind the last of them are not worth a new version. */
static bool fill_places(const struct store *store, struct manifest *out)
{
    size_t used = 0;
    for (size_t i = 0; i < out->segment_count; i++)
        used = out->segments[i].place > used ? out->segments[i].place : used;
    out->places = mem_alloc(used * sizeof(*out->places) + 1);
    for (size_t i = 0; out->places && i < used; i++)
        out->places[i] = store->places[i];
    out->place_count = used;
    return out->places != NULL;
}

/* Under the lock: the newest MANIFEST_DROPS_MAX. */
static bool fill_drops(struct store *store, const struct store_change *change,
                       struct manifest *out)
{
    size_t all = store->drop_count + change->drop_count;
    size_t skip = all > MANIFEST_DROPS_MAX ? all - MANIFEST_DROPS_MAX : 0;
    uint64_t serial = store->drop_count ? store->drops[store->drop_count - 1].serial : 0;
    out->drops = mem_alloc(all * sizeof(*out->drops) + 1);
    out->drop_count = 0;
    for (size_t i = skip; out->drops && i < store->drop_count; i++)
        out->drops[out->drop_count++] = store->drops[i];
    for (size_t i = 0; out->drops && i < change->drop_count; i++) {
        struct manifest_drop drop = change->drops[i];
        drop.serial = ++serial;
        if (!store_intern_stream(store, &drop.stream))
            return false;
        if (store->drop_count + i >= skip)
            out->drops[out->drop_count++] = drop;
    }
    return out->drops != NULL;
}

/* Under the lock: what the new manifest says. */
static bool fill_manifest(struct store *store, const struct store_change *change,
                          struct store_segment **list, size_t count, struct manifest *out)
{
    *out = (struct manifest){.store_id = store->id,
                             .next_number = store->next_number,
                             .covered_position = store->covered_position,
                             .covered_seq = store->covered_seq,
                             .dropped_segments = store->stats.dropped_segments,
                             .dropped_rows = store->stats.dropped_rows,
                             .segment_count = count,
                             .ledger = out->ledger};
    out->segments = mem_alloc(count * sizeof(*out->segments) + 1);
    for (size_t i = 0; out->segments && i < count; i++)
        out->segments[i] = list[i]->info;
    if (!out->segments || !ledger_merge(out->ledger, &store->ledger))
        return false;
    if (!fill_places(store, out) || !fill_drops(store, change, out))
        return false;
    for (size_t i = 0; change->drop_count && i < change->removed_count; i++) {
        out->dropped_segments++;
        out->dropped_rows += change->removed[i]->info.rows;
    }
    if (!change->set)
        return true;
    if (change->set->covered_position > out->covered_position)
        out->covered_position = change->set->covered_position;
    if (change->set->covered_seq > out->covered_seq)
        out->covered_seq = change->set->covered_seq;
    return ledger_merge(out->ledger, &change->set->ledger);
}

/* The bytes count as free from now on; a reader may keep them a while. */
static void leave(struct store *store, const struct store_change *change)
{
    for (size_t i = 0; i < change->removed_count; i++) {
        change->removed[i]->leaving = true;
        atomic_fetch_add(&store->leaving_bytes, change->removed[i]->info.bytes);
    }
    store_forget_segments(change->removed, change->removed_count);
}

/* Under the lock, when the manifest is durable. */
static void adopt(struct store *store, const struct store_change *change, struct store_segment **list,
                  size_t count, struct manifest *manifest)
{
    mem_free(store->segments);
    store->segments = list;
    store->segment_count = count;
    store->covered_position = manifest->covered_position;
    store->covered_seq = manifest->covered_seq;
    store->stats.dropped_segments = manifest->dropped_segments;
    store->stats.dropped_rows = manifest->dropped_rows;
    mem_free(store->drops);
    store->drops = manifest->drops;
    store->drop_count = manifest->drop_count;
    manifest->drops = NULL;
    ledger_close(&store->ledger);
    store->ledger = *manifest->ledger;
    manifest->ledger->arena = NULL;
    if (!change->set)
        return;
    struct mem_set *first = store->sealing; /* the set is the oldest */
    store->sealing = first->next;
    if (!store->sealing)
        store->sealing_last = &store->sealing;
    store->sealing_count--;
    store->stats.seals++;
}

/* The list and the manifest as they will be. */
static int prepare(struct store *store, const struct store_change *change,
                   struct store_segment ***list, struct manifest *manifest, struct err *err)
{
    size_t count;
    if (ledger_init(manifest->ledger, err) < 0)
        return -1;
    int result = 0;
    pthread_mutex_lock(&store->lock);
    if (!still_there(store, change))
        result = err_set(err, ERR_CONFLICT, "the segments have changed meanwhile");
    else if (!(*list = next_list(store, change, &count)) ||
             !fill_manifest(store, change, *list, count, manifest))
        result = err_nomem(err);
    pthread_mutex_unlock(&store->lock);
    return result;
}

int store_commit(struct store *store, const struct store_change *change, struct err *err)
{
    struct ledger ledger = {0};
    struct manifest manifest = {.ledger = &ledger};
    struct store_segment **list = NULL;
    char path[STORE_PATH_MAX];
    bool replaced = false;
    snprintf(path, sizeof(path), "%s/manifest", store->dir);
    pthread_mutex_lock(&store->manifest_lock);
    int result = prepare(store, change, &list, &manifest, err);
    if (result == 0)
        result = manifest_write(store->config.io, path, &manifest, &replaced, err);
    /* In doubt the new files stay: the next open removes them unless the manifest names them. */
    for (size_t i = 0; result < 0 && i < change->added_count; i++)
        change->added[i]->doubtful = replaced;
    if (result == 0) {
        pthread_mutex_lock(&store->lock);
        adopt(store, change, list, manifest.segment_count, &manifest);
        pthread_mutex_unlock(&store->lock);
        leave(store, change);
    } else {
        mem_free(list);
    }
    pthread_mutex_unlock(&store->manifest_lock);
    ledger_close(&ledger);
    mem_free(manifest.segments);
    mem_free(manifest.places);
    mem_free(manifest.drops);
    return result;
}
