/* What rows read beside amounts: risk, lists, address books, security of accounts, who is awake; and windows that no clock opens. */
#include "gate_fixture.h"

static struct batch *event_now(struct fixture *f, const char *dataset, const char *action)
{
    struct batch *batch = event(dataset);
    batch->rows[0].time_ns = f->clock.wall_ns;
    assert_int_equal(batch_put_text(batch, 0, "event.action", slice_text(action)), 0);
    return batch;
}

/* Behind what was sent before it: observations are taken in order. */
static void balance(struct fixture *f, const char *amount)
{
    struct batch *batch = event_now(f, "wallet.balance", "balance_snapshot");
    event_put(f, batch, "wallet.address", "hot1");
    event_put(f, batch, "wallet.tier", "hot");
    event_put(f, batch, "wallet.asset", "ABC");
    assert_int_equal(batch_put(batch, 0, SLICE("wallet.chain_balance"), value_decimal(number(amount), batch->arena)), 0);
    event_send(f, batch);
    settle(f, amount);
}

/* Time goes on, and the balance is heard again: often enough that nothing counts as blind. */
static void later(struct fixture *f, int64_t by_ns)
{
    static int cents;
    char amount[32];
    clock_manual_advance(&f->clock, by_ns);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(amount, sizeof(amount), "1002.%d", 11 + cents++ % 40 * 2);
        balance(f, amount);
    }
}

/* The destination is long known on the chain. */
static void known_destination(struct fixture *f)
{
    struct batch *batch = event_now(f, "chain.transfer", "transfer");
    event_put(f, batch, "wallet.to", "dest1");
    batch->rows[0].time_ns = f->clock.wall_ns - 100 * NS_PER_DAY;
    event_send(f, batch);
}

static void finding(struct fixture *f, const char *rule, const char *catalogue, const char *severity, const char *entity, const char *value)
{
    struct batch *batch = event_now(f, "hinomi.finding", "finding-raised");
    event_put(f, batch, "rule.id", rule);
    event_put(f, batch, "hinomi.catalogue", catalogue);
    event_put(f, batch, "hinomi.severity", severity);
    event_put(f, batch, entity, value);
    event_send(f, batch);
}

static struct gate_request at_now(struct fixture *f, const char *id, const char *amount)
{
    struct gate_request request = withdrawal(id, amount);
    request.at_ns = f->clock.wall_ns;
    return request;
}

static void holds_what_is_at_risk(void **state)
{
    struct fixture *f = *state;
    finding(f, "r1", "ACC-1", "high", "hinomi.entity.account", "u1");
    finding(f, "r1", "ACC-1", "high", "hinomi.entity.account", "u1"); /* the same rule again counts once */
    finding(f, "r2", "ACC-2", "high", "hinomi.entity.user", "u1");
    finding(f, "r3", "RSK-01", "critical", "hinomi.entity.account", "u1"); /* the sum itself is no part of it */
    balance(f, "1000");
    is(ask(f, at_now(f, "a", "1")), GATE_ALLOW, "otherwise"); /* 100 is not over 100 */
    finding(f, "r4", "ACC-3", "low", "hinomi.entity.account", "u1");
    balance(f, "1001");
    is(ask(f, at_now(f, "b", "1")), GATE_HOLD, "account-risk");
    struct gate_request other = at_now(f, "c", "1");
    other.account = SLICE("u2");
    is(ask(f, other), GATE_ALLOW, "otherwise");
    finding(f, "r5", "WDR-9", "critical", "hinomi.entity.address", "dest2");
    finding(f, "r6", "WDR-8", "low", "hinomi.entity.address", "dest2");
    balance(f, "1002");
    other = at_now(f, "d", "1");
    other.account = SLICE("u2");
    other.destination = SLICE("dest2");
    is(ask(f, other), GATE_HOLD, "account-risk");
    later(f, 8 * NS_PER_DAY);
    is(ask(f, at_now(f, "e", "1")), GATE_ALLOW, "otherwise");
}

/* user and address: NULL where the event has none. */
static void happens(struct fixture *f, const char *dataset, const char *action, const char *user, const char *address)
{
    struct batch *batch = event_now(f, dataset, action);
    if (user)
        event_put(f, batch, "user.id", user);
    if (address)
        event_put(f, batch, "exchange.address", address);
    event_send(f, batch);
}

static void holds_listed_destinations(void **state)
{
    struct fixture *f = *state;
    happens(f, "intel.sanctions", "listed", NULL, "dest1");
    balance(f, "1000");
    is(ask(f, at_now(f, "a", "1")), GATE_HOLD, "listed-destination");
    struct gate_request other = at_now(f, "b", "1");
    other.destination = SLICE("dest2");
    is(ask(f, other), GATE_ALLOW, "otherwise");
}

static void book(struct fixture *f, const char *action)
{
    happens(f, "exchange.account", action, "u1", "dest1");
}

/* 15 of 1000: more than a new destination gets (10), less than the account may have (20). */
static void knows_an_address_after_a_day(void **state)
{
    struct fixture *f = *state;
    known_destination(f);
    balance(f, "1000");
    struct gate_request before = at_now(f, "before", "15");
    before.account = SLICE("u2");
    is(ask(f, before), GATE_ALLOW, "otherwise"); /* the chain has known it for long */
    book(f, "address_book_added");
    balance(f, "1001");
    is(ask(f, at_now(f, "fresh", "15")), GATE_HOLD, "new-destination"); /* in this account's book it is new */
    later(f, 23 * NS_PER_HOUR + 59 * NS_PER_MINUTE);
    is(ask(f, at_now(f, "almost", "15")), GATE_HOLD, "new-destination");
    later(f, NS_PER_MINUTE);
    is(ask(f, at_now(f, "known", "15")), GATE_ALLOW, "otherwise");
}

