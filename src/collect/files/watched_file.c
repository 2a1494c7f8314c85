#include "collect/files/watched_file.h"

#include "base/limits.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The unpacked text from the tail mark on. */
struct packed_file {
    struct byte_source source;
    struct buffer text;
    size_t tail; /* bytes of it in front of the offset */
    size_t done; /* bytes at its beginning that the next read drops: a delivery may lie in them until then */
};

struct watched_file *watched_file_new(const char *encoding)
{
    struct watched_file *file = mem_calloc(1, sizeof(*file));
    if (file) {
        file->fd = -1;
        text_cut_init(&file->cut, encoding);
    }
    return file;
}

void watched_file_free(struct watched_file *file)
{
    if (!file)
        return;
    watched_file_close(file);
    text_cut_close(&file->cut);
    mem_free(file->path);
    mem_free(file);
}

int watched_file_set_path(struct watched_file *file, const char *path, struct err *err)
{
    if (file->path && strcmp(file->path, path) == 0)
        return 0;
    char *copy = mem_strdup(path, strlen(path));
    if (!copy)
        return err_nomem(err);
    mem_free(file->path);
    file->path = copy;
    return 0;
}

bool watched_file_ends_early(const struct watched_file *file)
{
    return file->packed && file->packed->source.damaged;
}

