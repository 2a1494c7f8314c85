/* store/store_cold: old segments are moved to cold_dir and stay searchable there.
 *
 *   copy under a new number, fdatasync, folder ──► manifest ──► the old file goes with its last reader
 *
 * Before the manifest the copy does not count (the next open removes it), after it the old file does
 * not. The number is new, so no file that any manifest on disk may name is ever written again.
 */
#include "store/store_state.h"

#include "base/mem.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>

#define COPY_BYTES (1 * MIB)

/* ---- which ---- */

static bool is_due(const struct store *store, const struct segment_info *info, int64_t today)
{
    uint32_t days = store_retention_of(store, info->stream).cold_days;
    return days && info->day + (int64_t)days < today;
}

/* The disk of segments/ is too full and that of cold_dir is another one with room for this. */
static bool is_pressed(struct store *store, const struct segment_info *info)
{
    struct io_space hot, cold;
    uint64_t hot_short, cold_short;
    return (store->config.disk_free_min || store->config.disk_free_percent) &&
           store_place_short(store, 0, &hot, &hot_short, NULL) == 0 &&
           store_place_short(store, store->cold_place, &cold, &cold_short, NULL) == 0 && hot_short &&
           hot.device != cold.device && !cold_short && cold.free > 2 * info->bytes;
}

/* Held; NULL when there is none. */
static struct store_segment *choose(struct store *store)
{
    int64_t today = time_day(clock_wall_ns(store->config.clock));
    struct store_segment *found = NULL;
    size_t count, oldest = SIZE_MAX;
    struct store_segment **list = store_segments_hold(store, &count);
    for (size_t i = 0; list && !found && i < count; i++) {
        if (list[i]->info.place || list[i]->keep_apart)
            continue;
        oldest = oldest == SIZE_MAX ? i : oldest;
        found = is_due(store, &list[i]->info, today) ? list[i] : NULL;
    }
    if (list && !found && oldest < count && is_pressed(store, &list[oldest]->info))
        found = list[oldest];
    if (found)
        atomic_fetch_add(&found->refs, 1);
    store_segments_release(list, list ? count : 0);
    return found;
}

/* ---- how ---- */

struct copying {
    const struct hin_io *io;
    struct store_segment *from;
    const char *to;
    int from_fd, to_fd;
};

/* A source that cannot be read is left where it is, or it would be tried for ever. */
static int copy_bytes(struct copying *copying, struct err *err)
{
    uint64_t size = copying->from->info.bytes;
    char *room = mem_alloc(COPY_BYTES);
    int result = room ? 0 : err_nomem(err);
    for (uint64_t at = 0; result == 0 && at < size;) {
        size_t len = size - at < COPY_BYTES ? (size_t)(size - at) : COPY_BYTES;
        if (io_read_all(copying->io, copying->from_fd, room, len, (off_t)at, copying->from->path, err) < 0) {
            copying->from->keep_apart = true;
            result = -1;
        } else {
            result = io_write_all(copying->io, copying->to_fd, slice_of(room, len), (off_t)at,
                                  copying->to, err);
        }
        at += len;
    }
    mem_free(room);
    return result;
}

static int copy_open(struct copying *copying, struct err *err)
{
    const struct hin_io *io = copying->io;
    int result = copy_bytes(copying, err);
    if (result == 0 && io->fdatasync(io->context, copying->to_fd) < 0)
        result = err_set_errno(err, errno, "cannot make %s durable", copying->to);
    if (io->close(io->context, copying->to_fd) < 0 && result == 0)
        result = err_set_errno(err, errno, "cannot close %s", copying->to);
    if (result < 0)
        io->unlink(io->context, copying->to); /* else the next open removes it */
    return result;
}

static int copy_file(struct store *store, struct store_segment *from, const char *to,
                     struct err *err)
{
    const struct hin_io *io = store->config.io;
    struct copying copying = {.io = io, .from = from, .to = to};
    copying.from_fd = io->open(io->context, from->path, O_RDONLY, 0);
    if (copying.from_fd < 0) {
        from->keep_apart = errno == ENOENT;
        return err_set_errno(err, errno, "cannot open %s", from->path);
    }
    copying.to_fd = io->open(io->context, to, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    int result = copying.to_fd < 0 ? err_set_errno(err, errno, "cannot create %s", to)
                                   : copy_open(&copying, err);
    io->close(io->context, copying.from_fd);
    return result;
}

static int move(struct store *store, struct store_segment *from, struct err *err)
{
    const struct hin_io *io = store->config.io;
    char dir[STORE_PATH_MAX];
    struct segment_info info = from->info;
    info.number = store_take_number(store);
    info.place = store->cold_place;
    struct store_segment *made = store_segment_new(store, &info);
    if (!made)
        return err_nomem(err);
    int result = copy_file(store, from, made->path, err);
    if (result == 0 && io->fsync_dir(io->context, store_place_dir(store, info.place, dir)) < 0)
        result = err_set_errno(err, errno, "cannot make folder %s durable", dir);
    if (result == 0)
        result = store_commit(store, &(struct store_change){.added = &made, .added_count = 1,
                                                            .removed = &from, .removed_count = 1}, err);
    if (result < 0)
        store_forget_segments(&made, 1);
    return result;
}

int store_chill(struct store *store, struct err *err)
{
    if (!store->config.cold_dir)
        return 0;
    if (!store->cold_place || !store_place_is_there(store, store->cold_place))
        store_place_open_cold(store);
    struct store_segment *segment = store->cold_place ? choose(store) : NULL;
    if (!segment)
        return 0;
    int result = move(store, segment, err);
    pthread_mutex_lock(&store->lock);
    store->stats.moves += result == 0;
    pthread_mutex_unlock(&store->lock);
    store_segment_unref(segment);
    return result < 0 ? -1 : 1;
}
