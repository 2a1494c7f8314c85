/* Stops: set by machines and people, reopened by people, step by step. */
#include "gate_fixture.h"

#include "gate/approval.h"

#include <sodium.h>

#define ALLOW_ALL "version: \"1\"\nmode: enforce\nrows:\n  - {name: all, effect: allow, reason: {en: e, ja: j}}\n"

static struct gate_stop stop(struct fixture *f, const char *scope, const char *target, const char *finding)
{
    struct gate_stop out = {0};
    struct err err;
    struct gate_stop_order order = {.scope = slice_text(scope), .target = slice_text(target), .cause = slice_text(finding),
                                    .by = SLICE("WDR-05"), .reason = SLICE("a transfer without a signature")};
    if (gate_stop_set(f->gate, &order, f->arena, &out, &err) < 0)
        fail_msg("%s", err.text);
    return out;
}

static void count_stop(void *context, const struct gate_stop *one)
{
    assert_true(one->share < GATE_SHARE_WHOLE);
    ++*(size_t *)context;
}

static size_t stops(struct fixture *f)
{
    size_t count = 0;
    gate_stops(f->gate, count_stop, &count);
    assert_int_equal(count, gate_stats(f->gate).stops);
    return count;
}

/* ---- what is touched ---- */

static void only_what_is_touched_is_held(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *scope, *target;
        bool touches;
    } cases[] = {{"account", "u1", true},   {"account", "u2", false},  {"asset", "abc", true},      {"asset", "XEM", false},
                 {"wallet", "hot1", true},  {"wallet", "hot2", false}, {"address", "dest1", true},  {"address", "dest2", false},
                 {"partner", "p1", true},   {"partner", "p2", false},  {"partner", "nobody", true}, {"all", "", true}};
    own_policy(f, SLICE(ALLOW_ALL "partners: {p1: [\"des*\"], p2: [dest, \"dest11*\"]}\n"));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char id[32];
        struct gate_stop set = stop(f, cases[i].scope, cases[i].target, "");
        (void)snprintf(id, sizeof(id), "w%zu", i);
        struct gate_answer answer = ask(f, withdrawal(arena_string(f->arena, slice_text(id)), "1"));
        if (slice_is(answer.row, "stopped") != cases[i].touches)
            fail_msg("%s %s: %.*s", cases[i].scope, cases[i].target, SLICE_ARG(answer.row));
        step(f, set.id, 100);
        step(f, set.id, 1000);
        step(f, set.id, GATE_SHARE_WHOLE);
    }
    is(ask(f, withdrawal("after", "1")), GATE_ALLOW, "all");
    assert_int_equal(stops(f), 0);
}

static void wrong_orders_are_refused(void **state)
{
    struct fixture *f = *state;
    struct err err;
    const struct gate_stop_order wrong[] = {
        {SLICE("country"), SLICE("JP"), SLICE(""), SLICE("a"), SLICE("b")}, {SLICE("asset"), SLICE(""), SLICE(""), SLICE("a"), SLICE("b")},
        {SLICE("asset"), SLICE("XEM"), SLICE(""), SLICE(""), SLICE("b")},   {SLICE("asset"), SLICE("XEM"), SLICE(""), SLICE("a"), SLICE(" ")}};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        assert_int_equal(gate_stop_set(f->gate, &wrong[i], f->arena, NULL, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
    }
    assert_int_equal(stops(f), 0);
}

/* ---- reopening ---- */

static void reopened_in_steps_by_two_people(void **state)
{
    struct fixture *f = *state;
    struct gate_stop set = stop(f, "asset", "ABC", "finding-1"), out;
    observe_balance(f, "1000000");
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "stopped");
    assert_int_equal(reopen(f, set.id, 1000, "sato", NULL), ERR_CONFLICT); /* not the next */
    assert_int_equal(reopen(f, set.id, 0, "sato", NULL), ERR_CONFLICT);
    assert_int_equal(reopen(f, "none", 100, "sato", NULL), ERR_NOT_FOUND);
    assert_int_equal(reopen(f, set.id, 100, "", NULL), ERR_DENIED);
    assert_int_equal(reopen(f, set.id, 100, "sato", &out), ERR_NONE);
    assert_true(out.share == 0 && out.approvals == 1 && slice_is(out.approvers[0], "sato"));
    assert_int_equal(reopen(f, set.id, 100, "SATO", NULL), ERR_CONFLICT);
    restart(f); /* an approval is remembered */
    observe_balance(f, "1000000");
    is(ask(f, withdrawal("b", "1")), GATE_HOLD, "stopped");
    assert_int_equal(reopen(f, set.id, 100, "suzuki", &out), ERR_NONE);
    assert_int_equal(out.share, 100);
    /* a hundredth of 5 % of a million is 500 at once, of 10 % 1,000 an hour */
    is(ask(f, withdrawal("c", "501")), GATE_HOLD, "reopening");
    is(ask(f, withdrawal("d", "500")), GATE_ALLOW, "otherwise");
    is(ask(f, withdrawal("e", "500")), GATE_ALLOW, "otherwise");
    is(ask(f, withdrawal("f", "1")), GATE_HOLD, "reopening");
    step(f, set.id, 1000);
    is(ask(f, withdrawal("g", "5000")), GATE_ALLOW, "otherwise");
    is(ask(f, withdrawal("h", "5001")), GATE_HOLD, "reopening");
    restart(f);
    observe_balance(f, "1000000");
    assert_int_equal(stops(f), 1);
    step(f, set.id, GATE_SHARE_WHOLE);
    assert_int_equal(reopen(f, set.id, GATE_SHARE_WHOLE, "sato", NULL), ERR_CONFLICT);
    is(ask(f, withdrawal("i", "5001")), GATE_ALLOW, "otherwise");
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "stopped"); /* what was held waits for people */
    assert_int_equal(stops(f), 0);
}

