#include "gate_fixture.h"

/* ---- what is decided ---- */

static void decides_by_share_of_the_balance(void **state)
{
    struct fixture *f = *state;
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "balance-unknown");
    observe_balance(f, "1000");
    struct gate_answer small = ask(f, withdrawal("b", "1"));
    is(small, GATE_ALLOW, "otherwise");
    assert_true(small.token.len > 0 && small.policy_version.len > 0);
    struct gate_answer large = ask(f, withdrawal("c", "50.01"));
    is(large, GATE_HOLD, "large-share");
    assert_int_equal(large.token.len, 0);
    assert_int_equal(large.reason_count, 1);
    assert_true(slice_find(large.reasons_en[0], SLICE("50.01 ABC")) >= 0);
    assert_true(slice_find(large.reasons_ja[0], SLICE("1000")) >= 0);
    is(ask(f, withdrawal("d", "10.01")), GATE_HOLD, "new-destination");
    is(ask(f, withdrawal("e", "-1")), GATE_DENY, "malformed");
    struct gate_request old = withdrawal("g", "1");
    old.at_ns -= NS_PER_HOUR;
    is(ask(f, old), GATE_DENY, "request-time");
}

static void decides_by_what_the_account_did(void **state)
{
    struct fixture *f = *state;
    observe_withdrawal(f, "19.5");
    observe_balance(f, "1000");
    is(ask(f, withdrawal("a", "0.5")), GATE_ALLOW, "otherwise");
    is(ask(f, withdrawal("b", "0.51")), GATE_HOLD, "account-velocity");
    struct gate_request other = withdrawal("c", "0.51");
    other.account = SLICE("u2");
    is(ask(f, other), GATE_ALLOW, "otherwise");
}

/* Events come later than requests: what was allowed counts at once, and after a restart. */
static void counts_what_it_allowed_itself(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "1000");
    is(ask(f, withdrawal("a", "9")), GATE_ALLOW, "otherwise");
    is(ask(f, withdrawal("a", "9")), GATE_ALLOW, "otherwise");
    is(ask(f, withdrawal("b", "9")), GATE_ALLOW, "otherwise");
    is(ask(f, withdrawal("c", "3")), GATE_HOLD, "account-velocity");
    restart(f);
    observe_balance(f, "1000");
    is(ask(f, withdrawal("d", "3")), GATE_HOLD, "account-velocity");
    for (int i = 0; i < 9; i++) {
        char id[8], account[8];
        (void)snprintf(id, sizeof(id), "e%d", i);
        (void)snprintf(account, sizeof(account), "x%d", i);
        struct gate_request request = withdrawal(id, "10");
        request.account = slice_text(account);
        is(ask(f, request), i < 8 ? GATE_ALLOW : GATE_HOLD, i < 8 ? "otherwise" : "asset-velocity");
    }
}

static void holds_while_an_incident_touches(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "1000");
    static const char *const touched[][2] = {
        {"asset", "ABC"}, {"user", "u1"}, {"wallet", "hot1"}, {"address", "dest1"}};
    for (size_t i = 0; i < ARRAY_COUNT(touched); i++) {
        char id[8];
        set_incident(f, touched[i][0], touched[i][1], true);
        (void)snprintf(id, sizeof(id), "i%zu", i);
        struct gate_answer answer = ask(f, withdrawal(id, "1"));
        is(answer, GATE_HOLD, "open-incident");
        assert_true(slice_is(answer.incident, "INC-1"));
    }
    set_incident(f, "asset", "other", true);
    is(ask(f, withdrawal("x", "1")), GATE_ALLOW, "otherwise");
    set_incident(f, "asset", "ABC", true);
    set_incident(f, "asset", "ABC", false);
    is(ask(f, withdrawal("y", "1")), GATE_ALLOW, "otherwise");
    is(ask(f, withdrawal("i0", "1")), GATE_HOLD, "open-incident"); /* a hold does not end by itself */
}

/* More than the queue holds: the pipeline waits, and every event counts. */
static void loses_no_event_when_it_is_behind(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2000; i++)
        observe_withdrawal(f, "0.01");
    observe_balance(f, "1000");
    is(ask(f, withdrawal("a", "0.000001")), GATE_HOLD, "account-velocity"); /* 20 and a little */
    struct gate_request other = withdrawal("b", "1");
    other.account = SLICE("u2");
    is(ask(f, other), GATE_ALLOW, "otherwise");
}

