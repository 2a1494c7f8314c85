#include "collect/files/exported_reader.h"

#include "base/limits.h"
#include "base/mem.h"
#include "cut/exported_line.h"

#include <stdio.h>

#define DELIVERY_BYTES (1 * MIB)

struct exported_reader {
    struct file_reader *file;
    struct json_scanner *scanner;
    struct arena *arena; /* of one line's head */
    struct delivery lines;
    size_t at;           /* in lines */
    bool more_lines;
    struct slice held;   /* a line that belongs to the next delivery */
    struct buffer body, hints, stream, source, identity;
    int64_t received_ns;
    uint32_t count;
    uint64_t line_number;
    struct exported_report report;
};

int exported_reader_open(const char *path, struct exported_reader **out, struct err *err)
{
    *out = NULL;
    struct exported_reader *reader = mem_calloc(1, sizeof(*reader));
    if (!reader)
        return err_nomem(err);
    buffer_init(&reader->body, JOURNAL_RECORD_BYTES_MAX);
    buffer_init(&reader->hints, JOURNAL_RECORD_BYTES_MAX);
    buffer_init(&reader->stream, EVENT_BYTES_MAX);
    buffer_init(&reader->source, EVENT_BYTES_MAX);
    buffer_init(&reader->identity, EVENT_BYTES_MAX);
    reader->scanner = json_scanner_new();
    reader->arena = arena_new(2 * EXPORT_LINE_BYTES_MAX);
    int result = reader->scanner && reader->arena ? file_reader_open(path, NULL, &reader->file, err)
                                                  : err_nomem(err);
    if (result < 0) {
        exported_reader_close(reader);
        return -1;
    }
    file_reader_allow(reader->file, EXPORT_LINE_BYTES_MAX);
    *out = reader;
    return 0;
}

void exported_reader_close(struct exported_reader *reader)
{
    if (!reader)
        return;
    file_reader_close(reader->file);
    json_scanner_free(reader->scanner);
    arena_free(reader->arena);
    buffer_close(&reader->body);
    buffer_close(&reader->hints);
    buffer_close(&reader->stream);
    buffer_close(&reader->source);
    buffer_close(&reader->identity);
    mem_free(reader);
}

const struct file_reader_report *exported_reader_report(const struct exported_reader *reader)
{
    return file_reader_report(reader->file);
}

const struct exported_report *exported_reader_refused(const struct exported_reader *reader)
{
    return &reader->report;
}

static void refuse(struct exported_reader *reader, const struct err *why)
{
    if (reader->report.refused++ > 0)
        return;
    reader->report.first_refused = reader->line_number;
    snprintf(reader->report.problem, sizeof(reader->report.problem), "%.199s", why->text);
}

/* 1 and a line, 0 at the file's end. */
static int next_line(struct exported_reader *reader, struct slice *out, struct err *err)
{
    struct delivery_event event;
    bool damaged;
    for (;;) {
        if (reader->held.ptr) {
            *out = reader->held;
            reader->held = SLICE_NONE;
            return 1;
        }
        if (reader->more_lines && delivery_next(&reader->lines, &reader->at, &event, &damaged)) {
            reader->line_number++;
            *out = event.raw;
            return 1;
        }
        if (reader->count) /* what was collected is given out before its lines go */
            return 0;
        int more = file_reader_next(reader->file, &reader->lines, err);
        if (more <= 0)
            return more;
        reader->more_lines = true;
        reader->at = 0;
    }
}

static bool belongs(const struct exported_reader *reader, const struct exported_head *head)
{
    return head->ingested_ns == reader->received_ns &&
           slice_equal(head->stream, buffer_slice(&reader->stream)) &&
           slice_equal(head->source, buffer_slice(&reader->source)) &&
           slice_equal(head->identity, buffer_slice(&reader->identity));
}

static void begin_delivery(struct exported_reader *reader, const struct exported_head *head)
{
    buffer_clear(&reader->stream);
    buffer_clear(&reader->source);
    buffer_clear(&reader->identity);
    buffer_put(&reader->stream, head->stream);
    buffer_put(&reader->source, head->source);
    buffer_put(&reader->identity, head->identity);
    reader->received_ns = head->ingested_ns;
}

/* 1: the line is in, 0: it belongs to the next delivery, -1. */
static int add_line(struct exported_reader *reader, struct slice line, struct err *err)
{
    struct exported_head head;
    struct err why;
    arena_reset(reader->arena);
    err_clear(&why);
    if (exported_line_head(reader->scanner, line, reader->arena, &head, &why) < 0) {
        if (why.code == ERR_NOMEM)
            return err_nomem(err);
        refuse(reader, &why);
        return 1;
    }
    if (reader->count && !belongs(reader, &head))
        return 0;
    if (!reader->count)
        begin_delivery(reader, &head);
    buffer_clear(&reader->hints);
    buffer_put_text(&reader->hints, "exported=");
    buffer_put(&reader->hints, line);
    delivery_put_record(&reader->body, head.original, buffer_slice(&reader->hints));
    reader->count++;
    return 1;
}

int exported_reader_next(struct exported_reader *reader, struct delivery *out, struct err *err)
{
    struct slice line;
    int more = 1, added = 1;
    buffer_clear(&reader->body);
    reader->count = 0;
    while (added > 0 && reader->body.len < DELIVERY_BYTES &&
           (more = next_line(reader, &line, err)) > 0)
        added = add_line(reader, line, err);
    if (added == 0)
        reader->held = line;
    if (more < 0 || added < 0)
        return -1;
    if (buffer_failed(&reader->body) || buffer_failed(&reader->hints))
        return err_set(err, ERR_LIMIT, "line %llu is too long",
                       (unsigned long long)reader->line_number);
    *out = (struct delivery){.framing = FRAMING_RECORDS,
                             .body = buffer_slice(&reader->body),
                             .event_count = reader->count,
                             .received_ns = reader->received_ns};
    out->origin.stream = buffer_slice(&reader->stream);
    out->origin.source = buffer_slice(&reader->source);
    out->origin.identity = reader->identity.len ? buffer_slice(&reader->identity) : SLICE_NONE;
    return reader->count > 0;
}
