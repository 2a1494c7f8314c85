#include "base/time_modifier.h"

#include "test.h"

/* 2018-01-26T00:11:02.5Z, a Friday */
static const int64_t NOW = INT64_C(1516925462500000000);

static void reads(const char *text, const struct zone *zone, const char *wanted)
{
    int64_t ns;
    char shown[TIME_TEXT_SIZE];
    if (!time_modifier_parse(slice_text(text), NOW, zone, &ns))
        fail_msg("%s is not read", text);
    shown[time_format(ns, shown)] = '\0';
    assert_string_equal(shown, wanted);
}

static void moves_and_snaps_from_left_to_right(void **state)
{
    (void)state;
    reads("now", NULL, "2018-01-26T00:11:02.500Z");
    reads("now()", NULL, "2018-01-26T00:11:02.500Z");
    reads("-24h@h", NULL, "2018-01-25T00:00:00Z");
    reads("@d", NULL, "2018-01-26T00:00:00Z");
    reads("@w", NULL, "2018-01-21T00:00:00Z");
    reads("@w1", NULL, "2018-01-22T00:00:00Z");
    reads("-1mon@mon+2d", NULL, "2017-12-03T00:00:00Z");
    reads("-1q@q", NULL, "2017-10-01T00:00:00Z");
    reads("@y", NULL, "2018-01-01T00:00:00Z");
    reads("+7d@d", NULL, "2018-02-02T00:00:00Z");
    reads("-5minutes@m", NULL, "2018-01-26T00:06:00Z");
}

static void days_are_those_of_the_zone(void **state)
{
    (void)state;
    const struct zone *tokyo = zone_find(SLICE("Asia/Tokyo"));
    reads("@d", tokyo, "2018-01-25T15:00:00Z");
    reads("01/26/2018:00:11:02", tokyo, "2018-01-25T15:11:02Z");
}

static void reads_absolute_times(void **state)
{
    (void)state;
    reads("0", NULL, "1970-01-01T00:00:00Z");
    reads("1516924800.25", NULL, "2018-01-26T00:00:00.250Z");
    reads("2018-01-26T00:11:02+09:00", NULL, "2018-01-25T15:11:02Z");
}

static void months_are_clipped_to_their_end(void **state)
{
    int64_t ns;
    (void)state;
    int64_t end_of_march = INT64_C(1522454400) * NS_PER_SECOND; /* 2018-03-31 */
    assert_true(time_add_units(end_of_march, -1, TIME_UNIT_MONTH, NULL, &ns));
    assert_int_equal(ns, INT64_C(1519776000) * NS_PER_SECOND); /* 2018-02-28 */
}

static void refuses_what_is_no_time(void **state)
{
    static const char *const texts[] = {"", "-", "@", "-24x", "@q9", "yesterday", "1h@@d", "--1d"};
    int64_t ns;
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        assert_false(time_modifier_parse(slice_text(texts[i]), NOW, NULL, &ns));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_and_snaps_from_left_to_right),
        cmocka_unit_test(days_are_those_of_the_zone),
        cmocka_unit_test(reads_absolute_times),
        cmocka_unit_test(months_are_clipped_to_their_end),
        cmocka_unit_test(refuses_what_is_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
