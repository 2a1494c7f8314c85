#include "gate/gate_journal.h"

#include "base/limits.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { ZEROS = 64 * 1024 };
#define FRAME_MAX (512 * MIB) /* a rotation writes every open hold in one */
#define ROOM_BYTES ((off_t)(4 * MIB)) /* zeros written ahead at once */
#define ROOM_LOW ((off_t)(1 * MIB))

struct gate_journal {
    const struct hin_io *io;
    char dir[PATH_MAX];
    char path[PATH_MAX], next_path[PATH_MAX];
    int fd;
    off_t end;       /* of the frames */
    off_t room_end;  /* of the zeros */
    struct gate_journal_place place;
    uint64_t first, before; /* what this file and the one before begin with */
    bool failed;
    struct buffer frame;
};

/* ---- reading ---- */

static int replay_records(struct slice payload, gate_journal_replay replay, void *context,
                          struct err *err)
{
    struct slice record;
    int more;
    while ((more = gate_journal_record_next(&payload, &record)) > 0)
        if (replay(context, record, err) < 0)
            return -1;
    return more < 0 ? err_set(err, ERR_CORRUPT, "a commit holds half a record") : 0;
}

/* Whether any good frame follows: then what is at the front was damaged later, not torn. */
static bool frame_follows(struct slice bytes)
{
    struct gate_journal_frame frame;
    for (size_t at = 0; at + GATE_FRAME_HEADER <= bytes.len; at++) {
        const char *next = memchr(bytes.ptr + at, 'H', bytes.len - at);
        if (!next)
            return false;
        at = (size_t)(next - bytes.ptr);
        if (gate_journal_frame_read(slice_from(bytes, at), &frame))
            return true;
    }
    return false;
}

static bool fits(const struct gate_journal_frame *frame, const struct gate_journal_place *place)
{
    return !place->known || (frame->number == place->next && gate_journal_frame_follows(frame, place->chain));
}

int gate_journal_read(struct slice bytes, struct gate_journal_place *place, gate_journal_replay replay, void *context, off_t *end,
                      struct err *err)
{
    struct gate_journal_frame frame;
    struct slice rest = bytes;
    *end = 0;
    while (gate_journal_frame_read(rest, &frame) && fits(&frame, place)) {
        if (replay_records(frame.payload, replay, context, err) < 0)
            return -1;
        place->last = (off_t)(bytes.len - rest.len);
        rest = slice_from(rest, GATE_FRAME_HEADER + frame.payload.len);
        *end = (off_t)(bytes.len - rest.len);
        place->next = frame.number + 1;
        place->time_ns = frame.time_ns;
        place->known = true;
        memcpy(place->chain, frame.chain, GATE_CHAIN_SIZE);
    }
    if (gate_journal_frame_read(rest, &frame))
        return err_set(err, ERR_CORRUPT, "at byte %lld stands commit %llu, which does not follow from what is before it", (long long)*end,
                       (unsigned long long)frame.number);
    if (frame_follows(rest))
        return err_set(err, ERR_CORRUPT, "damaged at byte %lld, and good records follow",
                       (long long)*end);
    return 0;
}

/* The caller frees the bytes. */
static int read_whole(const struct hin_io *io, int fd, const char *path, struct slice *out,
                      struct err *err)
{
    off_t size = io->size(io->context, fd);
    if (size < 0 || size > GATE_JOURNAL_FILE_MAX)
        return err_set(err, ERR_LIMIT, "%s cannot be read as a whole", path);
    char *bytes = mem_alloc((size_t)size + 1);
    if (!bytes)
        return err_nomem(err);
    *out = slice_of(bytes, (size_t)size);
    if (io_read_all(io, fd, bytes, (size_t)size, 0, path, err) == 0)
        return 0;
    mem_free(bytes);
    return -1;
}

static int count_record(void *context, struct slice record, struct err *err)
{
    uint64_t *records = context;
    (void)record;
    (void)err;
    ++*records;
    return 0;
}

/* What is not zero behind the frames. */
static void find_torn(struct slice bytes, off_t end, struct gate_journal_check *out)
{
    size_t last = bytes.len;
    while (last > (size_t)end && bytes.ptr[last - 1] == 0)
        last--;
    out->torn_from = (uint64_t)end;
    out->torn_to = last;
}

