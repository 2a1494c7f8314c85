/*
 * Which file is which: rotation by renaming, by copying and emptying, by packing; also while nobody looked.
 *
 *   folder, listed twice ─► siblings ─► 1. by inode and bytes: what is known         (find_known)
 *                                       2. by bytes: what is missing, as a copy or packed (find_missing)
 *                                       3. the rest: new, a copy that is being made, or old (judge)
 *
 * What makes it right whatever happens meanwhile:
 *   - Nothing is decided while names of the log move: the list of files changes as a whole or not at all, and a stored cursor
 *     holds such a list with the time up to which it is complete (since_ns).
 *   - A place from which something was taken is known by its bytes: the first ones, and those before its offset. One from
 *     which nothing was taken needs no identity: whatever holds its bytes later is younger than since_ns, and read as new.
 *   - A copy that has the bytes before a known offset is of that file. One that has not, beside the file it begins like, is
 *     being made: it waits, and since_ns stays before it.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "collect/files/file_names.h"
#include "collect/files/watched_log.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { COPY_BYTES_SURE = 256 };

struct sibling {
    const char *path;
    const struct stat *info;
    struct watched_file *file; /* that it is, or that it is a copy of */
    bool present, wanted;
    bool packed_beside;        /* by its name, the file it is packed from lies beside it */
    bool looked, moved;        /* moved: another file has the name by now */
    bool plain;                /* it is not packed, whatever its name is */
    struct slice head;         /* its first bytes, unpacked */
};

struct siblings {
    struct sibling *list; /* oldest first */
    size_t count, size;
    bool moving;
    struct arena *arena;
};

static int64_t modified_ns(const struct stat *info)
{
    return info->st_mtim.tv_sec * NS_PER_SECOND + info->st_mtim.tv_nsec;
}

static bool same_inode(const struct file_place *place, const struct stat *info)
{
    return place->inode == info->st_ino && place->device == info->st_dev;
}

