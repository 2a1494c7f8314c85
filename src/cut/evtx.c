#include "cut/evtx.h"

#include "base/limits.h"
#include "base/mem.h"
#include "cut/binxml.h"
#include "cut/binxml_value.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <zlib.h>

enum {
    FILE_HEADER = 4096,
    CHUNK = 65536,
    CHUNK_HEADER = 512,
    RECORD_HEADER = 24,
    RECORD_MIN = RECORD_HEADER + 4,
};

#define XML_BYTES_MAX (4 * EVENT_BYTES_MAX)

struct evtx {
    const struct hin_io *io; /* NULL: from bytes */
    int fd;
    struct slice bytes;
    off_t place;          /* of the next chunk */
    uint32_t chunks_said; /* by the file header */
    char *chunk;          /* CHUNK bytes */
    size_t at, end;       /* the next record in the chunk, and where records end */
    bool in_chunk;
    struct binxml *binxml;
    struct buffer xml;
    struct evtx_report report;
};

bool evtx_detect(struct slice head)
{
    return slice_starts(head, slice_of("ElfFile\0", 8));
}

static uint32_t le32(const char *at)
{
    return (uint32_t)binxml_number(slice_of(at, 4));
}

static uint64_t le64(const char *at)
{
    return binxml_number(slice_of(at, 8));
}

PRINTF_LIKE(2, 3) static void note(struct evtx *evtx, const char *format, ...)
{
    if (evtx->report.problem[0])
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(evtx->report.problem, sizeof(evtx->report.problem), format, args);
    va_end(args);
}

