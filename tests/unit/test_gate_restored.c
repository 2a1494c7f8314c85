/* A gate over files that come from a backup: nothing that people said before counts, and nothing passes until they look. */
#include "gate_fixture.h"

#include "gate/gate_journal.h"
#include "gate/gate_identity.h"

#define POLICY \
    "version: \"1\"\nmode: enforce\nrows:\n" \
    "  - {name: small, when: 'request.amount < 10', effect: allow, reason: {en: e, ja: j}}\n" \
    "  - {name: large, effect: hold, approvals: 2, reason: {en: e, ja: j}}\n"

/* As `hinomi restore` leaves it an hour later: the files without the key. */
static void restore(struct fixture *f)
{
    gate_stop(f->gate);
    remove_file(f, "gate.key");
    clock_manual_advance(&f->clock, NS_PER_HOUR);
    start(f);
}

static struct gate_request later(const char *id, const char *amount)
{
    struct gate_request request = withdrawal(id, amount);
    request.at_ns = NOW + 2 * NS_PER_HOUR;
    return request;
}

static struct slice hold(struct fixture *f, const char *id)
{
    struct gate_answer answer = ask(f, withdrawal(id, "500"));
    is(answer, GATE_HOLD, "large");
    return arena_copy(f->arena, slice_text(answer.id));
}

static bool approve(struct fixture *f, struct slice id, const char *person)
{
    struct err err;
    bool released;
    if (gate_approve(f->gate, id, slice_text(person), &released, &err) < 0)
        fail_msg("%s", err.text);
    return released;
}

static void find_all(void *context, const struct gate_stop *stop)
{
    if (slice_is(stop->scope, "all")) {
        assert_int_equal(stop->share, 0);
        memcpy(context, stop->id, sizeof(stop->id));
    }
}

static void reopen_all(struct fixture *f)
{
    char id[sizeof(((struct gate_stop *)0)->id)] = "";
    gate_stops(f->gate, find_all, id);
    assert_true(id[0]);
    step(f, id, 100);
    step(f, id, 1000);
    step(f, id, GATE_SHARE_WHOLE);
}

static void forgets_what_people_let_go(void **state)
{
    struct fixture *f = *state;
    own_policy(f, SLICE(POLICY));
    struct slice half = hold(f, "half"), whole = hold(f, "whole");
    assert_false(approve(f, half, "sato"));
    assert_false(approve(f, whole, "sato"));
    assert_true(approve(f, whole, "suzuki")); /* not asked again before the backup */
    restore(f);
    is(ask(f, withdrawal("whole", "500")), GATE_HOLD, "large");
    assert_int_equal(holds(f).count, 2);
    assert_int_equal(holds(f).approvals, 0);
    restart(f); /* what is void stays void, and what is new counts */
    assert_false(approve(f, whole, "suzuki"));
    assert_false(approve(f, half, "sato"));
    restart(f);
    assert_true(approve(f, half, "tanaka"));
    reopen_all(f);
    is(ask(f, withdrawal("half", "500")), GATE_ALLOW, "released");
    is(ask(f, withdrawal("whole", "500")), GATE_HOLD, "large");
}

static void stops_all_until_people_reopen(void **state)
{
    struct fixture *f = *state;
    own_policy(f, SLICE(POLICY));
    is(ask(f, withdrawal("a", "1")), GATE_ALLOW, "small");
    assert_int_equal(gate_stats(f->gate).stops, 0);
    restart(f); /* a start is no restore */
    assert_int_equal(gate_stats(f->gate).stops, 0);
    restore(f);
    assert_int_equal(gate_stats(f->gate).stops, 1);
    is(ask(f, later("b", "1")), GATE_HOLD, "stopped");
    reopen_all(f);
    restart(f); /* restored once: it does not begin anew */
    is(ask(f, later("c", "1")), GATE_ALLOW, "small");
    restore(f); /* a second one */
    is(ask(f, later("d", "1")), GATE_HOLD, "stopped");
}

static void holds_what_may_have_been_paid(void **state)
{
    struct fixture *f = *state;
    own_policy(f, SLICE(POLICY));
    restore(f);
    reopen_all(f);
    is(ask(f, withdrawal("from before", "1")), GATE_HOLD, "restored");
    is(ask(f, later("from after", "1")), GATE_ALLOW, "small");
    restart(f);
    is(ask(f, withdrawal("from before too", "1")), GATE_HOLD, "restored");
}

static void stays_restored_when_the_journal_rotates(void **state)
{
    struct fixture *f = *state;
    skip_unless_full();
    own_policy(f, SLICE(POLICY));
    struct slice id = hold(f, "a");
    assert_false(approve(f, id, "sato"));
    restore(f);
    assert_false(approve(f, id, "suzuki"));
    reopen_all(f);
    rotate_twice(f, later("", "1"), GATE_ALLOW, "small");
    restart(f);
    assert_int_equal(gate_stats(f->gate).stops, 0);
    is(ask(f, withdrawal("from before", "1")), GATE_HOLD, "restored");
    assert_true(approve(f, id, "tanaka")); /* what was said after it has gone along */
}

static void forgets_steps_that_were_not_reached(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct gate_stop out;
    struct gate_stop_order order = {.scope = SLICE("asset"), .target = SLICE("XEM"), .cause = SLICE("f1"), .by = SLICE("WDR-05"),
                                    .reason = SLICE("a transfer without a signature")};
    own_policy(f, SLICE(POLICY));
    assert_int_equal(gate_stop_set(f->gate, &order, f->arena, &out, &err), 0);
    assert_int_equal(reopen(f, out.id, 100, "sato", NULL), ERR_NONE);
    restore(f);
    struct gate_stop after;
    assert_int_equal(reopen(f, out.id, 100, "suzuki", &after), ERR_NONE);
    assert_int_equal(after.share, 0);
    assert_int_equal(after.approvals, 1);
    assert_int_equal(reopen(f, out.id, 100, "sato", &after), ERR_NONE); /* the same person, anew */
    assert_int_equal(after.share, 100);
}

static void wants_no_tokens_from_before(void **state)
{
    struct fixture *f = *state;
    struct err err;
    own_policy(f, SLICE(POLICY));
    struct gate_request request = withdrawal("a", "1");
    struct gate_answer answer = ask(f, request);
    struct slice token = arena_copy(f->arena, answer.token);
    assert_int_equal(gate_token_check(f->gate, &request, token, &err), 0);
    gate_stop(f->gate);
    remove_file(f, "gate.key");
    start(f); /* within its life */
    assert_int_equal(gate_token_check(f->gate, &request, token, &err), -1);
}

static void a_damaged_name_is_said(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct buffer payload;
    struct slice rest, record;
    struct gate_identity identity = {.id = "name"};
    buffer_init(&payload, KIB);
    identity_encode(&identity, &payload);
    rest = buffer_slice(&payload);
    assert_int_equal(gate_journal_record_next(&rest, &record), 1);
    for (size_t len = 1; len < record.len; len++)
        assert_int_equal(identity_replay(f->gate, slice_of(record.ptr, len), &err), -1);
    assert_int_equal(identity_replay(f->gate, SLICE("\x05"), &err), 0);
    buffer_close(&payload);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(forgets_what_people_let_go),
        TEST(stops_all_until_people_reopen),
        TEST(holds_what_may_have_been_paid),
        TEST(stays_restored_when_the_journal_rotates),
        TEST(forgets_steps_that_were_not_reached),
        TEST(wants_no_tokens_from_before),
        TEST(a_damaged_name_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
