#include "collect/files/watched_start.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/limits.h"

#include <stdio.h>
#include <unistd.h>

#define MARK "HINSTRT1"

static int read_entries(struct watched_start *start, struct slice bytes, struct err *err)
{
    struct slice mark, path, cursor;
    uint32_t crc;
    bool fine = slice_take(&bytes, 8, &mark) && slice_is(mark, MARK) && slice_take_le32(&bytes, &crc) &&
                crc == hash_crc32c(0, bytes);
    while (fine && bytes.len) {
        fine = slice_take_block(&bytes, &path) && slice_take_block(&bytes, &cursor);
        void **slot = fine ? map_slot(&start->cursors, path) : NULL;
        struct slice *kept = slot ? arena_alloc(start->arena, sizeof(*kept)) : NULL;
        if (fine && !kept)
            return err_nomem(err);
        if (fine) {
            *kept = cursor;
            *slot = kept;
        }
    }
    return fine ? 0 : err_set(err, ERR_CORRUPT, "%s is damaged; remove it, and files without a known place are read "
                              "from where they end now", start->path);
}

int watched_start_open(struct watched_start *start, const char *data_dir, const char *name, struct err *err)
{
    struct slice bytes;
    start->arena = arena_new(64 * MIB);
    if (!start->arena)
        return err_nomem(err);
    map_init(&start->cursors, start->arena);
    snprintf(start->path, sizeof(start->path), "%.4000s/collect", data_dir);
    if (io_make_dirs(io_real(), start->path, err) < 0)
        return -1;
    snprintf(start->path, sizeof(start->path), "%.4000s/collect/%.100s.start", data_dir, name);
    start->there = access(start->path, F_OK) == 0;
    if (!start->there)
        return 0;
    return file_read(start->path, 32 * MIB, start->arena, &bytes, err) < 0 ? -1 : read_entries(start, bytes, err);
}

void watched_start_close(struct watched_start *start)
{
    arena_free(start->arena);
    start->arena = NULL;
}

struct slice watched_start_find(const struct watched_start *start, struct slice path)
{
    const struct slice *found = map_find(&start->cursors, path);
    return found ? *found : SLICE_NONE;
}

void watched_start_put(struct buffer *to, struct slice path, struct slice cursor)
{
    buffer_put_block(to, path);
    buffer_put_block(to, cursor);
}

int watched_start_write(struct watched_start *start, struct slice entries, struct err *err)
{
    struct buffer bytes;
    buffer_init(&bytes, 40 * MIB);
    buffer_put_text(&bytes, MARK);
    buffer_put_le32(&bytes, hash_crc32c(0, entries));
    buffer_put(&bytes, entries);
    int result = buffer_failed(&bytes) ? err_nomem(err)
                                       : io_replace_file(io_real(), start->path, buffer_slice(&bytes), err);
    buffer_close(&bytes);
    start->there = result == 0;
    return result;
}
