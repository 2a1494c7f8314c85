#include "base/time_pattern.h"

#include "base/buffer.h"

#include "test.h"

static int64_t instant(const char *text)
{
    int64_t t = 0;
    bool seen;
    assert_true(time_parse_rfc3339(slice_text(text), &t, &seen));
    return t;
}

static void expect_parsed(const char *pattern, const char *text, const char *zone, const char *near,
                          const char *wanted)
{
    struct time_pattern_in in = {zone_find(slice_text(zone)), instant(near)};
    char got[TIME_TEXT_SIZE] = "no";
    int64_t t;
    size_t used;
    struct err err;
    assert_int_equal(time_pattern_check(slice_text(pattern), &err), 0);
    if (time_pattern_parse(slice_text(pattern), slice_text(text), &in, &t, &used))
        got[time_format(t, got)] = '\0';
    assert_string_equal(got, wanted);
}

#define NOW "2018-01-26T00:00:00Z"

static void reads_usual_stamps(void **state)
{
    (void)state;
    expect_parsed("%d/%b/%Y:%H:%M:%S %z", "26/Jan/2018:09:11:02 +0900", "UTC", NOW,
                  "2018-01-26T00:11:02Z");
    expect_parsed("%Y-%m-%d %H:%M:%S.%3N", "2018-01-26 09:11:02.114", "Asia/Tokyo", NOW,
                  "2018-01-26T00:11:02.114Z");
    expect_parsed("%FT%T%:z", "2018-01-26T09:11:02+09:00", "UTC", NOW, "2018-01-26T00:11:02Z");
    expect_parsed("%m/%d/%y %I:%M:%S %p", "1/26/18 12:05:00 am", "UTC", NOW,
                  "2018-01-26T00:05:00Z");
    expect_parsed("%a %b %e %T %Z %Y", "Fri Jan 26 09:00:00 JST 2018", "UTC", NOW,
                  "2018-01-26T00:00:00Z");
    expect_parsed("%s.%6N", "1516925462.114000", "UTC", NOW, "2018-01-26T00:11:02.114Z");
    expect_parsed("%Y-%j", "2024-060", "UTC", NOW, "2024-02-29T00:00:00Z");
    expect_parsed("%H:%M", "10:30", "UTC", NOW, "2018-01-26T10:30:00Z");
    expect_parsed("%Y-%m", "2017-05", "UTC", NOW, "2017-05-01T00:00:00Z");
    expect_parsed("%Y-%m-%d", "2017-02-29", "UTC", NOW, "no");
    expect_parsed("%H:%M:%S", "25:00:00", "UTC", NOW, "no");
    expect_parsed("%Y-%m-%dT%H:%M:%S", "2016-12-31T23:59:60", "UTC", NOW, "2017-01-01T00:00:00Z");
}

static void a_missing_year_is_the_last_that_has_been(void **state)
{
    (void)state;
    expect_parsed("%b %e %T", "Dec 31 23:59:59", "UTC", "2018-01-01T00:00:05Z",
                  "2017-12-31T23:59:59Z");
    expect_parsed("%b %e %T", "Jan  1 00:00:01", "UTC", "2017-12-31T23:59:50Z",
                  "2018-01-01T00:00:01Z");
    expect_parsed("%b %e %T", "Jan 1 00:30:00", "Asia/Tokyo", "2017-12-31T15:30:10Z",
                  "2017-12-31T15:30:00Z");
    expect_parsed("%b %e %T", "Feb 29 12:00:00", "UTC", "2023-03-01T00:00:00Z",
                  "2020-02-29T12:00:00Z");
    expect_parsed("%b %e %T", "Mar  5 00:00:00", "UTC", "2026-03-01T00:00:00Z",
                  "2026-03-05T00:00:00Z"); /* a clock that is fast */
    expect_parsed("%b %e %T", "Mar 15 00:00:00", "UTC", "2026-03-01T00:00:00Z",
                  "2025-03-15T00:00:00Z");
    expect_parsed("%b %d %T", "Aug 8 08:08:08", "UTC", "2018-01-26T00:00:00Z",
                  "2017-08-08T08:08:08Z");
}

static void expect_printed(const char *pattern, const char *zone, const char *time,
                           const char *wanted)
{
    struct buffer to;
    buffer_init(&to, 4096);
    time_pattern_format(slice_text(pattern), instant(time), zone_find(slice_text(zone)), &to);
    buffer_put_char(&to, '\0');
    assert_string_equal(to.ptr, wanted);
    buffer_close(&to);
}

static void prints_as_strftime_does(void **state)
{
    (void)state;
    expect_printed("%F %T.%3N %:z %Z", "Asia/Tokyo", "2018-01-26T00:11:02.114Z",
                   "2018-01-26 09:11:02.114 +09:00 JST");
    expect_printed("%a %A %b %B %e %k %l %p %j %y", "UTC", "2018-01-05T03:04:05Z",
                   "Fri Friday Jan January  5  3  3 AM 005 18");
    expect_printed("%G-W%V-%u %U %w", "UTC", "2021-01-03T00:00:00Z", "2020-W53-7 01 0");
    expect_printed("%G-W%V %U", "UTC", "2019-12-30T00:00:00Z", "2020-W01 52");
    expect_printed("%s %Q %f %9N %%", "UTC", "2018-01-26T00:11:02.114Z",
                   "1516925462 114 114000 114000000 %");
    expect_printed("%q 100%", "UTC", "2018-01-26T00:00:00Z", "%q 100%");
    expect_printed("%c|%x|%X|%D|%R", "UTC", "2018-01-05T03:04:05Z",
                   "Fri Jan  5 03:04:05 2018|01/05/18|03:04:05|01/05/18|03:04");
}

static void wrong_patterns_are_named(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(time_pattern_check(SLICE("%Y %q"), &err), -1);
    assert_string_equal(err.text, "the time pattern has an unknown directive at byte 3: %q");
    assert_int_equal(err.start, 3);
    assert_int_equal(time_pattern_check(SLICE("%"), &err), -1);
    assert_int_equal(time_pattern_check(SLICE("%3S"), &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_usual_stamps),
        cmocka_unit_test(a_missing_year_is_the_last_that_has_been),
        cmocka_unit_test(prints_as_strftime_does),
        cmocka_unit_test(wrong_patterns_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