static void counts_money_exactly(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "12345678901234567890123456789012.345678");
    is(ask(f, withdrawal("a", "617283945061728394506172839450.6172840")), GATE_HOLD, "large-share");
    struct gate_request edge = withdrawal("b", "123456789012345678901234567890.12345678");
    edge.action = SLICE("transfer"); /* sums are kept for each action */
    is(ask(f, edge), GATE_ALLOW, "otherwise"); /* exactly 1 %: not more */
    edge = withdrawal("c", "123456789012345678901234567890.12345679");
    is(ask(f, edge), GATE_HOLD, "new-destination");
    observe_withdrawal(f, "0.1");
    observe_withdrawal(f, "0.2");
    observe_balance(f, "20");
    is(ask(f, withdrawal("d", "0.1")), GATE_ALLOW, "otherwise"); /* 0.1 + 0.2 + 0.1 = 0.4 = 2 % */
    is(ask(f, withdrawal("e", "0.1000000000000000000000000000000000001")), GATE_HOLD,
       "account-velocity");
}

/* ---- in doubt: hold ---- */

static void holds_when_unhealthy(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "1000");
    gate_set_health(f->gate, false, "the journal is 9 s behind");
    struct gate_answer answer = ask(f, withdrawal("a", "1"));
    is(answer, GATE_HOLD, "unhealthy");
    assert_int_equal(answer.reason_count, 2);
    assert_true(slice_is(answer.reasons_en[1], "the journal is 9 s behind"));
    assert_false(gate_stats(f->gate).healthy);
    gate_set_health(f->gate, true, NULL);
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "unhealthy"); /* that one waits for people */
    is(ask(f, withdrawal("b", "1")), GATE_ALLOW, "otherwise");
    assert_true(gate_stats(f->gate).healthy);
    gate_stop(f->gate);
    struct err err;
    assert_int_equal(gate_start(&f->config, &f->gate, &err), 0); /* nobody said it is healthy */
    is(ask(f, withdrawal("c", "1")), GATE_HOLD, "unhealthy");
}

static void holds_when_the_clock_was_moved(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "1000");
    clock_manual_advance(&f->clock, 10 * NS_PER_SECOND);
    is(ask(f, withdrawal("a", "1")), GATE_ALLOW, "otherwise");
    f->clock.wall_ns += 3 * NS_PER_SECOND;
    is(ask(f, withdrawal("b", "1")), GATE_HOLD, "clock");
    is(ask(f, withdrawal("c", "1")), GATE_HOLD, "clock");
    clock_manual_advance(&f->clock, 61 * NS_PER_SECOND);
    is(ask(f, withdrawal("d", "1")), GATE_ALLOW, "otherwise");
}

static void holds_what_cannot_be_judged(void **state)
{
    struct fixture *f = *state;
    own_policy(f, SLICE("version: \"2\"\nmode: enforce\nrows:\n"
                        "  - {name: big, when: 'request.amount > state(\"asset\", request.asset, "
                        "\"balance\")', effect: deny, reason: {en: e, ja: j}}\n"
                        "  - {name: small, when: request.amount < 5, effect: allow}\n"));
    struct gate_answer unknown = ask(f, withdrawal("a", "1"));
    is(unknown, GATE_HOLD, "big");
    assert_int_equal(unknown.reason_count, 2);
    observe_balance(f, "1000");
    is(ask(f, withdrawal("b", "1")), GATE_ALLOW, "small");
    is(ask(f, withdrawal("c", "6")), GATE_HOLD, "no-row");
    is(ask(f, withdrawal("d", "1001")), GATE_DENY, "big");
}

static void only_says_it_in_shadow_mode(void **state)
{
    struct fixture *f = *state;
    f->config.mode = GATE_MODE_POLICY;
    own_policy(f, SLICE("version: \"2\"\nmode: shadow\nrows:\n"
                        "  - {name: all, effect: hold, reason: {en: e, ja: j}}\n"));
    struct gate_answer answer = ask(f, withdrawal("a", "500"));
    is(answer, GATE_ALLOW, "all");
    assert_true(answer.shadow && answer.token.len > 0);
    assert_int_equal(holds(f).count, 0);
    assert_int_equal(gate_stats(f->gate).shadow_held, 1);
    f->config.mode = GATE_MODE_ENFORCE; /* the configuration is stronger than the file */
    restart(f);
    assert_false(gate_stats(f->gate).shadow);
    is(ask(f, withdrawal("b", "500")), GATE_HOLD, "all");
}

