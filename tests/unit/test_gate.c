#include "test.h"

#include "base/limits.h"
#include "gate/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW INT64_C(1767225600000000000)

/* A gate in a folder of its own with the shipped policy and state, on a clock set by hand. */
struct fixture {
    char dir[64];
    struct clock_manual clock;
    struct arena *arena;
    const struct state_definitions *definitions;
    struct gate_config config;
    struct gate *gate;
};

static void start(struct fixture *f)
{
    struct err err;
    f->config.clock = &f->clock.clock;
    if (gate_start(&f->config, &f->gate, &err) < 0)
        fail_msg("%s", err.text);
    gate_set_health(f->gate, true, NULL);
}

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    struct err err;
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/hinomi-gate-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    clock_manual_init(&f->clock, NOW);
    f->arena = arena_new(256 * MIB);
    if (state_definitions_load("content/state", f->arena, &f->definitions, &err) < 0)
        fail_msg("%s", err.text);
    f->config = (struct gate_config){.dir = f->dir,
                                     .policy_path = "content/policy/default.yaml",
                                     .state = f->definitions};
    start(f);
    *state = f;
    return 0;
}

static void remove_file(const struct fixture *f, const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    (void)unlink(path);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    gate_stop(f->gate);
    remove_file(f, "gate.journal");
    remove_file(f, "gate.journal.1");
    remove_file(f, "gate.key");
    remove_file(f, "policy.yaml");
    (void)rmdir(f->dir);
    arena_free(f->arena);
    test_free(f);
    return 0;
}

static void restart(struct fixture *f)
{
    gate_stop(f->gate);
    start(f);
}

static struct decimal number(const char *text)
{
    struct decimal d;
    assert_true(decimal_parse(slice_text(text), &d));
    return d;
}

static struct gate_request withdrawal(const char *id, const char *amount)
{
    return (struct gate_request){.request_id = slice_text(id),
                                 .action = SLICE("withdrawal"),
                                 .account = SLICE("u1"),
                                 .asset = SLICE("ABC"),
                                 .wallet = SLICE("hot1"),
                                 .destination = SLICE("dest1"),
                                 .nonce = SLICE("n"),
                                 .amount = number(amount),
                                 .has_amount = true,
                                 .at_ns = NOW};
}

static struct gate_answer ask(struct fixture *f, struct gate_request request)
{
    struct gate_answer answer;
    struct err err;
    if (gate_decide(f->gate, &request, 5000, f->arena, &answer, &err) < 0)
        fail_msg("%s", err.text);
    return answer;
}

static void is(struct gate_answer answer, enum gate_decision decision, const char *row)
{
    if (answer.decision != decision || !slice_is(answer.row, row))
        fail_msg("%s by %.*s, not %s by %s (%.*s)", gate_decision_name(answer.decision),
                 SLICE_ARG(answer.row), gate_decision_name(decision), row,
                 SLICE_ARG(answer.reason_count ? answer.reasons_en[0] : SLICE("")));
}

static void find_asset(void *context, const struct gate_asset *asset)
{
    *(struct slice *)context = asset->balance;
}

/* Observations go after requests, so a test waits until they have arrived. */
static void settle(struct fixture *f, const char *balance)
{
    struct slice have = SLICE_NONE;
    for (int i = 0; i < 5000 && !slice_is(have, balance); i++) {
        gate_assets(f->gate, f->arena, find_asset, &have);
        (void)usleep(1000);
    }
    assert_true(slice_is(have, balance));
}

static struct batch *event(const char *dataset)
{
    struct batch *batch = batch_new(4 * MIB);
    struct event_row *row = batch_add_row(batch);
    row->time_ns = NOW;
    assert_int_equal(batch_put_text(batch, 0, "event.dataset", slice_text(dataset)), 0);
    return batch;
}

static void observe_balance(struct fixture *f, const char *balance)
{
    struct batch *batch = event("wallet.balance");
    assert_int_equal(batch_put_text(batch, 0, "wallet.tier", SLICE("hot")), 0);
    assert_int_equal(batch_put_text(batch, 0, "wallet.asset", SLICE("ABC")), 0);
    assert_int_equal(batch_put(batch, 0, SLICE("wallet.chain_balance"),
                               value_decimal(number(balance), batch->arena)), 0);
    gate_observe(f->gate, batch);
    batch_free(batch);
    settle(f, balance);
}

