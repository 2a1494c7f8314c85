/*
 * store/journal_recover: opening after whatever happened. Every frame behind the snapshot is
 * checked; a torn tail of the last file is cut off; damage elsewhere is skipped and reported.
 */
#include "base/file.h"
#include "base/mem.h"
#include "store/journal_state.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>

static int add_file(struct journal *journal, uint64_t base, struct err *err)
{
    if (journal->file_count == journal->file_size) {
        size_t size = journal->file_size ? journal->file_size * 2 : 16;
        void *fresh = mem_realloc(journal->files, size * sizeof(*journal->files));
        if (!fresh)
            return err_nomem(err);
        journal->files = fresh;
        journal->file_size = size;
    }
    journal->files[journal->file_count++] = (struct journal_file){.base = base};
    return 0;
}

static int visit_file(void *context, const char *path, struct err *err)
{
    uint64_t base;
    return journal_path_base(path, &base) ? add_file(context, base, err) : 0;
}

static int write_header(struct journal *journal, int fd, uint64_t file_id, uint64_t base,
                        const char *path, struct err *err)
{
    const struct hin_io *io = journal->config.io;
    char header[JOURNAL_FILE_HEADER];
    journal_file_header(file_id, base, header);
    if (io->fallocate(io->context, fd, (off_t)journal->config.file_bytes) < 0 &&
        (errno == ENOSPC || errno == EDQUOT))
        return err_set_errno(err, errno, "no room for journal file %s", path);
    if (io_write_all(io, fd, slice_of(header, sizeof(header)), 0, path, err) < 0)
        return -1;
    if (io->fdatasync(io->context, fd) < 0)
        return err_set_errno(err, errno, "cannot make %s durable", path);
    if (io->fsync_dir(io->context, journal->dir) < 0)
        return err_set_errno(err, errno, "cannot make folder %s durable", journal->dir);
    return 0;
}

int journal_file_create(struct journal *journal, uint64_t position, struct err *err)
{
    const struct hin_io *io = journal->config.io;
    char path[JOURNAL_PATH_MAX];
    if (journal_path(journal->dir, position, path, err) < 0)
        return -1;
    int fd = io->open(io->context, path, O_RDWR | O_CREAT | O_TRUNC, 0640);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot create %s", path);
    uint64_t file_id = rand_u64(journal->config.rand);
    int result = write_header(journal, fd, file_id, position, path, err);
    pthread_mutex_lock(&journal->lock);
    if (result == 0)
        result = add_file(journal, position, err);
    if (result == 0) {
        struct journal_file *file = &journal->files[journal->file_count - 1];
        file->file_id = file_id;
        file->size = JOURNAL_FILE_HEADER;
    }
    pthread_mutex_unlock(&journal->lock);
    if (result < 0) {
        io->close(io->context, fd);
        io->unlink(io->context, path); /* best effort: a file without frames harms nobody */
        return -1;
    }
    if (journal->fd >= 0)
        io->close(io->context, journal->fd);
    journal->fd = fd;
    return 0;
}

static void report_damage(struct journal *journal, const char *path, uint64_t from, uint64_t to)
{
    journal->stats.damaged_ranges++;
    journal->stats.damaged_bytes += to - from;
    journal_say(journal, "journal file %s is damaged at bytes %llu to %llu: skipped", path,
                (unsigned long long)from, (unsigned long long)to);
}

static int take_frame(struct journal *journal, const struct journal_frame *frame, struct err *err)
{
    uint64_t end = frame->position + JOURNAL_FRAME_HEADER + frame->length;
    journal->stats.recovered_records++;
    journal->committed = end;
    if (frame->first_seq + frame->event_count > journal->next_seq)
        journal->next_seq = frame->first_seq + frame->event_count;
    if (frame->kind != JOURNAL_KIND_DELIVERY)
        return 0;
    if (journal_remember(journal, frame->payload, frame->first_seq, frame->position, err) < 0) {
        if (err && err->code == ERR_NOMEM)
            return -1;
        journal_say(journal, "journal record at %llu: %s", (unsigned long long)frame->position,
                    err ? err->text : "damaged");
    }
    return 0;
}

/* The tail of the last file is an append that was never answered; elsewhere it is damage. */
static int take_tail(struct journal *journal, struct journal_walk *walk, bool is_last,
                     struct err *err)
{
    const struct hin_io *io = journal->config.io;
    if (!is_last) {
        report_damage(journal, walk->what, walk->damaged_from, walk->damaged_to);
        return 0;
    }
    journal->stats.torn_bytes += walk->damaged_to - walk->damaged_from;
    journal_say(journal, "journal file %s: %llu bytes of an unfinished write were cut off",
                walk->what, (unsigned long long)(walk->damaged_to - walk->damaged_from));
    if (io->ftruncate(io->context, walk->fd, (off_t)walk->damaged_from) < 0 ||
        io->fdatasync(io->context, walk->fd) < 0)
        return err_set_errno(err, errno, "cannot cut the torn tail off %s", walk->what);
    return 0;
}

