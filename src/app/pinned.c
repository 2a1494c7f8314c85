#include "app/pinned.h"

#include "app/admin.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "store/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ROUNDS_MAX = 32 };
#define PINNED_ARENA_MAX (2 * GIB)

struct pinned {
    struct hin_io io;
    struct arena *arena;
    struct map files; /* path to descriptor + 1 */
    char manifest_path[4400];
    char snapshot_path[64]; /* the manifest that the descriptors fit to, by its descriptor */
    int manifest_fd;
};

/* A name through which an open file is opened again, though its own may be gone. */
static void name_of(int fd, char to[64])
{
    snprintf(to, 64, "/proc/self/fd/%d", fd);
}

static int open_pinned(void *context, const char *path, int flags, mode_t mode)
{
    struct pinned *pinned = context;
    char again[64];
    void *held = map_find(&pinned->files, slice_text(path));
    if (strcmp(path, pinned->manifest_path) == 0)
        path = pinned->snapshot_path;
    else if (held) {
        name_of((int)((intptr_t)held - 1), again);
        path = again;
    }
    return io_real()->open(io_real()->context, path, flags, mode);
}

static void forget(struct pinned *pinned)
{
    const struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&pinned->files, &at));)
        close((int)((intptr_t)entry->value - 1));
    if (pinned->manifest_fd >= 0)
        close(pinned->manifest_fd);
    pinned->manifest_fd = -1;
    arena_reset(pinned->arena);
    map_init(&pinned->files, pinned->arena);
}

/* 1: held, 0: gone (merged since the manifest was written), -1. What cannot be opened otherwise is
 * left to the reader, who tells it as damage. */
static int hold(struct pinned *pinned, const char *dir, uint64_t number, bool last, struct err *err)
{
    struct slice path = arena_printf(pinned->arena, "%s/store/segments/%016llx.segment", dir,
                                     (unsigned long long)number);
    if (!path.ptr)
        return err_nomem(err);
    int fd = open(path.ptr, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE))
        return err_set_errno(err, errno, "there are more segments than files may be open; raise the "
                                         "limit (ulimit -n), or stop the server first");
    if (fd < 0)
        return errno == ENOENT && !last ? 0 : 1;
    if (map_put(&pinned->files, path, (void *)((intptr_t)fd + 1)) == 0)
        return 1;
    close(fd);
    return err_nomem(err);
}

/* 1: all that this manifest names, 0: it is out of date. */
static int hold_all(struct pinned *pinned, const char *dir, bool last, struct err *err)
{
    struct ledger ledger;
    struct manifest manifest = {.ledger = &ledger};
    bool found = false;
    pinned->manifest_fd = open(pinned->manifest_path, O_RDONLY | O_CLOEXEC);
    if (pinned->manifest_fd < 0)
        return err_set_errno(err, errno, "cannot read %s", pinned->manifest_path);
    name_of(pinned->manifest_fd, pinned->snapshot_path);
    struct arena *arena = arena_new(PINNED_ARENA_MAX);
    if (!arena || ledger_init(&ledger, err) < 0) {
        arena_free(arena);
        return err_nomem(err);
    }
    int result = manifest_read(io_real(), pinned->snapshot_path, arena, &manifest, &found, err);
    result = result < 0 ? -1 : 1;
    for (size_t i = 0; result > 0 && i < manifest.segment_count; i++)
        result = hold(pinned, dir, manifest.segments[i].number, last, err);
    ledger_close(&ledger);
    arena_free(arena);
    return result;
}

static void raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)!setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int pinned_open(const char *dir, struct pinned **out, struct err *err)
{
    *out = NULL;
    struct pinned *pinned = mem_calloc(1, sizeof(*pinned));
    if (!pinned)
        return err_nomem(err);
    pinned->io = *io_real();
    pinned->io.open = open_pinned;
    pinned->io.context = pinned;
    pinned->manifest_fd = -1;
    pinned->arena = arena_new(PINNED_ARENA_MAX);
    snprintf(pinned->manifest_path, sizeof(pinned->manifest_path), "%.4000s/store/manifest", dir);
    raise_limit();
    int result = pinned->arena ? 0 : err_nomem(err);
    for (int round = 0; result == 0 && round < ROUNDS_MAX; round++) {
        forget(pinned);
        result = hold_all(pinned, dir, round + 1 == ROUNDS_MAX, err);
    }
    if (result < 0) {
        pinned_close(pinned);
        return -1;
    }
    *out = pinned;
    return 0;
}

const struct hin_io *pinned_io(const struct pinned *pinned)
{
    return &pinned->io;
}

int pinned_store_open(const char *dir, struct pinned **out, struct store **store, struct err *err)
{
    char path[ADMIN_PATH_MAX];
    *store = NULL;
    *out = NULL;
    if (access(admin_path(dir, "store", path), R_OK) != 0)
        return err_set(err, ERR_NOT_FOUND, "there is no store in %s", dir);
    if (pinned_open(dir, out, err) < 0)
        return -1;
    struct store_config config = {.dir = path, .read_only = true, .io = pinned_io(*out)};
    return store_open(&config, store, err);
}

void pinned_close(struct pinned *pinned)
{
    if (!pinned)
        return;
    if (pinned->arena)
        forget(pinned);
    arena_free(pinned->arena);
    mem_free(pinned);
}