static void observe_withdrawal(struct fixture *f, const char *amount)
{
    struct batch *batch = event("exchange.withdrawal");
    assert_int_equal(batch_put_text(batch, 0, "event.action", SLICE("withdrawal_requested")), 0);
    assert_int_equal(batch_put_text(batch, 0, "user.id", SLICE("u1")), 0);
    assert_int_equal(batch_put_text(batch, 0, "exchange.asset", SLICE("ABC")), 0);
    assert_int_equal(batch_put(batch, 0, SLICE("exchange.amount"),
                               value_decimal(number(amount), batch->arena)), 0);
    gate_observe(f->gate, batch);
    batch_free(batch);
}

static void set_incident(struct fixture *f, const char *type, const char *value, bool open)
{
    struct entity entity = {slice_text(type), slice_text(value)};
    gate_incident(f->gate, SLICE("INC-1"), SEVERITY_CRITICAL, open, &entity, 1);
}

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

static void counts_money_exactly(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "12345678901234567890123456789012.345678");
    is(ask(f, withdrawal("a", "617283945061728394506172839450.6172840")), GATE_HOLD, "large-share");
    struct gate_request edge = withdrawal("b", "123456789012345678901234567890.12345678");
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

/* ---- the same question twice ---- */

static void answers_the_same_request_the_same_way(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct gate_answer answer;
    observe_balance(f, "1000");
    struct gate_answer first = ask(f, withdrawal("a", "1.50"));
    is(first, GATE_ALLOW, "otherwise");
    observe_balance(f, "1");
    struct gate_answer again = ask(f, withdrawal("a", "1.5"));
    is(again, GATE_ALLOW, "otherwise");
    assert_string_equal(first.id, again.id);
    assert_true(slice_equal(first.token, again.token));
    struct gate_request other = withdrawal("a", "1.51");
    assert_int_equal(gate_decide(f->gate, &other, 5000, f->arena, &answer, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    struct gate_request nameless = withdrawal("", "1");
    assert_int_equal(gate_decide(f->gate, &nameless, 5000, f->arena, &answer, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    restart(f);
    assert_true(slice_equal(first.token, ask(f, withdrawal("a", "1.5")).token));
    assert_int_equal(gate_decide(f->gate, &other, 5000, f->arena, &answer, &err), -1);
}

/* ---- holds and people ---- */

struct seen_hold {
    int count;
    uint32_t approvals;
};

static void see_hold(void *context, const struct gate_hold *hold)
{
    struct seen_hold *seen = context;
    seen->count++;
    seen->approvals = hold->approvals;
    assert_true(hold->reason_en.len && hold->reason_ja.len);
    assert_true(slice_is(hold->amount, "500"));
}

static struct seen_hold holds(struct fixture *f)
{
    struct seen_hold seen = {0};
    gate_holds(f->gate, see_hold, &seen);
    return seen;
}

static void needs_two_people_to_release(void **state)
{
    struct fixture *f = *state;
    struct err err;
    bool released;
    observe_balance(f, "1000");
    struct gate_answer held = ask(f, withdrawal("a", "500"));
    struct slice id = slice_text(held.id);
    is(held, GATE_HOLD, "large-share");
    assert_int_equal(gate_approve(f->gate, SLICE("none"), SLICE("sato"), &released, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(gate_approve(f->gate, id, SLICE(""), &released, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_int_equal(gate_approve(f->gate, id, SLICE("sato"), &released, &err), 0);
    assert_false(released);
    assert_int_equal(gate_approve(f->gate, id, SLICE("SATO"), &released, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    is(ask(f, withdrawal("a", "500")), GATE_HOLD, "large-share");
    restart(f); /* holds and approvals are remembered */
    assert_int_equal(holds(f).count, 1);
    assert_int_equal(holds(f).approvals, 1);
    assert_int_equal(gate_approve(f->gate, id, SLICE("suzuki"), &released, &err), 0);
    assert_true(released);
    assert_int_equal(holds(f).count, 0);
    restart(f);
    gate_set_health(f->gate, false, "replaying");
    is(ask(f, withdrawal("a", "500")), GATE_HOLD, "unhealthy");
    gate_set_health(f->gate, true, NULL);
    struct gate_answer let = ask(f, withdrawal("a", "500"));
    is(let, GATE_ALLOW, "released");
    assert_true(let.token.len > 0);
    restart(f);
    assert_true(slice_equal(let.token, ask(f, withdrawal("a", "500")).token));
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

static void write_file(const struct fixture *f, const char *name, struct slice text)
{
    struct err err;
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    assert_int_equal(io_replace_file(io_real(), path, text, &err), 0);
}

static struct slice own_policy(struct fixture *f, struct slice text)
{
    struct slice path = arena_printf(f->arena, "%s/policy.yaml", f->dir);
    write_file(f, "policy.yaml", text);
    f->config.policy_path = path.ptr;
    restart(f);
    return path;
}

static void holds_without_a_policy(void **state)
{
    struct fixture *f = *state;
    own_policy(f, SLICE("version: \"1\"\nmode: enforce\nrows:\n  - name: x\n    effect: allwo\n"));
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "policy");
    f->config.policy_path = "/nonexistent.yaml";
    restart(f);
    is(ask(f, withdrawal("b", "1")), GATE_HOLD, "policy");
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
    own_policy(f, SLICE("version: \"2\"\nmode: shadow\nrows:\n"
                        "  - {name: all, effect: hold, reason: {en: e, ja: j}}\n"));
    struct gate_answer answer = ask(f, withdrawal("a", "500"));
    is(answer, GATE_ALLOW, "all");
    assert_true(answer.shadow && answer.token.len > 0);
    assert_int_equal(holds(f).count, 0);
}

/* ---- the journal ---- */

static void open_journal(struct fixture *f, int *fd, off_t *end)
{
    char path[128], c;
    (void)snprintf(path, sizeof(path), "%s/gate.journal", f->dir);
    *fd = open(path, O_RDWR);
    assert_true(*fd >= 0);
    *end = lseek(*fd, 0, SEEK_END);
    while (pread(*fd, &c, 1, *end - 1) == 1 && c == 0) /* the zeros written ahead */
        --*end;
}

static void cuts_a_torn_end(void **state)
{
    struct fixture *f = *state;
    int fd;
    off_t end;
    observe_balance(f, "1000");
    is(ask(f, withdrawal("a", "500")), GATE_HOLD, "large-share");
    is(ask(f, withdrawal("b", "500")), GATE_HOLD, "large-share");
    gate_stop(f->gate);
    open_journal(f, &fd, &end);
    assert_int_equal(pwrite(fd, "####", 4, end - 8), 4);
    close(fd);
    start(f);
    assert_int_equal(holds(f).count, 1);
    observe_balance(f, "100000");
    is(ask(f, withdrawal("a", "500")), GATE_HOLD, "large-share");
    is(ask(f, withdrawal("c", "500")), GATE_ALLOW, "otherwise");
    restart(f);
    assert_int_equal(gate_stats(f->gate).holds_open, 1);
    is(ask(f, withdrawal("c", "500")), GATE_ALLOW, "otherwise");
}

static void holds_all_when_the_journal_is_damaged(void **state)
{
    struct fixture *f = *state;
    int fd;
    off_t end;
    observe_balance(f, "1000");
    is(ask(f, withdrawal("a", "500")), GATE_HOLD, "large-share");
    is(ask(f, withdrawal("b", "500")), GATE_HOLD, "large-share");
    gate_stop(f->gate);
    open_journal(f, &fd, &end);
    assert_int_equal(pwrite(fd, "####", 4, 64), 4); /* in the first of two */
    close(fd);
    start(f);
    observe_balance(f, "1000");
    is(ask(f, withdrawal("c", "1")), GATE_HOLD, "journal");
}

static int no_sync(void *context, int fd)
{
    (void)context;
    (void)fd;
    errno = EIO;
    return -1;
}

static void holds_when_the_disk_fails(void **state)
{
    struct fixture *f = *state;
    static struct hin_io io;
    observe_balance(f, "1000");
    gate_stop(f->gate);
    io = *io_real();
    f->config.io = &io;
    start(f);
    observe_balance(f, "1000");
    is(ask(f, withdrawal("a", "1")), GATE_ALLOW, "otherwise");
    io.fdatasync = no_sync;
    is(ask(f, withdrawal("b", "1")), GATE_HOLD, "journal");
    is(ask(f, withdrawal("b", "1")), GATE_HOLD, "journal");
    is(ask(f, withdrawal("c", "1")), GATE_HOLD, "journal");
    f->config.io = NULL;
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

static void see_decision(void *context, const struct gate_request *request,
                         const struct gate_answer *answer)
{
    struct buffer *ids = context;
    buffer_put(ids, request->request_id);
    buffer_put_char(ids, gate_decision_name(answer->decision)[0]);
}

static void lists_the_latest_first(void **state)
{
    struct fixture *f = *state;
    struct buffer ids;
    buffer_init(&ids, 4096);
    observe_balance(f, "1000");
    ask(f, withdrawal("1", "1"));
    ask(f, withdrawal("2", "500"));
    ask(f, withdrawal("3", "1"));
    gate_decisions(f->gate, 2, see_decision, &ids);
    assert_true(slice_is(buffer_slice(&ids), "3a2h"));
    buffer_close(&ids);
    struct gate_stats stats = gate_stats(f->gate);
    assert_int_equal(stats.decisions, 3);
    assert_int_equal(stats.allowed, 2);
    assert_int_equal(stats.held, 1);
}

/* ---- how quick ---- */

enum { CALLERS = 8, ASKED = 1000 };

struct caller {
    struct fixture *f;
    pthread_t thread;
    int index;
    int64_t took_ns[ASKED];
    int allowed;
};

static void *ask_many(void *context)
{
    struct caller *caller = context;
    struct arena *arena = arena_new(16 * MIB);
    for (int i = 0; i < ASKED; i++) {
        char id[32];
        struct err err;
        struct gate_answer answer;
        (void)snprintf(id, sizeof(id), "t%d-%d", caller->index, i);
        struct gate_request request = withdrawal(id, "1");
        arena_reset(arena);
        int64_t before_ns = clock_mono_ns(clock_real());
        if (gate_decide(caller->f->gate, &request, 5000, arena, &answer, &err) == 0)
            caller->allowed += answer.decision == GATE_ALLOW;
        caller->took_ns[i] = clock_mono_ns(clock_real()) - before_ns;
    }
    arena_free(arena);
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void answers_many_at_once(void **state)
{
    struct fixture *f = *state;
    static struct caller callers[CALLERS];
    static int64_t all[CALLERS * ASKED];
    observe_balance(f, "1000");
    for (int count = 1; count <= CALLERS; count *= CALLERS) {
        int64_t began_ns = clock_mono_ns(clock_real());
        for (int i = 0; i < count; i++) {
            callers[i] = (struct caller){.f = f, .index = count * 100 + i};
            assert_int_equal(pthread_create(&callers[i].thread, NULL, ask_many, &callers[i]), 0);
        }
        for (int i = 0; i < count; i++) {
            pthread_join(callers[i].thread, NULL);
            assert_int_equal(callers[i].allowed, ASKED);
            memcpy(all + i * ASKED, callers[i].took_ns, sizeof(callers[i].took_ns));
        }
        double seconds = (double)(clock_mono_ns(clock_real()) - began_ns) / 1e9;
        size_t n = (size_t)count * ASKED;
        qsort(all, n, sizeof(all[0]), by_size);
        print_message("%d callers: %.0f decisions/s, p50 %.3f ms, p99 %.3f ms\n", count,
                      (double)n / seconds, (double)all[n / 2] / 1e6, (double)all[n * 99 / 100] / 1e6);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(decides_by_share_of_the_balance),
        TEST(decides_by_what_the_account_did),
        TEST(holds_while_an_incident_touches),
        TEST(counts_money_exactly),
        TEST(answers_the_same_request_the_same_way),
        TEST(needs_two_people_to_release),
        TEST(holds_when_unhealthy),
        TEST(holds_when_the_clock_was_moved),
        TEST(holds_without_a_policy),
        TEST(holds_what_cannot_be_judged),
        TEST(only_says_it_in_shadow_mode),
        TEST(cuts_a_torn_end),
        TEST(holds_all_when_the_journal_is_damaged),
        TEST(holds_when_the_disk_fails),
        TEST(binds_a_token_to_its_request),
        TEST(lists_the_latest_first),
        TEST(answers_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