void watched_file_close(struct watched_file *file)
{
    watched_evtx_end(file);
    if (file->counts && watched_file_is_open(file)) {
        file->counts->files--;
        file->counts->packed -= file->packed != NULL;
    }
    if (file->packed) {
        byte_source_close(&file->packed->source);
        buffer_close(&file->packed->text);
        mem_free(file->packed);
        file->packed = NULL;
    }
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

/* ---- opening ---- */

static ssize_t read_at(int fd, char *to, size_t len, uint64_t at)
{
    size_t done = 0;
    while (done < len) {
        ssize_t got = pread(fd, to + done, len - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

/* Of a place at the beginning nothing was taken: any bytes will do. */
static bool plain_fits(const struct file_place *place, int fd)
{
    char bytes[HEAD_MARK_BYTES];
    if (place->offset == 0)
        return true;
    ssize_t got = read_at(fd, bytes, place->head.len, 0);
    if (got < 0 || !byte_mark_fits(place->head, slice_of(bytes, (size_t)got)))
        return false;
    got = read_at(fd, bytes, place->tail.len, place->offset - place->tail.len);
    return got >= 0 && byte_mark_fits(place->tail, slice_of(bytes, (size_t)got));
}

bool watched_file_is_emptied(const struct watched_file *file)
{
    struct stat info;
    if (file->fd < 0 || file->kind != KIND_TEXT || fstat(file->fd, &info) < 0)
        return false;
    return (uint64_t)info.st_size < file->place.offset || !plain_fits(&file->place, file->fd);
}

/* Unpacks up to the place. 1, 0 when the bytes differ, -1. */
static int packed_to_place(struct packed_file *packed, const struct file_place *place, struct err *err)
{
    uint64_t at = 0; /* of the first byte of the text that is kept */
    uint64_t from = place->offset - place->tail.len;
    bool head_seen = place->head.len == 0 || place->offset == 0;
    while (at + packed->text.len < place->offset || !head_seen) {
        size_t got = 0;
        char *room = buffer_reserve(&packed->text, SOURCE_READ_BYTES);
        if (!room)
            return err_nomem(err);
        if (packed->source.end)
            return 0;
        if (byte_source_read(&packed->source, room, SOURCE_READ_BYTES, &got, err) < 0)
            return -1;
        buffer_commit(&packed->text, got);
        if (!head_seen && packed->text.len >= place->head.len) {
            if (!byte_mark_fits(place->head, buffer_slice(&packed->text)))
                return 0;
            head_seen = true;
        }
        size_t drop = head_seen && from > at ? (size_t)(from - at < packed->text.len ? from - at : packed->text.len) : 0;
        buffer_consume(&packed->text, drop);
        at += drop;
    }
    if (from > at)
        buffer_consume(&packed->text, (size_t)(from - at));
    packed->tail = place->tail.len;
    return byte_mark_fits(place->tail, buffer_slice(&packed->text));
}

static int open_packed(struct watched_file *file, int fd, const char *path, struct err *err)
{
    file->packed = mem_calloc(1, sizeof(*file->packed));
    if (!file->packed) {
        close(fd);
        return err_nomem(err);
    }
    buffer_init(&file->packed->text, 4 * MIB);
    if (byte_source_open(&file->packed->source, fd, path, err) < 0)
        return -1;
    return packed_to_place(file->packed, &file->place, err);
}

static int open_as(struct watched_file *file, int fd, const char *path, struct err *err)
{
    char head[8];
    ssize_t got = read_at(fd, head, sizeof(head), 0);
    struct slice seen = slice_of(head, got > 0 ? (size_t)got : 0);
    if (packing_of(seen) != PACKING_NONE) {
        file->kind = KIND_PACKED;
        return open_packed(file, fd, path, err);
    }
    file->fd = fd;
    if (evtx_detect(seen)) {
        file->kind = KIND_EVENT_LOG;
        return 1;
    }
    file->kind = KIND_TEXT;
    return plain_fits(&file->place, fd);
}

int watched_file_open(struct watched_file *file, const char *path, struct err *err)
{
    struct stat info;
    watched_file_close(file);
    if (watched_file_set_path(file, path, err) < 0)
        return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    file->other = true;
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open %s", path);
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return 0;
    }
    bool same = file->place.device == info.st_dev && file->place.inode == info.st_ino;
    file->other = file->place.inode && !same;
    if (file->other && (!file->place.head.len || !file->place.offset)) { /* nothing but the inode is known of it */
        close(fd);
        return 0;
    }
    int fits = open_as(file, fd, file->path, err);
    if (file->counts && watched_file_is_open(file)) {
        file->counts->files++;
        file->counts->packed += file->packed != NULL;
    }
    if (fits <= 0) {
        watched_file_close(file);
        return fits;
    }
    file->place.device = info.st_dev;
    file->place.inode = info.st_ino;
    if (!file->place.started_ns)
        file->place.started_ns = info.st_mtim.tv_sec * INT64_C(1000000000) + info.st_mtim.tv_nsec;
    return 1;
}

/* At the place's end, when whole. */
static bool fits_at(const struct file_place *place, const char *path, bool whole)
{
    struct watched_file *probe = watched_file_new(NULL);
    struct buffer bytes;
    struct slice more = SLICE_NONE;
    struct err err;
    if (!probe)
        return false;
    probe->place = *place;
    buffer_init(&bytes, MIB);
    bool fits = watched_file_open(probe, path, &err) == 1 && probe->kind != KIND_EVENT_LOG;
    if (fits && whole)
        fits = watched_file_read(probe, 1, &bytes, &more, &err) == 1 && more.len == 0;
    buffer_close(&bytes);
    watched_file_free(probe);
    return fits;
}

bool place_fits_path(const struct file_place *place, const char *path)
{
    return place->head.len && place->offset && fits_at(place, path, false);
}

bool place_is_of_copy(const struct file_place *place, const char *path)
{
    struct file_place known = *place;
    known.device = known.inode = 0;
    return place->head.len && place->offset && fits_at(&known, path, place->offset < HEAD_MARK_BYTES);
}

bool place_to_end(struct file_place *place, const char *path)
{
    char bytes[TAIL_MARK_BYTES];
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    uint64_t size = fstat(fd, &info) == 0 ? (uint64_t)info.st_size : 0;
    size_t tail = size < sizeof(bytes) ? (size_t)size : sizeof(bytes);
    bool fine = size && read_at(fd, bytes, tail, size - tail) == (ssize_t)tail;
    close(fd);
    if (!fine)
        return false;
    place->offset = size;
    place->tail = byte_mark_of(slice_of(bytes, tail));
    return true;
}

bool watched_file_begins_with(const struct watched_file *file, const char *path)
{
    char theirs[HEAD_MARK_BYTES], ours[HEAD_MARK_BYTES];
    struct stat info;
    int fd = file->fd >= 0 ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    bool same = fd >= 0 && fstat(fd, &info) == 0 && info.st_size > 0;
    uint64_t size = same ? (uint64_t)info.st_size : 0, last = size > HEAD_MARK_BYTES ? size - HEAD_MARK_BYTES : 0;
    const uint64_t places[] = {0, last};
    for (size_t i = 0; same && i < 2; i++) {
        size_t len = (size_t)(size - places[i] < HEAD_MARK_BYTES ? size - places[i] : HEAD_MARK_BYTES);
        same = read_at(fd, theirs, len, places[i]) == (ssize_t)len && read_at(file->fd, ours, len, places[i]) == (ssize_t)len &&
               memcmp(theirs, ours, len) == 0;
    }
    if (fd >= 0)
        close(fd);
    return same;
}

/* ---- reading ---- */

static int read_packed(struct watched_file *file, size_t want, struct slice *text, struct err *err)
{
    struct packed_file *packed = file->packed;
    buffer_consume(&packed->text, packed->done);
    packed->done = 0;
    while (!packed->source.end && packed->text.len - packed->tail < want) {
        size_t got = 0;
        char *room = buffer_reserve(&packed->text, SOURCE_READ_BYTES);
        if (!room)
            return err_nomem(err);
        if (byte_source_read(&packed->source, room, SOURCE_READ_BYTES, &got, err) < 0)
            return -1;
        buffer_commit(&packed->text, got);
    }
    file->at_end = packed->source.end;
    *text = slice_from(buffer_slice(&packed->text), packed->tail);
    if (!file->place.head.len)
        file->place.head = byte_mark_of(slice_sub(*text, 0, HEAD_MARK_BYTES));
    return 1;
}

/* Whether what was read at the place is there still: else the file was emptied, perhaps in the middle of the read. */
static bool is_there_still(const struct watched_file *file, struct slice read)
{
    char again[TAIL_MARK_BYTES];
    size_t tail = file->place.tail.len, len = tail ? tail : read.len < sizeof(again) ? read.len : sizeof(again);
    return read.len >= len && byte_mark_fits(file->place.tail, read) &&
           read_at(file->fd, again, len, file->place.offset - tail) == (ssize_t)len && memcmp(again, read.ptr, len) == 0;
}

int watched_file_read(struct watched_file *file, size_t want, struct buffer *buffer, struct slice *text,
                      struct err *err)
{
    size_t tail = file->place.tail.len, size = tail + want;
    if (file->packed)
        return read_packed(file, want, text, err);
    struct stat info;
    if (fstat(file->fd, &info) < 0)
        return err_set_errno(err, errno, "cannot look at %s", file->path);
    uint64_t there = (uint64_t)info.st_size;
    file->deleted = info.st_nlink == 0;
    file->size = there;
    if (there < file->place.offset)
        return 0;
    if (there - file->place.offset < want)
        size = tail + (size_t)(there - file->place.offset);
    buffer_clear(buffer);
    char *room = buffer_reserve(buffer, size + 1);
    if (!room)
        return err_nomem(err);
    ssize_t got = read_at(file->fd, room, size, file->place.offset - tail);
    if (got < 0)
        return err_set_errno(err, errno, "cannot read %s", file->path);
    if (!is_there_still(file, slice_of(room, (size_t)got)))
        return 0;
    *text = slice_of(room + tail, (size_t)got - tail);
    file->at_end = (uint64_t)got + file->place.offset - tail >= there;
    return 1;
}

/* The first bytes, when there were fewer as they were last looked at; only of what it was then. */
static void extend_head(struct watched_file *file)
{
    char bytes[HEAD_MARK_BYTES];
    if (file->fd < 0 || file->place.head.len == HEAD_MARK_BYTES)
        return;
    ssize_t got = read_at(file->fd, bytes, sizeof(bytes), 0);
    if (got > (ssize_t)file->place.head.len && byte_mark_fits(file->place.head, slice_of(bytes, (size_t)got)))
        file->place.head = byte_mark_of(slice_of(bytes, (size_t)got));
}

void watched_file_take(struct watched_file *file, struct slice text, size_t used)
{
    size_t before = file->place.tail.len + used; /* the mark's bytes stand in front of the text */
    size_t tail = before < TAIL_MARK_BYTES ? before : TAIL_MARK_BYTES;
    if (file->place.offset == 0) /* of the text itself: the file may be another one by now */
        file->place.head = byte_mark_of(slice_sub(text, 0, HEAD_MARK_BYTES));
    file->place.tail = byte_mark_of(slice_of(text.ptr + used - tail, tail));
    file->place.offset += used;
    if (file->packed) {
        file->packed->done += before - tail;
        file->packed->tail = tail;
    }
    extend_head(file);
}
