/* Bodies of OTLP: protobuf and JSON give the same events. */
#include "base/mem.h"
#include "collect/http/otlp_parse.h"

#include "test.h"

#include "records.h"

static void expect(enum otlp_signal signal, bool json, struct slice body, const char *wanted)
{
    struct buffer records;
    struct err err;
    uint32_t count;
    err_clear(&err);
    buffer_init(&records, 1024 * 1024);
    int result = otlp_parse(signal, json, body, &records, &count, &err);
    records_expect(result, &err, &records, wanted);
}

#define JSON_LOGS(records) \
    SLICE("{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"s\",\"value\":{\"stringValue\":\"x\"}}]}," \
          "\"scopeLogs\":[{\"scope\":{\"name\":\"l\"},\"logRecords\":[" records "]}]}]}")
#define OWNERS "\"resource\":{\"attributes\":{\"s\":\"x\"}},\"scope\":{\"name\":\"l\"}}\n"

static void logs_in_json(void **state)
{
    (void)state;
    expect(OTLP_LOGS, true, JSON_LOGS("{\"timeUnixNano\":\"1544712660300000001\",\"severityNumber\":\"SEVERITY_NUMBER_INFO\","
                                      "\"body\":{\"stringValue\":\"hi\"},\"traceId\":\"0AF7\"}"),
           "decoder=otlp-log;time=1544712660.300000001\t{\"otlp\":\"log\",\"timeUnixNano\":1544712660300000001,\"severityNumber\":9,"
           "\"body\":\"hi\",\"traceId\":\"0af7\"," OWNERS);
    /* the names of protobuf, numbers for texts, the observed time where there is no other */
    expect(OTLP_LOGS, true, JSON_LOGS("{\"observed_time_unix_nano\":1544712660300000001,\"severity_number\":17,\"body\":{\"intValue\":7}}"),
           "decoder=otlp-log;time=1544712660.300000001\t{\"otlp\":\"log\",\"observedTimeUnixNano\":1544712660300000001,"
           "\"severityNumber\":17,\"body\":7," OWNERS);
}

static void values_of_every_kind(void **state)
{
    (void)state;
    expect(OTLP_LOGS, true, JSON_LOGS("{\"body\":{\"arrayValue\":{\"values\":[{\"boolValue\":true},{\"doubleValue\":\"NaN\"},{\"doubleValue\":1.50},"
                                      "{\"bytesValue\":\"/wA=\"},{},{\"kvlistValue\":{\"values\":[{\"key\":\"a.b\",\"value\":{\"intValue\":\"-9223372036854775808\"}}]}},"
                                      "{\"laterValue\":{\"x\":[1]}}]}}}"),
           "decoder=otlp-log\t{\"otlp\":\"log\",\"body\":[true,\"NaN\",1.50,{\"base64\":\"/wA=\"},null,{\"a.b\":-9223372036854775808},"
           "{\"laterValue\":{\"x\":[1]}}]," OWNERS);
}

/* Nothing of a request is left out because its form is unusual. */
static void odd_forms_are_kept(void **state)
{
    (void)state;
    expect(OTLP_LOGS, true, JSON_LOGS("{\"attributes\":{\"plain\":1},\"severityNumber\":\"LOUD\",\"later\":{\"a\":null}}"),
           "decoder=otlp-log\t{\"otlp\":\"log\",\"attributes\":{\"plain\":1},\"severityNumber\":\"LOUD\",\"later\":{\"a\":null}," OWNERS);
    expect(OTLP_LOGS, true, JSON_LOGS("{\"attributes\":[{\"key\":\"a\"},{\"value\":{\"intValue\":1}}]}"),
           "decoder=otlp-log\t{\"otlp\":\"log\",\"attributes\":{\"a\":null,\"unknownFields\":{\"value\":{\"intValue\":1}}}," OWNERS);
    expect(OTLP_LOGS, true, SLICE("{\"resourceLogs\":[{\"schemaUrl\":\"u\",\"instrumentationLibraryLogs\":[{\"instrumentationLibrary\":"
                                  "{\"name\":\"old\"},\"logRecords\":[{}]}]}]}"),
           "decoder=otlp-log\t{\"otlp\":\"log\",\"resource\":{\"schemaUrl\":\"u\"},\"scope\":{\"name\":\"old\"}}\n");
}

