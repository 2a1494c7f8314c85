/* What hinomi watch makes of an answer. */
#include "test.h"

#include "app/watch_judge.h"
#include "base/clock.h"
#include "base/limits.h"

#define NOON (INT64_C(1516924800) * NS_PER_SECOND) /* 2018-01-26T00:00:00Z */

static enum heartbeat_state judged(struct watch_judge *judge, int status, const char *body, int64_t off_s, int64_t waited_s)
{
    struct arena *arena = arena_new(1 * MIB);
    enum heartbeat_state state = watch_judge(judge, status, slice_text(body), NOON + off_s * NS_PER_SECOND, waited_s * NS_PER_SECOND, arena);
    arena_free(arena);
    return state;
}

#define OK_BODY "{\"status\":\"ok\",\"time\":\"2018-01-26T00:00:00Z\",\"problems\":[]}"

static void a_clock_may_be_half_a_minute_off(void **state)
{
    (void)state;
    static const struct {
        int64_t off_s, waited_s;
        const char *why; /* NULL: ok */
    } cases[] = {{0, 0, NULL}, {30, 0, NULL}, {-30, 0, NULL}, {37, 8, NULL}, /* it answered, and then the way took long */
                 {31, 0, "its clock is 31 s behind ours; one of the two is wrong"}, {-31, 0, "its clock is 31 s ahead of ours; one of the two is wrong"},
                 {-31, 8, "its clock is 31 s ahead of ours; one of the two is wrong"}, {86400, 0, "its clock is 86400 s behind ours; one of the two is wrong"}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct watch_judge judge = {0};
        enum heartbeat_state got = judged(&judge, 200, OK_BODY, cases[i].off_s, cases[i].waited_s);
        assert_int_equal(got, cases[i].why ? HEARTBEAT_DEGRADED : HEARTBEAT_OK);
        assert_string_equal(judge.en, cases[i].why ? cases[i].why : "");
    }
}

static void problems_are_said_in_both_languages(void **state)
{
    (void)state;
    struct watch_judge judge = {0};
    assert_int_equal(judged(&judge, 503, "{\"status\":\"degraded\",\"time\":\"2018-01-26T00:00:00Z\",\"problems\":[\"disk\",\"journal\"]}", 0, 0), HEARTBEAT_DEGRADED);
    assert_string_equal(judge.en, "it says: its disk is full, its journal cannot be written");
    assert_string_equal(judge.ja, "ディスクに空きがありません、ジャーナルに書き込めません");
    judge = (struct watch_judge){0}; /* of a newer server; a word with a terminal's codes is none */
    assert_int_equal(judged(&judge, 200, "{\"status\":\"ok\",\"time\":\"2018-01-26T00:00:00Z\",\"problems\":[\"wake\",\"\\u001b[2J\",7]}", 0, 0), HEARTBEAT_DEGRADED);
    assert_string_equal(judge.en, "it says: wake, ?, ?");
    judge = (struct watch_judge){0}; /* of an older one */
    assert_int_equal(judged(&judge, 503, "{\"status\":\"degraded\",\"time\":\"2018-01-26T00:00:00Z\"}", 0, 0), HEARTBEAT_DEGRADED);
    assert_string_equal(judge.en, "it says that it is degraded");
}

static void what_is_no_hinomi_is_gone(void **state)
{
    (void)state;
    static const char *const bodies[] = {"", "<html>", "{}", "[]", "{\"status\":\"ok\"}", "{\"status\":\"fine\",\"time\":\"2018-01-26T00:00:00Z\"}",
                                         "{\"status\":\"degraded\",\"time\":\"soon\"}"};
    for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
        struct watch_judge judge = {0};
        assert_int_equal(judged(&judge, 200, bodies[i], 0, 0), HEARTBEAT_GONE);
        assert_string_equal(judge.en, "what answers there (HTTP 200) is no Hinomi");
    }
    struct watch_judge judge = {0};
    assert_int_equal(judged(&judge, 200, OK_BODY, 0, 0), HEARTBEAT_OK);
    assert_int_equal(judged(&judge, 200, OK_BODY, 1, 0), HEARTBEAT_GONE); /* the same time again */
    assert_string_equal(judge.en, "its answer is an old one: something else repeats it, or its clock stands still");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_may_be_half_a_minute_off),
        cmocka_unit_test(problems_are_said_in_both_languages),
        cmocka_unit_test(what_is_no_hinomi_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
