#include "cut/json_event.h"

#include "cut/json_index.h"

#include "test.h"

#include <stdio.h>

/* One object to one row, printed as JSON with dotted names. */
static void expect(const char *text, const char *wanted, unsigned wanted_flags)
{
    struct batch *batch = batch_new(16 * MIB);
    struct json_cutter *cutter = json_cutter_new();
    struct buffer out;
    struct json json;
    struct err err;
    unsigned flags = 0;
    err_clear(&err);
    assert_non_null(batch_add_row(batch));
    if (cut_json(cutter, slice_text(text), SLICE(""), batch, 0, &flags, &err) < 0) {
        assert_string_equal(err.text, wanted);
        assert_int_equal(batch->column_count, 0);
    } else {
        buffer_init(&out, MIB);
        json_init(&json, &out);
        batch_row_to_json(batch, 0, &json);
        buffer_put_char(&out, '\0');
        assert_string_equal(out.ptr, wanted);
        assert_int_equal(flags, wanted_flags);
        buffer_close(&out);
    }
    json_cutter_free(cutter);
    batch_free(batch);
}

static void nested_and_dotted_names_are_the_same_column(void **state)
{
    (void)state;
    expect("{\"source\":{\"ip\":\"1.2.3.4\",\"as\":{\"number\":64500}},\"source.port\":22}",
           "{\"source.as.number\":64500,\"source.ip\":\"1.2.3.4\",\"source.port\":22}", 0);
}

static void numbers_are_exact(void **state)
{
    (void)state;
    expect("{\"a\":-5,\"b\":1.50,\"c\":9223372036854775808,\"d\":526300010.123456,\"e\":0}",
           "{\"a\":-5,\"b\":\"1.50\",\"c\":\"9223372036854775808\",\"d\":\"526300010.123456\","
           "\"e\":0}",
           0);
    expect("{\"a\":1234567890123456789012345678901234567890}",
           "{\"a\":\"1234567890123456789012345678901234567890\"}", JSON_CUT_NUMBER_TEXT);
}

static void strings_lose_their_escapes(void **state)
{
    (void)state;
    expect(
        "{\"a\\u002eb\":\"tab\\t\\\"q\\\" \\u706b\\ud83d\\ude92 \\ud83d\",\"c\":\"plain\"}",
        "{\"a.b\":\"tab\\t\\\"q\\\" \xe7\x81\xab\xf0\x9f\x9a\x92 \xef\xbf\xbd\",\"c\":\"plain\"}",
        0);
}

/* Backslashes are looked for some bytes at a time: one at any place, after any other. */
static void escapes_are_found_at_every_place(void **state)
{
    (void)state;
    char text[128], wanted[128];
    for (int before = 0; before < 40; before++)
        for (int between = 0; between < 20; between++) {
            snprintf(text, sizeof(text), "{\"k\":\"%.*s\\/%.*s\\u0041\"}", before,
                     "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst", between,
                     "0123456789012345678901234");
            snprintf(wanted, sizeof(wanted), "{\"k\":\"%.*s/%.*sA\"}", before,
                     "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst", between,
                     "0123456789012345678901234");
            expect(text, wanted, 0);
            snprintf(text, sizeof(text), "{\"k\":\"%.*s\\n%.*s\\q\"}", before,
                     "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst", between,
                     "0123456789012345678901234");
            expect(text, "JSON has '\"' at byte 5: a string with valid escapes expected", 0);
        }
}

static void null_and_empty_are_no_value(void **state)
{
    (void)state;
    expect("{\"a\":null,\"b\":[],\"c\":{},\"d\":\"\",\"e\":false}", "{\"d\":\"\",\"e\":false}", 0);
}

static void arrays_keep_order_and_gaps(void **state)
{
    (void)state;
    expect("{\"a\":[1,null,\"x\",[2,3]]}", "{\"a\":[1,null,\"x\",2,3]}", 0);
    expect("{\"a\":[{\"x\":1},{\"y\":2},{\"x\":3}]}", "{\"a.x\":[1,null,3],\"a.y\":[null,2,null]}",
           0);
    expect("{\"a\":[{\"b\":[{\"x\":1},{\"y\":2}]},{},{\"b\":[{\"x\":3}]}]}",
           "{\"a.b.x\":[1,null,null,3],\"a.b.y\":[null,2,null,null]}", 0);
    expect("{\"a\":[{},{\"b\":[{},{\"x\":1}]}]}", "{\"a.b.x\":[null,null,1]}", 0);
}

static void duplicate_keys_keep_both_values(void **state)
{
    (void)state;
    expect("{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":[1,3],\"b\":2}", 0);
}

static void bytes_that_are_not_utf8_are_kept(void **state)
{
    (void)state;
    expect("{\"a\":\"\x83n\x81[\",\"b\":1}", "{\"a\":{\"base64\":\"g26BWw==\"},\"b\":1}",
           JSON_CUT_NOT_UTF8);
    expect("{\"a\":\"one\ntwo\tthree\",\"b\" : [ 1 , 2 ] }",
           "{\"a\":\"one\\ntwo\\tthree\",\"b\":[1,2]}", 0);
}

