#include "decode/sample.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/time.h"
#include "decode/coerce.h"

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

int sample_decode(const struct decoders *decoders, struct slice text, struct buffer *to,
                  struct err *err)
{
    struct decode *decode = decode_new(decoders);
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    struct delivery delivery = {.framing = FRAMING_LINES, .body = text};
    struct decode_place place = {0};
    bool zone_seen;
    int more = decode && batch ? 1 : err_nomem(err);
    (void)time_parse_rfc3339(SLICE("2026-03-01T00:00:00Z"), &delivery.received_ns, &zone_seen);
    while (more > 0) {
        more = decode_delivery(decode, &delivery, &place, batch, err);
        if (more >= 0 && put_rows(batch, to, err) < 0)
            more = -1;
    }
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

int sample_check(const struct decoders *decoders, const char *log_path, struct err *err)
{
    char expected_path[PATH_MAX];
    struct slice text, expected;
    struct buffer got;
    struct arena *arena = arena_new(SAMPLE_JSON_MAX);
    if (!arena)
        return err_nomem(err);
    buffer_init(&got, SAMPLE_JSON_MAX);
    int result = sample_expected_path(log_path, expected_path, sizeof(expected_path), err);
    if (result == 0)
        result = file_read(log_path, SAMPLE_BYTES_MAX, arena, &text, err);
    if (result == 0)
        result = file_read(expected_path, SAMPLE_BYTES_MAX, arena, &expected, err);
    if (result == 0)
        result = sample_decode(decoders, text, &got, err);
    if (result == 0)
        result = buffer_failed(&got) ? err_nomem(err)
                                     : compare(buffer_slice(&got), expected, expected_path, err);
    buffer_close(&got);
    arena_free(arena);
    return result;
}
