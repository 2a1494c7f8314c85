/* store/store_keep: merging and retention, on the thread that yields to all others. */
#include "store/store_state.h"

#include "base/mem.h"
#include "base/time.h"
#include "event/schema.h"
#include "store/block.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    MERGE_SMALL_ROWS = 32768, /* a segment of more rows has a good block already */
    MERGE_AT_LEAST = 4,
    MERGE_ROWS_MAX = 131072,
    MERGE_INPUTS_MAX = 64,
    KEEP_SECONDS = 10,
};

/* ---- retention -------------------------------------------------------------------------- */

static uint32_t days_of(const struct store *store, struct slice stream)
{
    for (size_t i = 0; i < store->config.retention_count; i++)
        if (slice_equal(store->config.retention[i].stream, stream))
            return store->config.retention[i].days;
    return store->config.retention_days;
}

int store_retain(struct store *store, struct err *err)
{
    int64_t today = time_day(clock_wall_ns(store->config.clock));
    pthread_mutex_lock(&store->lock);
    struct store_segment **old =
        mem_alloc(store->segment_count * sizeof(struct store_segment *) + 1);
    size_t count = 0;
    for (size_t i = 0; old && i < store->segment_count; i++) {
        struct store_segment *segment = store->segments[i];
        uint32_t days = days_of(store, segment->info.stream);
        if (days && segment->info.day + (int64_t)days < today) {
            atomic_fetch_add(&segment->refs, 1);
            old[count++] = segment;
        }
    }
    pthread_mutex_unlock(&store->lock);
    if (!old)
        return err_nomem(err);
    int result = count ? store_commit(store, NULL, 0, old, count, NULL, true, err) : 0;
    for (size_t i = 0; i < count; i++)
        store_segment_unref(old[i]);
    mem_free(old);
    return result;
}

/* ---- merging ---------------------------------------------------------------------------- */

static bool same_partition(const struct segment_info *a, const struct segment_info *b)
{
    return a->day == b->day && slice_equal(a->stream, b->stream);
}

static bool is_small(const struct store_segment *segment)
{
    return segment->info.rows < MERGE_SMALL_ROWS && !segment->keep_apart;
}

/* Small segments of one partition, each held; 0 when there are too few. */
static size_t choose(struct store *store, struct store_segment *out[MERGE_INPUTS_MAX])
{
    for (size_t i = 0; i < store->segment_count; i++) {
        const struct store_segment *first = store->segments[i];
        size_t count = 0;
        uint64_t rows = 0;
        for (size_t k = i; is_small(first) && k < store->segment_count; k++) {
            struct store_segment *other = store->segments[k];
            if (!is_small(other) || !same_partition(&first->info, &other->info) ||
                rows + other->info.rows > MERGE_ROWS_MAX || count == MERGE_INPUTS_MAX)
                continue;
            rows += other->info.rows;
            out[count++] = other;
        }
        if (count < MERGE_AT_LEAST)
            continue;
        for (size_t k = 0; k < count; k++)
            atomic_fetch_add(&out[k]->refs, 1);
        return count;
    }
    return 0;
}

/* Every row of a segment into the table. -1 with ERR_CORRUPT: it must stay as it is. */
static int absorb(struct store *store, const struct store_segment *from, struct memtable *table,
                  struct err *err)
{
    struct arena *work = arena_new(1 * GIB);
    struct segment *segment = NULL;
    int result = work ? segment_open(store->config.io, from->path, NULL, &segment, err)
                      : err_nomem(err);
    for (uint32_t b = 0; result == 0 && b < segment_block_count(segment); b++) {
        struct batch *batch;
        struct mem_rows rows;
        arena_reset(work);
        result = block_read_all(segment, b, work, &batch, &rows, err);
        if (result < 0)
            break;
        struct mem_part *part = memtable_append(table, batch, &rows);
        if (!part) {
            result = err_nomem(err);
            break;
        }
        if (table->last)
            table->last->next = part;
        else
            table->first = part;
        table->last = part;
        table->part_count++;
        table->row_count += part->row_count;
    }
    segment_close(segment);
    arena_free(work);
    return result;
}

static int merge_into(struct store *store, struct store_segment **inputs, size_t count,
                      struct err *err)
{
    struct memtable *table = memtable_new(inputs[0]->info.day, inputs[0]->info.stream);
    struct store_segment *made[1] = {NULL};
    size_t made_count = 0;
    int result = table ? 0 : err_nomem(err);
    for (size_t i = 0; result == 0 && i < count; i++) {
        result = absorb(store, inputs[i], table, err);
        if (result < 0)
            inputs[i]->keep_apart = true; /* read by this thread only */
    }
    if (result == 0)
        result = store_write_tables(store, table, store_covered(store), made, &made_count, err);
    if (result == 0)
        result = store_commit(store, made, made_count, inputs, count, NULL, false, err);
    if (result < 0)
        store_forget_segments(made, made_count);
    memtable_free(table);
    return result;
}

int store_merge(struct store *store, struct err *err)
{
    struct store_segment *inputs[MERGE_INPUTS_MAX];
    pthread_mutex_lock(&store->lock);
    size_t count = choose(store, inputs);
    pthread_mutex_unlock(&store->lock);
    if (!count)
        return 0;
    int result = merge_into(store, inputs, count, err);
    pthread_mutex_lock(&store->lock);
    store->stats.merges += result == 0;
    store->stats.merged_segments += result == 0 ? count : 0;
    pthread_mutex_unlock(&store->lock);
    for (size_t i = 0; i < count; i++)
        store_segment_unref(inputs[i]);
    return result < 0 ? -1 : 1;
}

/* ---- the thread ------------------------------------------------------------------------- */

static void keep_once(struct store *store)
{
    struct err err;
    err_clear(&err);
    if (store_retain(store, &err) < 0)
        store_say(store, "retention: %s", err.text);
    err_clear(&err);
    while (!store->stopping) {
        int merged = store_merge(store, &err);
        if (merged < 0)
            store_say(store, "merging: %s", err.text);
        if (merged <= 0)
            break;
    }
}

void *store_keep_run(void *context)
{
    struct store *store = context;
    /* in Linux a thread has its own priority */
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 19);
    pthread_mutex_lock(&store->lock);
    while (!store->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += KEEP_SECONDS;
        pthread_cond_timedwait(&store->keep, &store->lock, &until);
        if (store->stopping)
            break;
        pthread_mutex_unlock(&store->lock);
        keep_once(store);
        pthread_mutex_lock(&store->lock);
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}
