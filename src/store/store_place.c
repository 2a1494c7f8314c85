/* store/store_place: the folders that segments lie in: segments/ and, when old ones are moved, others.
 *
 * A further folder has a file "hinomi-cold" with a number, the mark, which the manifest knows. Without
 * it nothing is written, removed or looked for there: the disk may not be mounted, or the folder may
 * be that of another store (a restored copy would else tidy the original's files away).
 */
#include "store/store_state.h"

#include "base/file.h"
#include "base/mem.h"
#include "store/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define MARK_NAME "hinomi-cold"
enum { MARK_LEN = 16 };

const char *store_place_dir(const struct store *store, uint32_t place, char to[STORE_PATH_MAX])
{
    if (place)
        snprintf(to, STORE_PATH_MAX, "%.*s", SLICE_ARG(store->places[place - 1].path));
    else
        snprintf(to, STORE_PATH_MAX, "%s/segments", store->dir);
    return to;
}

int store_segment_path(const struct store *store, const struct segment_info *info,
                       char to[STORE_PATH_MAX], struct err *err)
{
    char dir[STORE_PATH_MAX];
    int len = snprintf(to, STORE_PATH_MAX, "%s/%016llx.segment",
                       store_place_dir(store, info->place, dir), (unsigned long long)info->number);
    if (len < 0 || len >= STORE_PATH_MAX)
        return err_set(err, ERR_CONFIG, "folder name %.100s... is too long", dir);
    return 0;
}

/* ---- one segment ---- */

struct store_segment *store_segment_new(struct store *store, const struct segment_info *info)
{
    char path[STORE_PATH_MAX];
    if (store_segment_path(store, info, path, NULL) < 0)
        return NULL;
    size_t path_len = strlen(path);
    struct store_segment *segment =
        mem_calloc(1, sizeof(*segment) + path_len + 1 + info->stream.len + 1);
    if (!segment)
        return NULL;
    atomic_init(&segment->refs, 1);
    segment->store = store;
    segment->info = *info;
    segment->born_ns = clock_mono_ns(store->config.clock);
    memcpy(segment->path, path, path_len);
    char *stream = segment->path + path_len + 1;
    if (info->stream.len)
        memcpy(stream, info->stream.ptr, info->stream.len);
    segment->info.stream = slice_of(stream, info->stream.len);
    return segment;
}

void store_segment_unref(struct store_segment *segment)
{
    if (!segment || atomic_fetch_sub(&segment->refs, 1) != 1)
        return;
    struct store *store = segment->store;
    const struct hin_io *io = store->config.io;
    if (atomic_load(&segment->dropped))
        io->unlink(io->context, segment->path); /* else the next open removes it */
    if (segment->leaving)
        atomic_fetch_sub(&store->leaving_bytes, segment->info.bytes);
    footers_forget(segment);
    mem_free(segment);
}

bool store_segment_is_quiet(const struct store_segment *segment)
{
    const struct store_config *config = &segment->store->config;
    return clock_mono_ns(config->clock) - segment->born_ns >= config->quiet_ms * NS_PER_MS;
}