/* Up to len bytes from place on; fewer at the end of the file. -1 when the system refuses. */
static ssize_t read_at(struct evtx *evtx, off_t place, char *to, size_t len, struct err *err)
{
    if (!evtx->io) {
        struct slice part = slice_sub(evtx->bytes, (size_t)place, len);
        if (part.len)
            memcpy(to, part.ptr, part.len);
        return (ssize_t)part.len;
    }
    size_t done = 0;
    while (done < len) {
        ssize_t n = evtx->io->pread(evtx->io->context, evtx->fd, to + done, len - done,
                                    place + (off_t)done);
        if (n < 0)
            return err_set_errno(err, errno, "the event log cannot be read");
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static int read_file_header(struct evtx *evtx, struct err *err)
{
    ssize_t n = read_at(evtx, 0, evtx->chunk, FILE_HEADER, err);
    if (n < 0)
        return -1;
    if (!evtx_detect(slice_of(evtx->chunk, (size_t)n)) || n < 128)
        return err_set(err, ERR_INPUT, "it does not begin like an EVTX file");
    evtx->chunks_said = (uint32_t)binxml_number(slice_of(evtx->chunk + 42, 2));
    evtx->report.dirty = le32(evtx->chunk + 120) & 1;
    uint32_t sum = (uint32_t)crc32(0, (const unsigned char *)evtx->chunk, 120);
    if (sum != le32(evtx->chunk + 124))
        note(evtx, "the file header's checksum is wrong");
    evtx->place = FILE_HEADER;
    return 0;
}

static struct evtx *evtx_new(void)
{
    struct evtx *evtx = mem_calloc(1, sizeof(*evtx));
    if (!evtx)
        return NULL;
    evtx->fd = -1;
    buffer_init(&evtx->xml, XML_BYTES_MAX);
    evtx->chunk = mem_calloc(1, CHUNK);
    evtx->binxml = binxml_new();
    if (!evtx->chunk || !evtx->binxml) {
        evtx_close(evtx);
        return NULL;
    }
    return evtx;
}

void evtx_close(struct evtx *evtx)
{
    if (!evtx)
        return;
    if (evtx->fd >= 0)
        evtx->io->close(evtx->io->context, evtx->fd);
    buffer_close(&evtx->xml);
    binxml_free(evtx->binxml);
    mem_free(evtx->chunk);
    mem_free(evtx);
}

int evtx_open(const struct hin_io *io, const char *path, struct evtx **out, struct err *err)
{
    *out = NULL;
    struct evtx *evtx = evtx_new();
    if (!evtx)
        return err_nomem(err);
    evtx->io = io;
    evtx->fd = io->open(io->context, path, O_RDONLY | O_CLOEXEC, 0);
    if (evtx->fd < 0) {
        err_set_errno(err, errno, "the event log %s cannot be opened", path);
        evtx_close(evtx);
        return -1;
    }
    if (read_file_header(evtx, err) < 0) {
        evtx_close(evtx);
        return err_within(err, "event log %s", path);
    }
    *out = evtx;
    return 0;
}

int evtx_open_bytes(struct slice bytes, struct evtx **out, struct err *err)
{
    *out = NULL;
    struct evtx *evtx = evtx_new();
    if (!evtx)
        return err_nomem(err);
    evtx->bytes = bytes;
    if (read_file_header(evtx, err) < 0) {
        evtx_close(evtx);
        return -1;
    }
    *out = evtx;
    return 0;
}

static bool all_zero(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (at[i])
            return false;
    return true;
}

/* Checks what the chunk says about itself; none of it stops the reading of its records. */
static void check_chunk(struct evtx *evtx, off_t place)
{
    const unsigned char *bytes = (const unsigned char *)evtx->chunk;
    uint32_t free_at = le32(evtx->chunk + 48);
    bool free_ok = free_at >= CHUNK_HEADER && free_at <= CHUNK;
    uint32_t header = (uint32_t)crc32(crc32(0, bytes, 120), bytes + 128, CHUNK_HEADER - 128);
    bool ok = header == le32(evtx->chunk + 124);
    if (ok && free_ok)
        ok = (uint32_t)crc32(0, bytes + CHUNK_HEADER, free_at - CHUNK_HEADER) ==
             le32(evtx->chunk + 52);
    /* A log that was open when it was copied may have its last chunk's header from before the last
     * records; they are found by their own marks. */
    evtx->end = ok && free_ok ? free_at : CHUNK;
    if (!ok) {
        evtx->report.chunks_broken++;
        note(evtx, "the chunk at byte %lld has a wrong checksum", (long long)place);
    }
}

/* 1 when there is a chunk, 0 at the end of the file. */
static int next_chunk(struct evtx *evtx, struct err *err)
{
    for (;;) {
        ssize_t n = read_at(evtx, evtx->place, evtx->chunk, CHUNK, err);
        if (n <= 0)
            return n < 0 ? -1 : 0;
        memset(evtx->chunk + n, 0, (size_t)(CHUNK - n));
        off_t place = evtx->place;
        evtx->place += CHUNK;
        if (slice_starts(slice_of(evtx->chunk, CHUNK), slice_of("ElfChnk\0", 8))) {
            evtx->report.chunks++;
            if (n < CHUNK) {
                evtx->report.cut = true;
                note(evtx, "the file ends within the chunk at byte %lld", (long long)place);
            }
            check_chunk(evtx, place);
            evtx->at = CHUNK_HEADER;
            binxml_begin_chunk(evtx->binxml, slice_of(evtx->chunk, CHUNK));
            return 1;
        }
        bool counted = place < FILE_HEADER + (off_t)evtx->chunks_said * CHUNK;
        if (counted || !all_zero(evtx->chunk, (size_t)n)) {
            evtx->report.chunks_missing++;
            note(evtx, "there is no chunk at byte %lld", (long long)place);
        }
    }
}

static bool record_begins(const struct evtx *evtx, size_t at)
{
    if (evtx->end - at < RECORD_MIN || le32(evtx->chunk + at) != 0x00002a2a)
        return false;
    uint32_t size = le32(evtx->chunk + at + 4);
    return size >= RECORD_MIN && size <= evtx->end - at;
}

/* Moves to the next record mark at or behind at; false when the chunk has no more. */
static bool find_record(struct evtx *evtx)
{
    if (evtx->at < evtx->end && record_begins(evtx, evtx->at))
        return true;
    size_t from = evtx->at;
    if (from >= evtx->end || all_zero(evtx->chunk + from, evtx->end - from)) {
        evtx->at = evtx->end;
        return false;
    }
    for (size_t at = from + 1; at + RECORD_MIN <= evtx->end; at++)
        if (record_begins(evtx, at)) {
            evtx->report.records_broken++;
            note(evtx, "the record at byte %zu of chunk %u is broken", from, evtx->report.chunks);
            evtx->at = at;
            return true;
        }
    evtx->at = evtx->end;
    return false;
}

/* 1 when out is filled, 0 when the record is broken. */
static int read_record(struct evtx *evtx, struct evtx_record *out, struct err *err)
{
    const char *record = evtx->chunk + evtx->at;
    uint32_t size = le32(record + 4);
    size_t start = evtx->at + RECORD_HEADER, end = evtx->at + size - 4;
    bool whole = le32(record + size - 4) == size;
    struct err why;
    err_clear(&why);
    buffer_clear(&evtx->xml);
    out->id = le64(record + 8);
    out->time_ns = filetime_to_ns(le64(record + 16));
    /* With a wrong size at its end it is probably overwritten: look for marks right behind. */
    size_t record_at = evtx->at;
    evtx->at += whole ? size : RECORD_HEADER;
    if (whole && binxml_render(evtx->binxml, start, end, &evtx->xml, &why) == 0) {
        out->xml = buffer_slice(&evtx->xml);
        evtx->report.records++;
        return 1;
    }
    if (why.code == ERR_NOMEM)
        return err_nomem(err);
    evtx->report.records_broken++;
    note(evtx, "the record at byte %zu of chunk %u: %s", record_at, evtx->report.chunks,
         whole ? why.text : "its two sizes differ");
    return 0;
}

int evtx_next(struct evtx *evtx, struct evtx_record *out, struct err *err)
{
    for (;;) {
        if (!evtx->in_chunk) {
            int result = next_chunk(evtx, err);
            if (result <= 0)
                return result;
            evtx->in_chunk = true;
        }
        while (find_record(evtx)) {
            int result = read_record(evtx, out, err);
            if (result != 0)
                return result;
        }
        evtx->in_chunk = false;
    }
}

const struct evtx_report *evtx_report(const struct evtx *evtx)
{
    return &evtx->report;
}
