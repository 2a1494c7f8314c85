#include "base/zone.h"

#include "test.h"

static int64_t instant(const char *text)
{
    int64_t t = 0;
    bool seen;
    assert_true(time_parse_rfc3339(slice_text(text), &t, &seen));
    return t;
}

static void expect_offset(const char *zone, const char *utc, int32_t offset_s)
{
    const struct zone *found = zone_find(slice_text(zone));
    assert_non_null(found);
    assert_int_equal(zone_offset(found, instant(utc)), offset_s);
}

static void offsets_follow_the_zone_file(void **state)
{
    (void)state;
    expect_offset("Asia/Tokyo", "2018-01-26T00:00:00Z", 32400);
    expect_offset("Asia/Tokyo", "1950-07-01T00:00:00Z", 36000);
    expect_offset("Europe/Berlin", "2024-03-31T00:59:59Z", 3600);
    expect_offset("Europe/Berlin", "2024-03-31T01:00:00Z", 7200);
    expect_offset("America/New_York", "2024-11-03T05:59:59Z", -14400);
    expect_offset("America/New_York", "2024-11-03T06:00:00Z", -18000);
    expect_offset("Asia/Kathmandu", "2024-01-01T00:00:00Z", 20700);
    /* behind the last transition of the file: the rule of its footer */
    expect_offset("Europe/Berlin", "2090-07-01T00:00:00Z", 7200);
    expect_offset("Europe/Berlin", "2090-12-01T00:00:00Z", 3600);
    expect_offset("Australia/Sydney", "2090-12-01T00:00:00Z", 39600);
    expect_offset("Europe/Dublin", "2090-07-01T00:00:00Z", 3600);
}

static void fixed_offsets_are_zones(void **state)
{
    (void)state;
    expect_offset("+09:00", "2024-01-01T00:00:00Z", 32400);
    expect_offset("-0330", "2024-01-01T00:00:00Z", -12600);
    expect_offset("+9", "2024-01-01T00:00:00Z", 32400);
    expect_offset("+0000", "2024-01-01T00:00:00Z", 0);
    expect_offset("utc", "2024-01-01T00:00:00Z", 0);
    int32_t s;
    assert_false(zone_parse_offset(SLICE("+09:0"), &s));
    assert_false(zone_parse_offset(SLICE("+9999"), &s));
    assert_false(zone_parse_offset(SLICE("09"), &s));
}

static void unknown_and_unsafe_names_are_refused(void **state)
{
    (void)state;
    assert_null(zone_find(SLICE("Mars/Olympus")));
    assert_null(zone_find(SLICE("Mars/Olympus")));
    assert_null(zone_find(SLICE("../../../etc/passwd")));
    assert_null(zone_find(SLICE("/etc/localtime")));
    assert_null(zone_find(SLICE("")));
}

static void expect_utc(const char *local, int fold, const char *utc)
{
    struct time_parts parts;
    int64_t t;
    time_split(instant(local), &parts);
    assert_true(zone_to_utc(zone_find(SLICE("Europe/Berlin")), &parts, fold, &t));
    assert_int_equal(t, instant(utc));
}

static void local_times_become_instants(void **state)
{
    (void)state;
    expect_utc("2024-07-01T12:00:00Z", 0, "2024-07-01T10:00:00Z");
    /* happens twice */
    expect_utc("2024-10-27T02:30:00Z", 0, "2024-10-27T00:30:00Z");
    expect_utc("2024-10-27T02:30:00Z", 1, "2024-10-27T01:30:00Z");
    /* never happens */
    expect_utc("2024-03-31T02:30:00Z", 0, "2024-03-31T01:30:00Z");
    expect_utc("2024-03-31T02:30:00Z", 1, "2024-03-31T00:30:00Z");
}

static void damaged_files_are_no_zones(void **state)
{
    (void)state;
    char bytes[64] = "TZif2";
    assert_null(zone_from_bytes(slice_of(bytes, 10)));
    assert_null(zone_from_bytes(slice_of(bytes, 44)));
    memset(bytes + 20, 0xff, 24);
    assert_null(zone_from_bytes(slice_of(bytes, 64)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_follow_the_zone_file),
        cmocka_unit_test(fixed_offsets_are_zones),
        cmocka_unit_test(unknown_and_unsafe_names_are_refused),
        cmocka_unit_test(local_times_become_instants),
        cmocka_unit_test(damaged_files_are_no_zones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