static int compare_age(const void *a, const void *b)
{
    const struct segment_info *x = &(*(struct store_segment *const *)a)->info;
    const struct segment_info *y = &(*(struct store_segment *const *)b)->info;
    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    if (x->time_max != y->time_max)
        return x->time_max < y->time_max ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

struct store_segment **store_segments_hold(struct store *store, size_t *count)
{
    pthread_mutex_lock(&store->lock);
    struct store_segment **list = mem_alloc(store->segment_count * sizeof(struct store_segment *) + 1);
    *count = 0;
    for (size_t i = 0; list && i < store->segment_count; i++) {
        atomic_fetch_add(&store->segments[i]->refs, 1);
        list[(*count)++] = store->segments[i];
    }
    pthread_mutex_unlock(&store->lock);
    if (list)
        qsort(list, *count, sizeof(struct store_segment *), compare_age);
    return list;
}

void store_segments_release(struct store_segment **segments, size_t count)
{
    for (size_t i = 0; i < count; i++)
        store_segment_unref(segments[i]);
    mem_free(segments);
}

/* ---- marks ---- */

static int mark_path(const char *dir, char to[STORE_PATH_MAX])
{
    int len = snprintf(to, STORE_PATH_MAX, "%s/" MARK_NAME, dir);
    return len > 0 && len < STORE_PATH_MAX ? 0 : -1;
}

/* 1 and the mark; 0 when there is none; -1 when it cannot be read. */
static int read_mark(const struct store *store, const char *dir, uint64_t *mark)
{
    const struct hin_io *io = store->config.io;
    char path[STORE_PATH_MAX], text[MARK_LEN];
    if (mark_path(dir, path) < 0)
        return -1;
    int fd = io->open(io->context, path, O_RDONLY, 0);
    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    int result = io_read_all(io, fd, text, sizeof(text), 0, path, NULL);
    io->close(io->context, fd);
    return result == 0 && bytes_parse_hex64(slice_of(text, sizeof(text)), mark) ? 1 : -1;
}

bool store_place_is_there(const struct store *store, uint32_t place)
{
    char dir[STORE_PATH_MAX];
    uint64_t mark;
    return read_mark(store, store_place_dir(store, place, dir), &mark) == 1 &&
           mark == store->places[place - 1].mark;
}

static int found_segment(void *context, const char *path, struct err *err)
{
    (void)context;
    return err_set(err, ERR_CONFLICT, "%s is there", path);
}

/* A mark of its own for a folder that has no segments of anybody. */
static int write_mark(struct store *store, const char *dir, uint64_t *mark, struct err *err)
{
    char path[STORE_PATH_MAX], text[MARK_LEN + 2];
    if (file_walk(dir, ".segment", found_segment, NULL, err) < 0)
        return err_within(err, "%s has segments of another store", dir);
    *mark = rand_u64(store->config.rand);
    snprintf(text, sizeof(text), "%016llx\n", (unsigned long long)*mark);
    if (mark_path(dir, path) < 0)
        return err_set(err, ERR_CONFIG, "folder name %.100s... is too long", dir);
    return io_replace_file(store->config.io, path, slice_text(text), err);
}

/* A folder named for the first time, or one that has nothing of ours: in the manifest with the first
 * segment that goes there. */
static int begin_place(struct store *store, const char *dir, uint32_t place, struct err *err)
{
    struct manifest_place fresh = {.path = arena_copy(store->arena, slice_text(dir))};
    if (!fresh.path.ptr)
        return err_nomem(err);
    if (place > MANIFEST_PLACES_MAX)
        return err_set(err, ERR_LIMIT, "segments lie in %d folders already", MANIFEST_PLACES_MAX);
    if (io_make_dirs(store->config.io, dir, err) < 0 || write_mark(store, dir, &fresh.mark, err) < 0)
        return -1;
    pthread_mutex_lock(&store->lock);
    store->places[place - 1] = fresh;
    if (place > store->place_count)
        store->place_count = place;
    pthread_mutex_unlock(&store->lock);
    return 0;
}

static bool is_used(struct store *store, uint32_t place)
{
    bool used = false;
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; !used && i < store->segment_count; i++)
        used = store->segments[i]->info.place == place;
    pthread_mutex_unlock(&store->lock);
    return used;
}

static int open_cold(struct store *store, const char *dir, struct err *err)
{
    uint32_t place = 1;
    while (place <= store->place_count && !slice_is(store->places[place - 1].path, dir))
        place++;
    if (place > store->place_count || !is_used(store, place)) {
        if (place > store->place_count || !store_place_is_there(store, place))
            if (begin_place(store, dir, place, err) < 0)
                return -1;
    } else if (!store_place_is_there(store, place)) {
        return err_set(err, ERR_NOT_FOUND, "%s does not have the file " MARK_NAME " that was put there; is "
                       "the disk mounted?", dir);
    }
    store->cold_place = place;
    return 0;
}

void store_place_open_cold(struct store *store)
{
    struct err err;
    store->cold_place = 0;
    if (!store->config.cold_dir)
        return;
    bool ok = open_cold(store, store->config.cold_dir, &err) == 0;
    if (!ok && !store->cold_said)
        store_say(store, "cold_dir cannot be used, old segments stay where they are: %s", err.text);
    if (ok && store->cold_said)
        store_say(store, "cold_dir %s can be used again", store->config.cold_dir);
    store->cold_said = !ok;
}

/* ---- room ---- */

static uint64_t stays_free(const struct store_config *config, const struct io_space *space)
{
    uint64_t share = space->total / 100 * config->disk_free_percent;
    return share > config->disk_free_min ? share : config->disk_free_min;
}

int store_place_short(struct store *store, uint32_t place, struct io_space *space,
                      uint64_t *bytes, struct err *err)
{
    const struct store_config *config = &store->config;
    char dir[STORE_PATH_MAX];
    if (config->io->space(config->io->context, store_place_dir(store, place, dir), space) < 0)
        return err_set_errno(err, errno, "cannot ask how much is free in %s", dir);
    uint64_t wanted = stays_free(config, space);
    uint64_t free = space->free + atomic_load(&store->leaving_bytes);
    *bytes = free < wanted ? wanted - free : 0;
    return 0;
}

int store_room(struct store *store, uint64_t *out, struct err *err)
{
    struct io_space space;
    struct store_stats stats;
    uint64_t lacking, max = store->config.disk_max;
    if (store_place_short(store, 0, &space, &lacking, err) < 0)
        return -1;
    uint64_t kept = stays_free(&store->config, &space);
    uint64_t room = space.free > kept ? space.free - kept : 0;
    store_stats(store, &stats);
    uint64_t below = !max ? room : stats.segment_bytes < max ? max - stats.segment_bytes : 0;
    *out = below < room ? below : room;
    return 0;
}
