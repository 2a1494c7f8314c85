/* Push requests of Loki: JSON in two forms, and protobuf. */
#include "collect/http/loki_parse.h"

#include "test.h"

#include "records.h"

static void expect(bool json, struct slice body, const char *wanted)
{
    struct buffer records;
    struct err err;
    uint32_t count;
    err_clear(&err);
    buffer_init(&records, 1024 * 1024);
    int result = loki_parse(json, body, &records, &count, &err);
    records_expect(result, &err, &records, wanted);
}

static void lines_have_labels_and_metadata(void **state)
{
    (void)state;
    expect(true, SLICE("{\"streams\":[{\"stream\":{\"app\":\"shop\",\"instance\":\"i\",\"host\":\"h\",\"filename\":\"/f\"},\"values\":["
                       "[\"1500000000000000007\",\"a \\\\ b\",{\"trace_id\":\"t\",\"app\":\"shop\"}],[\"1500000000000000008\",\"\"]]}]}"),
           "time=1500000000.000000007;host=h;source=/f;fields={\"labels\":{\"app\":\"shop\",\"instance\":\"i\",\"host\":\"h\",\"filename\":\"/f\","
           "\"trace_id\":\"t\"},\"service\":{\"name\":\"shop\"},\"trace\":{\"id\":\"t\"}}\ta \\ b\n"
           "time=1500000000.000000008;host=h;source=/f;fields={\"labels\":{\"app\":\"shop\",\"instance\":\"i\",\"host\":\"h\",\"filename\":\"/f\"},"
           "\"service\":{\"name\":\"shop\"}}\t\n");
}

static void protobuf_has_labels_as_text(void **state)
{
    (void)state;
    expect(false,
           SLICE("\x0a<\x0a {job=\x22\x61\x5c\x22\x62\x22, host=\x22h\x22, p=`C:\x5cx`}\x12\x18\x0a\x04\x08\x05\x10*\x12\x04line\x1a\x0a\x0a\x03pod\x12\x03p-1"),
           "time=5.000000042;host=h;fields={\"labels\":{\"job\":\"a\\\"b\",\"host\":\"h\",\"p\":\"C:\\\\x\",\"pod\":\"p-1\"}}\tline\n");
}

static void the_older_form(void **state)
{
    (void)state;
    expect(true, SLICE("{\"streams\":[{\"labels\":\"{}\",\"entries\":[{\"ts\":\"1970-01-01T00:00:02.5Z\",\"line\":\"l\"}]}]}"),
           "time=2.500000000;fields={\"labels\":{}}\tl\n");
}

/* Labels and times that nobody can read cost neither the line nor themselves. */
static void what_cannot_be_read_is_kept(void **state)
{
    (void)state;
    expect(true, SLICE("{\"streams\":[{\"labels\":\"{a=b}\",\"entries\":[{\"ts\":\"noon\",\"line\":\"l\"}]},"
                       "{\"labels\":\"{a=\\\"b\\\" c\",\"entries\":[{\"line\":\"m\"}]},{\"labels\":\"{a=\\\"\\\\\",\"entries\":[{\"line\":\"n\"}]}]}"),
           "fields={\"labels\":{\"unparsed\":\"{a=b}\"},\"loki\":{\"timestamp\":\"noon\"}}\tl\n"
           "fields={\"labels\":{\"unparsed\":\"{a=\\\"b\\\" c\"}}\tm\n"
           "fields={\"labels\":{\"unparsed\":\"{a=\\\"\\\\\"}}\tn\n");
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    expect(true, SLICE("{\"streams\":[{\"values\":[[\"1\"]]}]}"), "an entry of \"values\" should be [\"time in ns\", \"line\"]");
    expect(true, SLICE("{\"values\":[]}"), "the body should be an object with a list \"streams\"");
    expect(true, SLICE("{}"), "");
    expect(false, SLICE("\x0a\x01"), "the protobuf message is damaged: a field is longer than the message");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_have_labels_and_metadata),
        cmocka_unit_test(protobuf_has_labels_as_text),
        cmocka_unit_test(the_older_form),
        cmocka_unit_test(what_cannot_be_read_is_kept),
        cmocka_unit_test(says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
