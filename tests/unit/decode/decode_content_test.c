/*
 * Every content/decoders/X.log becomes X.json: one event a line, in order, as the console shows it.
 * With HINOMI_WRITE_SAMPLES=1 the .json files are written instead; look at the difference.
 */
#include "decode/decode.h"

#include "base/file.h"
#include "base/io.h"
#include "decode/coerce.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static struct decoders *decoders;
static int samples;

/* What every event has anyway is left out, but the time. */
static void put_rows(struct batch *batch, struct buffer *to)
{
    assert_int_equal(coerce_batch(batch), 0);
    for (uint32_t row = 0; row < batch->row_count; row++)
        assert_int_equal(
            batch_put(batch, row, SLICE("@timestamp"), value_time(batch->rows[row].time_ns)), 0);
    for (uint32_t row = 0; row < batch->row_count; row++) {
        struct json json;
        json_init(&json, to);
        batch_row_to_json(batch, row, &json);
        buffer_put_char(to, '\n');
    }
}

static void decode_text(struct slice text, struct buffer *to)
{
    struct err err;
    struct decode *decode = decode_new(decoders);
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    struct delivery delivery = {.framing = FRAMING_LINES, .body = text};
    struct decode_place place = {0};
    bool zone_seen;
    assert_true(
        time_parse_rfc3339(SLICE("2026-03-01T00:00:00Z"), &delivery.received_ns, &zone_seen));
    assert_int_equal(decode_delivery(decode, &delivery, &place, batch, &err), 0);
    put_rows(batch, to);
    batch_free(batch);
    decode_free(decode);
}

static int check_sample(void *context, const char *path, struct err *err)
{
    (void)context;
    char expected_path[512];
    struct arena *arena = arena_new(16 * MIB);
    struct slice text, expected;
    struct buffer got;
    buffer_init(&got, 16 * MIB);
    assert_int_equal(file_read(path, MIB, arena, &text, err), 0);
    snprintf(expected_path, sizeof(expected_path), "%.*s.json", (int)strlen(path) - 4, path);
    decode_text(text, &got);
    if (getenv("HINOMI_WRITE_SAMPLES")) {
        assert_int_equal(io_replace_file(io_real(), expected_path, buffer_slice(&got), err), 0);
    } else {
        assert_int_equal(file_read(expected_path, MIB, arena, &expected, err), 0);
        buffer_put_char(&got, '\0');
        assert_string_equal(got.ptr, expected.ptr);
    }
    buffer_close(&got);
    arena_free(arena);
    samples++;
    return 0;
}

static void samples_become_what_stands_beside_them(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(file_walk("content/decoders", ".log", check_sample, NULL, &err), 0);
    assert_true(samples >= 7);
}

static int load(void **state)
{
    (void)state;
    struct err err;
    if (decoders_load("content/decoders", &decoders, &err) == 0)
        return 0;
    print_error("%s\n", err.text);
    return -1;
}

static int unload(void **state)
{
    (void)state;
    decoders_free(decoders);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_become_what_stands_beside_them),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
