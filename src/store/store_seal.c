/* store/store_seal: memory to segments, and every change of the manifest. */
#include "store/store_state.h"

#include "base/mem.h"
#include "store/seal.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

enum { RETRY_SECONDS = 1 };

static uint64_t take_number(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    uint64_t number = store->next_number++;
    pthread_mutex_unlock(&store->lock);
    return number;
}

/* One table as one file, durable but not named yet. */
static int write_segment(struct store *store, const struct memtable *table, uint64_t covered,
                         struct store_segment **out, struct err *err)
{
    uint64_t number = take_number(store);
    char path[STORE_PATH_MAX];
    struct segment_writer writer;
    struct segment_summary summary;
    struct segment_facts facts = {table->stream, table->day, covered};
    if (store_segment_path(store, number, path, err) < 0 ||
        segment_writer_open(&writer, store->config.io, path, rand_u64(store->config.rand),
                            store->config.level, err) < 0)
        return -1;
    if (seal_table(&writer, table, err) < 0) {
        segment_writer_abort(&writer);
        return -1;
    }
    if (segment_writer_finish(&writer, &facts, &summary, err) < 0)
        return -1;
    struct segment_info info = {
        .number = number,
        .file_id = summary.file_id,
        .stream = table->stream,
        .day = table->day,
        .rows = summary.rows,
        .blocks = summary.blocks,
        .time_min = summary.time_min,
        .time_max = summary.time_max,
        .seq_min = summary.seq_min,
        .seq_max = summary.seq_max,
        .bytes = summary.bytes,
        .raw_bytes = summary.raw_bytes,
    };
    *out = store_segment_new(store, &info);
    return *out ? 0 : err_nomem(err);
}

int store_write_tables(struct store *store, const struct memtable *tables, uint64_t covered,
                       struct store_segment **out, size_t *count, struct err *err)
{
    char dir[STORE_PATH_MAX];
    const struct hin_io *io = store->config.io;
    *count = 0;
    for (const struct memtable *table = tables; table; table = table->next)
        if (table->row_count && write_segment(store, table, covered, &out[(*count)++], err) < 0) {
            --*count;
            return -1;
        }
    snprintf(dir, sizeof(dir), "%s/segments", store->dir);
    if (*count && io->fsync_dir(io->context, dir) < 0)
        return err_set_errno(err, errno, "cannot make folder %s durable", dir);
    return 0;
}

void store_forget_segments(struct store_segment **segments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        atomic_store(&segments[i]->dropped, !segments[i]->doubtful);
        store_segment_unref(segments[i]);
    }
}

/* ---- commit ----------------------------------------------------------------------------- */

static bool is_among(const struct store_segment *segment, struct store_segment *const *list,
                     size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == segment)
            return true;
    return false;
}

struct change {
    struct store_segment **added, **removed;
    size_t added_count, removed_count;
    const struct mem_set *set;
    bool by_retention;
};

/* Under the lock: someone else's change may have come first. */
static bool still_there(const struct store *store, const struct change *change)
{
    for (size_t i = 0; i < change->removed_count; i++)
        if (!is_among(change->removed[i], store->segments, store->segment_count))
            return false;
    return true;
}

