#include "base/cron.h"

#include "test.h"

#include <stdio.h>

static int64_t instant(const char *text)
{
    int64_t t = 0;
    bool seen;
    assert_true(time_parse_rfc3339(slice_text(text), &t, &seen));
    return t;
}

/* The due times after from, up to the NULL. */
static void expect(const char *text, const char *zone_name, const char *from, const char *const *wanted)
{
    struct cron cron;
    struct err err;
    const struct zone *zone = zone_find(slice_text(zone_name));
    assert_non_null(zone);
    if (cron_parse(slice_text(text), &cron, &err) < 0)
        fail_msg("%s", err.text);
    int64_t at = instant(from);
    for (; *wanted; wanted++) {
        char got[TIME_TEXT_SIZE];
        assert_true(cron_next(&cron, zone, at, &at));
        got[time_format(at, got)] = '\0';
        if (at != instant(*wanted))
            fail_msg("%s: %s, not %s", text, got, *wanted);
    }
}

#define EXPECT(text, zone, from, ...) \
    expect(text, zone, from, (const char *const[]){__VA_ARGS__, NULL})

static void fields_mean_what_they_mean_in_crontab(void **state)
{
    (void)state;
    EXPECT("*/10 * * * *", "UTC", "2026-01-01T00:05:00Z", "2026-01-01T00:10:00Z", "2026-01-01T00:20:00Z");
    EXPECT("*/10 * * * *", "UTC", "2026-01-01T00:10:00Z", "2026-01-01T00:20:00Z");
    EXPECT("5,1-3,50-59/4 23 * * *", "UTC", "2026-01-01T23:03:30Z", "2026-01-01T23:05:00Z",
           "2026-01-01T23:50:00Z", "2026-01-01T23:54:00Z", "2026-01-01T23:58:00Z", "2026-01-02T23:01:00Z");
    EXPECT("0 9 * * mon-FRI", "Asia/Tokyo", "2026-01-02T00:00:00Z", "2026-01-05T00:00:00Z"); /* a Friday, 9:00 */
    EXPECT("0 0 * * 7", "UTC", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z");
    EXPECT("0 0 29 feb *", "UTC", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"); /* 2100 has none */
    /* either day, when both are there; both, when one begins with a star */
    EXPECT("0 0 13 * 5", "UTC", "2026-01-08T00:00:00Z", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z",
           "2026-01-16T00:00:00Z");
    EXPECT("0 0 */2 * 5", "UTC", "2026-01-01T00:00:00Z", "2026-01-09T00:00:00Z", "2026-01-23T00:00:00Z");
    EXPECT("0 12 31 12 *", "UTC", "2026-01-01T00:00:00Z", "2026-12-31T12:00:00Z", "2027-12-31T12:00:00Z");
}

/* 29 March 2026, Berlin: 02:00 becomes 03:00 (01:00Z). 8 March, New York: 02:00 becomes 03:00 (07:00Z). */
static void a_time_that_does_not_exist_is_the_change(void **state)
{
    (void)state;
    EXPECT("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-28T01:30:00Z",
           "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z");
    EXPECT("30 2 * * *", "America/New_York", "2026-03-07T06:00:00Z", "2026-03-07T07:30:00Z",
           "2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z");
    /* several of them are one, also with a time that is there: 3:00 */
    EXPECT("*/20 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z",
           "2026-03-29T01:20:00Z", "2026-03-29T01:40:00Z", "2026-03-30T00:00:00Z");
    EXPECT("0 */2 * * *", "Europe/Berlin", "2026-03-28T22:30:00Z", "2026-03-28T23:00:00Z",
           "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z", "2026-03-29T04:00:00Z");
    /* each hour that passes has its minutes */
    EXPECT("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T00:30:00Z",
           "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z");
    /* midnight itself is skipped, and a whole day (Apia had no 30 December 2011) */
    EXPECT("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", "2018-11-04T03:00:00Z",
           "2018-11-05T02:00:00Z");
    EXPECT("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", "2011-12-30T10:00:00Z");
}

/* 25 October 2026, Berlin: 03:00 becomes 02:00 (01:00Z). 1 November, New York: 02:00 becomes 01:00 (06:00Z). */
static void a_time_that_exists_twice_is_the_first(void **state)
{
    (void)state;
    EXPECT("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z",
           "2026-10-26T01:30:00Z");
    EXPECT("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", "2026-11-01T05:30:00Z",
           "2026-11-02T06:30:00Z");
    EXPECT("*/30 1-2 * * *", "America/New_York", "2026-11-01T04:00:00Z", "2026-11-01T05:00:00Z",
           "2026-11-01T05:30:00Z", "2026-11-01T07:00:00Z", "2026-11-01T07:30:00Z", "2026-11-02T06:00:00Z");
    EXPECT("30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z", "2026-10-25T00:30:00Z",
           "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z");
    /* the clocks went back over midnight, at 00:01: 23:30 was twice, around the new day's begin */
    EXPECT("0,30 * * * *", "America/St_Johns", "2006-10-29T01:45:00Z", "2006-10-29T02:00:00Z",
           "2006-10-29T02:30:00Z", "2006-10-29T03:00:00Z", "2006-10-29T03:30:00Z");
}

/* Whatever the fields, a due time is after the one before, and what it says. */
static void due_times_ascend_over_years(void **state)
{
    static const char *const texts[] = {"*/7 * * * *", "13 */5 * * *", "0,59 0-3 1,15,31 * *", "* 2 * 3,10 0"};
    static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"};
    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 4; k++) {
            struct cron cron;
            struct err err;
            struct time_parts local;
            const struct zone *zone = zone_find(slice_text(zones[k]));
            int64_t at = instant("2025-12-31T00:00:00Z"), end = instant("2027-01-02T00:00:00Z"), next;
            size_t off = 0;
            assert_int_equal(cron_parse(slice_text(texts[i]), &cron, &err), 0);
            for (; cron_next(&cron, zone, at, &next) && next < end; at = next) {
                assert_true(next > at);
                zone_split(zone, next, &local);
                off += !(cron.minutes >> local.minute & 1) || !(cron.hours >> local.hour & 1);
            }
            assert_true(off <= 1); /* the change in spring */
        }
}

static void says_what_is_wrong(void **state)
{
    static const char *const wrong[][2] = {
        {"* * * *", "a cron schedule has five fields, minute hour day month weekday, such as "
                    "\"*/10 * * * *\", in at most 256 bytes"},
        {"* * * * * *", "a cron schedule has five fields, minute hour day month weekday, such as "
                        "\"*/10 * * * *\", in at most 256 bytes"},
        {"60 * * * *", "the minute of a cron schedule is 0 to 59, such as 5, 1-5, 1,3 or */2; '60' is none"},
        {"* * * foo *", "the month of a cron schedule is 1 to 12 or names, such as 5, 1-5, 1,3 or */2; 'foo' "
                        "is none"},
        {"5/10 * * * *", "the minute of a cron schedule: a step such as /10 follows * or a span, '5/10' does "
                         "not"},
        {"*/0 * * * *", "the minute of a cron schedule: a step such as /10 follows * or a span, '*/0' does "
                        "not"},
        {"0 22-4 * * *", "the hour of a cron schedule: '22-4' ends before it begins; write two spans, such as "
                         "22-23,0-4"},
        {"0 0 30 2 *", "no year has a day for the cron schedule '0 0 30 2 *'"},
        {"0 0 1, * *", "the day of the month of a cron schedule is 1 to 31, such as 5, 1-5, 1,3 or */2; '' is "
                       "none"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct cron cron;
        struct err err;
        assert_int_equal(cron_parse(slice_text(wrong[i][0]), &cron, &err), -1);
        assert_string_equal(err.text, wrong[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_mean_what_they_mean_in_crontab),
        cmocka_unit_test(a_time_that_does_not_exist_is_the_change),
        cmocka_unit_test(a_time_that_exists_twice_is_the_first),
        cmocka_unit_test(due_times_ascend_over_years),
        cmocka_unit_test(says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
