/* Answers to Elasticsearch's senders, byte for byte. */
#include "collect/http/elastic_answer.h"

#include "test.h"

static void expect(uint32_t first, uint32_t count, const char *filter_path, const char *wanted)
{
    struct elastic_item items[] = {
        {.index = SLICE("logs"), .id = SLICE("a\\\"b"), .action = ELASTIC_CREATE},
        {.index = SLICE("logs"), .id = SLICE("7"), .action = ELASTIC_UPDATE, .problem = ELASTIC_CHANGES},
        {.action = ELASTIC_INDEX},
    };
    struct elastic_bulk bulk = {.items = items + first, .item_count = count};
    struct elastic_filter filter;
    struct buffer got;
    for (uint32_t i = 0; i < count; i++)
        bulk.event_count += bulk.items[i].problem == ELASTIC_STORED;
    buffer_init(&got, 64 * 1024);
    elastic_filter_read(&filter, slice_text(filter_path));
    elastic_answer_bulk(&bulk, &filter, 41, &got);
    buffer_put_char(&got, '\0');
    assert_string_equal(got.ptr, wanted);
    buffer_close(&got);
}

static void every_item_is_answered(void **state)
{
    (void)state;
    expect(0, 1, NULL,
           "{\"took\":0,\"errors\":false,\"items\":[{\"create\":{\"_index\":\"logs\",\"_id\":\"a\\\"b\",\"_version\":1,"
           "\"result\":\"created\",\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0},\"_seq_no\":41,"
           "\"_primary_term\":1,\"status\":201}}]}");
    expect(1, 2, "errors,items.*._id,items.*._seq_no,items.*.status",
           "{\"errors\":true,\"items\":[{\"update\":{\"_id\":\"7\",\"status\":400}},"
           "{\"index\":{\"_id\":\"41\",\"_seq_no\":41,\"status\":201}}]}");
    expect(1, 1, "items.*.error.type",
           "{\"items\":[{\"update\":{\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"what is stored here is "
           "evidence and is not changed: use index or create, not update or delete\"}}}]}");
}

static void filters_choose_members(void **state)
{
    (void)state;
    expect(0, 3, "errors", "{\"errors\":true}");
    expect(0, 1, "errors,items.index.status", "{\"errors\":false}");
    expect(0, 1, "items.*.error,took", "{\"took\":0,\"items\":[{\"create\":{}}]}");
    expect(0, 1, "nothing", "{}");
    expect(0, 1, "**.status", "{\"items\":[{\"create\":{\"status\":201}}]}");
    expect(0, 1, "-took,-items", "{\"errors\":false}");
    expect(0, 1, "items.*.stat*,-errors", "{\"items\":[{\"create\":{\"status\":201}}]}");
}

static void errors_have_both_forms_that_clients_read(void **state)
{
    (void)state;
    struct buffer got;
    buffer_init(&got, 4096);
    elastic_answer_error(401, "security_exception", SLICE("no \"token\""), &got);
    buffer_put_char(&got, '\0');
    assert_string_equal(got.ptr,
                        "{\"error\":{\"root_cause\":[{\"type\":\"security_exception\",\"reason\":\"no \\\"token\\\"\"}],"
                        "\"type\":\"security_exception\",\"reason\":\"no \\\"token\\\"\"},\"status\":401}");
    buffer_close(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_is_answered),
        cmocka_unit_test(filters_choose_members),
        cmocka_unit_test(errors_have_both_forms_that_clients_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
