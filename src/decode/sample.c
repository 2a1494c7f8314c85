#include "decode/sample.h"

#include "base/file.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/time.h"
#include "cut/journal_export.h"
#include "cut/line_records.h"
#include "decode/coerce.h"
#include "decode/line_rule.h"

#include <limits.h>
#include <stdio.h>

#define SAMPLE_JSON_MAX (16 * MIB)

/* What every event has anyway is left out, but the time. */
static int put_rows(struct batch *batch, struct buffer *to, struct err *err)
{
    if (coerce_batch(batch) < 0)
        return err_nomem(err);
    for (uint32_t row = 0; row < batch->row_count; row++)
        if (batch_put(batch, row, SLICE("@timestamp"), value_time(batch->rows[row].time_ns)) < 0)
            return err_nomem(err);
    for (uint32_t row = 0; row < batch->row_count; row++) {
        struct json json;
        json_init(&json, to);
        batch_row_to_json(batch, row, &json);
        buffer_put_char(to, '\n');
    }
    batch_reset(batch);
    return 0;
}

static void put_entries(struct slice text, struct buffer *records, struct delivery *out)
{
    struct journal_export state = {0};
    struct journal_record record;
    size_t used = 0;
    for (; journal_export_next(&state, text, true, EVENT_BYTES_MAX, &used, &record); text = slice_from(text, used))
        delivery_put_record(records, record.bytes, SLICE(""));
    out->framing = FRAMING_RECORDS;
    out->body = buffer_slice(records);
}

/* The events that a file of this text gives; those behind a line that names their columns know it. */
static struct delivery delivery_of(const struct decoders *decoders, struct slice text, struct line_records *lines,
                                   struct line_join *join, struct buffer *records)
{
    struct delivery delivery = {.framing = FRAMING_LINES, .body = text};
    line_records_init(lines);
    buffer_init(records, 2 * SAMPLE_BYTES_MAX);
    if (journal_export_detect(text)) {
        put_entries(text, records, &delivery);
        return delivery;
    }
    if (decoders_line_rule(decoders, SLICE(""), text, join))
        lines->join = join;
    (void)line_records_give(lines, text, records, &delivery);
    return delivery;
}

int sample_decode(const struct decoders *decoders, struct slice text, struct buffer *to,
                  struct err *err)
{
    struct line_records lines;
    struct line_join join;
    struct buffer records;
    struct decode *decode = decode_new(decoders);
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    struct delivery delivery = delivery_of(decoders, text, &lines, &join, &records);
    struct decode_place place = {0};
    bool zone_seen;
    int more = decode && batch && !buffer_failed(&records) ? 1 : err_nomem(err);
    (void)time_parse_rfc3339(SLICE("2026-03-01T00:00:00Z"), &delivery.received_ns, &zone_seen);
    while (more > 0) {
        more = decode_delivery(decode, &delivery, &place, batch, err);
        if (more >= 0 && put_rows(batch, to, err) < 0)
            more = -1;
    }
    buffer_close(&records);
    line_records_close(&lines);
    batch_free(batch);
    decode_free(decode);
    return more < 0 ? -1 : 0;
}

int sample_expected_path(const char *log_path, char *to, size_t size, struct err *err)
{
    size_t len = strlen(log_path);
    int stem = len < 4 ? 0 : (int)len - 4;
    int used = snprintf(to, size, "%.*s.json", stem, log_path);
    return used < 0 || (size_t)used >= size
               ? err_set(err, ERR_CONFIG, "the name %.100s... is too long", log_path)
               : 0;
}

static int compare(struct slice got, struct slice want, const char *path, struct err *err)
{
    struct slice is, wanted;
    for (int line = 1;; line++) {
        bool has_got = slice_next_line(&got, &is), has_want = slice_next_line(&want, &wanted);
        if (!has_got && !has_want)
            return 0;
        if (!has_got || !has_want || !slice_equal(is, wanted))
            return err_set(err, ERR_INPUT, "event %d of the sample is not what line %d of %s says", line,
                           line, path);
    }
}

/* What the sample becomes, and where what it should become stands; sample_unmake() whatever it returns. */
struct made {
    struct arena *arena;
    struct buffer got;
    char expected_path[PATH_MAX];
};

static int sample_make(struct made *made, const struct decoders *decoders, const char *log_path, struct err *err)
{
    struct slice text;
    buffer_init(&made->got, SAMPLE_JSON_MAX);
    made->arena = arena_new(SAMPLE_JSON_MAX);
    if (!made->arena)
        return err_nomem(err);
    if (sample_expected_path(log_path, made->expected_path, sizeof(made->expected_path), err) < 0 ||
        file_read(log_path, SAMPLE_BYTES_MAX, made->arena, &text, err) < 0 ||
        sample_decode(decoders, text, &made->got, err) < 0)
        return -1;
    return buffer_failed(&made->got) ? err_nomem(err) : 0;
}

static void sample_unmake(struct made *made)
{
    buffer_close(&made->got);
    arena_free(made->arena);
}

int sample_check(const struct decoders *decoders, const char *log_path, struct err *err)
{
    struct made made;
    struct slice expected;
    int result = sample_make(&made, decoders, log_path, err);
    if (result == 0)
        result = file_read(made.expected_path, SAMPLE_BYTES_MAX, made.arena, &expected, err);
    if (result == 0)
        result = compare(buffer_slice(&made.got), expected, made.expected_path, err);
    sample_unmake(&made);
    return result;
}

int sample_write(const struct decoders *decoders, const char *log_path, struct err *err)
{
    struct made made;
    int result = sample_make(&made, decoders, log_path, err);
    if (result == 0)
        result = io_replace_file(io_real(), made.expected_path, buffer_slice(&made.got), err);
    sample_unmake(&made);
    return result;
}
