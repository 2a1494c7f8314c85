/* Zones and wrong clocks, told apart from what is only late. */
#include "test.h"

#include "base/time.h"
#include "table/clock_skew.h"

#include <stdlib.h>

#define START_NS (1767571200 * NS_PER_SECOND)

/* Stamps of whole seconds, as RFC 3164 has them; most events are late, some by minutes. */
static struct clock_skew_found send(int64_t ahead_ns, int events)
{
    struct clock_skew skew = {0};
    unsigned dice = 7;
    for (int i = 0; i < events; i++) {
        int64_t sent = START_NS + i * 7 * NS_PER_SECOND, stamp = sent + ahead_ns;
        dice = dice * 1103515245U + 12345U;
        int64_t late = (dice >> 16) % 10 == 0 ? (int64_t)((dice >> 8) % 300) * NS_PER_SECOND : 30 * NS_PER_MS;
        clock_skew_take(&skew, stamp - stamp % NS_PER_SECOND, sent + late);
    }
    return clock_skew_find(&skew);
}

static void check(int64_t zone_ns, int64_t skew_ns, int events)
{
    struct clock_skew_found found = send(zone_ns + skew_ns, events);
    assert_true(found.known);
    assert_int_equal(found.zone_ns, zone_ns);
    if (llabs(found.skew_ns - skew_ns) > 5 * NS_PER_SECOND)
        fail_msg("%lld s, not %lld", (long long)(found.skew_ns / NS_PER_SECOND), (long long)(skew_ns / NS_PER_SECOND));
}

static void zones_and_clocks_are_told_apart(void **state)
{
    (void)state;
    for (int events = 5; events < 2000; events *= 4) {
        check(0, 0, events);
        check(9 * NS_PER_HOUR, 0, events);
        check(-5 * NS_PER_HOUR, 0, events);
        check(5 * NS_PER_HOUR + 45 * NS_PER_MINUTE, 30 * NS_PER_SECOND, events);
        check(0, 7 * NS_PER_MINUTE, events);
        check(0, -7 * NS_PER_MINUTE, events);
        check(0, 3 * NS_PER_HOUR + 7 * NS_PER_MINUTE, events);
        check(0, 20 * NS_PER_HOUR, events); /* no zone is so far away */
    }
}

static void little_or_old_says_nothing(void **state)
{
    (void)state;
    assert_false(send(0, 2).known);
    assert_false(send(-40 * NS_PER_DAY, 100).known);
    assert_false(send(INT64_MAX / 2 - START_NS, 100).known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zones_and_clocks_are_told_apart),
        cmocka_unit_test(little_or_old_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
