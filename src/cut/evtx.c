#include "cut/evtx.h"

#include "base/limits.h"
#include "base/mem.h"
#include "cut/binxml.h"
#include "cut/binxml_value.h"

#include <stdio.h>
#include <zlib.h>

enum {
    FILE_HEADER = 4096,
    CHUNK = 65536,
    CHUNK_HEADER = 512,
    CHUNK_SAYS = 128, /* a chunk header's own size field, the same in every version */
    RECORD_HEADER = 24,
    RECORD_MIN = RECORD_HEADER + 4,
    RECORD_USUAL = 128, /* no event that Windows writes is smaller */
    WINDOW = 2 * CHUNK,
};

static const struct slice FILE_MARK = {"ElfFile\0", 8}, CHUNK_MARK = {"ElfChnk\0", 8};

struct evtx {
    evtx_read read;
    void *context;
    struct slice bytes; /* what evtx_open_bytes() has not been asked for yet */

    char *window; /* of the source, WINDOW bytes, from `place` on */
    size_t len;
    uint64_t place;
    bool source_end, started;
    uint64_t chunks_end; /* where the file header says that the last chunk ends */
    bool no_sums;        /* the file header says that checksums were not made */

    char *chunk; /* CHUNK bytes */
    uint64_t chunk_place;
    uint32_t number;  /* of the chunk, from 1; places without one count */
    size_t at, end;   /* the next record in the chunk, and where records end */
    bool in_chunk;
    bool suspect;     /* its records' checksum is wrong */
    bool unbounded;   /* and where they end is not known: what an earlier use left may follow */
    uint64_t id_from, id_to; /* as its header says */
    uint64_t last_id; /* of the last record read from this chunk; 0: none yet */
    int64_t last_time_ns;
    size_t last_end;
    struct binxml *binxml;
    struct buffer xml;
    struct evtx_report report;
};

static uint32_t le32(const char *at)
{
    return (uint32_t)binxml_number(slice_of(at, 4));
}

static uint64_t le64(const char *at)
{
    return binxml_number(slice_of(at, 8));
}

static bool all_zero(const char *at, size_t len)
{
    return len == 0 || (at[0] == 0 && memcmp(at, at + 1, len - 1) == 0);
}

/* The next chunk header at or behind from; bytes.len when there is none. */
static size_t find_chunk(struct slice bytes, size_t from)
{
    while (from < bytes.len) {
        ptrdiff_t found = slice_find(slice_from(bytes, from), CHUNK_MARK);
        if (found < 0)
            break;
        from += (size_t)found;
        if (bytes.len - from >= CHUNK_HEADER && le32(bytes.ptr + from + 40) == CHUNK_SAYS)
            return from;
        from++;
    }
    return bytes.len;
}

bool evtx_detect(struct slice head)
{
    return slice_starts(head, FILE_MARK) || find_chunk(head, 0) < head.len;
}

PRINTF_LIKE(2, 3) static void note(struct evtx *evtx, const char *format, ...)
{
    struct evtx_report *report = &evtx->report;
    size_t len = strlen(report->problem), room = sizeof(report->problem) - len;
    const char *between = len ? "; " : "";
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    report->problems++;
    if (strlen(between) + strlen(text) < room)
        snprintf(report->problem + len, room, "%s%s", between, text);
}

void evtx_describe(const struct evtx_report *report, struct buffer *to)
{
    if (!report->problems)
        return;
    buffer_put_text(to, report->problem);
    buffer_printf(to, " (%u problems; %llu records read, %llu broken", report->problems,
                  (unsigned long long)report->records, (unsigned long long)report->records_broken);
    if (report->records_old)
        buffer_printf(to, ", %llu old ones left out", (unsigned long long)report->records_old);
    buffer_printf(to, "; %u chunks, %u damaged, %u missing)", report->chunks, report->chunks_broken,
                  report->chunks_missing);
}

/* ---- the source ---- */

static int read_bytes(void *context, char *to, size_t len, size_t *got, struct err *err)
{
    struct evtx *evtx = context;
    (void)err;
    *got = len < evtx->bytes.len ? len : evtx->bytes.len;
    if (*got)
        memcpy(to, evtx->bytes.ptr, *got);
    evtx->bytes = slice_from(evtx->bytes, *got);
    return 0;
}

