/* Pages, places and signatures of pollers of HTTP APIs. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "collect/remote/aws_sign.h"
#include "collect/remote/poll_page.h"
#include "collect/remote/poll_state.h"
#include "collect/remote/poll_template.h"

#include "test.h"

/* ---- templates ---- */

static void expect_filled(const char *text, enum poll_place place, const char *wanted)
{
    const struct poll_values values = {.start_ns = INT64_C(1700000000) * NS_PER_SECOND, .end_ns = INT64_C(1700000060) * NS_PER_SECOND,
                                       .day_ns = INT64_C(1699920000) * NS_PER_SECOND, .page = 3, .cursor = SLICE("a+/=\""),
                                       .each = SLICE("Audit.General"), .entry = SLICE("logs/a b.gz")};
    struct buffer to;
    struct err err;
    buffer_init(&to, 64 * KIB);
    assert_int_equal(poll_template_check(slice_text(text), &err), 0);
    poll_template_fill(slice_text(text), &values, place, &to);
    buffer_put_char(&to, '\0');
    assert_string_equal(to.ptr, wanted);
    buffer_close(&to);
}

static void places_are_filled_and_encoded(void **state)
{
    (void)state;
    expect_filled("https://x/?s=${start}&u=${end:unix}&m=${end:ms}", POLL_IN_URL,
                  "https://x/?s=2023-11-14T22%3A13%3A20Z&u=1700000060&m=1700000060000");
    expect_filled("https://x/${day:%Y/%m/%d}/${entry}?c=${cursor}&p=${page}&k=${each}", POLL_IN_URL,
                  "https://x/2023/11/14/logs/a%20b.gz?c=a%2B%2F%3D%22&p=3&k=Audit.General");
    expect_filled("{\"after\":\"${cursor}\",\"from\":\"${start:%H:%M}\"}", POLL_IN_BODY,
                  "{\"after\":\"a+/=\\\"\",\"from\":\"22:13\"}");
    expect_filled("no place ${ at all", POLL_IN_URL, "no place ${ at all");
}

static void places_that_are_none_are_said(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(poll_template_check(SLICE("https://x/${tenat}"), &err), -1);
    assert_string_equal(err.text, "${tenat}: there is no such place; there are start, end, day, cursor, page, each and entry");
    assert_int_equal(poll_template_check(SLICE("${start:later}"), &err), -1);
    assert_int_equal(poll_template_check(SLICE("${page:unix}"), &err), -1);
    assert_true(poll_template_has(SLICE("a${day:%Y}b"), "day"));
    assert_false(poll_template_has(SLICE("a${day:%Y}b"), "page"));
}

/* ---- pages ---- */

struct fixture {
    struct arena *arena;
    struct poll_page page;
    struct err err;
};

static int make(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.arena = arena_new(64 * MIB)};
    *state = &fixture;
    return fixture.arena ? 0 : -1;
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    arena_free(fixture->arena);
    return 0;
}

static const struct slice by_id[] = {{"id", 2}, {"at", 2}};

static int read_page(struct fixture *fixture, struct poll_form form, const char *body)
{
    return poll_page_read(&form, slice_text(body), fixture->arena, &fixture->page, &fixture->err);
}

static void records_are_as_they_stand(void **state)
{
    struct fixture *fixture = *state;
    struct poll_form form = {.records = "value", .ids = by_id, .id_count = 1, .entry = "more.uri", .next = "@odata.nextLink"};
    assert_int_equal(read_page(fixture, form, "{\"@odata.nextLink\":\"https:\\/\\/x\\/2\",\"value\":[{\"id\": \"a\\u0062\"},{\"id\":7,\"more\":{\"uri\":\"u\"}},\"s\",null]}"), 0);
    const struct poll_page *page = &fixture->page;
    assert_int_equal(page->count, 4);
    assert_true(slice_is(page->items[0].raw, "{\"id\": \"a\\u0062\"}") && slice_is(page->items[0].id, "ab"));
    assert_true(slice_is(page->items[1].id, "7") && slice_is(page->items[1].entry, "u"));
    assert_true(slice_is(page->items[2].raw, "\"s\"") && !page->items[2].id.ptr);
    assert_true(slice_is(page->next, "https://x/2"));
    assert_int_equal(read_page(fixture, (struct poll_form){0}, "[1,[2,3]]"), 0);
    assert_true(fixture->page.count == 2 && slice_is(fixture->page.items[1].raw, "[2,3]"));
    assert_int_equal(read_page(fixture, (struct poll_form){0}, "{\"one\":1}"), 0);
    assert_true(fixture->page.count == 1 && slice_is(fixture->page.items[0].raw, "{\"one\":1}"));
}

