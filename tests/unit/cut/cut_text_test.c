/* Syslog headers, dissect, kv, csv and XML. */
#include "base/clock.h"
#include "cut/csv.h"
#include "cut/dissect.h"
#include "cut/kv.h"
#include "cut/syslog.h"
#include "cut/winjson.h"
#include "cut/winxml.h"

#include "test.h"

#include <stdio.h>

#define NEAR (1772323200 * NS_PER_SECOND) /* 2026-03-01 */

static void expect_syslog(const char *text, const char *wanted)
{
    struct syslog s;
    char got[512] = "no", stamp[TIME_TEXT_SIZE] = "";
    if (syslog_cut(slice_text(text), zone_find(SLICE("Asia/Tokyo")), NEAR, &s)) {
        if (s.has_time)
            stamp[time_format(s.time_ns, stamp)] = '\0';
        snprintf(got, sizeof(got), "%d|%s|%.*s|%.*s|%.*s|%.*s", s.priority, stamp,
                 SLICE_ARG(s.host), SLICE_ARG(s.app), SLICE_ARG(s.pid), SLICE_ARG(s.message));
    }
    assert_string_equal(got, wanted);
}

static void syslog_has_many_habits(void **state)
{
    (void)state;
    expect_syslog("<34>Jan 26 09:11:02 h app[12]: hi", "34|2026-01-26T00:11:02Z|h|app|12|hi");
    expect_syslog("Dec 31 23:59:59 h app: hi", "-1|2025-12-31T14:59:59Z|h|app||hi");
    expect_syslog("<34>Jan  6 2018 09:11:02.5 h %ASA-6: x",
                  "34|2018-01-06T00:11:02.500Z|h|%ASA-6||x");
    expect_syslog("<165>1 2003-10-11T22:14:15.003Z h a - ID47 [x@1 k=\"v]\"] \xef\xbb\xbfm",
                  "165|2003-10-11T22:14:15.003Z|h|a||m");
    expect_syslog("<165>1 - - - - - -", "165|||||");
    expect_syslog("2018-01-26T09:11:02 h a: no zone", "-1|2018-01-26T00:11:02Z|h|a||no zone");
    expect_syslog("Feb 22 10:21:43  sshd[1332]: repeated",
                  "-1|2026-02-22T01:21:43Z||sshd|1332|repeated");
    expect_syslog("Feb 22 10:21:43 mac Google Chrome[9]: x",
                  "-1|2026-02-22T01:21:43Z|mac|Google Chrome|9|x");
    expect_syslog("Feb 22 10:21:43 h just words", "-1|2026-02-22T01:21:43Z|h|||just words");
    expect_syslog("<13>app: no stamp", "13|||app||no stamp");
    expect_syslog("<192>x", "no");
    expect_syslog("hello", "no");
}

static void dissect_cuts_at_literals(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct dissect d;
    struct err err;
    struct slice v[DISSECT_KEYS_MAX];
    assert_int_equal(dissect_compile(SLICE("[%{a}] %{?skip} %{b->} %{c}"), arena, &d, &err), 0);
    assert_true(dissect_match(&d, SLICE("[x] y z    rest of it"), v));
    assert_true(slice_is(v[0], "x") && slice_is(v[2], "z") && slice_is(v[3], "rest of it"));
    assert_int_equal(d.parts[1].key.len, 0);
    assert_false(dissect_match(&d, SLICE("x] y z rest"), v));
    assert_false(dissect_match(&d, SLICE("[x] y"), v));
    assert_int_equal(dissect_compile(SLICE("%{a"), arena, &d, &err), -1);
    arena_free(arena);
}

static void pairs_and_cells(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct kv kv = {.rest = SLICE("a=1 word b=\"x \\\" y\" c= d"), .separator = SLICE(" "), .equals = '=', .quotes = SLICE("\"")};
    struct kv_pair pair;
    assert_true(kv_next(&kv, &pair) && slice_is(pair.key, "a") && slice_is(pair.value, "1"));
    assert_true(kv_next(&kv, &pair) && pair.escaped);
    assert_true(slice_is(kv_unescape(pair.value, arena), "x \" y"));
    assert_true(slice_is(kv_unescape(SLICE("CORP\\aoi C:\\\\temp \\]"), arena), "CORP\\aoi C:\\temp ]"));
    assert_true(kv_next(&kv, &pair) && slice_is(pair.key, "c") && pair.value.len == 0);
    assert_false(kv_next(&kv, &pair));
    kv = (struct kv){.rest = SLICE("a: one word, b: c:d ,e"), .separator = SLICE(", "), .equals = ':'};
    assert_true(kv_next(&kv, &pair) && slice_is(pair.key, "a") && slice_is(pair.value, "one word"));
    assert_true(kv_next(&kv, &pair) && slice_is(pair.key, "b") && slice_is(pair.value, "c:d ,e"));
    assert_false(kv_next(&kv, &pair));
    struct csv csv = {SLICE("a,\"b \"\"q\"\",\",,d"), ',', true};
    struct csv_cell cell;
    assert_true(csv_next(&csv, &cell) && slice_is(cell.text, "a"));
    assert_true(csv_next(&csv, &cell) && cell.escaped);
    assert_true(slice_is(csv_unescape(cell.text, arena), "b \"q\","));
    assert_true(csv_next(&csv, &cell) && cell.text.len == 0);
    assert_true(csv_next(&csv, &cell) && slice_is(cell.text, "d"));
    assert_false(csv_next(&csv, &cell));
    arena_free(arena);
}

