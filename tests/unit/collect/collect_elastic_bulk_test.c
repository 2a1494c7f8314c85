/* Elasticsearch's _bulk: what becomes an event, what is answered item by item, and what refuses the request. */
#include "base/mem.h"
#include "collect/http/elastic_bulk.h"
#include "event/delivery.h"

#include "test.h"

struct parsed {
    struct buffer records;
    struct elastic_bulk bulk;
    struct err err;
    int result;
};

static void parse(struct parsed *parsed, const char *body, const char *index)
{
    buffer_init(&parsed->records, 1024 * 1024);
    err_clear(&parsed->err);
    parsed->result = elastic_bulk_parse(slice_text(body), slice_text(index), &parsed->records, &parsed->bulk, &parsed->err);
}

static void close_parsed(struct parsed *parsed)
{
    elastic_bulk_close(&parsed->bulk);
    buffer_close(&parsed->records);
}

static void expect_event(const struct parsed *parsed, size_t *at, const char *raw, const char *hints)
{
    struct delivery delivery = {.framing = FRAMING_RECORDS, .body = buffer_slice(&parsed->records)};
    struct delivery_event event;
    bool damaged;
    assert_true(delivery_next(&delivery, at, &event, &damaged));
    assert_true(slice_is(event.raw, raw));
    assert_true(slice_is(event.hints, hints));
}

static void documents_are_events_byte_for_byte(void **state)
{
    (void)state;
    struct parsed parsed;
    size_t at = 0;
    parse(&parsed,
          "{\"create\":{\"_index\":\"logs-web\",\"_id\":\"7\"}}\n{ \"a\" : 1.0 }\n"
          "{\"index\":{ }, \"attempts\":0 }\r\n{\"b\":2}\r\n\n{\"index\":{\"_id\":8}}\n{\"c\":\"no end",
          "by-url");
    assert_int_equal(parsed.result, 0);
    assert_int_equal(parsed.bulk.item_count, 3);
    assert_int_equal(parsed.bulk.event_count, 3);
    assert_false(parsed.bulk.ids);
    expect_event(&parsed, &at, "{ \"a\" : 1.0 }", "index=logs-web\x1fid=7");
    expect_event(&parsed, &at, "{\"b\":2}", "index=by-url");
    expect_event(&parsed, &at, "{\"c\":\"no end", "index=by-url\x1fid=8");
    close_parsed(&parsed);
}

static void a_batch_whose_events_all_have_ids_says_so(void **state)
{
    (void)state;
    struct parsed parsed;
    parse(&parsed, "{\"create\":{\"_id\":\"7\"}}\n{}\n{\"delete\":{}}\n{\"index\":{\"_id\":\"8\"}}\n{}\n", NULL);
    assert_true(parsed.bulk.ids);
    assert_int_equal(parsed.bulk.event_count, 2);
    close_parsed(&parsed);
    parse(&parsed, "{\"delete\":{\"_id\":\"8\"}}\n", NULL);
    assert_false(parsed.bulk.ids);
    close_parsed(&parsed);
}

static void changes_are_refused_one_by_one(void **state)
{
    (void)state;
    static const uint8_t wanted[] = {ELASTIC_CHANGES, ELASTIC_STORED, ELASTIC_CHANGES, ELASTIC_NO_DOCUMENT, ELASTIC_NO_DOCUMENT};
    struct parsed parsed;
    size_t at = 0;
    parse(&parsed,
          "{\"delete\":{\"_id\":\"1\"}}\n{\"index\":{}}\n{\"stored\":true}\n{\"update\":{\"_id\":\"2\"}}\n{\"doc\":{}}\n"
          "{\"index\":{}}\n \n{\"create\":{}}\n",
          NULL);
    assert_int_equal(parsed.result, 0);
    assert_int_equal(parsed.bulk.item_count, ARRAY_COUNT(wanted));
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++)
        assert_int_equal(parsed.bulk.items[i].problem, wanted[i]);
    expect_event(&parsed, &at, "{\"stored\":true}", "");
    close_parsed(&parsed);
}

