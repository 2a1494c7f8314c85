#include "collect/files/file_reader.h"

#include "base/limits.h"
#include "base/mem.h"
#include "collect/files/byte_source.h"
#include "collect/wire/text_cut.h"
#include "cut/evtx.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAUSE_MS = 100 };

struct file_reader {
    const char *path;
    struct byte_source source;
    struct evtx *evtx;
    bool piped; /* not a file: its writer may take its time */
    struct buffer text; /* unpacked and not given out yet, from `given` on */
    size_t given;
    struct text_cut cut;
    struct buffer records;
    struct file_reader_report report;
};

/* ---- bytes ---- */

/* More text behind reader->text, at most `most` bytes; the source says whether it is the end. */
static int fill(struct file_reader *reader, size_t most, struct err *err)
{
    char *room = buffer_reserve(&reader->text, SOURCE_READ_BYTES);
    size_t len = 0;
    if (!room)
        return err_nomem(err);
    if (reader->source.packing != PACKING_NONE)
        most = SOURCE_READ_BYTES;
    int result = byte_source_read(&reader->source, room, most, &len, err);
    reader->report.bytes = reader->source.bytes;
    buffer_commit(&reader->text, len);
    return result;
}

/* ---- opening ---- */

/* The next bytes, unpacked, for the event log's own reader. */
static int read_text(void *context, char *to, size_t len, size_t *got, struct err *err)
{
    struct file_reader *reader = context;
    while (reader->given == reader->text.len && !reader->source.end) {
        buffer_clear(&reader->text);
        reader->given = 0;
        if (fill(reader, SOURCE_READ_BYTES, err) < 0)
            return -1;
    }
    struct slice part = slice_sub(buffer_slice(&reader->text), reader->given, len);
    if (part.len)
        memcpy(to, part.ptr, part.len);
    reader->given += part.len;
    *got = part.len;
    return 0;
}

/* By what is in it; one whose beginning is lost, by its name. */
static bool is_event_log(const struct file_reader *reader)
{
    struct slice head = buffer_slice(&reader->text), name = slice_text(reader->path);
    bool named = slice_ends(name, SLICE(".evtx")) || slice_ends(name, SLICE(".evtx.gz")) ||
                 slice_ends(name, SLICE(".evtx.zst")) || slice_ends(name, SLICE(".evtx.bz2")) ||
                 slice_ends(name, SLICE(".evtx.xz"));
    return evtx_detect(head) || (named && (head.len == 0 || memchr(head.ptr, 0, head.len)));
}

/* Whole lines are there and nothing more comes for now: who wrote them should not have to wait for the next megabyte. */
static bool paused(const struct file_reader *reader)
{
    struct slice text = buffer_slice(&reader->text);
    struct pollfd watched = {.fd = reader->source.fd, .events = POLLIN};
    return reader->piped && reader->source.packing == PACKING_NONE && text.len && text.ptr[text.len - 1] == '\n' &&
           poll(&watched, 1, PAUSE_MS) == 0;
}

/* Looks at the first bytes; text keeps them. */
static int open_event_log(struct file_reader *reader, struct err *err)
{
    while (reader->text.len < SOURCE_READ_BYTES && !reader->source.end && !paused(reader))
        if (fill(reader, SOURCE_READ_BYTES, err) < 0)
            return -1;
    return is_event_log(reader) ? evtx_open(read_text, reader, &reader->evtx, err) : 0;
}