static void an_id_of_several_parts_is_all_of_them(void **state)
{
    struct fixture *fixture = *state;
    struct poll_form form = {.ids = by_id, .id_count = 2};
    assert_int_equal(read_page(fixture, form, "[{\"id\":\"a\",\"at\":1},{\"id\":\"a\",\"at\":2},{\"id\":\"a\"},{\"at\":2}]"), 0);
    const struct poll_item *items = fixture->page.items;
    assert_true(slice_is(items[0].id, "a\n1") && slice_is(items[1].id, "a\n2"));
    assert_true(!items[2].id.ptr && !items[3].id.ptr); /* they are taken: too much is better than too little */
}

/* A wrong path would give nothing forever, and the place would go on. */
static void a_list_that_is_not_there_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(read_page(fixture, (struct poll_form){.records = "items"}, "{\"value\":[]}"), -1);
    assert_string_equal(fixture->err.text, "the answer has no 'items', where its records should be");
    assert_int_equal(read_page(fixture, (struct poll_form){.records = "items", .may_lack = true}, "{\"value\":[]}"), 0);
    assert_int_equal(fixture->page.count, 0);
    assert_int_equal(read_page(fixture, (struct poll_form){0}, "<html>sign in</html>"), -1);
}

static void lines_and_lists_of_objects(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(read_page(fixture, (struct poll_form){.format = POLL_LINES, .ids = by_id, .id_count = 1}, "{\"id\":\"x\"}\r\n\nnot json\n"), 0);
    assert_true(fixture->page.count == 2 && slice_is(fixture->page.items[0].id, "x") && slice_is(fixture->page.items[1].raw, "not json"));
    struct poll_form list = {.format = POLL_S3};
    assert_int_equal(read_page(fixture, list, "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a&amp;b</Key></Contents>"
                                              "<Contents><Key>c</Key></Contents><NextContinuationToken>t=</NextContinuationToken></ListBucketResult>"), 0);
    assert_true(fixture->page.count == 2 && slice_is(fixture->page.items[0].entry, "a&b") && slice_is(fixture->page.next, "t="));
    assert_int_equal(read_page(fixture, list, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"), 0);
    assert_true(fixture->page.count == 0 && !fixture->page.next.ptr);
    assert_int_equal(read_page(fixture, list, "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"), -1);
    assert_int_equal(read_page(fixture, list, "<Error><Code>AccessDenied</Code></Error>"), -1);
}

static void links_are_found_among_others(void **state)
{
    (void)state;
    assert_true(slice_is(poll_link_next(SLICE("HTTP/1.1 200 OK\r\nLink: <https://x/a>; rel=\"self\"\r\nlink: <https://x/b?c=1,2>; rel=\"next\"\r\n")), "https://x/b?c=1,2"));
    assert_true(slice_is(poll_link_next(SLICE("Link: <https://x/1>; rel=first, <https://x/2>; title=\"a\"; rel=next, <https://x/9>; rel=last\r\n")), "https://x/2"));
    assert_false(poll_link_next(SLICE("Link: <https://x/1>; rel=\"prev\"\r\nX-Link: <https://x/2>; rel=next\r\n")).ptr);
}

static void failed_allocations_of_a_page_are_said(void **state)
{
    (void)state;
    const struct poll_form forms[] = {{.records = "value", .ids = by_id, .id_count = 1, .next = "n"}, {.format = POLL_LINES, .ids = by_id, .id_count = 1}, {.format = POLL_S3}};
    static const char *const bodies[] = {"{\"value\":[{\"id\":\"a\\\\b\"}],\"n\":\"\\/\"}", "{\"id\":1}\n{\"id\":2}",
                                         "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a&amp;</Key></Contents></ListBucketResult>"};
    for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
        int result = -1;
        for (int n = 0; result < 0 && n < 100; n++) {
            struct poll_page page;
            struct err err = {0};
            struct arena *arena = arena_new(64 * MIB);
            mem_fail_after(n);
            result = poll_page_read(&forms[i], slice_text(bodies[i]), arena, &page, &err);
            mem_fail_after(-1);
            assert_true(result == 0 || err.code == ERR_NOMEM);
            arena_free(arena);
        }
        assert_int_equal(result, 0);
    }
}

/* ---- what is remembered ---- */

static void ids_are_forgotten_when_the_time_has_gone_past_them(void **state)
{
    (void)state;
    struct poll_seen seen;
    poll_seen_init(&seen);
    uint64_t once = poll_seen_hash(&seen, SLICE("once")), often = poll_seen_hash(&seen, SLICE("often"));
    assert_true(poll_seen_add(&seen, once) && poll_seen_add(&seen, often) && poll_seen_add(&seen, often));
    assert_int_equal(seen.count, 2);
    for (int i = 0; i < 5; i++) {
        poll_seen_turn(&seen);
        assert_true(poll_seen_has(&seen, often));
        if (i < POLL_SEEN_ROUNDS)
            assert_int_equal(seen.count, 2);
    }
    assert_false(poll_seen_has(&seen, once));
    poll_seen_close(&seen);
}

static void ids_are_bounded_and_the_oldest_go(void **state)
{
    (void)state;
    struct poll_seen seen;
    poll_seen_init(&seen);
    for (uint64_t i = 1; i <= POLL_IDS_MAX + 1; i++)
        assert_true(poll_seen_add(&seen, i << 32));
    assert_int_equal(seen.forgotten, POLL_IDS_MAX / 8);
    assert_false(poll_seen_has(&seen, UINT64_C(1) << 32));
    assert_true(poll_seen_has(&seen, (uint64_t)(POLL_IDS_MAX + 1) << 32));
    poll_seen_close(&seen);
}

static void places_are_read_back(void **state)
{
    (void)state;
    struct poll_state first, second;
    struct buffer bytes;
    struct err err;
    poll_state_init(&first);
    poll_state_init(&second);
    buffer_init(&bytes, 1 * MIB);
    first.at_ns = 5;
    first.part = 3;
    first.skip = 9;
    first.cut = 10;
    first.cut_of = 11;
    assert_true(poll_state_set_next(&first, SLICE("https://x/2")));
    uint64_t id = poll_seen_hash(&first.seen, SLICE("a"));
    assert_true(poll_seen_add(&first.seen, id));
    poll_state_save(&first, &bytes);
    assert_int_equal(poll_state_load(&second, buffer_slice(&bytes), &err), 0);
    assert_true(second.at_ns == 5 && second.part == 3 && second.skip == 9 && second.cut == 10 && second.cut_of == 11 && slice_is(buffer_slice(&second.next), "https://x/2"));
    assert_int_equal(poll_seen_hash(&second.seen, SLICE("a")), id);
    assert_true(poll_seen_has(&second.seen, id));
    assert_int_equal(poll_state_load(&second, slice_sub(buffer_slice(&bytes), 0, bytes.len - 1), &err), -1);
    assert_int_equal(second.seen.count, 0);
    assert_int_equal(poll_state_load(&second, SLICE(""), &err), -1);
    poll_state_close(&first);
    poll_state_close(&second);
    buffer_close(&bytes);
}

/* ---- signatures ---- */

/* The list of objects that AWS' documents sign, with their keys. */
static void a_signature_is_as_documented(void **state)
{
    (void)state;
    char date[AWS_DATE_SIZE], hash[AWS_HASH_SIZE];
    struct buffer got;
    struct err err;
    struct aws_request request = {.method = "GET", .url = SLICE("https://examplebucket.s3.amazonaws.com/?prefix=J&max-keys=2"), .body = SLICE(""),
                                  .access_key = SLICE("AKIAIOSFODNN7EXAMPLE"), .secret_key = SLICE("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                                  .region = "us-east-1", .service = "s3", .time_ns = INT64_C(1369353600) * NS_PER_SECOND};
    buffer_init(&got, 64 * KIB);
    assert_int_equal(aws_sign(&request, date, hash, &got, &err), 0);
    buffer_put_char(&got, '\0');
    assert_string_equal(date, "20130524T000000Z");
    assert_string_equal(got.ptr, "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                                 "SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
                                 "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
    buffer_close(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_filled_and_encoded),
        cmocka_unit_test(places_that_are_none_are_said),
        cmocka_unit_test_setup_teardown(records_are_as_they_stand, make, end),
        cmocka_unit_test_setup_teardown(an_id_of_several_parts_is_all_of_them, make, end),
        cmocka_unit_test_setup_teardown(a_list_that_is_not_there_is_an_error, make, end),
        cmocka_unit_test_setup_teardown(lines_and_lists_of_objects, make, end),
        cmocka_unit_test(links_are_found_among_others),
        cmocka_unit_test(failed_allocations_of_a_page_are_said),
        cmocka_unit_test(ids_are_forgotten_when_the_time_has_gone_past_them),
        cmocka_unit_test(ids_are_bounded_and_the_oldest_go),
        cmocka_unit_test(places_are_read_back),
        cmocka_unit_test(a_signature_is_as_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