static int fill_window(struct evtx *evtx, struct err *err)
{
    while (!evtx->source_end && evtx->len < WINDOW) {
        size_t got = 0;
        if (evtx->read(evtx->context, evtx->window + evtx->len, WINDOW - evtx->len, &got, err) < 0)
            return -1;
        evtx->len += got;
        evtx->source_end = got == 0;
    }
    return 0;
}

static void drop_from_window(struct evtx *evtx, size_t count)
{
    memmove(evtx->window, evtx->window + count, evtx->len - count);
    evtx->len -= count;
    evtx->place += count;
}

int evtx_open(evtx_read read, void *context, struct evtx **out, struct err *err)
{
    struct evtx *evtx = *out = mem_calloc(1, sizeof(*evtx));
    if (!evtx)
        return err_nomem(err);
    evtx->read = read;
    evtx->context = context;
    buffer_init(&evtx->xml, EVTX_RECORD_XML_BYTES_MAX);
    evtx->chunk = mem_calloc(1, CHUNK);
    evtx->window = mem_alloc(WINDOW);
    evtx->binxml = binxml_new();
    if (evtx->chunk && evtx->window && evtx->binxml)
        return 0;
    evtx_close(evtx);
    *out = NULL;
    return err_nomem(err);
}

int evtx_open_bytes(struct slice bytes, struct evtx **out, struct err *err)
{
    if (evtx_open(read_bytes, NULL, out, err) < 0)
        return -1;
    (*out)->context = *out;
    (*out)->bytes = bytes;
    return 0;
}

void evtx_close(struct evtx *evtx)
{
    if (!evtx)
        return;
    buffer_close(&evtx->xml);
    binxml_free(evtx->binxml);
    mem_free(evtx->window);
    mem_free(evtx->chunk);
    mem_free(evtx);
}

/* ---- chunks ---- */

/* Drops the file header; one that is damaged or missing leaves only its information. */
static void read_file_header(struct evtx *evtx)
{
    struct slice head = slice_of(evtx->window, evtx->len);
    bool marked = slice_starts(head, FILE_MARK) && head.len >= CHUNK_SAYS;
    bool right = marked && (uint32_t)crc32(0, (const unsigned char *)head.ptr, 120) == le32(head.ptr + 124);
    if (head.len == 0)
        note(evtx, "the file is empty");
    else if (!marked)
        note(evtx, "the file header is missing or damaged");
    else if (!right)
        note(evtx, "the file header's checksum is wrong");
    if (marked) {
        evtx->report.dirty = le32(head.ptr + 120) & 1;
        evtx->no_sums = le32(head.ptr + 120) & 4;
        evtx->chunks_end = FILE_HEADER + (uint64_t)binxml_number(slice_sub(head, 42, 2)) * CHUNK;
    }
    /* A header that lost its mark is where a header is: in front of the first chunk. */
    bool in_place = marked || (find_chunk(head, 0) == FILE_HEADER && find_chunk(head, 0) < head.len);
    if (in_place)
        drop_from_window(evtx, head.len < FILE_HEADER ? head.len : FILE_HEADER);
}

/* What the chunk says about itself: true when its checksums are right. Sets where its records end. */
static bool check_chunk(struct evtx *evtx)
{
    const unsigned char *bytes = (const unsigned char *)evtx->chunk;
    uint32_t free_at = le32(evtx->chunk + 48), sum = le32(evtx->chunk + 52);
    bool free_ok = free_at >= CHUNK_HEADER && free_at <= CHUNK;
    uint32_t header = (uint32_t)crc32(crc32(0, bytes, 120), bytes + 128, CHUNK_HEADER - 128);
    bool header_ok = header == le32(evtx->chunk + 124);
    bool data_ok = free_ok && (uint32_t)crc32(0, bytes + CHUNK_HEADER, free_at - CHUNK_HEADER) == sum;
    if (evtx->no_sums && free_ok && sum == 0 && le32(evtx->chunk + 124) == 0)
        header_ok = data_ok = true;
    evtx->suspect = !data_ok;
    evtx->unbounded = !data_ok && !(header_ok && free_ok);
    evtx->end = evtx->unbounded ? CHUNK : free_at;
    return header_ok && data_ok;
}