/* The file that comes with the program: whatever is in doubt, stopped or tightened is said, and nothing waits. */
static void holds_nothing_as_shipped(void **state)
{
    struct fixture *f = *state;
    struct err err;
    const struct gate_stop_order everything = {.scope = SLICE("all"), .by = SLICE("sato"), .reason = SLICE("a test")};
    f->config.mode = GATE_MODE_POLICY;
    restart(f);
    gate_set_health(f->gate, false, "a test");
    struct gate_answer answer = ask(f, withdrawal("sick", "1"));
    is(answer, GATE_ALLOW, "unhealthy");
    assert_true(answer.shadow && answer.reason_count > 0);
    gate_set_health(f->gate, true, NULL);
    assert_int_equal(gate_stop_set(f->gate, &everything, NULL, NULL, &err), 0);
    answer = ask(f, withdrawal("stopped", "1"));
    is(answer, GATE_ALLOW, "stopped");
    assert_true(answer.shadow);
    assert_int_equal(gate_tighten(f->gate, SLICE("INC-1"), &err), 0);
    own_policy(f, SLICE("version: \"2\"\nmode: shadow\nrows:\n  - {name: all, effect: allow}\n"));
    answer = ask(f, withdrawal("unread", "1")); /* this policy reads neither */
    is(answer, GATE_ALLOW, "tightened");
    assert_true(answer.shadow);
    assert_int_equal(holds(f).count, 0);
}

/* No policy: only the configuration can say that nothing is to be held. */
static void a_missing_policy_holds_unless_told_to_shadow(void **state)
{
    struct fixture *f = *state;
    f->config.policy_path = "/nonexistent/policy.yaml";
    f->config.mode = GATE_MODE_POLICY;
    restart(f);
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "policy");
    f->config.mode = GATE_MODE_SHADOW;
    restart(f);
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "policy"); /* held already: it waits for its people */
    struct gate_answer answer = ask(f, withdrawal("b", "1"));
    is(answer, GATE_ALLOW, "policy");
    assert_true(answer.shadow);
}

/* ---- tokens ---- */

static void binds_a_token_to_its_request(void **state)
{
    struct fixture *f = *state;
    struct err err;
    observe_balance(f, "1000");
    struct gate_request request = withdrawal("a", "1");
    struct slice token = ask(f, request).token;
    assert_true(slice_starts(token, SLICE("hgt1.")));
    assert_int_equal(gate_token_check(f->gate, &request, token, &err), 0);
    struct gate_request other = request;
    other.destination = SLICE("dest2");
    assert_int_equal(gate_token_check(f->gate, &other, token, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    struct slice changed = arena_copy(f->arena, token);
    char *at = arena_string(f->arena, token);
    at[8] = at[8] == '1' ? '2' : '1'; /* another expiry */
    assert_int_equal(gate_token_check(f->gate, &request, slice_text(at), &err), -1);
    assert_int_equal(gate_token_check(f->gate, &request, slice_sub(changed, 0, 20), &err), -1);
    clock_manual_advance(&f->clock, 59 * NS_PER_SECOND);
    assert_int_equal(gate_token_check(f->gate, &request, token, &err), 0);
    clock_manual_advance(&f->clock, 2 * NS_PER_SECOND);
    assert_int_equal(gate_token_check(f->gate, &request, token, &err), -1);
    assert_string_equal(err.text, "the token has expired");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(decides_by_share_of_the_balance),
        TEST(decides_by_what_the_account_did),
        TEST(counts_what_it_allowed_itself),
        TEST(holds_while_an_incident_touches),
        TEST(loses_no_event_when_it_is_behind),
        TEST(counts_money_exactly),
        TEST(holds_when_unhealthy),
        TEST(holds_when_the_clock_was_moved),
        TEST(holds_what_cannot_be_judged),
        TEST(only_says_it_in_shadow_mode),
        TEST(holds_nothing_as_shipped),
        TEST(a_missing_policy_holds_unless_told_to_shadow),
        TEST(binds_a_token_to_its_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
