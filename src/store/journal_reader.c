/* store/journal_reader: committed records in order, for the pipeline. */
#include "store/journal_state.h"

#include "base/mem.h"
#include "store/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

struct journal_reader {
    struct journal *journal;
    uint64_t position;
    uint64_t base;       /* of the open file */
    int fd;              /* -1: none open */
    bool has_header;
    struct journal_walk walk;
    char path[JOURNAL_PATH_MAX];
};

int journal_reader_open(struct journal *journal, uint64_t from_position,
                        struct journal_reader **out, struct err *err)
{
    *out = mem_calloc(1, sizeof(**out));
    if (!*out)
        return err_nomem(err);
    (*out)->journal = journal;
    (*out)->position = from_position;
    (*out)->fd = -1;
    return 0;
}

static void close_file(struct journal_reader *reader)
{
    const struct hin_io *io = reader->journal->config.io;
    journal_walk_close(&reader->walk);
    if (reader->fd >= 0)
        io->close(io->context, reader->fd);
    reader->fd = -1;
}

void journal_reader_close(struct journal_reader *reader)
{
    if (!reader)
        return;
    close_file(reader);
    mem_free(reader);
}

uint64_t journal_reader_position(const struct journal_reader *reader)
{
    return reader->position;
}

/* What can be read now: the file that holds position, and how far. */
struct target {
    struct journal_file file;
    uint64_t end; /* position: of the file's last durable byte + 1, or of the next file */
    bool is_last;
};

/* Under the lock. False when nothing is committed behind position. */
static bool find_target(struct journal *journal, uint64_t *position, struct target *out)
{
    if (*position >= journal->committed || !journal->file_count)
        return false;
    size_t i = journal->file_count - 1;
    while (i > 0 && journal->files[i].base > *position)
        i--;
    out->file = journal->files[i];
    if (*position < out->file.base)
        *position = out->file.base; /* trimmed before */
    out->is_last = i + 1 == journal->file_count;
    out->end = out->is_last ? journal->committed : journal->files[i + 1].base;
    return *position < out->end;
}

static int wait_for_target(struct journal_reader *reader, struct target *out, int64_t wait_ms,
                           struct err *err)
{
    struct journal *journal = reader->journal;
    struct timespec until = clock_deadline(CLOCK_MONOTONIC, wait_ms * NS_PER_MS);
    bool found;
    pthread_mutex_lock(&journal->lock);
    while (!(found = find_target(journal, &reader->position, out)) && !journal->stopping &&
           wait_ms > 0)
        if (pthread_cond_timedwait(&journal->news, &journal->lock, &until) == ETIMEDOUT)
            break;
    bool stopping = journal->stopping;
    pthread_mutex_unlock(&journal->lock);
    if (!found && stopping)
        return err_set(err, ERR_CLOSED, "the journal is closing");
    return found;
}

/* Whether the file is one of the journal's, in reader->has_header. A disk that does not answer says
 * nothing about that: -1, and it is read again later. */
static int read_header(struct journal_reader *reader, uint64_t base, uint64_t *file_id,
                       struct err *err)
{
    const struct hin_io *io = reader->journal->config.io;
    char header[JOURNAL_FILE_HEADER];
    uint64_t found_base;
    struct err why;
    reader->has_header = false;
    off_t size = io->size(io->context, reader->fd);
    if (size < 0)
        return err_set_errno(err, errno, "cannot ask for the size of %s", reader->path);
    if (size < JOURNAL_FILE_HEADER)
        return 0;
    if (io_read_all(io, reader->fd, header, sizeof(header), 0, reader->path, &why) < 0) {
        if (why.code == ERR_CORRUPT)
            return 0;
        *err = why;
        return -1;
    }
    reader->has_header =
        journal_file_header_read(header, file_id, &found_base) && found_base == base;
    return 0;
}

static int open_target(struct journal_reader *reader, const struct target *target, struct err *err)
{
    struct journal *journal = reader->journal;
    const struct hin_io *io = journal->config.io;
    close_file(reader);
    if (journal_path(journal->dir, target->file.base, reader->path, err) < 0)
        return -1;
    reader->fd = io->open(io->context, reader->path, O_RDONLY, 0);
    if (reader->fd < 0)
        return err_set_errno(err, errno, "cannot open %s", reader->path);
    uint64_t file_id = 0;
    if (read_header(reader, target->file.base, &file_id, err) < 0) {
        close_file(reader);
        return -1;
    }
    reader->base = target->file.base;
    journal_walk_init(&reader->walk, io, reader->fd, reader->path, file_id, reader->base, 0);
    return 0;
}

static void report(struct journal_reader *reader, uint64_t from, uint64_t to)
{
    struct journal *journal = reader->journal;
    pthread_mutex_lock(&journal->lock);
    journal->stats.damaged_ranges++;
    journal->stats.damaged_bytes += to - from;
    pthread_mutex_unlock(&journal->lock);
    journal_say(journal, "journal file %s: nothing readable at bytes %llu to %llu, skipped",
                reader->path, (unsigned long long)from, (unsigned long long)to);
}

