#include "gate/gate_journal_reader.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAME_MAX (512 * MIB)

struct gate_journal_reader {
    char dir[PATH_MAX];
    int fd;       /* -1: the file that has `number` is to be found */
    off_t at;     /* of the next frame */
    uint64_t number;
    bool known;   /* chain is that of the frame before */
    unsigned char chain[GATE_CHAIN_SIZE];
    struct buffer frame;
};

/* ---- files ---- */

struct files {
    gate_journal_visit visit;
    void *context;
};

static bool is_old_file(const char *path)
{
    const char *name = strrchr(path, '/'), *at = name ? strstr(name, "gate.journal.") : NULL;
    return at == (name ? name + 1 : NULL) && at && strlen(at) == strlen("gate.journal.") + 20 &&
           strspn(at + strlen("gate.journal."), "0123456789") == 20;
}

static int visit_old(void *context, const char *path, struct err *err)
{
    const struct files *files = context;
    return is_old_file(path) ? files->visit(files->context, path, err) : 0;
}

int gate_journal_files(const char *dir, gate_journal_visit visit, void *context, struct err *err)
{
    struct files files = {visit, context};
    char path[PATH_MAX + 16];
    int result = file_walk(dir, NULL, visit_old, &files, err);
    (void)snprintf(path, sizeof(path), "%s/gate.journal", dir);
    return result == 0 && access(path, F_OK) == 0 ? visit(context, path, err) : result;
}

/* ---- finding the file of a number ---- */

struct looking {
    uint64_t number, oldest;
    char found[PATH_MAX + 64]; /* begins at or before the number */
    bool any;
};

static bool read_header(int fd, off_t at, char to[GATE_FRAME_HEADER], struct gate_journal_frame *out, size_t *size)
{
    struct slice rest = slice_of(to + 16, 24); /* number, time, before */
    uint64_t time;
    if (pread(fd, to, GATE_FRAME_HEADER, at) != GATE_FRAME_HEADER)
        return false;
    *size = gate_journal_frame_size(slice_of(to, GATE_FRAME_HEADER));
    return *size && slice_take_le64(&rest, &out->number) && slice_take_le64(&rest, &time) && slice_take_le64(&rest, &out->before);
}

static int look_at(void *context, const char *path, struct err *err)
{
    struct looking *looking = context;
    struct gate_journal_frame first;
    char header[GATE_FRAME_HEADER];
    size_t size;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_set_errno(err, errno, "cannot read %s", path);
    bool read = read_header(fd, 0, header, &first, &size);
    close(fd);
    if (!read)
        return 0;
    if (!looking->any || first.number <= looking->number)
        (void)snprintf(looking->found, sizeof(looking->found), "%s", path);
    if (!looking->any)
        looking->oldest = first.number;
    looking->any = true;
    return 0;
}

/* 1: the file is open and stands at the frame; 0: there is none yet. */
static int find_file(struct gate_journal_reader *reader, struct err *err)
{
    struct looking looking = {.number = reader->number};
    struct gate_journal_frame frame = {0};
    char header[GATE_FRAME_HEADER];
    size_t size;
    if (gate_journal_files(reader->dir, look_at, &looking, err) < 0)
        return -1;
    if (!looking.any)
        return 0;
    if (looking.oldest > reader->number) {
        reader->number = looking.oldest;
        reader->known = false;
    }
    reader->fd = open(looking.found, O_RDONLY | O_CLOEXEC);
    if (reader->fd < 0)
        return errno == ENOENT ? 0 : err_set_errno(err, errno, "cannot read %s", looking.found);
    for (reader->at = 0; read_header(reader->fd, reader->at, header, &frame, &size) && frame.number < reader->number;)
        reader->at += (off_t)size;
    if (read_header(reader->fd, reader->at, header, &frame, &size) && frame.number == reader->number)
        return 1;
    close(reader->fd);
    reader->fd = -1;
    return 0;
}

int gate_journal_reader_open(const char *dir, uint64_t number, struct gate_journal_reader **out, struct err *err)
{
    struct gate_journal_reader *reader = mem_calloc(1, sizeof(*reader));
    *out = reader;
    if (!reader)
        return err_nomem(err);
    if (snprintf(reader->dir, sizeof(reader->dir), "%s", dir) >= (int)sizeof(reader->dir)) {
        mem_free(reader);
        *out = NULL;
        return err_set(err, ERR_CONFIG, "the path %s is too long", dir);
    }
    reader->fd = -1;
    reader->number = number;
    reader->known = number == 0; /* zeros stand before the first */
    buffer_init(&reader->frame, FRAME_MAX + GATE_FRAME_HEADER);
    return 0;
}

void gate_journal_reader_close(struct gate_journal_reader *reader)
{
    if (!reader)
        return;
    if (reader->fd >= 0)
        close(reader->fd);
    buffer_close(&reader->frame);
    mem_free(reader);
}

/* ---- reading ---- */

static int read_frame(struct gate_journal_reader *reader, size_t size, struct gate_journal_frame *out, struct err *err)
{
    buffer_clear(&reader->frame);
    char *to = buffer_reserve(&reader->frame, size);
    if (!to)
        return err_nomem(err);
    if (pread(reader->fd, to, size, reader->at) != (ssize_t)size || !gate_journal_frame_read(slice_of(to, size), out))
        return err_set(err, ERR_CORRUPT, "commit %" PRIu64 " of the gate's journal is damaged", reader->number);
    if (out->number != reader->number || (reader->known && !gate_journal_frame_follows(out, reader->chain)))
        return err_set(err, ERR_CORRUPT, "commit %" PRIu64 " of the gate's journal does not follow from the one before it",
                       reader->number);
    reader->at += (off_t)size;
    reader->number++;
    reader->known = true;
    memcpy(reader->chain, out->chain, GATE_CHAIN_SIZE);
    return 1;
}

int gate_journal_reader_next(struct gate_journal_reader *reader, struct gate_journal_frame *out, struct err *err)
{
    char header[GATE_FRAME_HEADER];
    size_t size;
    if (reader->fd >= 0 && !read_header(reader->fd, reader->at, header, out, &size)) {
        close(reader->fd); /* its end: the next one is in a newer file, or not written yet */
        reader->fd = -1;
    }
    if (reader->fd < 0) {
        int found = find_file(reader, err);
        if (found <= 0)
            return found;
        if (!read_header(reader->fd, reader->at, header, out, &size))
            return 0;
    }
    return read_frame(reader, size, out, err);
}
