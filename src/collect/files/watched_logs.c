#include "collect/files/watched_logs.h"

#include "base/limits.h"
#include "base/mem.h"
#include "collect/files/file_names.h"

enum { INODE_KEY = 2 * sizeof(uint64_t) };
#define STILL_NS (10 * NS_PER_SECOND)

/* A file that the patterns mean. */
struct found {
    const char *path;
    struct stat info;
    struct watched_log *log;  /* whose path it is */
    bool double_name;         /* the same file as one before */
};

struct scan {
    struct watched_logs *logs;
    struct arena *arena;
    struct found *list;
    size_t count, size;
    struct map paths; /* to struct found + 1, as its number */
};

static void tell(struct watched_logs *logs, const struct err *err)
{
    logs->watch.problem(&logs->watch, err->text);
}

/* ---- maps ---- */

static struct slice inode_key(uint64_t device, uint64_t inode, char to[INODE_KEY])
{
    memcpy(to, &device, sizeof(device));
    memcpy(to + sizeof(device), &inode, sizeof(inode));
    return slice_of(to, INODE_KEY);
}

static struct watched_file *by_inode(struct log_watch *watch, uint64_t device, uint64_t inode)
{
    char key[INODE_KEY];
    const struct watched_logs *logs = (struct watched_logs *)(void *)watch; /* its first member */
    const struct watched_log *log = map_find(&logs->by_inode, inode_key(device, inode, key));
    for (size_t i = 0; log && i < log->count; i++)
        if (log->files[i]->place.inode == inode && log->files[i]->place.device == device)
            return log->files[i];
    return NULL;
}

static void index_log(struct watched_logs *logs, struct watched_log *log)
{
    bool fine = map_put(&logs->by_path, slice_text(log->path), log) == 0;
    for (size_t i = 0; fine && i < log->count; i++) {
        char key[INODE_KEY];
        const struct file_place *place = &log->files[i]->place;
        struct slice kept = arena_copy(logs->arena, inode_key(place->device, place->inode, key));
        fine = !place->inode || (kept.ptr && map_put(&logs->by_inode, kept, log) == 0);
    }
    if (!fine)
        logs->watch.problem(&logs->watch, "out of memory: a file may be noticed late");
}

static int index_all(struct watched_logs *logs)
{
    struct arena *arena = arena_new(512 * MIB);
    if (!arena)
        return -1;
    arena_free(logs->arena);
    logs->arena = arena;
    map_init(&logs->by_path, arena);
    map_init(&logs->by_inode, arena);
    for (size_t i = 0; i < logs->count; i++)
        index_log(logs, logs->list[i]);
    return 0;
}

/* ---- opening ---- */

static bool is_wanted(struct log_watch *watch, struct slice path)
{
    const struct watched_logs *logs = (const struct watched_logs *)(void *)watch;
    return map_has(logs->matched, path);
}

static struct slice start_of(struct log_watch *watch, struct slice path)
{
    const struct watched_logs *logs = (const struct watched_logs *)(void *)watch;
    return watched_start_find(&logs->start, path);
}

int watched_logs_open(struct watched_logs *logs, struct err *err)
{
    struct log_watch *watch = &logs->watch;
    watch->by_inode = by_inode;
    watch->wanted = is_wanted;
    buffer_init(&watch->text, 4 * MIB);
    buffer_init(&watch->records, 64 * MIB);
    buffer_init(&watch->cursor, 8 * MIB);
    watch->arena = arena_new(64 * MIB);
    if (!watch->arena || index_all(logs) < 0)
        return err_nomem(err);
    if (!watch->from_end)
        return 0;
    watch->start = start_of;
    return watched_start_open(&logs->start, watch->host->data_dir, settings_name(watch->settings), err);
}

void watched_logs_close(struct watched_logs *logs)
{
    for (size_t i = 0; i < logs->count; i++)
        watched_log_free(logs->list[i]);
    mem_free(logs->list);
    buffer_close(&logs->watch.text);
    buffer_close(&logs->watch.records);
    buffer_close(&logs->watch.cursor);
    arena_free(logs->watch.arena);
    arena_free(logs->arena);
    watched_start_close(&logs->start);
}

/* ---- a scan ---- */

