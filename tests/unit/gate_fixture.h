#pragma once
/* A gate for tests, and what is asked of it. */
#include "test.h"

#include "base/file.h"
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

static inline void start(struct fixture *f)
{
    struct err err;
    f->config.clock = &f->clock.clock;
    if (gate_start(&f->config, &f->gate, &err) < 0)
        fail_msg("%s", err.text);
    gate_set_health(f->gate, true, NULL);
}

static inline int set_up(void **state)
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
                                     .mode = GATE_MODE_ENFORCE,
                                     .state = f->definitions};
    start(f);
    *state = f;
    return 0;
}

static inline void remove_file(const struct fixture *f, const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    (void)unlink(path);
}

static inline int remove_found(void *context, const char *path, struct err *err)
{
    (void)context, (void)err;
    (void)unlink(path);
    return 0;
}

static inline void remove_below(const struct fixture *f, const char *folder)
{
    char path[128];
    struct err err;
    (void)snprintf(path, sizeof(path), "%s/%s", f->dir, folder);
    if (access(path, F_OK) == 0)
        (void)!file_walk(path, NULL, remove_found, NULL, &err);
    (void)rmdir(path);
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    gate_stop(f->gate);
    remove_below(f, "policies");
    remove_below(f, ".");
    (void)rmdir(f->dir);
    arena_free(f->arena);
    test_free(f);
    return 0;
}

static inline void restart(struct fixture *f)
{
    gate_stop(f->gate);
    start(f);
}

static inline void write_policy(const struct fixture *f, struct slice text)
{
    struct err err;
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/policy.yaml", f->dir);
    assert_int_equal(io_replace_file(io_real(), path, text, &err), 0);
}

/* Another policy than the shipped one, from the start. */
static inline void own_policy(struct fixture *f, struct slice text)
{
    write_policy(f, text);
    f->config.policy_path = arena_printf(f->arena, "%s/policy.yaml", f->dir).ptr;
    restart(f);
}

static inline struct decimal number(const char *text)
{
    struct decimal d;
    assert_true(decimal_parse(slice_text(text), &d));
    return d;
}

static inline struct gate_request withdrawal(const char *id, const char *amount)
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

static inline struct gate_answer ask(struct fixture *f, struct gate_request request)
{
    struct gate_answer answer;
    struct err err;
    if (gate_decide(f->gate, &request, 5000, f->arena, &answer, &err) < 0)
        fail_msg("%s", err.text);
    return answer;
}

static inline void is(struct gate_answer answer, enum gate_decision decision, const char *row)
{
    if (answer.decision != decision || !slice_is(answer.row, row))
        fail_msg("%s by %.*s, not %s by %s (%.*s)", gate_decision_name(answer.decision),
                 SLICE_ARG(answer.row), gate_decision_name(decision), row,
                 SLICE_ARG(answer.reason_count ? answer.reasons_en[0] : SLICE("")));
}

static inline void find_asset(void *context, const struct gate_asset *asset)
{
    *(struct slice *)context = asset->balance;
}

/* Observations go after requests, so a test waits until they have arrived. */
static inline void settle(struct fixture *f, const char *balance)
{
    struct slice have = SLICE_NONE;
    for (int i = 0; i < 5000 && !slice_is(have, balance); i++) {
        gate_assets(f->gate, f->arena, find_asset, &have);
        (void)usleep(1000);
    }
    assert_true(slice_is(have, balance));
}

static inline struct batch *event(const char *dataset)
{
    struct batch *batch = batch_new(4 * MIB);
    struct event_row *row = batch_add_row(batch);
    row->time_ns = NOW;
    assert_int_equal(batch_put_text(batch, 0, "event.dataset", slice_text(dataset)), 0);
    return batch;
}

static inline void observe_balance(struct fixture *f, const char *balance)
{
    struct batch *batch = event("wallet.balance");
    assert_int_equal(batch_put_text(batch, 0, "wallet.address", SLICE("hot1")), 0); /* the asset's is the total of its wallets */
    assert_int_equal(batch_put_text(batch, 0, "wallet.tier", SLICE("hot")), 0);
    assert_int_equal(batch_put_text(batch, 0, "wallet.asset", SLICE("ABC")), 0);
    assert_int_equal(batch_put(batch, 0, SLICE("wallet.chain_balance"),
                               value_decimal(number(balance), batch->arena)), 0);
    gate_observe(f->gate, batch);
    batch_free(batch);
    settle(f, balance);
}

static inline void observe_withdrawal(struct fixture *f, const char *amount)
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

static inline void set_incident(struct fixture *f, const char *type, const char *value, bool open)
{
    struct entity entity = {slice_text(type), slice_text(value)};
    gate_incident(f->gate, SLICE("INC-1"), SEVERITY_CRITICAL, open, &entity, 1);
}

struct seen_hold {
    int count;
    uint32_t approvals;
};

static inline void see_hold(void *context, const struct gate_hold *hold)
{
    struct seen_hold *seen = context;
    seen->count++;
    seen->approvals = hold->approvals;
    assert_true(hold->reason_en.len && hold->reason_ja.len);
    char amount[DECIMAL_TEXT_SIZE];
    assert_true(slice_is(slice_of(amount, decimal_format(hold->request.amount, amount)), "500"));
}

static inline struct seen_hold holds(struct fixture *f)
{
    struct seen_hold seen = {0};
    gate_holds(f->gate, SLICE_NONE, see_hold, &seen);
    return seen;
}

static inline void skip_unless_full(void)
{
    const char *full = getenv("HINOMI_FULL");
    if (!full || !*full)
        skip();
}

/* The journal begins anew after so many decisions, which takes a while. */
static inline void rotate_twice(struct fixture *f, struct gate_request request, enum gate_decision decision, const char *row)
{
    struct arena *arena = arena_new(4 * MIB);
    struct gate_ask asks[GATE_ASK_MAX];
    for (int frame = 0; frame <= 2 * (1 << 18) / GATE_ASK_MAX; frame++) {
        arena_reset(arena);
        for (int i = 0; i < GATE_ASK_MAX; i++) {
            request.request_id = arena_printf(arena, "frame %d request %d", frame, i);
            asks[i] = (struct gate_ask){.request = request};
        }
        gate_decide_many(f->gate, asks, GATE_ASK_MAX, 5000, arena);
        for (int i = 0; i < GATE_ASK_MAX; i++)
            is(asks[i].answer, decision, row);
    }
    arena_free(arena);
}

/* One person says that a stop may go to a share; its step, by two. */
static inline enum err_code reopen(struct fixture *f, const char *id, uint32_t share, const char *person, struct gate_stop *out)
{
    struct err err = {.code = ERR_NONE};
    struct gate_stop room;
    return gate_stop_reopen(f->gate, slice_text(id), share, slice_text(person), f->arena, out ? out : &room, &err) < 0 ? err.code
                                                                                                                       : ERR_NONE;
}

static inline void step(struct fixture *f, const char *id, uint32_t share)
{
    struct gate_stop out;
    assert_int_equal(reopen(f, id, share, "sato", NULL), ERR_NONE);
    assert_int_equal(reopen(f, id, share, "suzuki", &out), ERR_NONE);
    assert_int_equal(out.share, share);
    assert_int_equal(out.approvals, 0);
}

static inline void event_put(struct fixture *f, struct batch *batch, const char *name, const char *text)
{
    assert_int_equal(batch_put_text(batch, 0, name, arena_copy(f->arena, slice_text(text))), 0);
}

static inline void event_send(struct fixture *f, struct batch *batch)
{
    gate_observe(f->gate, batch);
    batch_free(batch);
}
