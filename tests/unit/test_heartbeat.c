#include "test.h"

#include "app/heartbeat.h"

#include <string.h>

/* A row of checks: o ok, d degraded, g gone; what each must lead to: . nothing, D down, U up. */
static void check(uint32_t after, const char *checks, const char *events)
{
    struct heartbeat heartbeat = {.after = after};
    assert_int_equal(strlen(checks), strlen(events));
    for (size_t i = 0; checks[i]; i++) {
        enum heartbeat_state state = checks[i] == 'o'   ? HEARTBEAT_OK
                                     : checks[i] == 'd' ? HEARTBEAT_DEGRADED
                                                        : HEARTBEAT_GONE;
        enum heartbeat_event want = events[i] == 'D'   ? HEARTBEAT_DOWN
                                    : events[i] == 'U' ? HEARTBEAT_UP
                                                       : HEARTBEAT_NOTHING;
        enum heartbeat_event got = heartbeat_note(&heartbeat, state, (int64_t)i);
        if (got != want)
            fail_msg("%s after %u: check %zu gives %d", checks, after, i, got);
    }
}

static void tells_once_and_takes_back_once(void **state)
{
    (void)state;
    check(1, "ogggoo", ".D..U.");
    check(2, "ogogog", "......");
    check(2, "ggggo", ".D..U");
    check(3, "gdgoggo", "..DU...");
    check(3, "oooo", "....");
    check(2, "ddogg", ".DU.D");
}

static void remembers_when_it_began(void **state)
{
    (void)state;
    struct heartbeat heartbeat = {.after = 2};
    assert_int_equal(heartbeat_note(&heartbeat, HEARTBEAT_GONE, 100), HEARTBEAT_NOTHING);
    assert_int_equal(heartbeat_note(&heartbeat, HEARTBEAT_GONE, 130), HEARTBEAT_DOWN);
    assert_int_equal(heartbeat.since_ns, 100);
    assert_int_equal(heartbeat_note(&heartbeat, HEARTBEAT_OK, 160), HEARTBEAT_UP);
    assert_int_equal(heartbeat.since_ns, 100);
    assert_int_equal(heartbeat_note(&heartbeat, HEARTBEAT_GONE, 190), HEARTBEAT_NOTHING);
    assert_int_equal(heartbeat.since_ns, 190);
}

static void tells_again_ever_more_rarely(void **state)
{
    (void)state;
    struct heartbeat heartbeat = {.after = 1, .again_ns = 10, .again_most_ns = 35};
    char events[200] = "";
    for (int64_t at = 0; at < 130; at++)
        events[at] = "nDAU"[heartbeat_note(&heartbeat, at == 129 ? HEARTBEAT_OK : HEARTBEAT_GONE, at)];
    for (int64_t at = 0; at < 130; at++)
        assert_int_equal(events[at], at == 0 ? 'D' : at == 10 || at == 30 || at == 65 || at == 100 ? 'A' : at == 129 ? 'U' : 'n');
    assert_int_equal(heartbeat_note(&heartbeat, HEARTBEAT_GONE, 200), HEARTBEAT_DOWN); /* and begins anew */
    assert_int_equal(heartbeat_note(&heartbeat, HEARTBEAT_GONE, 210), HEARTBEAT_AGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_once_and_takes_back_once),
        cmocka_unit_test(remembers_when_it_began),
        cmocka_unit_test(tells_again_ever_more_rarely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