static void the_same_finding_does_not_stop_twice(void **state)
{
    struct fixture *f = *state;
    own_policy(f, SLICE(ALLOW_ALL));
    struct gate_stop set = stop(f, "asset", "ABC", "finding-1");
    step(f, set.id, 100);
    (void)stop(f, "asset", "ABC", "finding-1"); /* raised again by a restart */
    assert_int_equal(reopen(f, set.id, 100, "sato", NULL), ERR_CONFLICT);
    struct gate_stop again = stop(f, "asset", "ABC", "finding-2");
    assert_int_equal(again.share, 0);
    assert_string_equal(again.id, set.id);
    step(f, set.id, 100);
    step(f, set.id, 1000);
    step(f, set.id, GATE_SHARE_WHOLE);
    restart(f);
    (void)stop(f, "asset", "ABC", "finding-2");
    assert_int_equal(stops(f), 0);
    (void)stop(f, "asset", "ABC", "finding-3");
    assert_int_equal(stops(f), 1);
}

static void nobody_reopens_the_own_account(void **state)
{
    struct fixture *f = *state;
    struct gate_stop set = stop(f, "account", "sato", "");
    assert_int_equal(reopen(f, set.id, 100, "sato", NULL), ERR_DENIED);
}

/* What people let go before it was stopped does not pass; what they let go of a stop does. */
static void release(struct fixture *f, const struct gate_answer *held)
{
    struct err err;
    bool released;
    for (int i = 0; i < 2; i++)
        assert_int_equal(gate_approve(f->gate, slice_text(held->id), i ? SLICE("sato") : SLICE("suzuki"), &released, &err), 0);
    assert_true(released);
}

static void a_stop_is_stronger_than_an_older_release(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "1000");
    struct gate_answer held = ask(f, withdrawal("a", "500"));
    is(held, GATE_HOLD, "large-share");
    release(f, &held);
    (void)stop(f, "wallet", "hot1", "finding-1");
    is(ask(f, withdrawal("a", "500")), GATE_HOLD, "stopped");
    f->clock.wall_ns += NS_PER_SECOND;
    f->clock.mono_ns += NS_PER_SECOND;
    struct gate_answer second = ask(f, withdrawal("b", "1"));
    is(second, GATE_HOLD, "stopped");
    release(f, &second);
    is(ask(f, withdrawal("b", "1")), GATE_ALLOW, "released");
}

static void also_when_the_clock_was_set_back_in_between(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "1000");
    struct gate_answer held = ask(f, withdrawal("a", "500"));
    release(f, &held);
    f->clock.wall_ns -= NS_PER_HOUR;
    (void)stop(f, "wallet", "hot1", "finding-1");
    clock_manual_advance(&f->clock, 2 * NS_PER_MINUTE); /* the gate doubts its clock for one */
    is(ask(f, withdrawal("a", "500")), GATE_HOLD, "stopped");
}

/* ---- signatures ---- */

struct signer {
    const char *name;
    unsigned char seed[APPROVER_SEED_SIZE];
};