static int on_file(void *context, const char *path, const struct stat *info)
{
    struct scan *scan = context;
    if (map_has(&scan->paths, slice_text(path)))
        return 0;
    if (scan->count == scan->size) {
        size_t size = scan->size ? scan->size * 2 : 64;
        scan->list = arena_grow(scan->arena, scan->list, scan->size * sizeof(*scan->list), size * sizeof(*scan->list));
        scan->size = scan->list ? size : 0;
    }
    struct slice kept = arena_copy(scan->arena, slice_text(path));
    if (!scan->list || !kept.ptr || map_put(&scan->paths, kept, (void *)(scan->count + 1)) < 0)
        return -1;
    scan->list[scan->count++] = (struct found){.path = kept.ptr, .info = *info};
    return 0;
}

static void on_folder(void *context, const char *path)
{
    const struct scan *scan = context;
    scan->logs->folder(scan->logs, path);
}

static int open_log(struct watched_logs *logs, const char *path, struct watched_log **out, struct err *err)
{
    if (logs->count == logs->size) {
        size_t size = logs->size ? logs->size * 2 : 64;
        struct watched_log **list = mem_realloc(logs->list, size * sizeof(struct watched_log *));
        if (!list)
            return err_nomem(err);
        logs->list = list;
        logs->size = size;
    }
    if (watched_log_open(&logs->watch, path, out, err) < 0)
        return -1;
    logs->list[logs->count++] = *out;
    index_log(logs, *out);
    return 0;
}

/* At the start: a log that was read before, and whose path has no file now, may have rotated ones. */
static void on_absent(void *context, const char *path)
{
    const struct scan *scan = context;
    struct watched_logs *logs = scan->logs;
    const struct log_watch *watch = &logs->watch;
    struct watched_log *log;
    struct err err;
    arena_reset(watch->arena);
    if (!map_find(&logs->by_path, slice_text(path)) &&
        watch->host->cursor(watch->host->context, watch->settings->name, slice_text(path), watch->arena).ptr &&
        open_log(logs, path, &log, &err) < 0)
        tell(logs, &err);
}

/* The matched path, or a log's, that this one is the rotated file of. */
static struct slice base_of(const struct scan *scan, struct slice path)
{
    struct slice folder_and = slice_sub(path, 0, path.len - path_name(path).len), name = path_name(path);
    while (strip_rotation(&name)) {
        struct slice base = slice_sub(path, 0, folder_and.len + name.len);
        if (map_has(&scan->paths, base) || map_find(&scan->logs->by_path, base))
            return base;
    }
    return SLICE_NONE;
}

/* The same file under two names that are there at once is read by the first one. */
static bool has_other_name(const struct scan *scan, struct map *inodes, struct found *found)
{
    char key[INODE_KEY];
    struct slice kept = arena_copy(scan->arena, inode_key(found->info.st_dev, found->info.st_ino, key));
    void **slot = kept.ptr ? map_slot(inodes, kept) : NULL;
    if (slot && *slot)
        return true;
    if (slot)
        *slot = found;
    return false;
}

static int open_logs(struct scan *scan, struct err *err)
{
    struct watched_logs *logs = scan->logs;
    struct map inodes;
    map_init(&inodes, scan->arena);
    for (size_t i = 0; i < scan->count; i++) {
        struct found *found = &scan->list[i];
        struct slice path = slice_text(found->path);
        found->double_name = has_other_name(scan, &inodes, found);
        if (found->double_name || base_of(scan, path).ptr)
            continue;
        found->log = map_find(&logs->by_path, path);
        if (!found->log && open_log(logs, found->path, &found->log, err) < 0)
            return -1;
    }
    return 0;
}

static void look_at_logs(struct scan *scan)
{
    struct watched_logs *logs = scan->logs;
    struct folder_lists lists;
    struct err err;
    folder_lists_init(&lists, scan->arena);
    logs->matched = &scan->paths;
    logs->watch.leaves_rotated = logs->watch.from_end && !logs->start.there;
    for (size_t i = 0; i < logs->count; i++)
        if (watched_log_look(logs->list[i], &lists, &err) < 0)
            tell(logs, &err);
    logs->matched = NULL;
    for (size_t i = logs->count; i > 0; i--)
        if (watched_log_is_over(logs->list[i - 1])) {
            watched_log_free(logs->list[i - 1]);
            logs->list[i - 1] = logs->list[--logs->count];
        }
}

