/* Which file is which: rotation by renaming, by copying and emptying, by packing; also while nobody looked. */
#include "base/mem.h"
#include "base/limits.h"
#include "collect/files/file_names.h"
#include "collect/files/watched_log.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIBLINGS_MAX = 4096, COPY_BYTES_SURE = 256 };

struct sibling {
    char *path;
    struct stat info;
    bool looked, moved; /* moved: another file has the name by now */
    size_t head_len;
    char head[HEAD_MARK_BYTES]; /* unpacked */
};

static int64_t modified_ns(const struct stat *info)
{
    return info->st_mtim.tv_sec * NS_PER_SECOND + info->st_mtim.tv_nsec;
}

static bool same_inode(const struct file_place *place, const struct stat *info)
{
    return place->inode == info->st_ino && place->device == info->st_dev;
}

int watched_log_add(struct watched_log *log, const struct stat *info, const char *path, size_t at,
                    struct watched_file **out, struct err *err)
{
    struct watched_file *file = watched_file_new(log->watch->encoding);
    if (log->count == log->size) {
        size_t size = log->size ? log->size * 2 : 2;
        struct watched_file **files = mem_realloc(log->files, size * sizeof(struct watched_file *));
        if (files) {
            log->files = files;
            log->size = size;
        }
    }
    if (!file || log->count == log->size || (path && watched_file_set_path(file, path, err) < 0)) {
        watched_file_free(file);
        return err_nomem(err);
    }
    if (info) {
        file->place.device = info->st_dev;
        file->place.inode = info->st_ino;
        file->place.started_ns = modified_ns(info);
        file->size = (uint64_t)info->st_size;
        file->left = log->dirty = true;
    }
    file->counts = &log->watch->open;
    file->cut.lines.join = log->watch->join;
    file->grown_ns = log->watch->now_ns;
    memmove(log->files + at + 1, log->files + at, (log->count - at) * sizeof(struct watched_file *));
    log->files[at] = *out = file;
    log->count++;
    return 0;
}

static struct watched_file *newest(const struct watched_log *log)
{
    return log->count ? log->files[log->count - 1] : NULL;
}

/* ---- siblings ---- */

static int by_time(const void *a, const void *b)
{
    int64_t x = modified_ns(&((const struct sibling *)a)->info), y = modified_ns(&((const struct sibling *)b)->info);
    return x < y ? -1 : x > y;
}

static void free_siblings(struct sibling *siblings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mem_free(siblings[i].path);
    mem_free(siblings);
}

