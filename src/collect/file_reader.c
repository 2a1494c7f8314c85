#include "collect/file_reader.h"

#include "base/limits.h"
#include "base/mem.h"
#include "cut/line_records.h"
#include "cut/evtx.h"
#include "cut/journal_export.h"
#include "cut/json_records.h"
#include "cut/line_join.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { READ_BYTES = 256 * 1024, PAUSE_MS = 100 };
#define DELIVERY_BYTES_USUAL (1 * MIB)

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

/* What an event is in the text: a line, an object in a longer JSON text, an entry of systemd's journal. */
enum text_form { FORM_LINES, FORM_JSON, FORM_JOURNAL };

struct file_reader {
    const char *path;
    int fd;
    enum packing packing;
    struct evtx *evtx;
    z_stream zlib;
    bool zlib_open;
    ZSTD_DCtx *zstd;
    char *packed; /* bytes as they are in the file */
    size_t packed_len, packed_at;
    bool piped; /* not a file: its writer may take its time */
    bool file_end;
    bool whole;      /* no compressed member is open */
    bool ends_early; /* damage: an error once what came before it has been given out */
    struct buffer text; /* unpacked and not given out yet, from `given` on */
    size_t given;
    bool text_end;
    bool in_part; /* the next bytes continue a line that was too long */
    bool looked;  /* for a byte order mark */
    const char *encoding; /* NULL: lines are cut at bytes and given as they are */
    size_t line_max;      /* longer ones are given in parts */
    size_t delivery_bytes; /* of a delivery, about */
    size_t unit;          /* bytes of a line end: 2 for UTF-16 */
    bool big_endian;
    struct line_records lines; /* joined lines, and the line that names columns */
    enum text_form form;
    struct json_records json;
    struct journal_export journal;
    struct buffer records;
    struct file_reader_report report;
};

/* ---- bytes ---- */

/* Up to size bytes of the file. */
static int read_bytes(struct file_reader *reader, char *room, size_t size, size_t *len, struct err *err)
{
    ssize_t got;
    do
        got = read(reader->fd, room, size);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return err_set_errno(err, errno, "cannot read %s", reader->path);
    *len = (size_t)got;
    reader->report.bytes += (uint64_t)got;
    reader->file_end = got == 0;
    return 0;
}

static int read_packed(struct file_reader *reader, struct err *err)
{
    reader->packed_at = reader->packed_len = 0;
    return read_bytes(reader, reader->packed, READ_BYTES, &reader->packed_len, err);
}

/* False: damage. */
static bool unpack_gzip(struct file_reader *reader, char *room, size_t size, size_t *len)
{
    z_stream *z = &reader->zlib;
    z->next_in = (Bytef *)reader->packed + reader->packed_at;
    z->avail_in = (uInt)(reader->packed_len - reader->packed_at);
    z->next_out = (Bytef *)room;
    z->avail_out = (uInt)size;
    int code = inflate(z, Z_NO_FLUSH);
    reader->packed_at = reader->packed_len - z->avail_in;
    *len = size - z->avail_out;
    reader->whole = code == Z_STREAM_END;
    if (reader->whole)
        inflateReset(z); /* another member may follow */
    return reader->whole || code == Z_OK || code == Z_BUF_ERROR;
}

static bool unpack_zstd(struct file_reader *reader, char *room, size_t size, size_t *len)
{
    ZSTD_inBuffer in = {reader->packed, reader->packed_len, reader->packed_at};
    ZSTD_outBuffer out = {room, size, 0};
    size_t code = ZSTD_decompressStream(reader->zstd, &out, &in);
    reader->packed_at = in.pos;
    *len = out.pos;
    reader->whole = code == 0;
    return !ZSTD_isError(code);
}

/* More text behind reader->text, of a plain file at most `most` bytes (up to READ_BYTES); sets text_end. */
static int fill(struct file_reader *reader, size_t most, struct err *err)
{
    char *room = buffer_reserve(&reader->text, READ_BYTES);
    size_t len = 0;
    bool straight = reader->packing == PACKING_NONE, used_up = reader->packed_at == reader->packed_len;
    if (!room)
        return err_nomem(err);
    if (used_up && !reader->file_end &&
        (straight ? read_bytes(reader, room, most, &len, err) : read_packed(reader, err)) < 0)
        return -1;
    if (reader->file_end) {
        reader->text_end = true;
        reader->ends_early |= reader->packing != PACKING_NONE && !reader->whole;
        return 0;
    }
    bool fine = true;
    if (straight && !used_up) { /* what was read to look at */
        len = reader->packed_len - reader->packed_at;
        memcpy(room, reader->packed + reader->packed_at, len);
        reader->packed_at = reader->packed_len;
    } else if (reader->packing == PACKING_GZIP) {
        fine = unpack_gzip(reader, room, READ_BYTES, &len);
    } else if (reader->packing == PACKING_ZSTD) {
        fine = unpack_zstd(reader, room, READ_BYTES, &len);
    }
    buffer_commit(&reader->text, len);
    reader->text_end = reader->ends_early = !fine;
    return 0;
}