int gate_journal_check_file(const struct hin_io *io, const char *path, struct gate_journal_place *place,
                            struct gate_journal_check *out, struct err *err)
{
    off_t end = 0;
    *out = (struct gate_journal_check){0};
    int fd = io->open(io->context, path, O_RDONLY, 0);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open %s", path);
    struct slice bytes;
    int result = read_whole(io, fd, path, &bytes, err);
    if (result == 0) {
        struct gate_journal_frame first;
        uint64_t from = gate_journal_frame_read(bytes, &first) ? first.number : 0;
        result = gate_journal_read(bytes, place, count_record, &out->records, &end, err);
        out->commits = end ? place->next - from : 0;
        if (result < 0)
            err_within(err, "%s", path);
        find_torn(bytes, end, out);
        mem_free((void *)(uintptr_t)bytes.ptr);
    }
    io->close(io->context, fd);
    return result;
}

/* ---- writing ---- */

static int add_room(struct gate_journal *journal, struct err *err)
{
    static const char zeros[ZEROS];
    const struct hin_io *io = journal->io;
    off_t to = journal->room_end + ROOM_BYTES;
    for (off_t at = journal->room_end; at < to; at += ZEROS)
        if (io_write_all(io, journal->fd, slice_of(zeros, ZEROS), at, journal->path, err) < 0)
            return -1;
    if (io->fdatasync(io->context, journal->fd) < 0)
        return err_set_errno(err, errno, "cannot make %s durable", journal->path);
    journal->room_end = to;
    return 0;
}

/* When making the last commit durable failed, its bytes may stand in memory and be counted as written: once more, so that the next
 * fdatasync is of them, too. */
static int write_last_again(struct gate_journal *journal, struct err *err)
{
    size_t size = (size_t)(journal->end - journal->place.last);
    buffer_clear(&journal->frame);
    char *bytes = buffer_reserve(&journal->frame, size + 1);
    if (!bytes)
        return err_nomem(err);
    if (io_read_all(journal->io, journal->fd, bytes, size, journal->place.last, journal->path, err) < 0)
        return -1;
    return io_write_all(journal->io, journal->fd, slice_of(bytes, size), journal->place.last, journal->path, err);
}

/* Zeros from the end on, whatever a torn commit left there. */
static int cut_and_make_room(struct gate_journal *journal, struct err *err)
{
    const struct hin_io *io = journal->io;
    if (journal->end && write_last_again(journal, err) < 0)
        return -1;
    if (io->ftruncate(io->context, journal->fd, journal->end) < 0)
        return err_set_errno(err, errno, "cannot cut %s", journal->path);
    journal->room_end = journal->end;
    return add_room(journal, err);
}

static int open_file(struct gate_journal *journal, const char *path, int flags, struct err *err)
{
    const struct hin_io *io = journal->io;
    journal->fd = io->open(io->context, path, O_RDWR | O_CLOEXEC | flags, 0600);
    if (journal->fd < 0)
        return err_set_errno(err, errno, "cannot open %s", path);
    return 0;
}

static int sync_folder(const struct gate_journal *journal, struct err *err)
{
    if (journal->io->fsync_dir(journal->io->context, journal->dir) < 0)
        return err_set_errno(err, errno, "cannot make the folder %s durable", journal->dir);
    return 0;
}

static int rename_file(const struct gate_journal *journal, const char *from, const char *to, struct err *err)
{
    if (journal->io->rename(journal->io->context, from, to) < 0)
        return err_set_errno(err, errno, "cannot rename %s", from);
    return 0;
}

static void old_path(const struct gate_journal *journal, uint64_t first, char to[PATH_MAX + 32])
{
    (void)snprintf(to, PATH_MAX + 32, "%s.%020llu", journal->path, (unsigned long long)first);
}

/* ---- opening ---- */