#define PROTOBUF_LOGS \
    SLICE("\x0a=\x0a\x0a\x0a\x08\x0a\x01s\x12\x03\x0a\x01x\x12/\x0a\x03\x0a\x01l\x12(\x09\x01\xeb:\xf5\xfa\xebo\x15\x10\x09*\x04\x0a\x02hiJ\x02\x0f\xa0Y\x00\x00\x00\x00\x00\x00\x00\x00\x9a\x06\x02zzE\x01\x00\x00\x00")

static void logs_in_protobuf(void **state)
{
    (void)state;
    expect(OTLP_LOGS, false,
           PROTOBUF_LOGS,
           "decoder=otlp-log;time=1544712660.300000001\t{\"otlp\":\"log\",\"timeUnixNano\":1544712660300000001,\"severityNumber\":9,"
           "\"body\":\"hi\",\"traceId\":\"0fa0\",\"observedTimeUnixNano\":0,\"unknownFields\":[\"mgYCeno=\"],\"flags\":1," OWNERS);
}

#define JSON_METRICS(metric) SLICE("{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[" metric "]}]}]}")
#define NO_OWNERS "\"otel\":{\"resource\":{},\"scope\":{}}}\n"

static void metrics_are_an_event_a_point(void **state)
{
    (void)state;
    expect(OTLP_METRICS, true,
           JSON_METRICS("{\"name\":\"m\",\"unit\":\"By\",\"sum\":{\"aggregationTemporality\":\"AGGREGATION_TEMPORALITY_DELTA\",\"isMonotonic\":true,"
                        "\"dataPoints\":[{\"asInt\":\"5\",\"timeUnixNano\":\"2000000000\",\"attributes\":[{\"key\":\"k\",\"value\":{\"stringValue\":\"v\"}}]},"
                        "{\"asDouble\":0.5,\"flags\":1}]}}"),
           "decoder=otlp-metric;time=2.000000000\t{\"otlp\":\"metric\",\"metric\":{\"name\":\"m\",\"unit\":\"By\",\"type\":\"sum\",\"temporality\":\"delta\","
           "\"monotonic\":true,\"value\":5,\"timeUnixNano\":2000000000},\"labels\":{\"k\":\"v\"}," NO_OWNERS
           "decoder=otlp-metric\t{\"otlp\":\"metric\",\"metric\":{\"name\":\"m\",\"unit\":\"By\",\"type\":\"sum\",\"temporality\":\"delta\","
           "\"monotonic\":true,\"value\":0.5,\"flags\":1,\"stale\":true},\"labels\":{}," NO_OWNERS);
    expect(OTLP_METRICS, true, JSON_METRICS("{\"name\":\"h\",\"histogram\":{\"aggregationTemporality\":2,\"dataPoints\":[{\"bucketCounts\":[\"1\",\"2\"],"
                                            "\"explicitBounds\":[1.5],\"exemplars\":[{\"asInt\":\"3\",\"filteredAttributes\":[]}]}]}}"),
           "decoder=otlp-metric\t{\"otlp\":\"metric\",\"metric\":{\"name\":\"h\",\"type\":\"histogram\",\"temporality\":\"cumulative\",\"bucketCounts\":[1,2],"
           "\"explicitBounds\":[1.5],\"exemplars\":[{\"value\":3,\"attributes\":{}}],\"count\":0},\"labels\":{}," NO_OWNERS);
}