/* ---- opening ---- */

static int open_unpacker(struct file_reader *reader, struct err *err)
{
    const unsigned char *head = (const unsigned char *)reader->packed;
    if (reader->packed_len >= 2 && head[0] == 0x1f && head[1] == 0x8b) {
        reader->packing = PACKING_GZIP;
        reader->zlib_open = inflateInit2(&reader->zlib, 15 + 16) == Z_OK;
        return reader->zlib_open ? 0 : err_nomem(err);
    }
    if (reader->packed_len >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0) {
        reader->packing = PACKING_ZSTD;
        reader->zstd = ZSTD_createDCtx();
        return reader->zstd ? 0 : err_nomem(err);
    }
    return 0;
}

/* The next bytes, unpacked, for the event log's own reader. */
static int read_text(void *context, char *to, size_t len, size_t *got, struct err *err)
{
    struct file_reader *reader = context;
    while (reader->given == reader->text.len && !reader->text_end) {
        buffer_clear(&reader->text);
        reader->given = 0;
        if (fill(reader, READ_BYTES, err) < 0)
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
                 slice_ends(name, SLICE(".evtx.zst"));
    return evtx_detect(head) || (named && (head.len == 0 || memchr(head.ptr, 0, head.len)));
}

/* Whole lines are there and nothing more comes for now: who wrote them should not have to wait for the next megabyte. */
static bool paused(const struct file_reader *reader)
{
    struct slice text = buffer_slice(&reader->text);
    struct pollfd watched = {.fd = reader->fd, .events = POLLIN};
    return reader->piped && reader->packing == PACKING_NONE && text.len && text.ptr[text.len - 1] == '\n' &&
           poll(&watched, 1, PAUSE_MS) == 0;
}

/* Looks at the first bytes; text keeps them. */
static int open_event_log(struct file_reader *reader, struct err *err)
{
    while (reader->text.len < READ_BYTES && !reader->text_end && !paused(reader))
        if (fill(reader, READ_BYTES, err) < 0)
            return -1;
    return is_event_log(reader) ? evtx_open(read_text, reader, &reader->evtx, err) : 0;
}

static int open_content(struct file_reader *reader, struct err *err)
{
    bool stdin_path = strcmp(reader->path, "-") == 0;
    reader->fd = stdin_path ? dup(STDIN_FILENO) : open(reader->path, O_RDONLY | O_CLOEXEC);
    if (reader->fd < 0)
        return err_set_errno(err, errno, "cannot open %s", reader->path);
    struct stat info = {0};
    if (fstat(reader->fd, &info) == 0 && S_ISDIR(info.st_mode))
        return err_set(err, ERR_CONFIG, "%s is a folder; name the files in it", reader->path);
    reader->piped = !S_ISREG(info.st_mode);
    if (!stdin_path && info.st_size > 0)
        reader->report.bytes_total = (uint64_t)info.st_size;
    posix_fadvise(reader->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    if (read_packed(reader, err) < 0 || open_unpacker(reader, err) < 0)
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
    reader->encoding = encoding && *encoding ? encoding : NULL;
    reader->unit = 1;
    reader->line_max = EVENT_BYTES_MAX;
    reader->delivery_bytes = DELIVERY_BYTES_USUAL;
    reader->fd = -1;
    buffer_init(&reader->text, 2 * EXPORT_LINE_BYTES_MAX);
    buffer_init(&reader->records, 64 * MIB);
    line_records_init(&reader->lines);
    reader->packed = mem_alloc(READ_BYTES);
    int result = reader->packed ? open_content(reader, err) : err_nomem(err);
    if (result < 0) {
        file_reader_close(reader);
        return -1;
    }
    *out = reader;
    return 0;
}

void file_reader_allow(struct file_reader *reader, size_t bytes_max)
{
    reader->line_max = bytes_max;
}

struct slice file_reader_head(const struct file_reader *reader)
{
    struct slice head = slice_from(buffer_slice(&reader->text), reader->given);
    bool other = reader->evtx || reader->encoding || slice_starts(head, SLICE("\xff\xfe")) ||
                 slice_starts(head, SLICE("\xfe\xff"));
    return other ? SLICE("") : head;
}

void file_reader_join(struct file_reader *reader, const struct line_join *join)
{
    reader->lines.join = join;
}

void file_reader_portion(struct file_reader *reader, size_t bytes)
{
    reader->delivery_bytes = bytes;
}

void file_reader_close(struct file_reader *reader)
{
    if (!reader)
        return;
    evtx_close(reader->evtx);
    if (reader->zlib_open)
        inflateEnd(&reader->zlib);
    ZSTD_freeDCtx(reader->zstd);
    if (reader->fd >= 0)
        close(reader->fd);
    buffer_close(&reader->text);
    buffer_close(&reader->records);
    line_records_close(&reader->lines);
    mem_free(reader->packed);
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
    while (reader->records.len < reader->delivery_bytes && (more = evtx_next(reader->evtx, &record, err)) > 0) {
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

/* A line over the limit: its parts as records. */
static int next_parts(struct file_reader *reader, struct slice text, struct delivery *out)
{
    ptrdiff_t end = slice_find_char(slice_sub(text, 0, reader->line_max), '\n');
    size_t len = end >= 0 ? (size_t)end : text.len < reader->line_max ? text.len : reader->line_max;
    struct slice part = slice_sub(text, 0, len);
    buffer_clear(&reader->records);
    reader->in_part = end < 0 && !(reader->text_end && len == text.len);
    reader->given += len + (end >= 0);
    if (part.len && part.ptr[part.len - 1] == '\r' && !reader->in_part)
        part.len--;
    out->event_count = part.len > 0;
    if (part.len)
        delivery_put_record(&reader->records, part, SLICE("part=1"));
    out->framing = FRAMING_RECORDS;
    out->body = buffer_slice(&reader->records);
    return 1;
}

/* ---- text in another encoding ---- */

static bool is_unit(const struct file_reader *reader, const char *at, char c)
{
    if (reader->unit == 1)
        return at[0] == c;
    return at[reader->big_endian] == c && at[!reader->big_endian] == 0;
}

/* Bytes up to the line's end, at most EVENT_BYTES_MAX. *whole: the end is there. */
static size_t encoded_line(const struct file_reader *reader, struct slice text, bool *whole)
{
    size_t unit = reader->unit, max = text.len < EVENT_BYTES_MAX ? text.len : EVENT_BYTES_MAX;
    for (size_t at = 0; at + unit <= max; at += unit)
        if (is_unit(reader, text.ptr + at, '\n')) {
            *whole = true;
            return at;
        }
    *whole = false;
    return max == text.len ? max : max / unit * unit;
}

static void put_encoded(struct file_reader *reader, struct slice line, bool part,
                        struct delivery *out)
{
    char hints[96];
    size_t unit = reader->unit;
    if (line.len >= unit && !part && is_unit(reader, line.ptr + line.len - unit, '\r'))
        line.len -= unit;
    if (line.len == 0)
        return;
    snprintf(hints, sizeof(hints), "encoding=%.60s%s", reader->encoding, part ? "\x1fpart=1" : "");
    delivery_put_record(&reader->records, line, slice_text(hints));
    out->event_count++;
}

static int next_encoded(struct file_reader *reader, struct slice text, struct delivery *out)
{
    bool whole;
    buffer_clear(&reader->records);
    while (text.len && reader->given < reader->delivery_bytes) {
        size_t len = encoded_line(reader, text, &whole);
        bool last = !whole && len == text.len; /* of the file: there is more text otherwise */
        if (last && !reader->text_end)
            break;
        bool part = reader->in_part || !(whole || last);
        put_encoded(reader, slice_sub(text, 0, len), part, out);
        reader->in_part = !(whole || last);
        len += whole ? reader->unit : 0;
        text = slice_from(text, len);
        reader->given += len;
    }
    out->framing = FRAMING_RECORDS;
    out->body = buffer_slice(&reader->records);
    return 1;
}

/* Any text of UTF-16 has ASCII in it, if only its line ends; bytes that only begin like it do not. */
static bool has_ascii_units(struct slice text, bool big_endian)
{
    for (size_t at = 2; at + 2 <= text.len; at += 2)
        if (text.ptr[at + !big_endian] == 0 && text.ptr[at + big_endian] > 0)
            return true;
    return false;
}

static void look_for_mark(struct file_reader *reader)
{
    struct slice text = slice_sub(buffer_slice(&reader->text), 0, READ_BYTES);
    bool little = slice_starts(text, SLICE("\xff\xfe")), big = slice_starts(text, SLICE("\xfe\xff"));
    reader->looked = true;
    if ((!little && !big) || !has_ascii_units(text, big))
        return;
    reader->encoding = big ? "UTF-16BE" : "UTF-16LE";
    reader->big_endian = big;
    reader->unit = reader->given = 2;
}

/* ---- texts whose events are no lines ---- */

/* The next event of the text from `given` on, which is put behind that. */
static bool next_record(struct file_reader *reader, struct journal_record *out)
{
    struct slice text = slice_from(buffer_slice(&reader->text), reader->given);
    size_t used = 0;
    *out = (struct journal_record){0};
    bool more = reader->form == FORM_JSON
                    ? json_records_next(&reader->json, text, reader->text_end, &used, &out->bytes)
                    : journal_export_next(&reader->journal, text, reader->text_end, reader->line_max, &used, out);
    reader->given += used;
    return more;
}

/* The whole events of the text that is there; false when there is none and more has to be read. */
static bool give_records(struct file_reader *reader, struct delivery *out)
{
    struct journal_record record;
    buffer_clear(&reader->records);
    while (reader->records.len < reader->delivery_bytes && next_record(reader, &record)) {
        delivery_put_record(&reader->records, record.bytes, record.part ? SLICE("part=1") : SLICE(""));
        out->event_count++;
    }
    out->framing = FRAMING_RECORDS;
    out->body = buffer_slice(&reader->records);
    return out->event_count || (reader->text_end && reader->given == reader->text.len);
}

static enum text_form form_of(const struct file_reader *reader)
{
    bool asked = reader->lines.join && !reader->lines.join->by_stamp; /* for lines, by who set it up */
    struct slice text = buffer_slice(&reader->text);
    if (reader->encoding || asked)
        return FORM_LINES;
    return json_records_detect(text) ? FORM_JSON : journal_export_detect(text) ? FORM_JOURNAL : FORM_LINES;
}

/* ---- lines ---- */

/* Whole lines. */
static int give_lines(struct file_reader *reader, struct slice text, struct delivery *out)
{
    if (reader->in_part)
        return next_parts(reader, text, out);
    size_t len = text.len < reader->delivery_bytes ? text.len : reader->delivery_bytes;
    if (!(reader->text_end && len == text.len)) {
        const char *end = memrchr(text.ptr, '\n', len);
        if (!end)
            end = memchr(text.ptr, '\n', text.len < DELIVERY_BYTES_USUAL ? text.len : DELIVERY_BYTES_USUAL);
        if (!end)
            return next_parts(reader, text, out);
        len = (size_t)(end - text.ptr) + 1;
        len = line_records_end(&reader->lines, slice_sub(text, 0, len));
    }
    reader->given = len;
    text = slice_sub(text, 0, len);
    if (line_records_give(&reader->lines, text, &reader->records, out))
        return 1;
    out->framing = FRAMING_LINES;
    out->body = text;
    out->event_count = delivery_count_lines(out->body);
    return 1;
}

static int fill_to(struct file_reader *reader, size_t len, struct err *err)
{
    while (!reader->text_end && reader->text.len < len && !paused(reader)) {
        size_t missing = len - reader->text.len;
        if (fill(reader, missing < READ_BYTES ? missing : READ_BYTES, err) < 0)
            return -1;
    }
    return 0;
}

/* Enough text for a delivery; more of it, which would be moved to the front for the next, only where a line
 * may be longer. */
static int fill_delivery(struct file_reader *reader, struct err *err)
{
    if (fill_to(reader, reader->delivery_bytes + 1, err) < 0)
        return -1;
    bool simple = reader->looked && !reader->encoding && !reader->in_part;
    if (simple && reader->text.len > reader->delivery_bytes && memrchr(reader->text.ptr, '\n', reader->delivery_bytes))
        return 0;
    return fill_to(reader, DELIVERY_BYTES_USUAL + reader->line_max, err);
}

static int next_lines(struct file_reader *reader, struct delivery *out, struct err *err)
{
    buffer_consume(&reader->text, reader->given);
    reader->given = 0;
    if (fill_delivery(reader, err) < 0)
        return -1;
    if (!reader->looked) {
        look_for_mark(reader);
        reader->form = form_of(reader);
    }
    while (reader->form != FORM_LINES && !give_records(reader, out)) {
        if (reader->text_end || reader->text.len - reader->given >= DELIVERY_BYTES_USUAL + reader->line_max)
            reader->form = FORM_LINES; /* an object over the limit: lines, or parts of one */
        else if (fill(reader, READ_BYTES, err) < 0) /* the writer of a pipe may pause within an event */
            return -1;
    }
    if (reader->form != FORM_LINES)
        return out->event_count > 0;
    struct slice text = slice_from(buffer_slice(&reader->text), reader->given);
    if (text.len == 0)
        return 0;
    return reader->encoding ? next_encoded(reader, text, out) : give_lines(reader, text, out);
}

int file_reader_next(struct file_reader *reader, struct delivery *out, struct err *err)
{
    *out = (struct delivery){0};
    int more = reader->evtx ? next_evtx(reader, out, err) : next_lines(reader, out, err);
    if (more == 0 && reader->ends_early)
        return err_set(err, ERR_INPUT,
                       "%s: the compressed data is damaged or ends early; what came before was read",
                       reader->path);
    out->origin.path = slice_text(reader->path);
    reader->report.events += out->event_count;
    return more;
}