/* The ids that a damaged header names, where they agree with its record numbers. */
static void take_id_range(struct evtx *evtx)
{
    uint64_t count = le64(evtx->chunk + 16) - le64(evtx->chunk + 8);
    uint64_t first = le64(evtx->chunk + 24), last = le64(evtx->chunk + 32);
    bool right = count < CHUNK / RECORD_MIN && last - first == count && first > 0;
    evtx->id_from = right ? first : 0;
    evtx->id_to = right ? last : UINT64_MAX;
}

/* Takes len bytes of the window as the chunk, from `from` of it on. */
static void begin_chunk(struct evtx *evtx, size_t from, size_t len)
{
    memset(evtx->chunk, 0, from);
    memcpy(evtx->chunk + from, evtx->window, len);
    memset(evtx->chunk + from + len, 0, CHUNK - from - len);
    evtx->chunk_place = evtx->place;
    evtx->last_id = 0;
    take_id_range(evtx);
    evtx->at = evtx->last_end = from > CHUNK_HEADER ? from : CHUNK_HEADER;
    evtx->report.chunks++;
}

/* Where bytes of a chunk are lost, maybe of its free space only, the next one begins early. */
static size_t chunk_length(const struct evtx *evtx)
{
    struct slice bytes = slice_of(evtx->window, evtx->len);
    size_t whole = evtx->len < CHUNK ? evtx->len : CHUNK;
    if (slice_starts(slice_from(bytes, whole), CHUNK_MARK))
        return whole;
    size_t next = find_chunk(slice_sub(bytes, 0, CHUNK + CHUNK_HEADER), CHUNK_HEADER);
    return next < whole ? next : whole;
}

static void take_chunk(struct evtx *evtx)
{
    size_t len = chunk_length(evtx);
    begin_chunk(evtx, 0, len);
    if (!check_chunk(evtx)) {
        evtx->report.chunks_broken++;
        evtx->end = evtx->end < len ? evtx->end : len;
        evtx->unbounded |= len < CHUNK; /* the free space came nearer */
        if (len < CHUNK && len == evtx->len) {
            evtx->report.cut = true;
            note(evtx, "the file ends within chunk %u at byte %llu", evtx->number,
                 (unsigned long long)evtx->place);
        } else {
            note(evtx, "chunk %u at byte %llu has a wrong checksum%s", evtx->number,
                 (unsigned long long)evtx->place, len < CHUNK ? " and is too short" : "");
        }
    }
    drop_from_window(evtx, len);
}

/* A place without a chunk's mark. True when there are records in it all the same. */
static bool take_place(struct evtx *evtx)
{
    struct slice bytes = slice_of(evtx->window, evtx->len);
    size_t len = find_chunk(slice_sub(bytes, 0, CHUNK + CHUNK_HEADER), 0);
    bool before_chunk = len < CHUNK && len < evtx->len;
    len = len < CHUNK ? len : evtx->len < CHUNK ? evtx->len : CHUNK;
    bool empty = all_zero(evtx->window, len);
    if (empty && evtx->place >= evtx->chunks_end) {
        drop_from_window(evtx, len);
        evtx->number--;
        return false;
    }
    note(evtx, "there is no chunk at byte %llu", (unsigned long long)evtx->place);
    bool records = !empty && slice_find(slice_sub(bytes, 0, len), slice_of("**\0\0", 4)) >= 0;
    if (records) {
        /* In front of everything it is what is left of a chunk's end, else of its beginning. */
        size_t from = evtx->place == 0 && before_chunk ? CHUNK - len : 0;
        begin_chunk(evtx, from, len);
        evtx->end = from + len;
        evtx->suspect = evtx->unbounded = true;
        evtx->report.chunks_broken++;
    } else {
        evtx->report.chunks_missing++;
    }
    drop_from_window(evtx, len);
    return records;
}

/* 1 when there is a chunk, 0 at the end of the file. */
static int next_chunk(struct evtx *evtx, struct err *err)
{
    for (;;) {
        if (fill_window(evtx, err) < 0)
            return -1;
        if (!evtx->started) {
            evtx->started = true;
            read_file_header(evtx);
            continue;
        }
        if (evtx->len == 0)
            return 0;
        evtx->number++;
        struct slice head = slice_sub(slice_of(evtx->window, evtx->len), 0, CHUNK_HEADER);
        if (slice_starts(head, CHUNK_MARK) && find_chunk(head, 0) == 0)
            take_chunk(evtx);
        else if (!take_place(evtx))
            continue;
        binxml_begin_chunk(evtx->binxml, slice_of(evtx->chunk, CHUNK), evtx->suspect);
        return 1;
    }
}