static bool was_taken_from(const struct watched_file *file)
{
    return file->place.offset || file->place.record_id;
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
        file->place.started_ns = file->modified_ns = modified_ns(info);
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

/* ---- siblings ---- */

static int by_time(const void *a, const void *b)
{
    int64_t x = modified_ns(((const struct sibling *)a)->info), y = modified_ns(((const struct sibling *)b)->info);
    return x < y ? -1 : x > y;
}

static int put(const struct watched_log *log, const struct folder_list *list, const struct folder_entry *entry, struct slice folder,
               bool present, struct siblings *out)
{
    struct slice path = arena_printf(out->arena, "%.*s/%s", SLICE_ARG(slice_is(folder, "/") ? SLICE("") : folder), entry->name);
    struct slice plain = unpacked_name(slice_text(entry->name));
    if (out->count == out->size) {
        size_t size = out->size ? out->size * 2 : 8;
        out->list = arena_grow(out->arena, out->list, out->size * sizeof(*out->list), size * sizeof(*out->list));
        out->size = size;
    }
    if (!path.ptr || !out->list)
        return -1;
    out->list[out->count++] = (struct sibling){
        .path = path.ptr, .info = &entry->info, .present = present, .packed_beside = plain.ptr && folder_list_has(list, plain),
        .wanted = log->watch->wanted && log->watch->wanted(log->watch, path)};
    return 0;
}

/* Files of one folder: the present one (of the log's own folder), and those that rotation left. */
static int gather_from(const struct watched_log *log, struct folder_lists *lists, struct slice folder, struct siblings *out)
{
    struct slice base = path_name(slice_text(log->path)), stem = base;
    const struct folder_list *list = folder_lists_get(lists, folder);
    const char *dot = base.len ? memrchr(base.ptr, '.', base.len) : NULL;
    bool own = slice_equal(folder, path_folder(slice_text(log->path)));
    if (dot && dot > base.ptr)
        stem.len = (size_t)(dot - base.ptr);
    for (size_t i = list ? folder_list_find(list, stem) : 0; list && i < list->count; i++) {
        const struct folder_entry *entry = &list->entries[i];
        struct slice name = slice_text(entry->name);
        if (!slice_starts(name, stem))
            break;
        bool present = own && slice_equal(name, base);
        if (!present && (entry->link || !is_rotated_name(base, name)))
            continue;
        out->moving |= entry->moving;
        if (entry->info.st_ino && put(log, list, entry, folder, present, out) < 0)
            return -1;
    }
    return list ? 0 : -1;
}

static int gather(const struct watched_log *log, struct folder_lists *lists, struct siblings *out)
{
    struct slice folder = path_folder(slice_text(log->path)), olddir = log->watch->olddir;
    if (gather_from(log, lists, folder, out) < 0)
        return -1;
    if (olddir.len && !slice_starts(olddir, SLICE("/")))
        olddir = arena_printf(out->arena, "%.*s/%.*s", SLICE_ARG(folder), SLICE_ARG(olddir));
    if (log->watch->olddir.len && (!olddir.ptr || (!slice_equal(folder, olddir) && gather_from(log, lists, olddir, out) < 0)))
        return -1;
    if (out->count)
        qsort(out->list, out->count, sizeof(*out->list), by_time);
    return 0;
}

static void read_head(struct sibling *sibling, struct arena *arena)
{
    struct byte_source source;
    struct stat now;
    struct err err;
    size_t len = 0, got = 0;
    char *head = arena_alloc(arena, HEAD_MARK_BYTES);
    int fd = head ? open(sibling->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
    sibling->looked = true;
    sibling->moved = fd < 0 || fstat(fd, &now) < 0 || now.st_ino != sibling->info->st_ino;
    if (fd < 0)
        return;
    int result = byte_source_open(&source, fd, sibling->path, &err);
    for (; result == 0 && !source.end && len < HEAD_MARK_BYTES; len += got)
        result = byte_source_read(&source, head + len, HEAD_MARK_BYTES - len, &got, &err);
    sibling->plain = source.packing == PACKING_NONE;
    byte_source_close(&source);
    sibling->head = slice_of(head, len);
}

/* Its bytes are those from which something was taken. whole: and, of a short one, no others; files may begin alike, with the
 * names of columns. */
static bool holds(struct sibling *sibling, const struct watched_file *file, struct siblings *all, bool whole)
{
    const struct file_place *place = &file->place;
    if (!place->offset || !place->head.len)
        return false;
    if (!sibling->looked)
        read_head(sibling, all->arena);
    all->moving |= sibling->moved;
    if (sibling->moved || !byte_mark_fits(place->head, sibling->head) ||
        !(whole ? place_is_of_copy(place, sibling->path) : place_fits_path(place, sibling->path)))
        return false;
    struct stat now; /* what was compared is to be what was meant */
    sibling->moved = stat(sibling->path, &now) < 0 || now.st_ino != sibling->info->st_ino;
    all->moving |= sibling->moved;
    return !sibling->moved;
}

/* It is packed just now from what lies beside it, or was: the first bytes tell, as soon as there are some. */
static bool is_being_packed(struct sibling *sibling, struct siblings *all)
{
    struct slice plain = unpacked_name(slice_text(sibling->path));
    for (size_t i = 0; sibling->packed_beside && i < all->count; i++) {
        struct sibling *beside = &all->list[i];
        if (!slice_is(plain, beside->path))
            continue;
        if (!sibling->looked)
            read_head(sibling, all->arena);
        if (!beside->looked)
            read_head(beside, all->arena);
        all->moving |= sibling->moved || beside->moved;
        return sibling->plain || slice_starts(beside->head, sibling->head);
    }
    return false;
}

/* ---- what is known ---- */

static struct sibling *of_inode(const struct siblings *all, const struct file_place *place)
{
    struct sibling *found = NULL;
    for (size_t i = 0; place->inode && i < all->count; i++)
        if (same_inode(place, all->list[i].info) && (!found || all->list[i].present))
            found = &all->list[i];
    return found;
}

/* Nobody knows where its bytes are now. */
static void lose(struct watched_log *log, struct watched_file *file)
{
    if (!file->missing)
        file->doubtful = file->current || !file->at_end || file->left;
    watched_file_close(file);
    file->place.device = file->place.inode = 0;
    file->current = false;
    if (!file->place.finished && !file->missing) {
        file->missing = true;
        file->searched = 0;
        file->missing_ns = log->watch->now_ns;
    }
}

void watched_log_emptied(struct watched_log *log, struct watched_file *file)
{
    log->again = log->dirty = true;
    if (was_taken_from(file))
        lose(log, file);
}

static void note_change(struct watched_log *log, struct watched_file *file, const struct stat *info)
{
    uint64_t size = (uint64_t)info->st_size;
    bool grown = size != file->size || modified_ns(info) != file->modified_ns;
    bool more = file->kind == KIND_TEXT && size > file->place.offset;
    file->modified_ns = modified_ns(info);
    if (file->place.finished && !(grown && more && !file->current))
        return;
    file->place.finished = false;
    if (!grown && (file->at_end || file->place.offset == size))
        return;
    file->size = size;
    file->grown_ns = log->watch->now_ns;
    file->left = log->dirty = true;
}

/* Not when the inode was used again, or it was emptied. Nobody knows when it moved meanwhile. */
static bool is_still(const struct watched_log *log, struct watched_file *file, const struct sibling *sibling, struct siblings *all)
{
    struct err later; /* one that cannot be opened is told when its turn comes */
    bool unchanged = file->size == (uint64_t)sibling->info->st_size && file->modified_ns == modified_ns(sibling->info);
    if (watched_file_is_open(file))
        return !watched_file_is_emptied(file); /* and perhaps renamed since */
    if (!was_taken_from(file)) /* nothing but the inode is known of it: what it is by now is judged anew */
        return unchanged;
    if (unchanged && file->modified_ns)
        return true;
    if (file->place.finished && modified_ns(sibling->info) < log->since_ns)
        return true; /* of no concern, whatever it is */
    int fits = watched_file_open(file, sibling->path, &later);
    all->moving |= fits >= 0 && (file->place.inode != sibling->info->st_ino || file->other);
    if (fits > 0 && (file->place.finished || (file->packed && log->watch->open.packed > PACKED_OPEN_MAX) ||
                     log->watch->open.files > FILES_OPEN_MAX))
        watched_file_close(file);
    return fits != 0;
}

static int find_known(struct watched_log *log, struct siblings *all, struct err *err)
{
    for (size_t i = 0; i < log->count; i++) {
        struct watched_file *file = log->files[i];
        struct sibling *sibling = of_inode(all, &file->place);
        bool fits = sibling && !sibling->file && is_still(log, file, sibling, all);
        if (all->moving)
            return 0;
        if (fits && watched_file_set_path(file, sibling->path, err) < 0)
            return -1;
        file->nameless = !fits;
        if (fits) {
            sibling->file = file;
            file->missing = false;
            file->current = sibling->present;
            file->place.finished &= !file->current;
            note_change(log, file, sibling->info);
        } else if (sibling || !watched_file_is_open(file)) {
            lose(log, file);
        } else {
            file->current = false;
        }
    }
    return 0;
}

/* ---- what is missing ---- */

/* Its first bytes are those of an open file: it is packed from that, or a copy. */
static bool begins_alike(const struct watched_file *file, struct sibling *sibling, struct siblings *all)
{
    char head[HEAD_MARK_BYTES];
    if (file->fd < 0 || file->kind != KIND_TEXT)
        return false;
    if (!sibling->looked)
        read_head(sibling, all->arena);
    size_t len = sibling->head.len;
    all->moving |= sibling->moved;
    return !sibling->moved && len && pread(file->fd, head, len, 0) == (ssize_t)len && memcmp(head, sibling->head.ptr, len) == 0;
}

static bool may_hold(const struct watched_file *file, struct sibling *sibling, struct siblings *all)
{
    struct stat info;
    if (sibling->file || sibling->info->st_size == 0 || is_being_packed(sibling, all))
        return false;
    if (file->place.record_id) /* an event log that was copied anew goes on by its numbers */
        return sibling->present && (file->fd < 0 || (fstat(file->fd, &info) == 0 && info.st_nlink == 0));
    if (!file->place.offset)
        return !sibling->present && begins_alike(file, sibling, all);
    return (!sibling->present || file->place.offset >= COPY_BYTES_SURE) && holds(sibling, file, all, false);
}

static int go_on_in(struct watched_log *log, struct watched_file *file, struct sibling *sibling, struct err *err)
{
    watched_file_close(file);
    file->nameless = file->missing = false;
    file->searched = 0;
    file->current = sibling->present;
    file->place.device = sibling->info->st_dev;
    file->place.inode = sibling->info->st_ino;
    file->modified_ns = modified_ns(sibling->info);
    file->left = log->dirty = true;
    file->grown_ns = log->watch->now_ns;
    return watched_file_set_path(file, sibling->path, err);
}

/* One that is open, without a name, is read to its end as it is; what it was packed to is not new. */
static bool is_twin(struct watched_file *file, struct sibling *sibling, struct siblings *all)
{
    bool known = file->twin_inode == sibling->info->st_ino && file->twin_modified_ns == modified_ns(sibling->info);
    if (!known && !may_hold(file, sibling, all))
        return false;
    file->twin_inode = sibling->info->st_ino;
    file->twin_modified_ns = modified_ns(sibling->info);
    return true;
}

static int find_missing(struct watched_log *log, struct siblings *all, struct err *err)
{
    for (size_t i = 0; i < log->count; i++) {
        struct watched_file *file = log->files[i];
        if (!file->nameless || file->place.finished)
            continue;
        file->searched += file->missing;
        for (size_t s = 0; s < all->count && file->nameless; s++) {
            struct sibling *sibling = &all->list[s];
            bool reads_on = watched_file_is_open(file) && !sibling->present;
            if (sibling->file || (reads_on ? !is_twin(file, sibling, all) : !may_hold(file, sibling, all)))
                continue;
            sibling->file = file;
            if (reads_on)
                break;
            if (go_on_in(log, file, sibling, err) < 0)
                return -1;
        }
    }
    return 0;
}

/* ---- the rest ---- */

enum verdict { OLD, WAITS, NEW, KNOWN };

/* A file that is there begins like it: it may be a copy that is being made. */
static enum verdict compare_with_known(struct watched_log *log, struct sibling *sibling, struct siblings *all)
{
    bool packed = unpacked_name(slice_text(sibling->path)).ptr != NULL;
    struct err err;
    for (size_t i = 0; i < log->count; i++) {
        struct watched_file *file = log->files[i];
        if (file->current && !watched_file_is_open(file) && watched_file_open(file, log->path, &err) != 1)
            return WAITS;
        if (file->nameless || file->kind != KIND_TEXT)
            continue;
        if (file->current && watched_file_begins_with(file, sibling->path))
            return file->place.offset >= (uint64_t)sibling->info->st_size ? KNOWN : WAITS;
        if (packed && !file->place.finished && begins_alike(file, sibling, all))
            return WAITS;
    }
    return NEW;
}

/* All of a copy had been taken: it lacks what was written between copying and emptying. */
static bool is_short_copy(const struct watched_file *file, struct sibling *sibling, struct siblings *all)
{
    uint64_t size = (uint64_t)sibling->info->st_size;
    if (!file->missing || size >= file->place.offset || size < file->place.head.len || !file->place.head.len)
        return false;
    if (!sibling->looked)
        read_head(sibling, all->arena);
    return sibling->plain && byte_mark_fits(file->place.head, sibling->head);
}

/* The file that it is, or is a copy of; NULL: none that is known. */
static struct watched_file *known_as(struct watched_log *log, struct sibling *sibling, struct siblings *all)
{
    for (size_t i = 0; i < log->count; i++) {
        struct watched_file *file = log->files[i];
        if (is_short_copy(file, sibling, all) && place_to_end(&file->place, sibling->path)) {
            file->size = (uint64_t)sibling->info->st_size;
            file->place.finished = true;
            file->missing = false;
            return file;
        }
        if (!holds(sibling, file, all, true))
            continue;
        const struct sibling *beside = file->nameless || file->current ? NULL : of_inode(all, &file->place);
        if (!beside || sibling->info->st_size <= beside->info->st_size) /* else longer than what it would be a copy of */
            return file;
    }
    return NULL;
}

static bool present_is_emptied(const struct watched_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        if (log->files[i]->current && watched_file_is_emptied(log->files[i]))
            return true;
    return false;
}

/* Nothing happened to it since the folder was listed. */
static bool is_unchanged(const struct sibling *sibling)
{
    struct stat now;
    return stat(sibling->path, &now) == 0 && now.st_ino == sibling->info->st_ino && now.st_size == sibling->info->st_size &&
           modified_ns(&now) == modified_ns(sibling->info);
}

static enum verdict judge(struct watched_log *log, struct sibling *sibling, struct siblings *all, bool first)
{
    bool younger = modified_ns(sibling->info) >= log->since_ns || (first && sibling->wanted);
    if (sibling->present)
        return NEW;
    if (sibling->info->st_size == 0 || log->watch->leaves_rotated || !younger)
        return OLD;
    struct watched_file *file = sibling->file = known_as(log, sibling, all);
    if (file && file->nameless) { /* it was packed when all of it had been read */
        file->place.device = sibling->info->st_dev;
        file->place.inode = sibling->info->st_ino;
        file->modified_ns = modified_ns(sibling->info);
        file->nameless = false;
    }
    if (file)
        return KNOWN;
    enum verdict verdict = is_being_packed(sibling, all) ? WAITS : compare_with_known(log, sibling, all);
    if (verdict == NEW && (!is_unchanged(sibling) || present_is_emptied(log) || all->moving)) {
        log->again = true;
        return WAITS;
    }
    return verdict;
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

/* 1; 0 when its name moved on. */
static int take_in(struct watched_log *log, struct sibling *sibling, struct err *err)
{
    struct watched_file *file;
    struct err later; /* one that cannot be opened is told when its turn comes */
    size_t at = log->count;
    while (at > 0 && log->files[at - 1]->current && !sibling->present)
        at--;
    if (watched_log_add(log, sibling->info, sibling->path, at, &file, err) < 0 ||
        (sibling->present && adopt(log, file, sibling->info) < 0))
        return err_nomem(err);
    sibling->file = file;
    file->current = sibling->present;
    int fits = watched_file_open(file, sibling->path, &later);
    bool moved = fits == 0 && file->other;
    if (fits > 0 && ((!file->current && log->watch->open.packed > PACKED_OPEN_MAX) || log->watch->open.files > FILES_OPEN_MAX))
        watched_file_close(file);
    if (moved)
        watched_log_remove(log, at);
    return !moved;
}

static int take_new(struct watched_log *log, struct siblings *all, bool first, int64_t *waiting_ns, struct err *err)
{
    for (int present = 1; present >= 0; present--) /* others may be copies of the present one */
        for (size_t i = 0; i < all->count; i++) {
            struct sibling *sibling = &all->list[i];
            if (sibling->present != present || sibling->file)
                continue;
            enum verdict verdict = judge(log, sibling, all, first);
            bool full = verdict == NEW && log->count >= COLLECT_LOG_FILES_MAX;
            int taken = verdict == NEW && !full ? take_in(log, sibling, err) : 0;
            if (taken < 0)
                return -1;
            log->again |= verdict == NEW && !taken && !full;
            if (full || verdict == WAITS || (verdict == NEW && !taken)) {
                log->full |= full;
                log->waits = true;
                *waiting_ns = modified_ns(sibling->info) < *waiting_ns ? modified_ns(sibling->info) : *waiting_ns;
            }
        }
    return 0;
}

/* ---- how complete the list is ---- */

/* The first look at a log: what rotation left before that is nobody's, but for what the patterns mean. */
static void begin_since(struct watched_log *log, const struct siblings *all)
{
    int64_t present = INT64_MAX, wanted = INT64_MAX;
    for (size_t i = 0; i < all->count; i++) {
        int64_t at = modified_ns(all->list[i].info);
        present = all->list[i].present ? at : present;
        wanted = all->list[i].wanted && at < wanted ? at : wanted;
    }
    log->since_ns = wanted < present && !log->watch->leaves_rotated ? wanted : present;
}

/* All files that are there were last written before this, or are known. What is known but was not taken from may come back
 * under another inode, so it stays younger. */
static void raise_since(struct watched_log *log, const struct siblings *all, int64_t waiting_ns)
{
    int64_t since = INT64_MIN, now = clock_wall_ns(log->watch->host->sink->clock) - NS_PER_SECOND;
    for (size_t i = 0; i < all->count; i++)
        since = modified_ns(all->list[i].info) > since ? modified_ns(all->list[i].info) : since;
    if (log->watch->leaves_rotated) { /* all that was written until now */
        log->since_ns = 1 + (since < now + NS_PER_SECOND ? since : now + NS_PER_SECOND);
        return;
    }
    since = since < now ? since : now; /* stamps of the future */
    since = since < waiting_ns ? since : waiting_ns;
    for (size_t i = 0; i < log->count; i++)
        if (!was_taken_from(log->files[i]) && !log->files[i]->place.finished && log->files[i]->place.started_ns < since)
            since = log->files[i]->place.started_ns;
    log->since_ns = since > log->since_ns || log->since_ns == INT64_MAX ? since : log->since_ns;
}

static void forget_untaken(struct watched_log *log)
{
    for (size_t i = log->count; i > 0; i--)
        if (log->files[i - 1]->nameless && !was_taken_from(log->files[i - 1]) && !watched_file_is_open(log->files[i - 1]))
            watched_log_remove(log, i - 1);
}

/* A look opens files to compare them; with their names they can be opened again. */
static void close_many(struct watched_log *log)
{
    for (size_t i = 0; i < log->count && log->watch->open.files > FILES_OPEN_MAX; i++)
        if (log->files[i]->kind == KIND_TEXT && !log->files[i]->nameless)
            watched_file_close(log->files[i]);
}

static void tell_full(struct watched_log *log)
{
    char text[ERR_TEXT_SIZE];
    snprintf(text, sizeof(text), "%.200s was rotated %d times faster than the store takes it (COLLECT_LOG_FILES_MAX); further files of "
             "it wait in their folder until some of these are read: do not let rotation delete them", log->path, COLLECT_LOG_FILES_MAX);
    if (log->full)
        log->watch->problem(log->watch, text);
}

static int sort_out(struct watched_log *log, struct siblings *all, struct err *err)
{
    int64_t waiting_ns = INT64_MAX;
    bool first = log->fresh && log->since_ns == SINCE_UNKNOWN;
    if (find_known(log, all, err) < 0)
        return -1;
    forget_untaken(log);
    if (find_missing(log, all, err) < 0)
        return -1;
    if (all->moving)
        return 0;
    if (first)
        begin_since(log, all);
    log->full = log->waits = false;
    if (take_new(log, all, first, &waiting_ns, err) < 0)
        return -1;
    tell_full(log);
    if (!all->moving)
        raise_since(log, all, waiting_ns);
    return 0;
}

int watched_log_look(struct watched_log *log, struct folder_lists *lists, struct err *err)
{
    struct arena_mark mark = arena_mark(log->watch->arena);
    struct siblings all = {.arena = log->watch->arena};
    assert(!log->waiting);
    log->again = false;
    int result = gather(log, lists, &all) < 0 ? err_nomem(err) : 0;
    if (result == 0 && !all.moving)
        result = sort_out(log, &all, err);
    log->again |= all.moving;
    if (result == 0 && !all.moving) {
        log->gone = true;
        for (size_t i = 0; i < all.count; i++)
            log->gone &= !all.list[i].present;
    }
    close_many(log);
    arena_rewind(log->watch->arena, &mark);
    return result;
}