static int walk_file(struct journal *journal, struct journal_walk *walk, bool is_last,
                     struct err *err)
{
    struct journal_frame frame;
    for (;;) {
        switch (journal_walk_next(walk, &frame, err)) {
        case JOURNAL_STEP_FRAME:
            if (take_frame(journal, &frame, err) < 0)
                return -1;
            break;
        case JOURNAL_STEP_DAMAGED:
            report_damage(journal, walk->what, walk->damaged_from, walk->damaged_to);
            break;
        case JOURNAL_STEP_TORN:
            return take_tail(journal, walk, is_last, err);
        case JOURNAL_STEP_END:
            return 0;
        case JOURNAL_STEP_FAILED:
            return -1;
        }
    }
}

/* 1 when the file has a good header, 0 when not, -1 err. Sets its id and size. */
static int open_file(struct journal *journal, struct journal_file *file, const char *path, int *fd,
                     struct err *err)
{
    const struct hin_io *io = journal->config.io;
    *fd = io->open(io->context, path, O_RDWR, 0);
    if (*fd < 0)
        return err_set_errno(err, errno, "cannot open %s", path);
    off_t size = io->size(io->context, *fd);
    if (size < 0)
        return err_set_errno(err, errno, "cannot ask for the size of %s", path);
    file->size = (uint64_t)size;
    char header[JOURNAL_FILE_HEADER];
    if (size < JOURNAL_FILE_HEADER)
        return 0;
    if (io_read_all(io, *fd, header, sizeof(header), 0, path, err) < 0)
        return -1;
    uint64_t base;
    return journal_file_header_read(header, &file->file_id, &base) && base == file->base;
}

static int recover_file(struct journal *journal, size_t index, uint64_t from, struct err *err)
{
    const struct hin_io *io = journal->config.io;
    struct journal_file *file = &journal->files[index];
    bool is_last = index + 1 == journal->file_count;
    char path[JOURNAL_PATH_MAX];
    if (journal_path(journal->dir, file->base, path, err) < 0)
        return -1;
    int fd, good = open_file(journal, file, path, &fd, err);
    int result = good < 0 ? -1 : 0;
    if (good == 0 && is_last && file->size <= JOURNAL_FILE_HEADER) {
        /* a crash while it was made: nothing was in it yet */
        journal->file_count--;
        result = io->unlink(io->context, path) < 0
                     ? err_set_errno(err, errno, "cannot remove the unfinished %s", path)
                     : 0;
    } else if (good == 0) {
        report_damage(journal, path, 0, file->size);
    }
    if (good > 0) {
        struct journal_walk walk;
        journal_walk_init(&walk, io, fd, path, file->file_id, file->base, file->size);
        if (from > file->base)
            walk.offset = from - file->base + JOURNAL_FILE_HEADER;
        if (walk.offset < walk.end)
            result = walk_file(journal, &walk, is_last, err);
        journal_walk_close(&walk);
    }
    if (is_last && good > 0 && result == 0)
        journal->fd = fd; /* written to from here on */
    else if (fd >= 0)
        io->close(io->context, fd);
    return result;
}

/* The store knows numbers that these files do not: they were lost or exchanged. */
static void respect_minimum(struct journal *journal)
{
    if (journal->config.seq_min > journal->next_seq)
        journal->next_seq = journal->config.seq_min;
    if (journal->config.position_min <= journal->committed)
        return;
    journal->committed = journal->config.position_min;
    if (journal->fd >= 0)
        journal->config.io->close(journal->config.io->context, journal->fd);
    journal->fd = -1;
    if (journal->file_count)
        journal_say(journal, "journal %s ends before what the store has: new numbers follow the "
                             "store's", journal->dir);
}

/* Positions go on behind everything that was ever given out in a file that is still there. */
static void settle(struct journal *journal)
{
    for (size_t i = 0; i < journal->file_count; i++) {
        struct journal_file *file = &journal->files[i];
        uint64_t end = file->base;
        if (i + 1 == journal->file_count && journal->fd >= 0)
            continue;
        if (file->size > JOURNAL_FILE_HEADER)
            end += file->size - JOURNAL_FILE_HEADER;
        if (end > journal->committed)
            journal->committed = end;
    }
    struct journal_file *last = journal->file_count ? &journal->files[journal->file_count - 1] : NULL;
    if (!last || journal->fd < 0)
        return;
    if (journal->committed < last->base)
        journal->committed = last->base;
    uint64_t size = JOURNAL_FILE_HEADER + journal->committed - last->base;
    if (size > last->size) { /* someone cut the file below the snapshot: go on in a new one */
        journal->config.io->close(journal->config.io->context, journal->fd);
        journal->fd = -1;
    }
    last->size = size;
}

int journal_recover(struct journal *journal, struct err *err)
{
    uint64_t from;
    if (journal_keep_load(journal, &from, err) < 0 ||
        file_walk(journal->dir, ".journal", visit_file, journal, err) < 0)
        return -1;
    for (size_t i = 0; i < journal->file_count; i++)
        if (recover_file(journal, i, from, err) < 0)
            return -1;
    settle(journal);
    respect_minimum(journal);
    return 0;
}