/* ---- records ---- */

static bool record_begins(const struct evtx *evtx, size_t at, size_t end)
{
    if (end - at < RECORD_MIN || le32(evtx->chunk + at) != 0x00002a2a)
        return false;
    uint32_t size = le32(evtx->chunk + at + 4);
    return size >= RECORD_MIN && size <= end - at;
}

/* A log that was open when it was copied may have records behind those that the chunk's header counts;
 * what an earlier use of the chunk left there does not go on with the ids. */
static bool goes_on(struct evtx *evtx)
{
    if (!evtx->report.dirty || evtx->at != evtx->end || !record_begins(evtx, evtx->at, CHUNK))
        return false;
    const char *record = evtx->chunk + evtx->at;
    uint32_t size = le32(record + 4);
    if (!evtx->last_id || le64(record + 8) != evtx->last_id + 1 || le32(record + size - 4) != size ||
        filetime_to_ns(le64(record + 16)) < evtx->last_time_ns)
        return false;
    evtx->end += size;
    return true;
}

PRINTF_LIKE(3, 4)
static void note_broken(struct evtx *evtx, size_t at, const char *format, ...)
{
    char why[200];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    evtx->report.records_broken++;
    note(evtx, "record %llu at byte %zu of chunk %u: %s", (unsigned long long)le64(evtx->chunk + at + 8), at,
         evtx->number, why);
}

/* Moves to the next record mark at or behind at; false when the chunk has no more. */
static bool find_record(struct evtx *evtx)
{
    size_t from = evtx->at;
    if ((from < evtx->end && record_begins(evtx, from, evtx->end)) || goes_on(evtx))
        return true;
    evtx->at = evtx->end;
    if (from >= evtx->end || all_zero(evtx->chunk + from, evtx->end - from))
        return false;
    for (size_t at = from + 1; at + RECORD_MIN <= evtx->end; at++)
        if (evtx->chunk[at] == '*' && record_begins(evtx, at, evtx->end)) {
            evtx->at = at;
            break;
        }
    evtx->report.records_broken++;
    note(evtx, "bytes %zu to %zu of chunk %u are no records (after record %llu)", from, evtx->at, evtx->number,
         (unsigned long long)evtx->last_id);
    return evtx->at < evtx->end;
}

/* Where the end is not known: ids that the header does not name, that go back, or further on than there is
 * room for between, and times that go back behind a gap, were written before the chunk was used anew. */
static bool is_old(const struct evtx *evtx, const struct evtx_record *record, size_t at)
{
    if (!evtx->unbounded)
        return false;
    if (record->id < evtx->id_from || record->id > evtx->id_to)
        return true;
    if (!evtx->last_id)
        return false;
    size_t gap = at - evtx->last_end;
    return record->id <= evtx->last_id || record->id - evtx->last_id > 1 + gap / RECORD_USUAL ||
           (gap && record->time_ns < evtx->last_time_ns);
}

/* 1 when out is filled, 0 when the record is broken. */
static int read_record(struct evtx *evtx, struct evtx_record *out, struct err *err)
{
    size_t at = evtx->at;
    const char *record = evtx->chunk + at;
    uint32_t size = le32(record + 4);
    bool whole = le32(record + size - 4) == size;
    struct err why;
    err_clear(&why);
    buffer_clear(&evtx->xml);
    out->id = le64(record + 8);
    out->time_ns = filetime_to_ns(le64(record + 16));
    /* With a wrong size at its end it is probably overwritten: look for marks right behind. */
    evtx->at += whole ? size : RECORD_HEADER;
    if (whole && is_old(evtx, out, at)) {
        evtx->report.records_old++;
        return 0;
    }
    if (!whole) {
        note_broken(evtx, at, "its two sizes differ");
        return 0;
    }
    if (binxml_render(evtx->binxml, at + RECORD_HEADER, at + size - 4, &evtx->xml, &why) < 0) {
        if (why.code == ERR_NOMEM)
            return err_nomem(err);
        note_broken(evtx, at, "%s", why.text);
        return 0;
    }
    evtx->last_id = out->id;
    evtx->last_end = at + size;
    evtx->last_time_ns = out->time_ns;
    out->xml = buffer_slice(&evtx->xml);
    evtx->report.records++;
    return 1;
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