/* The very first scan of a collector that starts at the end. */
static int skip_all(struct watched_logs *logs, struct err *err)
{
    struct buffer entries;
    buffer_init(&entries, 32 * MIB);
    for (size_t i = 0; i < logs->count; i++) {
        watched_log_skip(logs->list[i]);
        watched_start_put(&entries, slice_text(logs->list[i]->path), watched_log_cursor(logs->list[i]));
    }
    int result = buffer_failed(&entries) ? err_nomem(err)
                                         : watched_start_write(&logs->start, buffer_slice(&entries), err);
    buffer_close(&entries);
    return result;
}

static int scan_files(struct scan *scan, struct err *err)
{
    struct watched_logs *logs = scan->logs;
    logs->match.file = on_file;
    logs->match.folder = on_folder;
    logs->match.absent = logs->scanned ? NULL : on_absent;
    logs->match.context = scan;
    if (file_match_walk(&logs->match) < 0)
        return err_nomem(err);
    if (open_logs(scan, err) < 0)
        return -1;
    look_at_logs(scan);
    if (logs->watch.from_end && !logs->start.there)
        return skip_all(logs, err);
    return 0;
}

void watched_logs_scan(struct watched_logs *logs)
{
    struct scan scan = {.logs = logs, .arena = arena_new(512 * MIB)};
    struct err err;
    if (!scan.arena || index_all(logs) < 0) {
        err_nomem(&err);
        tell(logs, &err);
    } else {
        map_init(&scan.paths, scan.arena);
        if (scan_files(&scan, &err) < 0)
            tell(logs, &err);
        if (index_all(logs) < 0) /* without those that went */
            map_init(&logs->by_path, logs->arena);
    }
    arena_free(scan.arena);
    logs->scanned = true;
}

/* ---- at work ---- */

void watched_logs_written(struct watched_logs *logs, const char *path)
{
    struct watched_log *log = map_find(&logs->by_path, slice_text(path));
    struct watched_file *file = log && log->count ? log->files[log->count - 1] : NULL;
    if (!file || !file->current)
        return;
    file->left = log->dirty = true;
    file->grown_ns = logs->watch.now_ns;
    if (file->kind == KIND_EVENT_LOG)
        watched_evtx_end(file); /* what was walked is not what is there now */
}

/* Files that have nothing new are opened again when they have. One without a name could not be: it is finished when nothing
 * came for a while. */
static void close_idle(const struct watched_logs *logs, struct watched_log *log)
{
    for (size_t f = 0; !log->waiting && f < log->count; f++) {
        struct watched_file *file = log->files[f];
        bool nameless = file->nameless || file->deleted, still = logs->watch.now_ns - file->grown_ns > STILL_NS;
        if (!watched_file_is_open(file) || !file->at_end || file->left || (nameless && !still))
            continue;
        file->place.finished |= nameless;
        watched_file_close(file);
    }
}

bool watched_logs_round(struct watched_logs *logs)
{
    bool moved = false;
    logs->watch.flushing = false;
    for (size_t i = 0; i < logs->count; i++) {
        struct watched_log *log = logs->list[i];
        moved |= log->waiting && watched_log_answered(log);
        if (log->dirty && !logs->watch.flushing && !logs->holds)
            moved |= watched_log_step(log);
        if (logs->watch.open.files > FILES_OPEN_MAX)
            close_idle(logs, log);
    }
    return moved;
}

void watched_logs_tick(struct watched_logs *logs)
{
    for (size_t i = 0; i < logs->count; i++)
        watched_log_tick(logs->list[i]);
}

bool watched_logs_are_searching(const struct watched_logs *logs)
{
    for (size_t i = 0; i < logs->count; i++)
        if (watched_log_is_searching(logs->list[i]))
            return true;
    return false;
}

bool watched_logs_look_again(const struct watched_logs *logs)
{
    for (size_t i = 0; i < logs->count; i++)
        if (logs->list[i]->again)
            return true;
    return false;
}

bool watched_logs_are_waiting(const struct watched_logs *logs)
{
    for (size_t i = 0; i < logs->count; i++)
        if (logs->list[i]->waiting)
            return true;
    return false;
}