static void says_what_is_wrong_and_where(void **state)
{
    (void)state;
    expect("{\"a\":1} x", "JSON has 'x' at byte 8: nothing behind the value expected", 0);
    expect("{\"a\":01}", "JSON has '0' at byte 5: a value expected", 0);
    expect("{\"a\":1", "JSON ends at byte 6: ',' or '}' expected", 0);
    expect("{\"a\":\"b", "JSON ends at byte 7: the end of a string expected", 0);
    expect("{\"a\":\"\\x\"}", "JSON has '\"' at byte 5: a string with valid escapes expected", 0);
    expect("{a:1}", "JSON has 'a' at byte 1: a key in quotes expected", 0);
    expect("{\"a\" 1}", "JSON has '1' at byte 5: ':' expected", 0);
    expect("{\"a\":1,}", "JSON has '}' at byte 7: a key in quotes expected", 0);
    expect("[1]", "the JSON value is not an object", 0);
    expect("", "JSON ends at byte 0: a value expected", 0);
    expect("{\"a\":[1}", "JSON has '}' at byte 7: ',' or ']' expected", 0);
    expect("{\"a\":tru}", "JSON has 't' at byte 5: a value expected", 0);
}

static void what_is_too_deep_stays_text(void **state)
{
    (void)state;
    char text[400], *to = text;
    for (int i = 0; i < 63; i++)
        to = mempcpy(to, "{\"a\":", 5);
    to = mempcpy(to, "[[1]]", 5);
    memset(to, '}', 63);
    to[63] = '\0';
    struct batch *batch = batch_new(MIB);
    struct json_cutter *cutter = json_cutter_new();
    struct err err;
    unsigned flags = 0;
    assert_non_null(batch_add_row(batch));
    assert_int_equal(cut_json(cutter, slice_text(text), SLICE(""), batch, 0, &flags, &err), 0);
    assert_int_equal(flags, JSON_CUT_LEFT);
    assert_int_equal(batch->column_count, 1);
    assert_true(slice_is(value_slice(batch->columns[0]->values[0]), "[1]"));
    json_cutter_free(cutter);
    batch_free(batch);
}

static void fields_over_the_limit_are_left_out_and_said(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, MIB);
    buffer_put_text(&text, "{\"many\":[0");
    for (int i = 0; i < FIELD_VALUES_MAX + 5; i++)
        buffer_put_text(&text, ",1");
    buffer_put_char(&text, ']');
    for (int i = 0; i < 600; i++)
        buffer_printf(&text, ",\"k%d\":%d", i, i);
    buffer_put_char(&text, '}');
    struct batch *batch = batch_new(16 * MIB);
    struct json_cutter *cutter = json_cutter_new();
    struct err err;
    unsigned flags = 0;
    assert_non_null(batch_add_row(batch));
    assert_int_equal(cut_json(cutter, buffer_slice(&text), SLICE("p."), batch, 0, &flags, &err), 0);
    assert_int_equal(flags, JSON_CUT_LEFT);
    assert_int_equal(batch_find(batch, SLICE("p.many"))->count, FIELD_VALUES_MAX);
    assert_non_null(batch_find(batch, SLICE("p.k510")));
    const struct column *over = batch_find(batch, SLICE("p.k511"));
    assert_true(!over || over->count == 0);
    json_cutter_free(cutter);
    batch_free(batch);
    buffer_close(&text);
}

/* The fast and the slow way must find the same tokens. */
static void both_indexes_agree(void **state)
{
    (void)state;
    const char *texts[] = {"{\"a\" : [1, 2.5e3,true ,null], \"b\\\"\":\"x\\\\\" }", "[]", " 12 ",
                           "{\"a\":\"b\"x:1}", "[\"a\"\"b\"]"};
    struct json_index *index = json_index_new();
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        const uint32_t *fast;
        uint32_t slow[64];
        size_t count;
        assert_int_equal(json_index_run(index, texts[i], strlen(texts[i]), &fast, &count), 0);
        assert_int_equal(json_index_slowly(texts[i], strlen(texts[i]), slow), count);
        assert_memory_equal(fast, slow, count * 4);
    }
    json_index_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_and_dotted_names_are_the_same_column),
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(strings_lose_their_escapes),
        cmocka_unit_test(escapes_are_found_at_every_place),
        cmocka_unit_test(null_and_empty_are_no_value),
        cmocka_unit_test(arrays_keep_order_and_gaps),
        cmocka_unit_test(duplicate_keys_keep_both_values),
        cmocka_unit_test(bytes_that_are_not_utf8_are_kept),
        cmocka_unit_test(says_what_is_wrong_and_where),
        cmocka_unit_test(what_is_too_deep_stays_text),
        cmocka_unit_test(fields_over_the_limit_are_left_out_and_said),
        cmocka_unit_test(both_indexes_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