/* A metric of a kind that came after this was written. */
static void metrics_of_another_kind_are_kept(void **state)
{
    (void)state;
    expect(OTLP_METRICS, true, JSON_METRICS("{\"name\":\"m\",\"later\":{\"dataPoints\":[{\"x\":1}]}}"),
           "decoder=otlp-metric\t{\"otlp\":\"metric\",\"metric\":{\"name\":\"m\",\"later\":{\"dataPoints\":[{\"x\":1}]}},\"labels\":{}," NO_OWNERS);
    expect(OTLP_METRICS, true, JSON_METRICS("{\"name\":\"m\",\"gauge\":{\"dataPoints\":[]}}"), "");
}

static void spans(void **state)
{
    (void)state;
    expect(OTLP_TRACES, true, SLICE("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"s\",\"kind\":2,\"startTimeUnixNano\":\"3000000001\","
                                    "\"status\":{\"code\":\"STATUS_CODE_ERROR\"},\"events\":[{\"name\":\"e\",\"attributes\":[]}]}]}]}]}"),
           "decoder=otlp-span;time=3.000000001\t{\"otlp\":\"span\",\"name\":\"s\",\"kind\":\"server\",\"startTimeUnixNano\":3000000001,"
           "\"status\":{\"code\":\"error\"},\"events\":[{\"name\":\"e\",\"attributes\":{}}],\"resource\":{},\"scope\":{}}\n");
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    static const char wanted[] = "the body should be an object with a list \"resourceLogs\"; logs go to /v1/logs, metrics to /v1/metrics and "
                                 "spans to /v1/traces";
    expect(OTLP_LOGS, true, SLICE("{\"resourceMetrics\":[]}"), wanted);
    expect(OTLP_LOGS, true, SLICE("{\"resourceLogs\":{}}"), wanted);
    expect(OTLP_LOGS, true, SLICE("[]"), wanted);
    expect(OTLP_LOGS, true, SLICE("{}"), "");
    expect(OTLP_LOGS, false, SLICE(""), "");
    expect(OTLP_LOGS, false, SLICE("\x0a\x01"), "the protobuf message is damaged: a field is longer than the message");
}

/* A resource stands in each of its events: a small body must not become a large delivery. */
static void does_not_grow_without_end(void **state)
{
    (void)state;
    struct buffer body, records;
    struct err err;
    uint32_t count;
    buffer_init(&body, 4 * 1024 * 1024);
    buffer_init(&records, 8 * 1024 * 1024);
    buffer_put_text(&body, "{\"resourceLogs\":[{\"resource\":{\"a\":\"");
    for (size_t i = 0; i < 100000; i++)
        buffer_put_char(&body, 'x');
    buffer_put_text(&body, "\"},\"scopeLogs\":[{\"logRecords\":[{}");
    for (size_t i = 0; i < 100000; i++)
        buffer_put_text(&body, ",{}");
    buffer_put_text(&body, "]}]}]}");
    assert_int_equal(otlp_parse(OTLP_LOGS, true, buffer_slice(&body), &records, &count, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    buffer_close(&body);
    buffer_close(&records);
}

/* Let each allocation fail in turn: no crash, no leak, and either all events or a refusal. */
static void survives_every_failed_allocation(void **state)
{
    (void)state;
    struct err err;
    uint32_t count = 0;
    for (long n = 0, done = -1; done < 0; n++) {
        struct buffer records;
        buffer_init(&records, 1024 * 1024);
        mem_fail_after(n);
        done = otlp_parse(OTLP_LOGS, n % 2, n % 2 ? JSON_LOGS("{\"body\":{\"stringValue\":\"hi\"}}") : PROTOBUF_LOGS, &records, &count, &err);
        mem_fail_after(-1);
        if (n < 2)
            assert_int_equal(done, -1);
        buffer_close(&records);
    }
    assert_int_equal(count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logs_in_json),
        cmocka_unit_test(values_of_every_kind),
        cmocka_unit_test(odd_forms_are_kept),
        cmocka_unit_test(logs_in_protobuf),
        cmocka_unit_test(metrics_are_an_event_a_point),
        cmocka_unit_test(metrics_of_another_kind_are_kept),
        cmocka_unit_test(spans),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(does_not_grow_without_end),
        cmocka_unit_test(survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