/* 1 with the bytes, which the caller frees; 0: there is no such file. */
static int read_if_any(const struct hin_io *io, const char *path, struct slice *out, struct err *err)
{
    int fd = io->open(io->context, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return err_set_errno(err, errno, "cannot read %s", path);
    int result = read_whole(io, fd, path, out, err);
    io->close(io->context, fd);
    return result < 0 ? -1 : 1;
}

/* A rotation that did not come to its end: when the old file has got its number the new one is whole, else it is begun again later. */
static int finish_rotation(struct gate_journal *journal, struct err *err)
{
    const struct hin_io *io = journal->io;
    int next = io->open(io->context, journal->next_path, O_RDONLY | O_CLOEXEC, 0);
    if (next < 0)
        return errno == ENOENT ? 0 : err_set_errno(err, errno, "cannot read %s", journal->next_path);
    io->close(io->context, next);
    int fd = io->open(io->context, journal->path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0 && errno != ENOENT)
        return err_set_errno(err, errno, "cannot read %s", journal->path);
    if (fd < 0)
        return rename_file(journal, journal->next_path, journal->path, err) < 0 ? -1 : sync_folder(journal, err);
    io->close(io->context, fd);
    if (io->unlink(io->context, journal->next_path) < 0)
        return err_set_errno(err, errno, "cannot remove %s", journal->next_path);
    return 0;
}

/* The file before the newest; that it is gone costs only what was answered in it. */
static int replay_before(struct gate_journal *journal, gate_journal_replay replay, void *context, struct err *err)
{
    char path[PATH_MAX + 32];
    struct slice bytes;
    off_t end;
    old_path(journal, journal->before, path);
    int found = read_if_any(journal->io, path, &bytes, err);
    if (found <= 0)
        return found;
    int result = gate_journal_read(bytes, &journal->place, replay, context, &end, err);
    mem_free((void *)(uintptr_t)bytes.ptr);
    return result < 0 ? err_within(err, "%s", path) : 0;
}

static int replay_newest(struct gate_journal *journal, gate_journal_replay replay, void *context, struct err *err)
{
    struct gate_journal_frame first;
    struct slice bytes = SLICE_NONE;
    int found = read_if_any(journal->io, journal->path, &bytes, err);
    if (found < 0)
        return -1;
    journal->before = GATE_NO_FILE;
    if (slice_starts(bytes, SLICE("HGJ1"))) {
        mem_free((void *)(uintptr_t)bytes.ptr);
        return err_set(err, ERR_CORRUPT, "%s has the form of versions before 0.1.0; release its holds with the version that wrote it, "
                       "then move the file away", journal->path);
    }
    if (gate_journal_frame_read(bytes, &first)) {
        journal->first = first.number;
        journal->before = first.before;
    }
    journal->place.known = journal->before == GATE_NO_FILE; /* else the file before says it */
    int result = journal->place.known ? 0 : replay_before(journal, replay, context, err);
    if (result == 0 && gate_journal_read(bytes, &journal->place, replay, context, &journal->end, err) < 0)
        result = err_within(err, "%s", journal->path);
    if (found)
        mem_free((void *)(uintptr_t)bytes.ptr);
    return result;
}

static int open_paths(struct gate_journal *journal, const char *dir, struct err *err)
{
    int a = snprintf(journal->dir, sizeof(journal->dir), "%s", dir);
    int b = snprintf(journal->path, sizeof(journal->path), "%s/gate.journal", dir);
    int c = snprintf(journal->next_path, sizeof(journal->next_path), "%s/gate.journal.next", dir);
    return a < 0 || b < 0 || c < 0 || c >= PATH_MAX ? err_set(err, ERR_CONFIG, "the path %s is too long", dir) : 0;
}

int gate_journal_open(const struct hin_io *io, const char *dir, gate_journal_replay replay,
                      void *context, struct gate_journal **out, struct err *err)
{
    *out = NULL;
    struct gate_journal *journal = mem_calloc(1, sizeof(*journal));
    if (!journal)
        return err_nomem(err);
    journal->io = io;
    journal->fd = -1;
    buffer_init(&journal->frame, FRAME_MAX);
    if (open_paths(journal, dir, err) < 0 || finish_rotation(journal, err) < 0 ||
        replay_newest(journal, replay, context, err) < 0 || open_file(journal, journal->path, O_CREAT, err) < 0 ||
        sync_folder(journal, err) < 0 || cut_and_make_room(journal, err) < 0) {
        gate_journal_close(journal);
        return err_within(err, "the gate's journal");
    }
    *out = journal;
    return 0;
}

void gate_journal_close(struct gate_journal *journal)
{
    if (!journal)
        return;
    if (journal->fd >= 0)
        journal->io->close(journal->io->context, journal->fd);
    buffer_close(&journal->frame);
    mem_free(journal);
}

/* ---- committing ---- */

static int write_frame(struct gate_journal *journal, struct slice payload, int64_t time_ns, bool carried, struct err *err)
{
    const struct hin_io *io = journal->io;
    struct gate_journal_frame frame = {.number = journal->place.next, .before = journal->before, .time_ns = time_ns,
                                       .carried = carried, .payload = payload};
    buffer_clear(&journal->frame);
    gate_journal_frame_put(&frame, journal->place.chain, &journal->frame);
    struct slice bytes = buffer_slice(&journal->frame);
    if (buffer_failed(&journal->frame))
        return err_nomem(err);
    while (journal->end + (off_t)bytes.len > journal->room_end)
        if (add_room(journal, err) < 0)
            return -1;
    if (io_write_all(io, journal->fd, bytes, journal->end, journal->path, err) < 0)
        return -1;
    if (io->fdatasync(io->context, journal->fd) < 0)
        return err_set_errno(err, errno, "cannot make %s durable", journal->path);
    journal->end += (off_t)bytes.len;
    journal->place.next++;
    journal->place.time_ns = time_ns;
    memcpy(journal->place.chain, frame.chain, GATE_CHAIN_SIZE);
    return 0;
}

int gate_journal_commit(struct gate_journal *journal, struct slice payload, int64_t time_ns, struct err *err)
{
    if (journal->failed)
        return err_set(err, ERR_IO, "%s failed before; nothing is written to it any more",
                       journal->path);
    if (payload.len && write_frame(journal, payload, time_ns, false, err) < 0) {
        journal->failed = true;
        return -1;
    }
    return 0;
}

/* The new file is whole before the old one gets its number, so that each moment has one that says everything. */
static int rotate(struct gate_journal *journal, struct slice payload, int64_t time_ns, struct err *err)
{
    char to[PATH_MAX + 32];
    old_path(journal, journal->first, to);
    journal->io->close(journal->io->context, journal->fd);
    journal->fd = -1;
    journal->before = journal->first;
    journal->first = journal->place.next;
    journal->end = journal->room_end = 0;
    return open_file(journal, journal->next_path, O_CREAT | O_TRUNC, err) < 0 || add_room(journal, err) < 0 ||
                   write_frame(journal, payload, time_ns, true, err) < 0 || rename_file(journal, journal->path, to, err) < 0 ||
                   rename_file(journal, journal->next_path, journal->path, err) < 0
               ? -1
               : sync_folder(journal, err);
}

int gate_journal_rotate(struct gate_journal *journal, struct slice payload, int64_t time_ns, struct err *err)
{
    if (journal->failed)
        return err_set(err, ERR_IO, "%s failed before", journal->path);
    int result = rotate(journal, payload, time_ns, err);
    journal->failed = result < 0;
    return result;
}

int gate_journal_prepare(struct gate_journal *journal, struct err *err)
{
    if (journal->failed || journal->room_end - journal->end > ROOM_LOW)
        return 0;
    int result = add_room(journal, err);
    journal->failed = result < 0;
    return result;
}

uint64_t gate_journal_number(const struct gate_journal *journal)
{
    return journal->place.next;
}

int64_t gate_journal_time(const struct gate_journal *journal)
{
    return journal->place.time_ns;
}

size_t gate_journal_begin(struct buffer *payload)
{
    size_t begun = payload->len;
    buffer_put_le32(payload, 0);
    return begun;
}

void gate_journal_end(struct buffer *payload, size_t begun)
{
    if (payload->failed)
        return;
    size_t length = payload->len - begun - 4;
    for (size_t i = 0; i < 4; i++)
        payload->ptr[begun + i] = (char)(length >> (8 * i));
}

void gate_journal_put_named(struct buffer *payload, uint64_t kind, struct slice name, int64_t ns)
{
    size_t begun = gate_journal_begin(payload);
    buffer_put_varint(payload, kind);
    buffer_put_block(payload, name);
    buffer_put_le64(payload, (uint64_t)ns);
    gate_journal_end(payload, begun);
}

int gate_journal_take_named(struct slice record, uint64_t kind, struct slice *name, int64_t *ns)
{
    uint64_t has, value;
    if (!slice_take_varint(&record, &has) || has != kind)
        return 0;
    if (!slice_take_block(&record, name) || !slice_take_le64(&record, &value) || record.len)
        return -1;
    *ns = (int64_t)value;
    return 1;
}
