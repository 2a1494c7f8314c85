/* JSON texts of many events, whole and in pieces. */
#include "base/buffer.h"
#include "cut/json_records.h"

#include "test.h"

/* The records of a text that comes `step` bytes at a time, one a line. */
static void cut(const char *text, size_t step, struct buffer *to)
{
    struct json_records state = {0};
    struct slice all = slice_text(text), record = SLICE_NONE;
    size_t at = 0, there = 0, used;
    buffer_clear(to);
    do {
        there = there + step < all.len ? there + step : all.len;
        while (json_records_next(&state, slice_sub(all, at, there - at), there == all.len, &used, &record)) {
            at += used;
            buffer_put(to, record);
            buffer_put_char(to, '\n');
        }
        at += used;
    } while (there < all.len);
    assert_int_equal(at, all.len);
    buffer_put_char(to, '\0');
}

static void expect(const char *text, const char *wanted)
{
    static const size_t steps[] = {1, 3, 7, 100000};
    struct buffer got;
    buffer_init(&got, 1024 * 1024);
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        cut(text, steps[i], &got);
        assert_string_equal(buffer_slice(&got).ptr, wanted);
    }
    buffer_close(&got);
}

static void lists_give_their_objects(void **state)
{
    (void)state;
    expect("[{\"a\":1},{\"b\":[{}]}]", "{\"a\":1}\n{\"b\":[{}]}\n");
    expect(" [\n  {\"a\":1} ,\n  {\"b\":2}\n]\n", "{\"a\":1}\n{\"b\":2}\n");
    expect("{\"Records\":[{\"a\":\"}]\\\"{\"},{\"b\":2}]}", "{\"a\":\"}]\\\"{\"}\n{\"b\":2}\n");
    expect("{ \"records\" : [ {\"a\":1} ] }\n{\"value\":[]}\n{\"c\":3}\n", "{\"a\":1}\n{\"c\":3}\n");
    expect("\xef\xbb\xbf{\n \"a\": 1\n}\n{\n \"b\": 2\n}\n", "{\n \"a\": 1\n}\n{\n \"b\": 2\n}\n");
}

/* What is no object is no reason to lose the rest, nor to hide it. */
static void the_rest_comes_as_it_is(void **state)
{
    (void)state;
    expect("{\"value\":[{\"a\":1}],\"next\":\"{x\"}{\"b\":2}", "{\"a\":1}\n,\"next\":\"{x\"\n{\"b\":2}\n");
    expect("[{\"a\":1},7,\"x\"]", "{\"a\":1}\n7\n\"x\"\n");
    expect("[{\"a\":1}]\nfrom here on text\n", "{\"a\":1}\nfrom here on text\n");
    expect("[{\"a\":1},{\"b\":", "{\"a\":1}\n{\"b\":\n");
    expect("}]{\"a\":1}", "}]{\"a\":1}\n");
}

static void one_object_a_line_is_left_to_lines(void **state)
{
    (void)state;
    assert_false(json_records_detect(SLICE("{\"a\":1}\n{\"b\":2}\n")));
    assert_false(json_records_detect(SLICE("{\"Records\":7}\n")));
    assert_false(json_records_detect(SLICE("{\"a\":[{\"b\":1}]}\n")));
    assert_false(json_records_detect(SLICE("[2026-03-01 09:00:00] text\n")));
    assert_false(json_records_detect(SLICE("{\nnot json")));
    assert_false(json_records_detect(SLICE("")));
    assert_true(json_records_detect(SLICE("{\"Records\": [\n {\"a\":1}]}")));
    assert_true(json_records_detect(SLICE("[ {")));
    assert_true(json_records_detect(SLICE("\xef\xbb\xbf{\r\n  \"a\"")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_give_their_objects),
        cmocka_unit_test(the_rest_comes_as_it_is),
        cmocka_unit_test(one_object_a_line_is_left_to_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
