#include "gate/gate_journal.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

enum { FRAME_HEADER = 20, ZEROS = 64 * 1024 };
#define FRAME_MAX (512 * MIB) /* a rotation writes every open hold in one */
#define ROOM_BYTES ((off_t)(4 * MIB)) /* zeros written ahead at once */
#define ROOM_LOW ((off_t)(1 * MIB))
#define SCAN_MAX ((off_t)(2 * GIB))

static const char magic[4] = {'H', 'G', 'J', '1'};

struct gate_journal {
    const struct hin_io *io;
    char dir[PATH_MAX];
    char path[PATH_MAX], old_path[PATH_MAX];
    int fd;
    off_t end;       /* of the frames */
    off_t room_end;  /* of the zeros */
    uint64_t number; /* of the next frame in this file */
    bool failed;
    struct buffer frame;
};

static uint32_t frame_crc(struct slice length_and_number, struct slice payload)
{
    return hash_crc32c(hash_crc32c(0, length_and_number), payload);
}

static void make_frame(struct buffer *to, uint64_t number, struct slice payload)
{
    struct buffer head;
    buffer_clear(to);
    buffer_init(&head, 64);
    buffer_put_le32(&head, (uint32_t)payload.len);
    buffer_put_le64(&head, number);
    buffer_put(to, slice_of(magic, sizeof(magic)));
    buffer_put_le32(to, (uint32_t)payload.len);
    buffer_put_le32(to, frame_crc(buffer_slice(&head), payload));
    buffer_put_le64(to, number);
    buffer_put(to, payload);
    to->failed |= head.failed;
    buffer_close(&head);
}

/* The payload of a frame at the start of bytes; false when there is no whole, good one. */
static bool read_frame(struct slice bytes, uint64_t *number, struct slice *payload)
{
    struct slice head, rest = bytes;
    uint32_t length, crc;
    char check[12];
    if (!slice_take(&rest, sizeof(magic), &head) || memcmp(head.ptr, magic, sizeof(magic)) != 0 ||
        !slice_take_le32(&rest, &length) || !slice_take_le32(&rest, &crc) ||
        !slice_take_le64(&rest, number) || !slice_take(&rest, length, payload))
        return false;
    memcpy(check, bytes.ptr + 4, 4);
    memcpy(check + 4, bytes.ptr + 12, 8);
    return frame_crc(slice_of(check, sizeof(check)), *payload) == crc;
}

static int replay_records(struct slice payload, gate_journal_replay replay, void *context,
                          struct err *err)
{
    while (payload.len) {
        uint32_t length;
        struct slice record;
        if (!slice_take_le32(&payload, &length) || !slice_take(&payload, length, &record))
            return err_set(err, ERR_CORRUPT, "a commit holds half a record");
        if (replay(context, record, err) < 0)
            return -1;
    }
    return 0;
}

/* Whether any good frame follows: then what is at the front was damaged later, not torn. */
static bool frame_follows(struct slice bytes)
{
    uint64_t number;
    struct slice payload;
    for (size_t at = 1; at + FRAME_HEADER <= bytes.len; at++) {
        const char *next = memchr(bytes.ptr + at, magic[0], bytes.len - at);
        if (!next)
            return false;
        at = (size_t)(next - bytes.ptr);
        if (read_frame(slice_from(bytes, at), &number, &payload))
            return true;
    }
    return false;
}