static int open_content(struct file_reader *reader, struct err *err)
{
    bool stdin_path = strcmp(reader->path, "-") == 0;
    int fd = stdin_path ? dup(STDIN_FILENO) : open(reader->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open %s", reader->path);
    struct stat info = {0};
    bool folder = fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
    reader->piped = !S_ISREG(info.st_mode);
    if (!stdin_path && info.st_size > 0)
        reader->report.bytes_total = (uint64_t)info.st_size;
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    if (folder) {
        close(fd);
        return err_set(err, ERR_CONFIG, "%s is a folder; name the files in it", reader->path);
    }
    if (byte_source_open(&reader->source, fd, reader->path, err) < 0)
        return -1;
    return open_event_log(reader, err);
}

int file_reader_open(const char *path, const char *encoding, struct file_reader **out,
                     struct err *err)
{
    *out = NULL;
    struct file_reader *reader = mem_calloc(1, sizeof(*reader));
    if (!reader)
        return err_nomem(err);
    reader->path = path;
    reader->source.fd = -1;
    buffer_init(&reader->text, 2 * EXPORT_LINE_BYTES_MAX);
    buffer_init(&reader->records, 64 * MIB);
    text_cut_init(&reader->cut, encoding);
    int result = open_content(reader, err);
    if (result < 0) {
        file_reader_close(reader);
        return -1;
    }
    *out = reader;
    return 0;
}

void file_reader_allow(struct file_reader *reader, size_t bytes_max)
{
    reader->cut.line_max = bytes_max;
}

struct slice file_reader_head(const struct file_reader *reader)
{
    struct slice head = slice_from(buffer_slice(&reader->text), reader->given);
    bool other = reader->evtx || reader->cut.encoding || slice_starts(head, SLICE("\xff\xfe")) ||
                 slice_starts(head, SLICE("\xfe\xff"));
    return other ? SLICE("") : head;
}

void file_reader_join(struct file_reader *reader, const struct line_join *join)
{
    reader->cut.lines.join = join;
}

void file_reader_portion(struct file_reader *reader, size_t bytes)
{
    reader->cut.delivery_bytes = bytes;
}

void file_reader_close(struct file_reader *reader)
{
    if (!reader)
        return;
    evtx_close(reader->evtx);
    byte_source_close(&reader->source);
    buffer_close(&reader->text);
    buffer_close(&reader->records);
    text_cut_close(&reader->cut);
    mem_free(reader);
}

const struct file_reader_report *file_reader_report(const struct file_reader *reader)
{
    return &reader->report;
}

/* ---- deliveries ---- */

static void describe_damage(struct file_reader *reader)
{
    struct buffer text;
    buffer_init(&text, sizeof(reader->report.problem));
    evtx_describe(evtx_report(reader->evtx), &text);
    snprintf(reader->report.problem, sizeof(reader->report.problem), "%.*s", SLICE_ARG(buffer_slice(&text)));
    buffer_close(&text);
}

static int next_evtx(struct file_reader *reader, struct delivery *out, struct err *err)
{
    struct evtx_record record;
    uint32_t count = 0;
    int more = 1;
    buffer_clear(&reader->records);
    while (reader->records.len < reader->cut.delivery_bytes && (more = evtx_next(reader->evtx, &record, err)) > 0) {
        delivery_put_record(&reader->records, record.xml, SLICE(""));
        count++;
    }
    if (more == 0)
        describe_damage(reader);
    if (more < 0)
        return err_within(err, "%s", reader->path);
    out->framing = FRAMING_RECORDS;
    out->body = buffer_slice(&reader->records);
    out->event_count = count;
    return count > 0;
}

/* ---- text ---- */

static int fill_to(struct file_reader *reader, size_t len, struct err *err)
{
    while (!reader->source.end && reader->text.len < len && !paused(reader)) {
        size_t missing = len - reader->text.len;
        if (fill(reader, missing < SOURCE_READ_BYTES ? missing : SOURCE_READ_BYTES, err) < 0)
            return -1;
    }
    return 0;
}

/* Enough text for a delivery; more of it, which would be moved to the front for the next, only where a line
 * may be longer. */
static int fill_delivery(struct file_reader *reader, struct err *err)
{
    const struct text_cut *cut = &reader->cut;
    if (fill_to(reader, cut->delivery_bytes + 1, err) < 0)
        return -1;
    bool simple = cut->looked && !cut->encoding && !cut->in_part;
    if (simple && reader->text.len > cut->delivery_bytes && memrchr(reader->text.ptr, '\n', cut->delivery_bytes))
        return 0;
    return fill_to(reader, text_cut_wants(cut), err);
}

/* Of the text from `given` on. */
static int cut_text(struct file_reader *reader, enum text_more more, struct delivery *out)
{
    size_t used = 0;
    struct slice text = slice_from(buffer_slice(&reader->text), reader->given);
    int got = text_cut_next(&reader->cut, text, more, &reader->records, out, &used);
    reader->given += used;
    return got;
}

static int next_text(struct file_reader *reader, struct delivery *out, struct err *err)
{
    buffer_consume(&reader->text, reader->given);
    reader->given = 0;
    if (fill_delivery(reader, err) < 0)
        return -1;
    for (;;) {
        bool end = reader->source.end;
        int got = cut_text(reader, end ? TEXT_ENDS : TEXT_GOES_ON, out);
        if (!got && !end)
            got = cut_text(reader, TEXT_RESTS, out);
        if (got || end)
            return got;
        if (fill(reader, SOURCE_READ_BYTES, err) < 0) /* the writer of a pipe may pause within an event */
            return -1;
    }
}

int file_reader_next(struct file_reader *reader, struct delivery *out, struct err *err)
{
    *out = (struct delivery){0};
    int more = reader->evtx ? next_evtx(reader, out, err) : next_text(reader, out, err);
    if (more == 0 && reader->source.damaged)
        return err_set(err, ERR_INPUT,
                       "%s: the compressed data is damaged or ends early; what came before was read",
                       reader->path);
    out->origin.path = slice_text(reader->path);
    reader->report.events += out->event_count;
    return more;
}
