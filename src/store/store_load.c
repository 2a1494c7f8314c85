/* store/store_load: a store as its manifest says it is, and files that it does not name removed. */
#include "base/file.h"
#include "base/mem.h"
#include "store/bytes.h"
#include "store/segment.h"
#include "store/segment_format.h"
#include "store/store_state.h"

#include <stdio.h>

enum { VERSIONS_LOOKED_AT = 64 };

static int take_places(struct store *store, const struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->place_count; i++) {
        store->places[i] = manifest->places[i];
        store->places[i].path = arena_copy(store->arena, manifest->places[i].path);
        if (!store->places[i].path.ptr)
            return -1;
    }
    store->place_count = manifest->place_count;
    return 0;
}

static int take_drops(struct store *store, const struct manifest *manifest)
{
    store->drops = mem_alloc(manifest->drop_count * sizeof(*store->drops) + 1);
    for (size_t i = 0; store->drops && i < manifest->drop_count; i++) {
        store->drops[i] = manifest->drops[i];
        if (!store_intern_stream(store, &store->drops[i].stream))
            return -1;
        store->drop_count++;
    }
    return store->drops ? 0 : -1;
}

static int take_manifest(struct store *store, const struct manifest *manifest, struct err *err)
{
    store->id = manifest->store_id;
    store->next_number = manifest->next_number;
    store->covered_position = manifest->covered_position;
    store->covered_seq = store->sealed_seq_at_open = manifest->covered_seq;
    store->stats.dropped_segments = manifest->dropped_segments;
    store->stats.dropped_rows = manifest->dropped_rows;
    if (take_places(store, manifest) < 0 || take_drops(store, manifest) < 0)
        return err_nomem(err);
    store->segments = mem_calloc(manifest->segment_count + 16, sizeof(*store->segments));
    if (!store->segments)
        return err_nomem(err);
    store->segment_size = manifest->segment_count + 16;
    for (size_t i = 0; i < manifest->segment_count; i++) {
        struct store_segment *segment = store_segment_new(store, &manifest->segments[i]);
        if (!segment)
            return err_nomem(err);
        store->segments[store->segment_count++] = segment;
    }
    return 0;
}

static int read_manifest(struct store *store, struct err *err)
{
    char path[STORE_PATH_MAX];
    snprintf(path, sizeof(path), "%s/manifest", store->dir);
    struct arena *arena = arena_new(1 * GIB);
    struct manifest manifest = {.ledger = &store->ledger};
    bool found = false, replaced;
    int result = arena ? manifest_read(store->config.io, path, arena, &manifest, &found, err)
                       : err_nomem(err);
    if (result == 0 && !found && store->config.read_only)
        result = err_set(err, ERR_NOT_FOUND, "it has no manifest: nothing was ever stored here");
    if (result == 0 && !found) {
        manifest.store_id = rand_u64(store->config.rand);
        manifest.next_number = 1;
    }
    if (result == 0)
        result = take_manifest(store, &manifest, err);
    if (result == 0 && !found) /* the id must not change any more: event ids come from it */
        result = manifest_write(store->config.io, path, &manifest, &replaced, err);
    arena_free(arena);
    return result;
}

/* What a newer program has written is not ours to tidy up. It gives its files higher numbers, so the
 * last ones tell. */
static int check_versions(struct store *store, struct err *err)
{
    size_t count = store->segment_count;
    for (size_t i = count > VERSIONS_LOOKED_AT ? count - VERSIONS_LOOKED_AT : 0; i < count; i++) {
        uint32_t version;
        if (segment_read_version(store->config.io, store->segments[i]->path, &version) &&
            version > SEGMENT_VERSION)
            return err_set(err, ERR_CONFIG, "%s was written by a newer hinomi (segments of version %u; "
                           "this one reads up to %d); nothing was changed: start that one again",
                           store->segments[i]->path, version, SEGMENT_VERSION);
    }
    return 0;
}

struct sweep {
    struct store *store;
    uint32_t place;
};

/* Files that a crash left before the manifest named them, or after it did not any more. */
static int remove_orphan(void *context, const char *path, struct err *err)
{
    const struct sweep *sweep = context;
    struct store *store = sweep->store;
    struct slice name = slice_text(path);
    uint64_t number;
    (void)err;
    if (name.len < 24 || !bytes_parse_hex64(slice_sub(name, name.len - 24, 16), &number))
        return 0;
    for (size_t i = 0; i < store->segment_count; i++)
        if (store->segments[i]->info.number == number &&
            store->segments[i]->info.place == sweep->place)
            return 0;
    store->config.io->unlink(store->config.io->context, path);
    if (number >= store->next_number)
        store->next_number = number + 1;
    return 0;
}

/* A folder that is another's or not there is left alone. */
static int sweep(struct store *store, uint32_t place, struct err *err)
{
    char dir[STORE_PATH_MAX];
    if (place && !store_place_is_there(store, place))
        return 0;
    struct sweep sweep = {store, place};
    return file_walk(store_place_dir(store, place, dir), ".segment", remove_orphan, &sweep, err);
}

int store_load(struct store *store, struct err *err)
{
    char path[STORE_PATH_MAX];
    struct segment_info longest = {.number = UINT64_MAX};
    if (store->config.read_only)
        return read_manifest(store, err);
    if (store_segment_path(store, &longest, path, err) < 0 ||
        io_make_dirs(store->config.io, store_place_dir(store, 0, path), err) < 0 ||
        read_manifest(store, err) < 0 || check_versions(store, err) < 0)
        return -1;
    for (uint32_t place = 0; place <= store->place_count; place++)
        if (sweep(store, place, err) < 0)
            return -1;
    store_place_open_cold(store);
    return 0;
}
