/* Who changed the policy approves nothing under it for a day; others do, and a restart changes nothing. */
#include "gate_fixture.h"

#define POLICY(version) "version: \"" version "\"\nmode: enforce\nrows:\n  - {name: all, effect: hold, approvals: 1, reason: {en: e, ja: j}}\n"

static int approve(struct fixture *f, const char *request, const char *person, struct err *err)
{
    bool released;
    struct gate_answer held = ask(f, withdrawal(request, "500"));
    is(held, GATE_HOLD, "all");
    return gate_approve(f->gate, slice_text(held.id), slice_text(person), &released, err);
}

static void denied(struct fixture *f, const char *request, const char *person)
{
    struct err err;
    assert_int_equal(approve(f, request, person, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_non_null(strstr(err.text, "cannot approve under it until 2026-01-02T00:00:00"));
}

static void change(struct fixture *f, struct slice text, const char *person)
{
    struct err err;
    write_policy(f, text);
    if (gate_policy_reload(f->gate, slice_text(person), &err) < 0)
        fail_msg("%s", err.text);
}

static void keeps_changer_and_approver_apart(void **state)
{
    struct fixture *f = *state;
    struct err err;
    own_policy(f, SLICE(POLICY("1")));
    change(f, SLICE(POLICY("1")), "sato"); /* nothing changed */
    assert_int_equal(approve(f, "a", "sato", &err), 0);
    change(f, SLICE(POLICY("2")), "sato");
    denied(f, "b", "sato");
    denied(f, "b", "SATO");
    assert_int_equal(approve(f, "b", "suzuki", &err), 0);
    restart(f);
    denied(f, "c", "sato");
    f->clock.wall_ns += 30 * NS_PER_HOUR; /* no clock makes the day shorter */
    (void)ask(f, withdrawal("look", "1"));
    assert_int_equal(gate_approve(f->gate, slice_text(ask(f, withdrawal("c", "500")).id), SLICE("sato"), &(bool){false}, &err), -1);
    f->clock.wall_ns -= 30 * NS_PER_HOUR;
    clock_manual_advance(&f->clock, 24 * NS_PER_HOUR);
    assert_int_equal(gate_approve(f->gate, slice_text(ask(f, withdrawal("c", "500")).id), SLICE("sato"), &(bool){false}, &err), 0);
}

static void reopens_neither(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct gate_stop stop;
    const struct gate_stop_order order = {.scope = SLICE("asset"), .target = SLICE("ABC"), .by = SLICE("tanaka"), .reason = SLICE("a test")};
    own_policy(f, SLICE(POLICY("1")));
    assert_int_equal(gate_stop_set(f->gate, &order, f->arena, &stop, &err), 0);
    change(f, SLICE(POLICY("2")), "sato");
    assert_int_equal(gate_stop_reopen(f->gate, slice_text(stop.id), 100, SLICE("sato"), f->arena, &stop, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_int_equal(gate_stop_reopen(f->gate, slice_text(stop.id), 100, SLICE("suzuki"), f->arena, &stop, &err), 0);
}

static void refuses_one_change_too_many(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char text[256], name[16];
    own_policy(f, SLICE(POLICY("0")));
    for (int i = 0; i < 16; i++) {
        (void)snprintf(text, sizeof(text), POLICY("%d"), i + 1);
        (void)snprintf(name, sizeof(name), "p%d", i);
        change(f, slice_text(text), name);
    }
    write_policy(f, SLICE(POLICY("last")));
    assert_int_equal(gate_policy_reload(f->gate, SLICE("p16"), &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    is(ask(f, withdrawal("a", "500")), GATE_HOLD, "all");
    assert_true(slice_is(ask(f, withdrawal("a", "500")).policy_version, "16"));
    change(f, SLICE(POLICY("last")), "p3");
    restart(f);
    for (int i = 0; i < 16; i++) {
        (void)snprintf(name, sizeof(name), "p%d", i);
        denied(f, "a", name);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(keeps_changer_and_approver_apart), TEST(reopens_neither), TEST(refuses_one_change_too_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
