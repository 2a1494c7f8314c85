/* Requests of Prometheus' remote write, in both versions. */
#include "collect/http/remote_write_parse.h"

#include "test.h"

#include "records.h"

static struct remote_write_counts expect(bool version_2, struct slice body, const char *wanted)
{
    struct buffer records;
    struct err err;
    struct remote_write_counts counts;
    err_clear(&err);
    buffer_init(&records, 1024 * 1024);
    int result = remote_write_parse(version_2, body, &records, &counts, &err);
    records_expect(result, &err, &records, wanted);
    return counts;
}

/* protobuf leaves out a value of 0. */
static void an_event_a_sample(void **state)
{
    (void)state;
    struct remote_write_counts counts = expect(false,
        SLICE("\x0a=\x0a\x0e\x0a\x08__name__\x12\x02up\x0a\x0a\x0a\x03job\x12\x03\x61\x22\x62\x12\x0c\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\xdc\x0b\x12\x03\x10\xc4\x13\x12\x0c\x09\x02\x00\x00\x00\x00\x00\xf0\x7f\x10\xac\x1b"),
        "decoder=prometheus;time=1.500000000\t{\"prometheus\":{\"record\":\"sample\"},\"metric\":{\"name\":\"up\",\"value\":1,\"timestamp\":1500},"
        "\"labels\":{\"job\":\"a\\\"b\"}}\n"
        "decoder=prometheus;time=2.500000000\t{\"prometheus\":{\"record\":\"sample\"},\"metric\":{\"name\":\"up\",\"value\":0,\"timestamp\":2500},"
        "\"labels\":{\"job\":\"a\\\"b\"}}\n"
        "decoder=prometheus;time=3.500000000\t{\"prometheus\":{\"record\":\"sample\"},\"metric\":{\"name\":\"up\",\"value\":\"StaleNaN\",\"stale\":true,"
        "\"timestamp\":3500},\"labels\":{\"job\":\"a\\\"b\"}}\n");
    assert_int_equal(counts.events, 3);
    assert_int_equal(counts.samples, 3);
}

static void histograms_exemplars_and_metadata(void **state)
{
    (void)state;
    struct remote_write_counts counts = expect(false,
        SLICE("\x0a+\x0a\x0d\x0a\x08__name__\x12\x01h\x22\x1a\x08\x05\x19\x00\x00\x00\x00\x00\x00\x04@ \x01Z\x04\x08\x03\x10\x02\x62\x02\x02\x01x\xe8\x07\x0a,\x0a\x0d\x0a\x08__name__\x12\x01\x63\x1a\x1b\x0a\x0d\x0a\x08trace_id\x12\x01t\x11\x00\x00\x00\x00\x00\x00\xe0\x3f\x18\xe8\x07\x1a\x0c\x08\x01\x12\x01\x63\x22\x05Help."),
        "decoder=prometheus;time=1.000000000\t{\"prometheus\":{\"record\":\"histogram\"},\"metric\":{\"name\":\"h\",\"type\":\"histogram\",\"count\":5,"
        "\"sum\":2.5,\"timestamp\":1000,\"schema\":-1,\"positive_spans\":[{\"offset\":-2,\"length\":2}],\"positive_deltas\":[1,-1]},\"labels\":{}}\n"
        "decoder=prometheus;time=1.000000000\t{\"prometheus\":{\"record\":\"exemplar\"},\"metric\":{\"name\":\"c\",\"exemplar\":{\"value\":0.5,"
        "\"timestamp\":1000,\"labels\":{\"trace_id\":\"t\"}}},\"labels\":{}}\n"
        "decoder=prometheus\t{\"prometheus\":{\"record\":\"metadata\"},\"metric\":{\"type\":\"counter\",\"name\":\"c\",\"help\":\"Help.\"}}\n");
    assert_int_equal(counts.events, 3);
    assert_int_equal(counts.histograms, 1);
    assert_int_equal(counts.exemplars, 1);
}

static void version_2_has_symbols(void **state)
{
    (void)state;
    expect(true,
        SLICE("\x22\x00\x22\x08__name__\x22\x01\x63\x22\x05Help.\x22\x08trace_id\x22\x01t**\x0a\x02\x01\x02\x12\x0c\x09\x00\x00\x00\x00\x00\x00\x04@\x10\xe8\x07\x22\x0d\x0a\x02\x04\x05\x11\x00\x00\x00\x00\x00\x00\xf0\x3f*\x04\x08\x01\x18\x03\x30\x84\x07"),
        "decoder=prometheus;time=1.000000000\t{\"prometheus\":{\"record\":\"sample\"},\"metric\":{\"name\":\"c\",\"type\":\"counter\",\"help\":\"Help.\","
        "\"created_timestamp\":900,\"value\":2.5,\"timestamp\":1000},\"labels\":{}}\n"
        "decoder=prometheus\t{\"prometheus\":{\"record\":\"exemplar\"},\"metric\":{\"name\":\"c\",\"type\":\"counter\",\"help\":\"Help.\","
        "\"created_timestamp\":900,\"exemplar\":{\"value\":1,\"timestamp\":0,\"labels\":{\"trace_id\":\"t\"}}},\"labels\":{}}\n");
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    expect(true, SLICE("*\x04\x0a\x02\x09\x09"), "the request refers to symbol 9, but has 0 symbols");
    expect(true, SLICE("\x22\x00*\x03\x0a\x01\x00"), "the labels of a series are not pairs of a name and a value");
    expect(false, SLICE("\x0a\x01"), "the protobuf message is damaged: a field is longer than the message");
    expect(false, SLICE(""), "");
    /* a body of the other version has nothing that this one knows */
    expect(false, SLICE("\x22\x00*\x03\x0a\x01\x00"), "the body holds nothing that a remote write request has; is its Content-Type of the right "
           "version (proto=prometheus.WriteRequest or io.prometheus.write.v2.Request)?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_a_sample),
        cmocka_unit_test(histograms_exemplars_and_metadata),
        cmocka_unit_test(version_2_has_symbols),
        cmocka_unit_test(says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
