/* The forensic form: every type of value, in any field, comes back as it was. */
#include "cut/exported_line.h"
#include "event/exported.h"
#include "event/schema.h"
#include "export/export.h"

#include <math.h>

#include "test.h"

static int keep(void *context, struct slice bytes, struct err *err)
{
    (void)err;
    buffer_put(context, bytes);
    return 0;
}

static struct value decimal(const char *text, struct arena *arena)
{
    struct decimal d;
    assert_true(decimal_parse(slice_text(text), &d));
    return value_decimal(d, arena);
}

static struct value address(const char *text, struct arena *arena)
{
    struct ip ip;
    assert_true(ip_parse(slice_text(text), &ip));
    return value_ip(&ip, arena);
}

/* Each value once alone in each field, and all of them together. */
static uint32_t fill(struct batch *batch)
{
    struct arena *arena = batch->arena;
    static const char *const names[] = {"x", "source.ip", "event.created", "source.port", "\xff\xfe", "",
                                        "hinomi.types", "hinomi.other", "a\"b", "event.id"};
    struct value values[] = {
        value_string(SLICE("")), value_string(SLICE("text")), value_string(SLICE("\xff\x00\x1f")),
        value_string(SLICE("10.0.0.1")), value_string(SLICE("010.0.0.1")), value_string(SLICE("2026-01-01T00:00:00Z")),
        value_string(SLICE("17")), value_string(SLICE("true")), value_string(SLICE("null")),
        value_i64(0), value_i64(INT64_MIN), value_i64(INT64_MAX),
        decimal("1.50", arena), decimal("5", arena), decimal("0.00", arena), decimal("-7", arena),
        decimal("99999999999999999999999999999999999999", arena), decimal("1e-38", arena),
        value_f64(1), value_f64(0.1), value_f64(-0.0), value_f64(1e300), value_f64(INFINITY), value_f64(-INFINITY),
        value_bool(true), value_bool(false), value_time(0), value_time(-1), value_time(INT64_MAX), value_time(INT64_MIN),
        address("10.0.0.1", arena), address("::1", arena), address("::ffff:1.2.3.4", arena),
    };
    uint32_t row = 0;
    for (size_t n = 0; n < ARRAY_COUNT(names); n++)
        for (size_t v = 0; v <= ARRAY_COUNT(values); v++, row++) {
            assert_non_null(batch_add_row(batch));
            assert_int_equal(batch_put(batch, row, FIELD_TIMESTAMP, value_time((int64_t)row)), 0);
            bool all = v == ARRAY_COUNT(values);
            for (size_t i = all ? 0 : v; i < (all ? ARRAY_COUNT(values) : v + 1); i++)
                assert_int_equal(batch_put(batch, row, slice_text(names[n]), values[i]), 0);
            if (all)
                assert_int_equal(batch_put(batch, row, slice_text(names[n]), value_null()), 0);
        }
    return row;
}

static void assert_same_value(struct value a, struct value b)
{
    char text_a[VALUE_TEXT_SIZE], text_b[VALUE_TEXT_SIZE];
    assert_int_equal(a.type, b.type);
    assert_true(slice_equal(value_text_small(a, text_a), value_text_small(b, text_b)));
    if (a.type == VALUE_DECIMAL || a.type == VALUE_IP)
        assert_int_equal(a.scale, b.scale);
    if (a.type == VALUE_F64)
        assert_memory_equal(&a.f64, &b.f64, sizeof(a.f64));
}

static void assert_same_row(const struct batch *from, uint32_t row, const struct batch *to)
{
    uint32_t fields = 0;
    for (uint32_t c = 0; c < from->column_count; c++) {
        const struct column *a = from->columns[c], *b = batch_find(to, a->name);
        uint32_t first_a, first_b, count = column_range(a, row, &first_a);
        if (!count || slice_equal(a->name, FIELD_TIMESTAMP))
            continue;
        fields++;
        assert_non_null(b);
        assert_int_equal(column_range(b, 0, &first_b), count);
        for (uint32_t i = 0; i < count; i++)
            assert_same_value(a->values[first_a + i], b->values[first_b + i]);
    }
    assert_int_equal(to->column_count, fields);
}

static void every_value_comes_back(void **state)
{
    (void)state;
    struct batch *batch = batch_new(BATCH_ARENA_MAX), *back = batch_new(BATCH_ARENA_MAX);
    struct json_scanner *scanner = json_scanner_new();
    struct buffer text;
    struct err err;
    buffer_init(&text, 64 * MIB);
    uint32_t rows = fill(batch);
    struct export_sink sink = {.write = keep, .context = &text};
    struct export_writer *writer;
    assert_int_equal(export_writer_new(EXPORT_NDJSON, NULL, &sink, &writer, &err), 0);
    assert_int_equal(export_writer_rows(writer, batch, NULL, &err), 0);
    assert_int_equal(export_writer_finish(writer, &err), 0);
    assert_int_equal(export_writer_counts(writer)->events, rows);
    struct slice rest = buffer_slice(&text), line;
    for (uint32_t row = 0; row < rows; row++) {
        struct json_tokens tokens;
        int64_t time_ns = -1;
        assert_true(slice_next_line(&rest, &line));
        batch_reset(back);
        assert_non_null(batch_add_row(back));
        assert_int_equal(json_scan(scanner, line, JSON_DEPTH_MAX, NULL, &tokens, &err), 0);
        if (exported_line_put(&tokens, back, 0, &time_ns, &err) < 0)
            fail_msg("%s in %.*s", err.text, SLICE_ARG(line));
        assert_int_equal(time_ns, row);
        assert_same_row(batch, row, back);
    }
    assert_int_equal(rest.len, 0);
    export_writer_free(writer);
    json_scanner_free(scanner);
    buffer_close(&text);
    batch_free(back);
    batch_free(batch);
}

static void types_are_named_only_where_they_must(void **state)
{
    (void)state;
    assert_true(exported_is_plain(SLICE("x"), value_i64(1)));
    assert_true(exported_is_plain(SLICE("x"), value_string(SLICE("10.0.0.1"))));
    assert_false(exported_is_plain(SLICE("source.ip"), value_string(SLICE("10.0.0.1"))));
    assert_true(exported_is_plain(SLICE("source.ip"), value_string(SLICE("10.0.0.01"))));
    assert_false(exported_is_plain(SLICE("x"), value_f64(1)));
    assert_false(exported_is_plain(SLICE("x"), value_time(0)));
    assert_true(exported_is_plain(FIELD_TIMESTAMP, value_time(0)));
}

static void base64_is_read_strictly(void **state)
{
    (void)state;
    struct buffer bytes;
    buffer_init(&bytes, KIB);
    static const char *const wrong[] = {"A", "AA", "AAA", "====", "A===", "AA=A", "AAAA=", "!AAA", "AA==AAAA"};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        assert_false(buffer_put_from_base64(&bytes, slice_text(wrong[i])));
    buffer_clear(&bytes);
    assert_true(buffer_put_from_base64(&bytes, SLICE("AP8x/w==")));
    assert_true(slice_equal(buffer_slice(&bytes), slice_of("\x00\xff\x31\xff", 4)));
    buffer_close(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_comes_back),
        cmocka_unit_test(types_are_named_only_where_they_must),
        cmocka_unit_test(base64_is_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