static int cut_event(struct slice text, struct batch *batch, struct err *err)
{
    static struct columns columns;
    bool left = false;
    if (text.ptr[0] == '<')
        return cut_winxml(&columns, text, batch, 0, &left, err);
    struct json_scanner *scanner = json_scanner_new();
    struct json_tokens tokens;
    assert_int_equal(json_scan(scanner, text, 16, NULL, &tokens, err), 0);
    int result = cut_winjson(&columns, &tokens, batch, 0, &left, err);
    json_scanner_free(scanner);
    return result;
}

/* Event XML, or its tree as JSON. */
static void expect_event(const char *text, const char *wanted)
{
    struct batch *batch = batch_new(1 << 24);
    struct buffer to;
    struct json json;
    struct err err;
    assert_non_null(batch_add_row(batch));
    if (cut_event(slice_text(text), batch, &err) < 0) {
        assert_string_equal(err.text, wanted);
    } else {
        buffer_init(&to, 1 << 20);
        json_init(&json, &to);
        batch_row_to_json(batch, 0, &json);
        buffer_put_char(&to, '\0');
        assert_string_equal(to.ptr, wanted);
        buffer_close(&to);
    }
    batch_free(batch);
}

static void windows_events_become_fields(void **state)
{
    (void)state;
    expect_event(
        "<Event><System><Provider Name='P'/><EventID>7</EventID><X Y='z'/></System>"
        "<EventData><Data Name='Threat Name'>a&amp;b</Data><Data>1</Data><Data/></EventData>"
        "</Event>",
        "{\"winlog.event_data.Data\":[\"1\",\"\"],\"winlog.event_data.ThreatName\":\"a&b\","
        "\"winlog.event_id\":\"7\",\"winlog.provider_name\":\"P\",\"winlog.system.X_Y\":\"z\"}");
    expect_event("<Event><UserData><A xmlns='x'><B>1<!-- c -->2</B></A></UserData></Event>",
               "{\"winlog.event_data.B\":\"12\"}");
    expect_event("<a/>", "this is no Windows event but <a>");
    expect_event("<Event><x></y></Event>", "the XML is broken at byte 13: an end tag does not fit");
    expect_event("<!DOCTYPE x><Event/>", "the XML is broken at byte 0: document types are not read");
    expect_event("<Event>", "the XML is broken at byte 7: the text ends too early");
}

/* The same event as XML and in the spellings of its tree as JSON gives the same fields. */
static void windows_events_are_the_same_as_json(void **state)
{
    (void)state;
    static const char wanted[] =
        "{\"winlog.channel\":\"C\",\"winlog.event_data.A\":\"1\",\"winlog.event_data.B\":\"\","
        "\"winlog.event_data.Data\":[\"x\",\"y\"],\"winlog.event_id\":\"7\","
        "\"winlog.event_qualifiers\":\"16\",\"winlog.provider_name\":\"P\\\"\"}";
    expect_event("<Event xmlns='n'><System><Provider Name='P&quot;'/><EventID Qualifiers='16'>7"
                 "</EventID><Channel>C</Channel><Correlation/></System><EventData><Data Name='A'>1"
                 "</Data><Data Name='B'/><Data>x</Data><Data>y</Data></EventData></Event>",
                 wanted);
    expect_event("{\"Event\":{\"#attributes\":{\"xmlns\":\"n\"},\"System\":{\"Provider\":"
                 "{\"#attributes\":{\"Name\":\"P\\\"\"}},\"EventID\":{\"#attributes\":"
                 "{\"Qualifiers\":16},\"#text\":7},\"Channel\":\"C\",\"Correlation\":null},"
                 "\"EventData\":{\"A\":1,\"B\":null,\"Data\":{\"#text\":[\"x\",\"y\"]}}}}",
                 wanted);
    expect_event("{\"Event\":{\"@xmlns\":\"n\",\"System\":{\"Provider\":{\"@Name\":\"P\\\"\"},"
                 "\"EventID\":{\"#text\":\"7\",\"@Qualifiers\":\"16\"},\"Channel\":\"C\"},"
                 "\"EventData\":{\"Data\":[{\"@Name\":\"A\",\"#text\":\"1\"},{\"@Name\":\"B\"},"
                 "\"x\",\"y\"]}}}",
                 wanted);
    expect_event("{\"Event\":{\"System\":{\"Provider_attributes\":{\"Name\":\"P\\\"\"},\"EventID\":7,"
                 "\"EventID_attributes\":{\"Qualifiers\":16},\"Channel\":\"C\"},\"EventData\":"
                 "{\"A\":1,\"B\":\"\",\"Data\":[\"x\",\"y\"]}}}",
                 wanted);
    expect_event("{\"Event\":{\"UserData\":{\"E\":{\"#attributes\":{\"xmlns\":\"n\"},\"T T\":true}}}}",
                 "{\"winlog.event_data.TT\":\"true\"}");
    expect_event("{\"Event\":[]}", "the JSON has no object \"Event\"");
    expect_event("[1]", "the JSON has no object \"Event\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syslog_has_many_habits),
        cmocka_unit_test(dissect_cuts_at_literals),
        cmocka_unit_test(pairs_and_cells),
        cmocka_unit_test(windows_events_become_fields),
        cmocka_unit_test(windows_events_are_the_same_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