static int read_siblings(DIR *stream, const char *folder, struct slice base, struct sibling **out, size_t *count)
{
    size_t room = 0;
    for (const struct dirent *entry; *count < SIBLINGS_MAX && (entry = readdir(stream));) {
        char path[PATH_MAX];
        struct sibling sibling = {0};
        if (!is_rotated_name(base, slice_text(entry->d_name)) ||
            fstatat(dirfd(stream), entry->d_name, &sibling.info, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(sibling.info.st_mode) ||
            snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= (int)sizeof(path))
            continue;
        if (*count == room) {
            room = room ? room * 2 : 8;
            struct sibling *grown = mem_realloc(*out, room * sizeof(*grown));
            if (!grown)
                return -1;
            *out = grown;
        }
        sibling.path = mem_strdup(path, strlen(path));
        if (!sibling.path)
            return -1;
        (*out)[(*count)++] = sibling;
    }
    return 0;
}

/* The files that rotation left of the log, oldest first. */
static int find_siblings(const struct watched_log *log, struct sibling **out, size_t *count, struct err *err)
{
    char folder[PATH_MAX];
    struct slice path = slice_text(log->path);
    *count = 0;
    *out = NULL;
    snprintf(folder, sizeof(folder), "%.*s", SLICE_ARG(path_folder(path)));
    DIR *stream = opendir(folder);
    if (!stream)
        return 0;
    int result = read_siblings(stream, folder, path_name(path), out, count);
    closedir(stream);
    if (*count)
        qsort(*out, *count, sizeof(**out), by_time);
    return result < 0 ? err_nomem(err) : 0;
}

static void read_head(struct sibling *sibling)
{
    struct byte_source source;
    struct stat now;
    struct err err;
    int fd = open(sibling->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    sibling->moved = fd < 0 || fstat(fd, &now) < 0 || now.st_ino != sibling->info.st_ino;
    if (fd < 0)
        return;
    int result = byte_source_open(&source, fd, sibling->path, &err);
    while (result == 0 && !source.end && sibling->head_len < HEAD_MARK_BYTES) {
        size_t len = 0;
        result = byte_source_read(&source, sibling->head + sibling->head_len, HEAD_MARK_BYTES - sibling->head_len, &len, &err);
        sibling->head_len += len;
    }
    byte_source_close(&source);
}

/* Its first bytes are those of the place: looked at once for all of a search. */
static bool begins_alike(struct sibling *sibling, const struct file_place *place)
{
    if (!place->head.len)
        return false;
    if (!sibling->looked)
        read_head(sibling);
    sibling->looked = true;
    return !sibling->moved && byte_mark_fits(place->head, slice_of(sibling->head, sibling->head_len));
}

/* ---- missing files ---- */

/* Inodes are used again: what is not open is known by its bytes, too. */
static bool is_taken(const struct watched_log *log, struct sibling *sibling)
{
    for (size_t i = 0; i < log->count; i++) {
        const struct watched_file *file = log->files[i];
        if (!file->missing && same_inode(&file->place, &sibling->info) &&
            (watched_file_is_open(file) || !file->place.head.len || begins_alike(sibling, &file->place)))
            return true;
    }
    return false;
}

/* Its inode first: a copy may have the same bytes. */
static int find_file(struct watched_log *log, struct watched_file *file, struct sibling *siblings, size_t count,
                     struct err *err)
{
    file->searched++;
    for (int copies = 0; copies < 2; copies++)
        for (size_t i = 0; i < count; i++) {
            bool same = same_inode(&file->place, &siblings[i].info);
            bool younger = modified_ns(&siblings[i].info) >= file->place.started_ns;
            if (same == copies || is_taken(log, &siblings[i]) || (!same && !(younger && begins_alike(&siblings[i], &file->place))))
                continue;
            int fits = watched_file_open(file, siblings[i].path, err);
            if (fits < 0)
                return -1;
            if (fits && (same || file->kind != KIND_EVENT_LOG)) {
                if (file->packed && log->watch->open.packed > PACKED_OPEN_MAX)
                    watched_file_close(file);
                file->missing = false;
                file->searched = 0;
                file->left = log->dirty = true;
                (void)watched_file_mark(file);
                return 0;
            }
            watched_file_close(file);
        }
    return 0;
}

/* ---- files nobody saw ---- */

static bool is_known_copy(const struct watched_log *log, const char *path)
{
    for (size_t i = 0; i < log->count; i++)
        if (watched_file_begins_with(log->files[i], path) || watched_file_is_same(log->files[i], path) ||
            place_is_of_copy(&log->files[i]->place, path))
            return true;
    return false;
}

/* What was last written before this was read, or written under a name that is known. */
static int64_t known_since(const struct watched_log *log)
{
    int64_t since = log->count ? log->files[log->count - 1]->place.started_ns : 0;
    if (log->watch->now_ns < log->since_until_ns && log->since_ns < since)
        since = log->since_ns;
    for (size_t i = 0; i < log->count; i++) {
        const struct watched_file *file = log->files[i];
        if (file->missing && !file->place.finished && file->place.started_ns < since)
            since = file->place.started_ns;
    }
    return since;
}

/* What it is packed from is still there, and is what is read. */
static bool is_being_packed(const char *path)
{
    char plain[PATH_MAX];
    struct slice name = unpacked_name(slice_text(path));
    struct stat info;
    return name.ptr && name.len < sizeof(plain) && snprintf(plain, sizeof(plain), "%.*s", SLICE_ARG(name)) > 0 &&
           stat(plain, &info) == 0;
}

/* Then what it was read of may be what is found: the next read sees it, and looks for that first. */
static bool present_is_emptied(const struct watched_log *log)
{
    const struct watched_file *last = newest(log);
    return last && last->current && watched_file_is_emptied(last);
}

int watched_log_offer(struct watched_log *log, const char *path, const struct stat *info, bool all, struct err *err)
{
    struct sibling sibling = {.path = (char *)(uintptr_t)path, .info = *info};
    struct watched_file *file;
    if (info->st_size == 0 || is_taken(log, &sibling) || log->count >= CURSOR_FILES_MAX - 1)
        return 0;
    if (!all && (!log->count || modified_ns(info) < known_since(log)))
        return 0;
    struct stat now; /* names move on: what was compared is to be what was meant */
    if (is_being_packed(path) || is_known_copy(log, path) || stat(path, &now) < 0 || now.st_ino != info->st_ino || present_is_emptied(log))
        return 0;
    size_t at = log->count;
    while (at > 0 && log->files[at - 1]->current)
        at--;
    if (watched_log_add(log, info, path, at, &file, err) < 0)
        return -1;
    struct err later; /* one that cannot be opened is told when its turn comes */
    if (watched_file_open(file, path, &later) == 1)
        (void)watched_file_mark(file); /* it may have to wait, and inodes are used again */
    watched_file_close(file);
    return 0;
}

/* It may be one that is missing, whose name moved while it was looked for. */
static bool may_be_missing(const struct watched_log *log, struct sibling *sibling)
{
    for (size_t i = 0; i < log->count; i++) {
        const struct watched_file *file = log->files[i];
        if (file->missing && !file->place.finished && begins_alike(sibling, &file->place))
            return true;
    }
    return sibling->moved;
}

/* A rotation was noticed: the same again some times, since what is renamed meanwhile may not be met. */
static void look_again(struct watched_log *log, int64_t since_ns)
{
    bool again = log->watch->now_ns < log->since_until_ns;
    if (!again || since_ns < log->since_ns)
        log->since_ns = since_ns;
    log->since_until_ns = log->watch->now_ns + SEARCH_AGAIN_NS;
    log->searching = true;
}

/* Files that wait for their turn, closed, are missing when their names have moved on: else what they are by now, packed
 * perhaps, would be taken for what nobody saw. */
static void miss_moved(struct watched_log *log)
{
    struct stat info;
    for (size_t i = 0; i < log->count; i++) {
        struct watched_file *file = log->files[i];
        if (file->missing || file->current || file->place.finished || watched_file_is_open(file) ||
            (file->path && stat(file->path, &info) == 0 && same_inode(&file->place, &info)))
            continue;
        file->missing = true;
        file->searched = 0;
        file->missing_ns = log->watch->now_ns;
    }
}

int watched_log_search(struct watched_log *log, struct err *err)
{
    struct sibling *siblings;
    struct watched_file *last = newest(log);
    size_t count;
    struct err other;
    if (last && last->current) {
        int fits = watched_file_is_open(last) ? 1 : watched_file_open(last, log->path, &other);
        bool emptied = fits == 1 ? watched_file_is_emptied(last) : fits == 0 && !last->other;
        if (emptied && !log->waiting) /* first of all: what was read of it is a copy now */
            return watched_log_emptied(log, last, err);
        if (fits == 1 && !emptied)
            (void)watched_file_mark(last); /* so that a copy of it is known */
    }
    miss_moved(log);
    int result = find_siblings(log, &siblings, &count, err);
    for (size_t i = 0; result == 0 && i < log->count; i++)
        if (log->files[i]->missing && !log->files[i]->place.finished)
            result = find_file(log, log->files[i], siblings, count, err);
    for (size_t i = 0; result == 0 && i < count; i++)
        if (!is_taken(log, &siblings[i]) && !may_be_missing(log, &siblings[i]))
            result = watched_log_offer(log, siblings[i].path, &siblings[i].info, false, err);
    free_siblings(siblings, count);
    return result;
}

/* ---- what lies under the path ---- */

static void leave_path(struct watched_log *log, struct watched_file *file)
{
    file->current = false;
    file->missing = file->doubtful = !watched_file_is_open(file);
    file->missing_ns = log->watch->now_ns;
    file->left = log->dirty = true;
}

/* Written anew with the same beginning, as some copying programs do: it goes on. */
static bool is_copied_over(const struct watched_log *log, const struct watched_file *file)
{
    return file && file->place.offset >= COPY_BYTES_SURE && place_fits_path(&file->place, log->path);
}

/* The file of another log was renamed to this path: it goes on here. */
static int adopt(struct watched_log *log, struct watched_file *file, const struct stat *info)
{
    struct watched_file *other = log->watch->by_inode(log->watch, info->st_dev, info->st_ino);
    struct buffer state;
    if (!other || other == file ||
        (!other->place.record_id && !place_fits_path(&other->place, log->path)))
        return 0;
    buffer_init(&state, KIB * 64);
    text_cut_save(&other->cut, &state);
    struct slice saved = buffer_slice(&state);
    int result = text_cut_load(&file->cut, &saved);
    if (result == 0)
        file->place = other->place;
    buffer_close(&state);
    other->place.finished = true;
    other->missing = other->current = false;
    watched_file_close(other);
    return result;
}

static int begin_file(struct watched_log *log, const struct stat *info, struct err *err)
{
    struct watched_file *file;
    if (log->count >= CURSOR_FILES_MAX)
        return err_set(err, ERR_LIMIT, "%s was rotated %d times and the store does not keep up", log->path,
                       CURSOR_FILES_MAX);
    if (watched_log_add(log, info, log->path, log->count, &file, err) < 0 || adopt(log, file, info) < 0)
        return err_nomem(err);
    file->current = true;
    return 0;
}

static void stay(struct watched_log *log, struct watched_file *file, const struct stat *info)
{
    uint64_t size = (uint64_t)info->st_size;
    file->missing = file->place.finished = false;
    file->current = true;
    if (size != file->size || (!file->at_end && size != file->place.offset) || size < file->place.offset) {
        file->size = size > file->size ? size : file->size; /* that it shrank is for the next read to see */
        file->grown_ns = log->watch->now_ns;
        file->left = log->dirty = true;
    }
}

int watched_log_look(struct watched_log *log, const struct stat *info, struct err *err)
{
    struct watched_file *last = newest(log);
    log->gone = !info;
    if (!info) {
        if (last && last->current)
            leave_path(log, last);
        log->searching |= last && last->missing && !last->place.finished;
    } else if (last && same_inode(&last->place, info)) {
        if (watched_file_set_path(last, log->path, err) < 0)
            return -1;
        stay(log, last, info);
    } else if (is_copied_over(log, last)) {
        watched_file_close(last);
        last->place.device = info->st_dev;
        last->place.inode = info->st_ino;
        stay(log, last, info);
    } else {
        if (last && last->current)
            leave_path(log, last);
        if (last)
            look_again(log, last->place.started_ns);
        if ((last && watched_log_search(log, err) < 0) || begin_file(log, info, err) < 0)
            return -1;
    }
    return log->searching ? watched_log_search(log, err) : 0;
}

int watched_log_emptied(struct watched_log *log, struct watched_file *file, struct err *err)
{
    struct watched_file *old;
    size_t at = 0;
    while (log->files[at] != file)
        at++;
    if (log->count < CURSOR_FILES_MAX && (file->place.offset || file->place.head.len)) {
        struct file_place place = file->place;
        place.device = place.inode = 0;
        place.text_state = SLICE_NONE;
        if (watched_log_add(log, NULL, NULL, at, &old, err) < 0)
            return -1;
        old->place = place;
        struct text_cut cut = old->cut; /* how its text was being cut goes with its place */
        old->cut = file->cut;
        file->cut = cut;
        old->missing = old->doubtful = true;
        old->missing_ns = log->watch->now_ns;
    }
    look_again(log, file->place.started_ns);
    watched_file_close(file);
    watched_file_reset(file, log->watch->encoding);
    int result = watched_log_search(log, err); /* by when it began before */
    struct stat info;
    if (file->path && stat(file->path, &info) == 0)
        file->place.started_ns = modified_ns(&info);
    return result;
}
