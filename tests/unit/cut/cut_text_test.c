/* Syslog headers, dissect, kv, csv and XML. */
#include "base/clock.h"
#include "cut/csv.h"
#include "cut/dissect.h"
#include "cut/kv.h"
#include "cut/syslog.h"
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
    struct kv kv = {SLICE("a=1 word b=\"x \\\" y\" c= d"), ' ', '='};
    struct kv_pair pair;
    assert_true(kv_next(&kv, &pair) && slice_is(pair.key, "a") && slice_is(pair.value, "1"));
    assert_true(kv_next(&kv, &pair) && pair.escaped);
    assert_true(slice_is(kv_unescape(pair.value, arena), "x \" y"));
    assert_true(kv_next(&kv, &pair) && slice_is(pair.key, "c") && pair.value.len == 0);
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

static void expect_xml(const char *xml, const char *wanted)
{
    static struct columns columns;
    struct batch *batch = batch_new(1 << 24);
    struct buffer to;
    struct json json;
    struct err err;
    bool left = false;
    assert_non_null(batch_add_row(batch));
    if (cut_winxml(&columns, slice_text(xml), batch, 0, &left, &err) < 0) {
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
    expect_xml(
        "<Event><System><Provider Name='P'/><EventID>7</EventID><X Y='z'/></System>"
        "<EventData><Data Name='Threat Name'>a&amp;b</Data><Data>1</Data><Data/></EventData>"
        "</Event>",
        "{\"winlog.event_data.Data\":[\"1\",\"\"],\"winlog.event_data.ThreatName\":\"a&b\","
        "\"winlog.event_id\":\"7\",\"winlog.provider_name\":\"P\",\"winlog.system.X_Y\":\"z\"}");
    expect_xml("<Event><UserData><A xmlns='x'><B>1<!-- c -->2</B></A></UserData></Event>",
               "{\"winlog.event_data.B\":\"12\"}");
    expect_xml("<a/>", "the XML is no Windows event but <a>");
    expect_xml("<Event><x></y></Event>", "the XML is broken at byte 13: an end tag does not fit");
    expect_xml("<!DOCTYPE x><Event/>", "the XML is broken at byte 0: document types are not read");
    expect_xml("<Event>", "the XML is broken at byte 7: the text ends too early");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syslog_has_many_habits),
        cmocka_unit_test(dissect_cuts_at_literals),
        cmocka_unit_test(pairs_and_cells),
        cmocka_unit_test(windows_events_become_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