int gate_journal_read(struct slice bytes, gate_journal_replay replay, void *context, off_t *end,
                      uint64_t *number, struct err *err)
{
    struct slice payload, rest = bytes;
    uint64_t found;
    *number = 0;
    while (read_frame(rest, &found, &payload) && found == *number) {
        if (replay_records(payload, replay, context, err) < 0)
            return -1;
        rest = slice_from(rest, FRAME_HEADER + payload.len);
        ++*number;
    }
    *end = (off_t)(bytes.len - rest.len);
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
    if (size < 0 || size > SCAN_MAX)
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

static int replay_file(const struct hin_io *io, int fd, const char *path,
                       gate_journal_replay replay, void *context, off_t *end, uint64_t *number,
                       struct err *err)
{
    struct slice bytes;
    if (read_whole(io, fd, path, &bytes, err) < 0)
        return -1;
    int result = gate_journal_read(bytes, replay, context, end, number, err);
    mem_free((void *)(uintptr_t)bytes.ptr);
    return result < 0 ? err_within(err, "%s", path) : 0;
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

int gate_journal_check_file(const struct hin_io *io, const char *path, struct gate_journal_check *out,
                            struct err *err)
{
    off_t end = 0;
    *out = (struct gate_journal_check){0};
    int fd = io->open(io->context, path, O_RDONLY, 0);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open %s", path);
    struct slice bytes;
    int result = read_whole(io, fd, path, &bytes, err);
    if (result == 0) {
        result = gate_journal_read(bytes, count_record, &out->records, &end, &out->commits, err);
        if (result < 0)
            err_within(err, "%s", path);
        find_torn(bytes, end, out);
        mem_free((void *)(uintptr_t)bytes.ptr);
    }
    io->close(io->context, fd);
    return result;
}

static int replay_old(struct gate_journal *journal, gate_journal_replay replay, void *context,
                      struct err *err)
{
    off_t end;
    uint64_t number;
    const struct hin_io *io = journal->io;
    int fd = io->open(io->context, journal->old_path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return err_set_errno(err, errno, "cannot read %s", journal->old_path);
    int result = replay_file(io, fd, journal->old_path, replay, context, &end, &number, err);
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

/* Zeros from the end on, whatever a torn commit left there. */
static int cut_and_make_room(struct gate_journal *journal, struct err *err)
{
    const struct hin_io *io = journal->io;
    if (io->ftruncate(io->context, journal->fd, journal->end) < 0)
        return err_set_errno(err, errno, "cannot cut %s", journal->path);
    journal->room_end = journal->end;
    return add_room(journal, err);
}

static int open_file(struct gate_journal *journal, struct err *err)
{
    const struct hin_io *io = journal->io;
    journal->fd = io->open(io->context, journal->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (journal->fd < 0)
        return err_set_errno(err, errno, "cannot open %s", journal->path);
    if (io->fsync_dir(io->context, journal->dir) < 0)
        return err_set_errno(err, errno, "cannot make the folder %s durable", journal->dir);
    return 0;
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
    int a = snprintf(journal->dir, sizeof(journal->dir), "%s", dir);
    int b = snprintf(journal->path, sizeof(journal->path), "%s/gate.journal", dir);
    int c = snprintf(journal->old_path, sizeof(journal->old_path), "%s/gate.journal.1", dir);
    if (a < 0 || b < 0 || c < 0 || c >= PATH_MAX) {
        err_set(err, ERR_CONFIG, "the path %s is too long", dir);
        goto fail;
    }
    if (replay_old(journal, replay, context, err) < 0 || open_file(journal, err) < 0 ||
        replay_file(io, journal->fd, journal->path, replay, context, &journal->end,
                    &journal->number, err) < 0 ||
        cut_and_make_room(journal, err) < 0)
        goto fail;
    *out = journal;
    return 0;

fail:
    gate_journal_close(journal);
    return err_within(err, "the gate's journal");
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

static int write_frame(struct gate_journal *journal, struct slice payload, struct err *err)
{
    const struct hin_io *io = journal->io;
    make_frame(&journal->frame, journal->number, payload);
    struct slice frame = buffer_slice(&journal->frame);
    if (buffer_failed(&journal->frame))
        return err_nomem(err);
    while (journal->end + (off_t)frame.len > journal->room_end)
        if (add_room(journal, err) < 0)
            return -1;
    if (io_write_all(io, journal->fd, frame, journal->end, journal->path, err) < 0)
        return -1;
    if (io->fdatasync(io->context, journal->fd) < 0)
        return err_set_errno(err, errno, "cannot make %s durable", journal->path);
    journal->end += (off_t)frame.len;
    journal->number++;
    return 0;
}

int gate_journal_commit(struct gate_journal *journal, struct slice payload, struct err *err)
{
    if (journal->failed)
        return err_set(err, ERR_IO, "%s failed before; nothing is written to it any more",
                       journal->path);
    if (payload.len && write_frame(journal, payload, err) < 0) {
        journal->failed = true;
        return -1;
    }
    return 0;
}

static int rotate(struct gate_journal *journal, struct slice payload, struct err *err)
{
    const struct hin_io *io = journal->io;
    io->close(io->context, journal->fd);
    journal->fd = -1;
    if (io->rename(io->context, journal->path, journal->old_path) < 0)
        return err_set_errno(err, errno, "cannot rename %s", journal->path);
    if (open_file(journal, err) < 0)
        return -1;
    journal->end = journal->room_end = 0;
    journal->number = 0;
    if (add_room(journal, err) < 0)
        return -1;
    return payload.len ? write_frame(journal, payload, err) : 0;
}

int gate_journal_rotate(struct gate_journal *journal, struct slice payload, struct err *err)
{
    if (journal->failed)
        return err_set(err, ERR_IO, "%s failed before", journal->path);
    int result = rotate(journal, payload, err);
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