static void escapes_of_names_are_undone_in_the_hint_only(void **state)
{
    (void)state;
    struct parsed parsed;
    size_t at = 0;
    parse(&parsed, "{\"index\":{\"_id\":\"a\\\"b\\u001fc\\u00e9\"}}\nx\n", NULL);
    assert_int_equal(parsed.result, 0);
    expect_event(&parsed, &at, "x", "id=a\"b c\xc3\xa9");
    assert_true(slice_is(parsed.bulk.items[0].id, "a\\\"b\\u001fc\\u00e9"));
    close_parsed(&parsed);
}

static void a_line_that_is_no_action_refuses_the_request(void **state)
{
    (void)state;
    static const struct {
        const char *body, *says;
    } cases[] = {
        {"{\"index\":{}}\n{}\n{\"message\":1}\n{}\n",
         "line 3 is no action of _bulk: index, create, update or delete is needed as the action at byte 13"},
        {"{\"index\":{}}\n{}\n{\"index\":{}\n{}\n", "line 3 is no action of _bulk: a comma or } is missing at byte 11"},
        {"{\"index\":[]}\n{}\n", "line 1 is no action of _bulk: an object { is needed at byte 0"},
        {"{}\n{}\n", "line 1 is no action of _bulk: index, create, update or delete is needed as the action at byte 2"},
        {"{\"index\":{},\"create\":{}}\n{}\n", "line 1 is no action of _bulk: one action a line is needed at byte 23"},
        {"{\"index\":{}} {}\n{}\n", "line 1 is no action of _bulk: something stands behind the action at byte 13"},
        {"{\"index\":{\"_id\":{}}}\n{}\n", "line 1 is no action of _bulk: an _index or _id is no text, too long or broken at byte 9"},
        {"{\"index\":{\"_id\":\"\\x\"}}\n{}\n", "line 1 is no action of _bulk: an _index or _id is no text, too long or broken at byte 11"},
        {"{\"index\":{\"_id\":\"\xff\"}}\n{}\n", "line 1 is no action of _bulk: an _index or _id is no text, too long or broken at byte 10"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct parsed parsed;
        parse(&parsed, cases[i].body, NULL);
        assert_int_equal(parsed.result, -1);
        assert_int_equal(parsed.err.code, ERR_INPUT);
        assert_string_equal(parsed.err.text, cases[i].says);
        close_parsed(&parsed);
    }
}

static void one_document_is_the_body_without_the_space_around_it(void **state)
{
    (void)state;
    struct parsed parsed = {0};
    struct elastic_item item = {.index = SLICE("i"), .id = SLICE("7")};
    size_t at = 0;
    buffer_init(&parsed.records, 1024);
    assert_false(elastic_document(SLICE(" \n"), &item, &parsed.records));
    assert_true(elastic_document(SLICE("{\n \"a\": 1\n}\n"), &item, &parsed.records));
    expect_event(&parsed, &at, "{\n \"a\": 1\n}", "index=i\x1fid=7");
    close_parsed(&parsed);
}

/* The 1st allocation fails, then only the 2nd, and so on until none does. */
static void survives_every_failed_allocation(void **state)
{
    (void)state;
    struct parsed parsed = {.result = -1};
    for (int n = 0; parsed.result < 0; n++) {
        mem_fail_after(n);
        parse(&parsed, "{\"index\":{\"_id\":\"\\u0041\"}}\nx\n", "i");
        if (parsed.result < 0)
            assert_int_equal(parsed.err.code, ERR_NOMEM);
        else if (buffer_failed(&parsed.records)) /* as the dialect does: it is refused */
            parsed.result = -1;
        close_parsed(&parsed);
    }
    mem_fail_after(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_events_byte_for_byte),
        cmocka_unit_test(a_batch_whose_events_all_have_ids_says_so),
        cmocka_unit_test(changes_are_refused_one_by_one),
        cmocka_unit_test(escapes_of_names_are_undone_in_the_hint_only),
        cmocka_unit_test(a_line_that_is_no_action_refuses_the_request),
        cmocka_unit_test(survives_every_failed_allocation),
        cmocka_unit_test(one_document_is_the_body_without_the_space_around_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
