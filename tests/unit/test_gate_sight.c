/* Blind is brake: what protects an asset falls silent and the limits drop by themselves; they come back after proof. */
#include "gate_fixture.h"

static struct batch *event_at(struct fixture *f, const char *dataset)
{
    struct batch *batch = event(dataset);
    batch->rows[0].time_ns = f->clock.wall_ns;
    return batch;
}

static void beat(struct fixture *f, const char *host)
{
    struct batch *batch = event_at(f, "agent.heartbeat");
    event_put(f, batch, "host.name", host);
    event_send(f, batch);
}

static void snapshot(struct fixture *f, const char *balance)
{
    struct batch *batch = event_at(f, "wallet.balance");
    event_put(f, batch, "wallet.tier", "hot");
    event_put(f, batch, "wallet.asset", "ABC");
    event_put(f, batch, "wallet.address", "hot1");
    assert_int_equal(batch_put(batch, 0, SLICE("wallet.chain_balance"), value_decimal(number(balance), batch->arena)), 0);
    event_send(f, batch);
}

static void signature(struct fixture *f, const char *host)
{
    struct batch *batch = event_at(f, "wallet.signer");
    event_put(f, batch, "event.action", "sign_request");
    event_put(f, batch, "wallet.asset", "ABC");
    event_put(f, batch, "wallet.client", "wallet-abc-1");
    event_put(f, batch, "host.name", host);
    event_send(f, batch);
}

/* So many minutes with everything that speaks speaking every five. */
static void live(struct fixture *f, int minutes, bool balance, bool signer, bool client)
{
    for (int at = 0; at < minutes; at += 5) {
        clock_manual_advance(&f->clock, 5 * NS_PER_MINUTE);
        if (signer)
            beat(f, "signer-1");
        if (client)
            beat(f, "wallet-abc-1");
        if (balance)
            snapshot(f, "1000000");
    }
    if (balance)
        settle(f, "1000000");
    else
        (void)usleep(20000);
}

static struct gate_answer ask_now(struct fixture *f, const char *id, const char *amount)
{
    struct gate_request request = withdrawal(arena_string(f->arena, slice_text(id)), amount);
    request.at_ns = f->clock.wall_ns;
    request.account = SLICE("");
    return ask(f, request);
}

/* Observations go after requests: asked anew, with another id, until it is so. */
static void becomes(struct fixture *f, const char *amount, enum gate_decision decision, const char *row)
{
    static int number;
    struct gate_answer answer = {0};
    for (int i = 0; i < 500; i++) {
        char id[32];
        (void)snprintf(id, sizeof(id), "ask-%d", number++);
        answer = ask_now(f, id, amount);
        if (answer.decision == decision && slice_is(answer.row, row))
            return;
        (void)usleep(2000);
    }
    is(answer, decision, row);
}

static void a_silent_signer_lowers_the_limits(void **state)
{
    struct fixture *f = *state;
    signature(f, "signer-1");
    live(f, 60, true, true, true);
    becomes(f, "9000", GATE_ALLOW, "otherwise"); /* under 1 % of a million, for a new destination */
    live(f, 5, true, false, true);
    becomes(f, "9000", GATE_ALLOW, "otherwise"); /* not yet */
    clock_manual_advance(&f->clock, 6 * NS_PER_MINUTE);
    struct gate_answer answer = ask_now(f, "blind", "9000");
    is(answer, GATE_HOLD, "blind"); /* at once, without any event */
    assert_true(slice_find(answer.reasons_en[0], SLICE("host/signer-1")) >= 0);
    assert_true(slice_find(answer.reasons_en[0], SLICE("wallet-abc-1")) < 0);
    live(f, 5, true, true, true); /* one sign of life is no proof */
    becomes(f, "9000", GATE_HOLD, "blind");
    live(f, 5, true, true, true);
    becomes(f, "1000", GATE_ALLOW, "otherwise");
}

static void a_stale_balance_lowers_them_too(void **state)
{
    struct fixture *f = *state;
    live(f, 60, true, false, false);
    becomes(f, "9000", GATE_ALLOW, "otherwise");
    clock_manual_advance(&f->clock, 70 * NS_PER_MINUTE); /* what was allowed before is out of its hour */
    is(ask_now(f, "a", "9000"), GATE_HOLD, "blind");
    is(ask_now(f, "b", "1000"), GATE_ALLOW, "otherwise"); /* a tenth of 5 % is 5,000, of 10 % an hour 10,000 */
}

static void what_was_never_heard_is_not_expected(void **state)
{
    struct fixture *f = *state;
    signature(f, "signer-9"); /* which sends no heartbeats at all */
    live(f, 30, true, false, false);
    becomes(f, "9000", GATE_ALLOW, "otherwise");
}

static void nobody_who_could_be_woken_lowers_them(void **state)
{
    struct fixture *f = *state;
    live(f, 30, true, false, false);
    becomes(f, "10", GATE_ALLOW, "otherwise");
    gate_set_reachable(f->gate, false);
    struct gate_answer answer = ask_now(f, "a", "9000");
    is(answer, GATE_HOLD, "blind");
    assert_true(slice_find(answer.reasons_en[0], SLICE("waking")) >= 0);
    is(ask_now(f, "b", "1000"), GATE_ALLOW, "otherwise");
    gate_set_reachable(f->gate, true);
    is(ask_now(f, "c", "9000"), GATE_ALLOW, "otherwise");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_silent_signer_lowers_the_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stale_balance_lowers_them_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_never_heard_is_not_expected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_who_could_be_woken_lowers_them, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