/* The file's size may be less than what was committed when someone cut it. */
static int readable_end(struct journal_reader *reader, const struct target *target, uint64_t *out,
                        struct err *err)
{
    const struct hin_io *io = reader->journal->config.io;
    uint64_t want = target->end - target->file.base + JOURNAL_FILE_HEADER;
    off_t size = io->size(io->context, reader->fd);
    if (size < 0)
        return err_set_errno(err, errno, "cannot ask for the size of %s", reader->path);
    *out = (uint64_t)size < want ? (uint64_t)size : want;
    return 0;
}

static int give(struct journal_reader *reader, const struct journal_frame *frame,
                struct arena *arena, struct delivery *out, struct err *err)
{
    struct slice payload = arena ? arena_copy(arena, frame->payload) : frame->payload;
    if (!payload.ptr)
        return err_nomem(err);
    if (delivery_decode(payload, out, err) < 0)
        return err_within(err, "journal record at %llu", (unsigned long long)frame->position);
    out->first_seq = frame->first_seq;
    out->event_count = frame->event_count;
    out->journal_end = frame->position + JOURNAL_FRAME_HEADER + frame->length;
    reader->position = out->journal_end;
    return 1;
}

/* 1 a record, 0 nothing in this target any more (position has moved on), -1. */
static int read_target(struct journal_reader *reader, const struct target *target,
                       struct arena *arena, struct delivery *out, struct err *err)
{
    struct journal_walk *walk = &reader->walk;
    walk->end = 0;
    if (reader->has_header && readable_end(reader, target, &walk->end, err) < 0)
        return -1;
    walk->offset = reader->position - reader->base + JOURNAL_FILE_HEADER;
    while (walk->offset < walk->end) {
        struct journal_frame frame;
        switch (journal_walk_next(walk, &frame, err)) {
        case JOURNAL_STEP_FRAME:
            if (frame.kind == JOURNAL_KIND_DELIVERY)
                return give(reader, &frame, arena, out, err);
            break;
        case JOURNAL_STEP_DAMAGED:
            report(reader, walk->damaged_from, walk->damaged_to);
            break;
        case JOURNAL_STEP_TORN:
            report(reader, walk->damaged_from, walk->damaged_to);
            break;
        case JOURNAL_STEP_END:
            break;
        case JOURNAL_STEP_FAILED:
            return -1;
        }
    }
    uint64_t end = target->end - target->file.base + JOURNAL_FILE_HEADER;
    if (walk->offset < end)
        report(reader, walk->offset, end);
    reader->position = target->end;
    return 0;
}

int journal_read(struct journal_reader *reader, struct arena *arena, struct delivery *out,
                 int64_t wait_ms, struct err *err)
{
    for (;;) {
        struct target target = {0};
        int found = wait_for_target(reader, &target, wait_ms, err);
        if (found <= 0)
            return found;
        if ((reader->fd < 0 || reader->base != target.file.base) &&
            open_target(reader, &target, err) < 0)
            return -1;
        int result = read_target(reader, &target, arena, out, err);
        if (result != 0)
            return result;
    }
}

static void note_damage(struct journal_check *out, uint64_t from, uint64_t to)
{
    if (out->damaged_ranges < JOURNAL_CHECK_RANGES) {
        out->ranges[out->damaged_ranges].from = from;
        out->ranges[out->damaged_ranges].to = to;
    }
    out->damaged_ranges++;
    out->damaged_bytes += to - from;
}

static int check_walk(struct journal_walk *walk, struct journal_check *out, struct err *err)
{
    struct journal_frame frame;
    struct delivery delivery;
    for (;;) {
        switch (journal_walk_next(walk, &frame, err)) {
        case JOURNAL_STEP_FRAME:
            out->records++;
            out->events += frame.event_count;
            if (frame.kind == JOURNAL_KIND_DELIVERY)
                (void)!delivery_decode(frame.payload, &delivery, NULL);
            break;
        case JOURNAL_STEP_DAMAGED:
            note_damage(out, walk->damaged_from, walk->damaged_to);
            break;
        case JOURNAL_STEP_TORN:
            out->torn_bytes = walk->damaged_to - walk->damaged_from;
            return 0;
        case JOURNAL_STEP_END:
            return 0;
        case JOURNAL_STEP_FAILED:
            return -1;
        }
    }
}

int journal_check_file(const struct hin_io *io, const char *path, struct journal_check *out,
                       struct err *err)
{
    *out = (struct journal_check){0};
    int fd = io->open(io->context, path, O_RDONLY, 0);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open %s", path);
    char header[JOURNAL_FILE_HEADER];
    uint64_t file_id, base;
    off_t size = io->size(io->context, fd);
    int result = 0;
    if (size >= 0 && size < JOURNAL_FILE_HEADER) { /* made a moment ago, or when the power went */
        out->torn_bytes = (uint64_t)size;
    } else if (size < 0 || io_read_all(io, fd, header, sizeof(header), 0, path, err) < 0 ||
               !journal_file_header_read(header, &file_id, &base)) {
        note_damage(out, 0, size > 0 ? (uint64_t)size : 0);
    } else {
        out->base = base;
        struct journal_walk walk;
        if (bytes_get_le32(header + JOURNAL_FILE_HEADER - 4) != 0) /* nothing depends on them */
            note_damage(out, JOURNAL_FILE_HEADER - 4, JOURNAL_FILE_HEADER);
        journal_walk_init(&walk, io, fd, path, file_id, base, (uint64_t)size);
        result = check_walk(&walk, out, err);
        journal_walk_close(&walk);
    }
    io->close(io->context, fd);
    return result;
}
