/* Bodies of plain texts, and the hints beside events. */
#include "base/attr.h"
#include "collect/http/ingest_text.h"
#include "event/delivery.h"

#include "test.h"

static void expect(const char *type, const char *body, const char *wanted)
{
    struct buffer records, got;
    struct delivery_event event;
    size_t at = 0;
    uint32_t seen = 0;
    bool damaged;
    buffer_init(&records, 64 * 1024);
    buffer_init(&got, 64 * 1024);
    struct slice text = slice_text(body);
    uint32_t count = ingest_text(ingest_form_of(slice_text(type), text), text, SLICE("host=a"), &records);
    struct delivery delivery = {.framing = FRAMING_RECORDS, .body = buffer_slice(&records)};
    for (; delivery_next(&delivery, &at, &event, &damaged); seen++) {
        assert_true(slice_is(event.hints, "host=a"));
        buffer_put(&got, event.raw);
        buffer_put_char(&got, '|');
    }
    buffer_put_char(&got, '\0');
    assert_int_equal(seen, count);
    assert_string_equal(got.ptr, wanted);
    buffer_close(&records);
    buffer_close(&got);
}

static void the_media_type_says_what_an_event_is(void **state)
{
    (void)state;
    expect("application/x-ndjson", "{\"a\":1}\r\n\n[2]\n", "{\"a\":1}|[2]|");
    expect("text/plain; charset=utf-8", "[1,\n 2]", "[1,| 2]|");
    expect("application/json", "[{\"a\":1},{\"b\":[2]}]\n", "{\"a\":1}|{\"b\":[2]}|");
    expect("application/cloudevents+json; charset=utf-8", "{\"Records\":[{\"a\":1},{\"b\":2}]}", "{\"a\":1}|{\"b\":2}|");
    expect("Application/JSON", "{\n\"a\":1}{\"b\":2}", "{\n\"a\":1}|{\"b\":2}|");
    expect("application/x-www-form-urlencoded", " {\"a\":\n1}", "{\"a\":\n1}|");
    expect(NULL, "a line\nanother", "a line|another|");
    expect("", "", "");
}

static void what_is_broken_comes_whole(void **state)
{
    (void)state;
    expect("application/json", "{\"a\":1},\n no json\n", "{\"a\":1}|,|no json|");
    expect("application/json", "[{\"a\":1},{\"b\":", "{\"a\":1}|{\"b\":|");
    expect("application/json", "hello", "hello|");
}

static void hints_are_read_at_once(void **state)
{
    (void)state;
    struct delivery_hints hints;
    struct buffer text;
    buffer_init(&text, 1024);
    delivery_put_hint(&text, "index", SLICE("a=b\x1f" "c"));
    delivery_put_hint(&text, "id", SLICE("7"));
    delivery_put_hint(&text, "id", SLICE("8"));
    delivery_put_hint(&text, "part", SLICE("1"));
    delivery_read_hints(buffer_slice(&text), &hints);
    assert_true(slice_is(hints.index, "a=b c"));
    assert_true(slice_is(hints.id, "7"));
    assert_null(hints.host.ptr);
    delivery_read_hints(SLICE(""), &hints);
    assert_null(hints.index.ptr);
    buffer_close(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_media_type_says_what_an_event_is),
        cmocka_unit_test(what_is_broken_comes_whole),
        cmocka_unit_test(hints_are_read_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