static struct gate_signature sign(struct fixture *f, const struct gate_stop *what, uint32_t share, const struct signer *signer)
{
    char gate[GATE_ID_SIZE];
    unsigned char digest[REQUEST_DIGEST_SIZE];
    struct gate_signature signature = {.approver = slice_text(signer->name), .expires_ns = NOW + 10 * NS_PER_MINUTE};
    gate_id(f->gate, gate);
    assert_true(reopening_digest(what, share, digest));
    struct approval_text text = {slice_text(gate), slice_text(what->id), signature.approver, digest, signature.expires_ns, SLICE_NONE};
    assert_true(approval_sign(&text, signer->seed, signature.bytes));
    return signature;
}

static enum err_code reopen_signed(struct fixture *f, const struct gate_stop *what, uint32_t share, struct gate_signature signature,
                                   struct gate_stop *out)
{
    struct err err = {.code = ERR_NONE};
    return gate_stop_reopen_signed(f->gate, slice_text(what->id), share, &signature, f->arena, out, &err) < 0 ? err.code : ERR_NONE;
}

static void signatures_count_for_one_step(void **state)
{
    struct fixture *f = *state;
    const struct signer sato = {"sato", {1}}, suzuki = {"suzuki", {2}}, thief = {"sato", {3}};
    unsigned char keys[2][APPROVER_KEY_SIZE];
    char shown[2][64];
    struct gate_stop out;
    approval_public_key(sato.seed, keys[0]);
    approval_public_key(suzuki.seed, keys[1]);
    for (int i = 0; i < 2; i++)
        sodium_bin2base64(shown[i], sizeof(shown[i]), keys[i], sizeof(keys[i]), sodium_base64_VARIANT_ORIGINAL);
    own_policy(f, arena_printf(f->arena, ALLOW_ALL "approvers: {sato: \"%s\", suzuki: \"%s\"}\n", shown[0], shown[1]));
    struct gate_stop set = stop(f, "asset", "ABC", "finding-1"), other = stop(f, "asset", "XEM", "");
    struct gate_signature first = sign(f, &set, 100, &sato), stranger = sign(f, &set, 100, &thief);
    stranger.approver = SLICE("tanaka");
    assert_int_equal(reopen_signed(f, &set, 100, stranger, &out), ERR_DENIED);
    assert_int_equal(reopen_signed(f, &set, 100, sign(f, &set, 100, &thief), &out), ERR_DENIED);
    assert_int_equal(reopen_signed(f, &set, 100, sign(f, &set, 1000, &sato), &out), ERR_DENIED);
    assert_int_equal(reopen_signed(f, &other, 100, first, &out), ERR_DENIED);
    assert_int_equal(reopen_signed(f, &set, 100, first, &out), ERR_NONE);
    assert_int_equal(out.approvals, 1);
    assert_int_equal(reopen_signed(f, &set, 100, first, &out), ERR_CONFLICT);
    assert_int_equal(reopen_signed(f, &set, 100, sign(f, &set, 100, &suzuki), &out), ERR_NONE);
    assert_int_equal(out.share, 100);
    f->clock.wall_ns += NS_PER_SECOND;
    f->clock.mono_ns += NS_PER_SECOND;
    set = stop(f, "asset", "ABC", "finding-2"); /* stopped anew: what was signed before is of no use */
    assert_int_equal(reopen_signed(f, &set, 100, first, &out), ERR_DENIED);
}

/* ---- too many ---- */

static void more_stops_than_places_stop_everything(void **state)
{
    struct fixture *f = *state;
    struct gate_stop_order order = {.scope = SLICE("account"), .by = SLICE("API-03"), .reason = SLICE("many")};
    struct err err;
    own_policy(f, SLICE(ALLOW_ALL));
    for (int i = 0; i < GATE_STOPS_MAX; i++) {
        order.target = arena_printf(f->arena, "other-%d", i);
        assert_int_equal(gate_stop_set(f->gate, &order, f->arena, NULL, &err), 0);
    }
    is(ask(f, withdrawal("a", "1")), GATE_ALLOW, "all");
    order.target = SLICE("one-more");
    assert_int_equal(gate_stop_set(f->gate, &order, f->arena, NULL, &err), -1);
    is(ask(f, withdrawal("b", "1")), GATE_HOLD, "stopped");
    restart(f);
    is(ask(f, withdrawal("c", "1")), GATE_HOLD, "stopped");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_is_touched_is_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_orders_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reopened_in_steps_by_two_people, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_finding_does_not_stop_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_reopens_the_own_account, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_is_stronger_than_an_older_release, set_up, tear_down),
        cmocka_unit_test_setup_teardown(also_when_the_clock_was_set_back_in_between, set_up, tear_down),
        cmocka_unit_test_setup_teardown(signatures_count_for_one_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_stops_than_places_stop_everything, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