static void exempts_what_is_in_the_book(void **state)
{
    struct fixture *f = *state;
    book(f, "address_book_added");
    later(f, 25 * NS_PER_HOUR);
    balance(f, "1000");
    is(ask(f, at_now(f, "known", "15")), GATE_ALLOW, "otherwise"); /* the chain never saw it */
    book(f, "address_book_removed");
    balance(f, "1001");
    struct gate_request gone = at_now(f, "gone", "15");
    is(ask(f, gone), GATE_HOLD, "new-destination");
}

static void counts_what_the_gate_allowed_into_the_book(void **state)
{
    struct fixture *f = *state;
    struct batch *batch = event_now(f, "hinomi.gate", "allow");
    event_put(f, batch, "hinomi.gate.action", "address_add");
    event_put(f, batch, "user.id", "u1");
    event_put(f, batch, "exchange.address", "dest1");
    event_send(f, batch);
    known_destination(f);
    balance(f, "1000");
    is(ask(f, at_now(f, "fresh", "15")), GATE_HOLD, "new-destination");
    later(f, 25 * NS_PER_HOUR);
    is(ask(f, at_now(f, "known", "15")), GATE_ALLOW, "otherwise");
}

static void waits_after_changes_of_security(void **state)
{
    struct fixture *f = *state;
    happens(f, "exchange.auth", "second_factor_disabled", "u1", NULL);
    balance(f, "1000");
    is(ask(f, at_now(f, "a", "1")), GATE_HOLD, "security-changed");
    later(f, 24 * NS_PER_HOUR);
    is(ask(f, at_now(f, "b", "1")), GATE_ALLOW, "otherwise");
    finding(f, "r1", "ATO-02", "critical", "hinomi.entity.account", "u1");
    balance(f, "1001");
    is(ask(f, at_now(f, "c", "1")), GATE_HOLD, "security-changed");
    later(f, 71 * NS_PER_HOUR);
    is(ask(f, at_now(f, "d", "1")), GATE_HOLD, "security-changed");
    later(f, NS_PER_HOUR);
    is(ask(f, at_now(f, "e", "1")), GATE_ALLOW, "otherwise");
}

/* The clock of the fixture is at 9 in the morning in Tokyo. A quarter of 50 is 12.5. */
static void lowers_limits_when_few_are_awake(void **state)
{
    struct fixture *f = *state;
    known_destination(f);
    balance(f, "1000");
    gate_set_people(f->gate, 1);
    is(ask(f, at_now(f, "day", "13")), GATE_ALLOW, "otherwise");
    later(f, 14 * NS_PER_HOUR);
    struct gate_request night = at_now(f, "night", "13");
    night.account = SLICE("u2");
    is(ask(f, night), GATE_HOLD, "few-awake");
    night.request_id = SLICE("small");
    night.amount = number("12");
    is(ask(f, night), GATE_ALLOW, "otherwise");
    gate_set_people(f->gate, 2);
    night.request_id = SLICE("two");
    night.account = SLICE("u3");
    night.amount = number("13");
    is(ask(f, night), GATE_ALLOW, "otherwise");
    gate_set_people(f->gate, -1); /* nobody has said who is to be woken */
    night.request_id = SLICE("unknown");
    night.account = SLICE("u4");
    is(ask(f, night), GATE_ALLOW, "otherwise");
}

/* What was allowed stays counted when the wall clock is put a day ahead, and does not count twice when it is put back. */
static void no_clock_opens_a_window(void **state)
{
    struct fixture *f = *state;
    known_destination(f);
    balance(f, "1000");
    is(ask(f, at_now(f, "a", "20")), GATE_ALLOW, "otherwise");
    is(ask(f, at_now(f, "b", "1")), GATE_HOLD, "account-velocity");
    f->clock.wall_ns += 25 * NS_PER_HOUR;
    is(ask(f, at_now(f, "c", "1")), GATE_HOLD, "clock");
    later(f, 61 * NS_PER_SECOND);
    is(ask(f, at_now(f, "d", "1")), GATE_HOLD, "account-velocity");
    f->clock.wall_ns -= 25 * NS_PER_HOUR;
    is(ask(f, at_now(f, "e", "1")), GATE_HOLD, "clock");
    clock_manual_advance(&f->clock, 61 * NS_PER_SECOND);
    is(ask(f, at_now(f, "f", "1")), GATE_HOLD, "account-velocity");
    later(f, 25 * NS_PER_HOUR); /* a day that everybody lived through */
    is(ask(f, at_now(f, "g", "1")), GATE_ALLOW, "otherwise");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(holds_what_is_at_risk),
        TEST(holds_listed_destinations),
        TEST(knows_an_address_after_a_day),
        TEST(exempts_what_is_in_the_book),
        TEST(counts_what_the_gate_allowed_into_the_book),
        TEST(waits_after_changes_of_security),
        TEST(lowers_limits_when_few_are_awake),
        TEST(no_clock_opens_a_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
