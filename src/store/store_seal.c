/* store/store_seal: memory to segments. */
#include "store/store_state.h"

#include "base/mem.h"
#include "base/thread.h"
#include "store/seal.h"

#include <errno.h>
#include <time.h>

enum { RETRY_SECONDS = 1 };

/* One table as one file, durable but not named yet. */
static int write_segment(struct store *store, const struct memtable *table, uint64_t covered,
                         int level, struct store_segment **out, struct err *err)
{
    uint64_t number = store_take_number(store);
    char path[STORE_PATH_MAX];
    struct segment_writer writer;
    struct segment_summary summary;
    struct segment_facts facts = {table->stream, table->day, covered};
    struct segment_info info = {.number = number, .stream = table->stream, .day = table->day,
                                .level = level > store->config.level ? (uint32_t)level : 0};
    if (store_segment_path(store, &info, path, err) < 0 ||
        segment_writer_open(&writer, store->config.io, path, rand_u64(store->config.rand),
                            level, err) < 0)
        return -1;
    if (seal_table(&writer, table, err) < 0) {
        segment_writer_abort(&writer);
        return -1;
    }
    if (segment_writer_finish(&writer, &facts, &summary, err) < 0)
        return -1;
    store_take_summary(&info, &summary);
    *out = store_segment_new(store, &info);
    return *out ? 0 : err_nomem(err);
}

int store_write_tables(struct store *store, const struct memtable *tables, uint64_t covered,
                       int level, struct store_segment **out, size_t *count, struct err *err)
{
    char dir[STORE_PATH_MAX];
    const struct hin_io *io = store->config.io;
    *count = 0;
    for (const struct memtable *table = tables; table; table = table->next)
        if (table->row_count &&
            write_segment(store, table, covered, level, &out[(*count)++], err) < 0) {
            --*count;
            return -1;
        }
    store_place_dir(store, 0, dir);
    if (*count && io->fsync_dir(io->context, dir) < 0)
        return err_set_errno(err, errno, "cannot make folder %s durable", dir);
    return 0;
}

static int seal_set(struct store *store, struct mem_set *set, struct err *err)
{
    size_t count = 0;
    struct store_segment **added = mem_calloc(set->table_count + 1U, sizeof(*added));
    if (!added)
        return err_nomem(err);
    int result = store_write_tables(store, set->tables, set->covered_position,
                                    store->config.level, added, &count, err);
    if (result == 0)
        result = store_commit(
            store, &(struct store_change){.added = added, .added_count = count, .set = set}, err);
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
    thread_stand_behind(WALK_NICE);
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
