/* A machine closes the gate further, people open it again. */
#include "gate_fixture.h"

static struct gate_tightening look(struct fixture *f)
{
    struct gate_tightening now;
    struct err err;
    if (gate_tightening(f->gate, f->arena, &now, &err) < 0)
        fail_msg("%s", err.text);
    return now;
}

static void tighten(struct fixture *f, const char *incident)
{
    struct err err;
    if (gate_tighten(f->gate, slice_text(incident), &err) < 0)
        fail_msg("%s", err.text);
}

static void loosen(struct fixture *f)
{
    struct err err;
    if (gate_loosen(f->gate, SLICE("sato"), SLICE("I looked into it"), &err) < 0)
        fail_msg("%s", err.text);
}

#define ALLOW_ALL "version: \"1\"\nmode: enforce\nrows:\n  - {name: all, effect: allow, reason: {en: e, ja: j}}\n"

static void a_policy_that_says_nothing_lets_nothing_pass(void **state)
{
    struct fixture *f = *state;
    own_policy(f, SLICE(ALLOW_ALL));
    is(ask(f, withdrawal("a", "1")), GATE_ALLOW, "all");
    tighten(f, "INC-7");
    struct gate_answer answer = ask(f, withdrawal("b", "1"));
    is(answer, GATE_HOLD, "tightened");
    assert_true(answer.reasons_ja[0].len > 0);
    assert_true(gate_stats(f->gate).tightened);
    loosen(f);
    is(ask(f, withdrawal("c", "1")), GATE_ALLOW, "all");
    is(ask(f, withdrawal("b", "1")), GATE_HOLD, "tightened"); /* what was held waits for people */
}

static void rows_say_what_still_passes(void **state)
{
    struct fixture *f = *state;
    own_policy(f, SLICE("version: \"1\"\nmode: enforce\nvalues: {closed: tightened}\nrows:\n"
                        "  - {name: large, when: closed AND request.amount > 5, effect: hold, reason: {en: e, ja: j}}\n"
                        "  - {name: all, effect: allow, reason: {en: e, ja: j}}\n"));
    is(ask(f, withdrawal("a", "9")), GATE_ALLOW, "all");
    tighten(f, "INC-7");
    is(ask(f, withdrawal("b", "9")), GATE_HOLD, "large");
    is(ask(f, withdrawal("c", "4")), GATE_ALLOW, "all");
}

static void stays_over_restarts_until_people_undo_it(void **state)
{
    struct fixture *f = *state;
    own_policy(f, SLICE(ALLOW_ALL));
    tighten(f, "INC-7");
    restart(f);
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "tightened");
    struct gate_tightening now = look(f);
    assert_true(now.on && slice_is(now.cause, "INC-7") && now.since_ns == NOW);
    loosen(f);
    restart(f);
    now = look(f);
    assert_true(!now.on && slice_is(now.undone_by, "sato") && slice_is(now.reason, "I looked into it"));
    is(ask(f, withdrawal("b", "1")), GATE_ALLOW, "all");
}

/* Who asks may have died before noting that it was done. */
static void the_same_incident_does_not_undo_what_people_did(void **state)
{
    struct fixture *f = *state;
    own_policy(f, SLICE(ALLOW_ALL));
    tighten(f, "INC-7");
    tighten(f, "INC-7");
    loosen(f);
    tighten(f, "INC-7");
    assert_false(look(f).on);
    tighten(f, "INC-8");
    assert_true(look(f).on);
}

static void only_a_person_with_a_reason(void **state)
{
    struct fixture *f = *state;
    struct err err;
    assert_int_equal(gate_loosen(f->gate, SLICE("sato"), SLICE("why"), &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT); /* it is not tightened */
    tighten(f, "INC-7");
    assert_int_equal(gate_loosen(f->gate, SLICE("sato"), SLICE("  "), &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_int_equal(gate_loosen(f->gate, SLICE(""), SLICE("why"), &err), -1);
    assert_true(look(f).on);
    assert_int_equal(gate_tighten(f->gate, SLICE(""), &err), -1);
}

static void goes_along_when_the_journal_rotates(void **state)
{
    struct fixture *f = *state;
    skip_unless_full();
    own_policy(f, SLICE(ALLOW_ALL));
    tighten(f, "INC-7");
    rotate_twice(f, withdrawal("", "1"), GATE_HOLD, "tightened");
    restart(f);
    assert_true(look(f).on);
}

/* The shipped policy: small withdrawals go on, and what it does not know is held. */
static void the_shipped_policy_has_a_row(void **state)
{
    struct fixture *f = *state;
    is(ask(f, withdrawal("z", "1")), GATE_HOLD, "balance-unknown");
    tighten(f, "INC-7");
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "nobody-answered"); /* no balance is known */
    struct gate_request order = withdrawal("b", "1");
    order.action = SLICE("login");
    is(ask(f, order), GATE_ALLOW, "otherwise");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_policy_that_says_nothing_lets_nothing_pass, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_say_what_still_passes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stays_over_restarts_until_people_undo_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_incident_does_not_undo_what_people_did, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_a_person_with_a_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_along_when_the_journal_rotates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_shipped_policy_has_a_row, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