/* The list as it will be. Under the lock. */
static struct store_segment **next_list(const struct store *store, const struct change *change,
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

/* Under the lock: what the new manifest says. */
static bool fill_manifest(const struct store *store, const struct change *change,
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
    if (!out->segments || !ledger_merge(out->ledger, &store->ledger))
        return false;
    for (size_t i = 0; i < count; i++)
        out->segments[i] = list[i]->info;
    for (size_t i = 0; change->by_retention && i < change->removed_count; i++) {
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

/* Under the lock, when the manifest is durable. */
static void adopt(struct store *store, const struct change *change, struct store_segment **list,
                  size_t count, struct manifest *manifest)
{
    mem_free(store->segments);
    store->segments = list;
    store->segment_count = count;
    store->covered_position = manifest->covered_position;
    store->covered_seq = manifest->covered_seq;
    store->stats.dropped_segments = manifest->dropped_segments;
    store->stats.dropped_rows = manifest->dropped_rows;
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

int store_commit(struct store *store, struct store_segment **added, size_t added_count,
                 struct store_segment **removed, size_t removed_count, const struct mem_set *set,
                 bool by_retention, struct err *err)
{
    struct change change = {added, removed, added_count, removed_count, set, by_retention};
    struct ledger ledger = {0};
    struct manifest manifest = {.ledger = &ledger};
    char path[STORE_PATH_MAX];
    size_t count = 0;
    snprintf(path, sizeof(path), "%s/manifest", store->dir);
    pthread_mutex_lock(&store->manifest_lock);
    int result = ledger_init(&ledger, err);
    struct store_segment **list = NULL;
    if (result == 0) {
        pthread_mutex_lock(&store->lock);
        if (!still_there(store, &change))
            result = err_set(err, ERR_CONFLICT, "the segments have changed meanwhile");
        else if (!(list = next_list(store, &change, &count)) || !fill_manifest(store, &change, list, count, &manifest))
            result = err_nomem(err);
        pthread_mutex_unlock(&store->lock);
    }
    bool replaced = false;
    if (result == 0)
        result = manifest_write(store->config.io, path, &manifest, &replaced, err);
    /* In doubt the new files stay: the next open removes them unless the manifest names them. */
    for (size_t i = 0; result < 0 && i < added_count; i++)
        added[i]->doubtful = replaced;
    if (result == 0) {
        pthread_mutex_lock(&store->lock);
        adopt(store, &change, list, count, &manifest);
        pthread_mutex_unlock(&store->lock);
        store_forget_segments(removed, removed_count);
    } else {
        mem_free(list);
    }
    pthread_mutex_unlock(&store->manifest_lock);
    ledger_close(&ledger);
    mem_free(manifest.segments);
    return result;
}

/* ---- sealing ---------------------------------------------------------------------------- */

static int seal_set(struct store *store, struct mem_set *set, struct err *err)
{
    size_t count = 0;
    struct store_segment **added = mem_calloc(set->table_count + 1U, sizeof(*added));
    if (!added)
        return err_nomem(err);
    int result = store_write_tables(store, set->tables, set->covered_position, added, &count, err);
    if (result == 0)
        result = store_commit(store, added, count, NULL, 0, set, false, err);
    if (result < 0)
        store_forget_segments(added, count);
    mem_free(added);
    return result;
}

int store_seal_oldest(struct store *store, struct err *err)
{
    struct err reason;
    err_clear(&reason);
    pthread_mutex_lock(&store->lock);
    struct mem_set *set = store->sealing;
    pthread_mutex_unlock(&store->lock);
    if (!set)
        return 0;
    int result = seal_set(store, set, &reason);
    pthread_mutex_lock(&store->lock);
    store->stats.seal_failures += result < 0;
    store->seal_error = reason;
    if (result < 0 && reason.code == ERR_NONE)
        store->seal_error.code = ERR_IO;
    pthread_cond_broadcast(&store->sealed);
    pthread_cond_signal(&store->keep);
    pthread_mutex_unlock(&store->lock);
    if (result == 0)
        mem_set_unref(set);
    else if (err)
        *err = reason;
    return result;
}

/* After a failure the disk gets a moment; flush asks for a try at once. */
static void wait_for_retry(struct store *store)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RETRY_SECONDS;
    while (store->seal_error.code != ERR_NONE && !store->stopping)
        if (pthread_cond_timedwait(&store->work, &store->lock, &until) == ETIMEDOUT)
            break;
}

void *store_seal_run(void *context)
{
    struct store *store = context;
    pthread_mutex_lock(&store->lock);
    while (!store->stopping) {
        if (!store->sealing) {
            pthread_cond_wait(&store->work, &store->lock);
            continue;
        }
        pthread_mutex_unlock(&store->lock);
        struct err err;
        err_clear(&err);
        int result = store_seal_oldest(store, &err);
        if (result < 0)
            store_say(store, "rows stay in memory and in the journal: %s", err.text);
        pthread_mutex_lock(&store->lock);
        if (result < 0)
            wait_for_retry(store);
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}
