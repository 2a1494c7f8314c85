/* store/store_pack: segments of days that are over are compressed once more, several to a file.
 *
 * A seal compresses for speed, since a server must keep up; a day that nobody adds to is worth a better
 * level, once. What was merged has it already (docs/decisions/merging-late.md).
 */
#include "store/segment_pack.h"
#include "store/store_state.h"

#include "base/mem.h"
#include "base/time.h"

#include <errno.h>

enum { PACK_DAYS = 2, PACK_INPUTS_MAX = 64 };
#define PACK_BYTES (256 * MIB)

struct pack {
    struct store_segment *inputs[PACK_INPUTS_MAX]; /* each held */
    size_t count;
};

static bool is_due(const struct store *store, const struct store_segment *segment)
{
    uint32_t days = store->config.pack_days ? store->config.pack_days : PACK_DAYS;
    int64_t today = time_day(clock_wall_ns(store->config.clock));
    return !segment->info.level && !segment->info.place && !segment->keep_apart &&
           segment->info.day + (int64_t)days < today && store_segment_is_quiet(segment);
}

/* Of the oldest such day of a stream, in order of time. */
static int choose(struct store *store, struct pack *pack, struct err *err)
{
    size_t count;
    uint64_t bytes = 0;
    struct store_segment **list = store_segments_hold(store, &count);
    if (!list)
        return err_nomem(err);
    for (size_t i = 0; i < count && pack->count < PACK_INPUTS_MAX && bytes < PACK_BYTES; i++) {
        const struct segment_info *first = pack->count ? &pack->inputs[0]->info : &list[i]->info;
        if (!is_due(store, list[i]) || first->day != list[i]->info.day ||
            !slice_equal(first->stream, list[i]->info.stream))
            continue;
        atomic_fetch_add(&list[i]->refs, 1);
        pack->inputs[pack->count++] = list[i];
        bytes += list[i]->info.bytes;
    }
    store_segments_release(list, count);
    return 0;
}

static int write_packed(struct store *store, struct pack *pack, struct segment_info *info,
                        size_t *taken, struct err *err)
{
    const char *paths[PACK_INPUTS_MAX];
    char path[STORE_PATH_MAX];
    struct segment_writer writer;
    struct segment_facts facts;
    struct segment_summary summary;
    struct arena *arena = arena_new(MIB);
    for (size_t i = 0; i < pack->count; i++)
        paths[i] = pack->inputs[i]->path;
    int result = arena ? store_segment_path(store, info, path, err) : err_nomem(err);
    if (result == 0)
        result = segment_writer_open(&writer, store->config.io, path, rand_u64(store->config.rand),
                                     (int)info->level, err);
    if (result == 0) {
        result = segment_pack(&writer, paths, pack->count, taken, &facts, arena, err);
        if (result < 0 && err && err->code == ERR_CORRUPT)
            pack->inputs[*taken]->keep_apart = true; /* else it would be tried for ever */
        if (result < 0)
            segment_writer_abort(&writer);
        else
            result = segment_writer_finish(&writer, &facts, &summary, err);
    }
    if (result == 0)
        store_take_summary(info, &summary);
    arena_free(arena);
    return result;
}

static void count_pack(struct store *store, const struct store_segment *made, size_t inputs)
{
    pthread_mutex_lock(&store->lock);
    store->stats.packs++;
    store->stats.packed_segments += inputs;
    store->stats.packed_rows += made->info.rows;
    store->stats.packed_bytes += made->info.bytes;
    pthread_mutex_unlock(&store->lock);
}

static int pack_chosen(struct store *store, struct pack *pack, struct err *err)
{
    const struct hin_io *io = store->config.io;
    struct segment_info info = {.number = store_take_number(store),
                                .stream = pack->inputs[0]->info.stream,
                                .day = pack->inputs[0]->info.day,
                                .level = (uint32_t)store->config.pack_level};
    char dir[STORE_PATH_MAX];
    size_t taken = 0;
    if (write_packed(store, pack, &info, &taken, err) < 0)
        return -1;
    for (size_t i = 0; i < taken; i++)
        if (pack->inputs[i]->info.generation >= info.generation)
            info.generation = pack->inputs[i]->info.generation + 1;
    struct store_segment *made = store_segment_new(store, &info);
    if (!made)
        return err_nomem(err);
    int result = io->fsync_dir(io->context, store_place_dir(store, 0, dir)) < 0
                     ? err_set_errno(err, errno, "cannot make folder %s durable", dir)
                     : 0;
    if (result == 0)
        result = store_commit(store, &(struct store_change){.added = &made, .added_count = 1,
                                                            .removed = pack->inputs,
                                                            .removed_count = taken}, err);
    if (result == 0)
        count_pack(store, made, taken);
    else
        store_forget_segments(&made, 1);
    return result;
}

int store_pack(struct store *store, struct err *err)
{
    struct pack pack = {0};
    if (store->config.pack_level <= store->config.level)
        return 0;
    if (choose(store, &pack, err) < 0)
        return -1;
    int result = pack.count ? pack_chosen(store, &pack, err) : 0;
    for (size_t i = 0; i < pack.count; i++)
        store_segment_unref(pack.inputs[i]);
    return result < 0 ? -1 : pack.count > 0;
}
