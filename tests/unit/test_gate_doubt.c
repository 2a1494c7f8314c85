/* Each row of "When it is in doubt" (docs/gate.md): it holds, says why, and what follows. */
#include "gate_fixture.h"

#include "gate/gate_incidents.h"
#include "base/mem.h"
#include "gate/gate_parts.h"

/* ---- a gate whose thread stands still ---- */

/* The callback of a commit runs in the gate's thread, so a test can stop it there. */
struct brake {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool on, reached;
};

static struct brake brake = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false};

static void stand_still(void *context, uint64_t number)
{
    (void)context, (void)number;
    pthread_mutex_lock(&brake.lock);
    brake.reached = true;
    pthread_cond_broadcast(&brake.moved);
    while (brake.on)
        pthread_cond_wait(&brake.moved, &brake.lock);
    pthread_mutex_unlock(&brake.lock);
}

struct asking {
    struct fixture *f;
    struct gate_request request;
    struct gate_answer answer; /* decision and row only */
    char row[32];
    pthread_t thread;
};

static void *ask_aside(void *context)
{
    struct asking *asking = context;
    struct err err;
    struct arena *arena = arena_new(1 * MIB); /* the fixture's is the test's own */
    if (gate_decide(asking->f->gate, &asking->request, 20000, arena, &asking->answer, &err) < 0)
        abort();
    (void)snprintf(asking->row, sizeof(asking->row), "%.*s", SLICE_ARG(asking->answer.row));
    asking->answer = (struct gate_answer){.decision = asking->answer.decision,
                                          .row = slice_text(asking->row)};
    arena_free(arena);
    return NULL;
}

static void ask_in_thread(struct asking *asking, struct fixture *f, struct gate_request request)
{
    *asking = (struct asking){.f = f, .request = request};
    assert_int_equal(pthread_create(&asking->thread, NULL, ask_aside, asking), 0);
}

static size_t waiting(struct fixture *f)
{
    pthread_mutex_lock(&f->gate->inbox.lock);
    size_t count = f->gate->inbox.message_count;
    pthread_mutex_unlock(&f->gate->inbox.lock);
    return count;
}

/* From here to let_go() the gate's thread is busy with the request "stopper". */
static void stop_thread(struct asking *stopper, struct fixture *f)
{
    brake.on = true;
    brake.reached = false;
    f->config.committed = stand_still;
    restart(f);
    ask_in_thread(stopper, f, withdrawal("stopper", "1"));
    pthread_mutex_lock(&brake.lock);
    while (!brake.reached)
        pthread_cond_wait(&brake.moved, &brake.lock);
    pthread_mutex_unlock(&brake.lock);
}

static void let_go(struct asking *stopper)
{
    pthread_mutex_lock(&brake.lock);
    brake.on = false;
    pthread_cond_broadcast(&brake.moved);
    pthread_mutex_unlock(&brake.lock);
    pthread_join(stopper->thread, NULL);
}

static struct gate_answer ask_briefly(struct fixture *f, const char *id, int64_t wait_ms)
{
    struct err err;
    struct gate_answer answer;
    struct gate_request request = withdrawal(id, "1");
    assert_int_equal(gate_decide(f->gate, &request, wait_ms, f->arena, &answer, &err), 0);
    return answer;
}

static void holds_when_the_clock_was_set_back_while_it_was_down(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "1000");
    is(ask(f, withdrawal("a", "1")), GATE_ALLOW, "otherwise");
    gate_stop(f->gate);
    f->clock.wall_ns -= NS_PER_HOUR;
    start(f);
    observe_balance(f, "1000");
    is(ask(f, withdrawal("b", "1")), GATE_HOLD, "clock");
    clock_manual_advance(&f->clock, 61 * NS_PER_SECOND);
    struct gate_request now = withdrawal("c", "1");
    now.at_ns = 0; /* when it comes */
    is(ask(f, now), GATE_ALLOW, "otherwise");
}

static void holds_when_there_is_no_answer_in_time(void **state)
{
    struct fixture *f = *state;
    struct asking stopper;
    stop_thread(&stopper, f);
    is(ask_briefly(f, "a", 10), GATE_HOLD, "timeout");
    let_go(&stopper);
    observe_balance(f, "1000");
    uint64_t before = gate_stats(f->gate).decisions;
    is(ask(f, withdrawal("a", "1")), GATE_ALLOW, "otherwise"); /* it had not been decided */
    assert_int_equal(gate_stats(f->gate).decisions, before + 1);
}

static void holds_when_the_inbox_is_full(void **state)
{
    struct fixture *f = *state;
    struct asking stopper;
    char id[16];
    stop_thread(&stopper, f);
    for (int i = 0; i < MESSAGES_MAX; i++) {
        (void)snprintf(id, sizeof(id), "m%d", i);
        is(ask_briefly(f, id, 0), GATE_HOLD, "timeout");
    }
    is(ask_briefly(f, "one-more", 0), GATE_HOLD, "busy");
    is(ask_briefly(f, "one-more", 5000), GATE_HOLD, "busy");
    let_go(&stopper);
    observe_balance(f, "1000");
    is(ask(f, withdrawal("one-more", "1")), GATE_ALLOW, "otherwise");
}

/* A clock that goes on by a slice's length at every look, so that one slice takes in one event. */
static int64_t ticking_mono(void *context)
{
    struct clock_manual *manual = context;
    return __atomic_add_fetch(&manual->mono_ns, OBSERVE_SLICE_NS, __ATOMIC_RELAXED);
}

static int64_t ticking_wall(void *context)
{
    struct clock_manual *manual = context;
    return NOW + __atomic_load_n(&manual->mono_ns, __ATOMIC_RELAXED);
}

static void observe_many(struct fixture *f, uint32_t rows)
{
    struct batch *batch = event("exchange.withdrawal");
    for (uint32_t row = 0; row < rows; row++) {
        if (row)
            assert_non_null(batch_add_row(batch));
        batch->rows[row].time_ns = NOW;
        assert_int_equal(batch_put_text(batch, row, "event.dataset", SLICE("exchange.withdrawal")), 0);
        assert_int_equal(batch_put_text(batch, row, "event.action", SLICE("withdrawal_requested")), 0);
        assert_int_equal(batch_put_text(batch, row, "user.id", SLICE("u1")), 0);
    }
    gate_observe(f->gate, batch);
    batch_free(batch);
}

/* Events that wait for more than two seconds, though health is good. */
static void holds_while_events_wait(void **state)
{
    struct fixture *f = *state;
    struct asking stopper, late;
    f->clock.clock.mono_ns = ticking_mono;
    f->clock.clock.wall_ns = ticking_wall;
    stop_thread(&stopper, f);
    observe_many(f, 500);
    clock_manual_advance(&f->clock, 3 * NS_PER_SECOND);
    ask_in_thread(&late, f, withdrawal("late", "1"));
    while (waiting(f) < 1)
        (void)usleep(1000);
    let_go(&stopper);
    pthread_join(late.thread, NULL);
    is(late.answer, GATE_HOLD, "behind");
    observe_balance(f, "1000"); /* it has caught up */
    is(ask(f, withdrawal("b", "1")), GATE_ALLOW, "otherwise");
    is(ask(f, withdrawal("late", "1")), GATE_HOLD, "behind"); /* that one waits for people */
}

/* ---- memory ---- */

static void holds_when_events_were_lost(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "1000");
    struct batch *batch = event("exchange.withdrawal");
    assert_int_equal(batch_put_text(batch, 0, "event.action", SLICE("withdrawal_requested")), 0);
    assert_int_equal(batch_put_text(batch, 0, "user.id", SLICE("u1")), 0);
    mem_fail_here_after(0);
    gate_observe(f->gate, batch);
    mem_fail_here_after(-1);
    batch_free(batch);
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "lost");
    is(ask(f, withdrawal("b", "1")), GATE_HOLD, "lost");
    restart(f);
    observe_balance(f, "1000");
    is(ask(f, withdrawal("c", "1")), GATE_ALLOW, "otherwise");
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "lost");
}

static void holds_without_memory(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "1000");
    mem_fail_after(0);
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "memory");
    mem_fail_after(-1);
    is(ask(f, withdrawal("a", "1")), GATE_ALLOW, "otherwise"); /* nothing was recorded */
}

static void holds_when_an_incident_is_too_large_to_know(void **state)
{
    struct fixture *f = *state;
    static struct entity many[INCIDENT_ENTITIES_MAX + 1];
    observe_balance(f, "1000");
    for (size_t i = 0; i < ARRAY_COUNT(many); i++)
        many[i] = (struct entity){SLICE("host"), SLICE("h")};
    gate_incident(f->gate, SLICE("INC-9"), SEVERITY_LOW, true, many, ARRAY_COUNT(many));
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "incidents");
}

static void holds_when_its_state_is_damaged(void **state)
{
    struct fixture *f = *state;
    f->config.state_snapshot = SLICE("this is no snapshot");
    restart(f);
    observe_balance(f, "1000");
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "state");
}

/* ---- the clock ---- */

static void holds_when_the_clock_goes_back(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "1000");
    is(ask(f, withdrawal("a", "1")), GATE_ALLOW, "otherwise");
    f->clock.wall_ns -= 3 * NS_PER_SECOND;
    struct gate_request request = withdrawal("b", "1");
    request.at_ns = f->clock.wall_ns;
    is(ask(f, request), GATE_HOLD, "clock");
}

static void refuses_times_far_from_the_clock(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "1000");
    static const int64_t fine_s[] = {-600, 0, 60}, far_s[] = {-601, 61, 86400};
    for (size_t i = 0; i < ARRAY_COUNT(fine_s); i++) {
        char id[8];
        (void)snprintf(id, sizeof(id), "f%zu", i);
        struct gate_request request = withdrawal(id, "0.1");
        request.at_ns += fine_s[i] * NS_PER_SECOND;
        is(ask(f, request), GATE_ALLOW, "otherwise");
        (void)snprintf(id, sizeof(id), "n%zu", i);
        request = withdrawal(id, "0.1");
        request.at_ns += far_s[i] * NS_PER_SECOND;
        is(ask(f, request), GATE_DENY, "request-time");
    }
}

static void takes_the_time_of_receipt(void **state)
{
    struct fixture *f = *state;
    struct err err;
    observe_balance(f, "1000");
    struct gate_request request = withdrawal("a", "1");
    request.at_ns = 0;
    struct gate_answer first = ask(f, request);
    is(first, GATE_ALLOW, "otherwise");
    assert_int_equal(first.at_ns, NOW);
    assert_int_equal(gate_token_check(f->gate, &request, first.token, &err), -1);
    clock_manual_advance(&f->clock, NS_PER_SECOND);
    restart(f);
    struct gate_answer again = ask(f, request);
    assert_true(slice_equal(again.token, first.token) && again.at_ns == NOW);
    request.at_ns = first.at_ns;
    assert_int_equal(gate_token_check(f->gate, &request, first.token, &err), 0);
    assert_true(slice_equal(ask(f, request).token, first.token));
}

/* ---- the disk ---- */

static struct hin_io failing;

static ssize_t no_room(void *context, int fd, const void *from, size_t len, off_t at)
{
    (void)context, (void)fd, (void)from, (void)len, (void)at;
    errno = ENOSPC;
    return -1;
}

static int no_journal(void *context, const char *path, int flags, mode_t mode)
{
    if (strstr(path, "gate.journal")) {
        errno = EACCES;
        return -1;
    }
    return io_real()->open(context, path, flags, mode);
}

static void use_failing(struct fixture *f)
{
    failing = *io_real();
    f->config.io = &failing;
    restart(f);
    observe_balance(f, "1000");
}

static void holds_when_the_disk_is_full(void **state)
{
    struct fixture *f = *state;
    use_failing(f);
    is(ask(f, withdrawal("a", "1")), GATE_ALLOW, "otherwise");
    failing.pwrite = no_room;
    is(ask(f, withdrawal("b", "1")), GATE_HOLD, "journal");
    failing.pwrite = io_real()->pwrite;
    is(ask(f, withdrawal("c", "1")), GATE_HOLD, "journal"); /* not trusted again before a restart */
    is(ask(f, withdrawal("a", "1")), GATE_ALLOW, "otherwise"); /* that one is durable */
    restart(f);
    observe_balance(f, "1000");
    is(ask(f, withdrawal("c", "1")), GATE_ALLOW, "otherwise"); /* nothing could be recorded */
}

/* Asked again, too: what stands in memory only is gone after a restart. */
static void confirms_no_stop_that_is_not_durable(void **state)
{
    struct fixture *f = *state;
    struct err err;
    const struct gate_stop_order order = {.scope = SLICE("asset"), .target = SLICE("ABC"), .by = SLICE("sato"), .reason = SLICE("asked for")};
    use_failing(f);
    failing.pwrite = no_room;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(gate_stop_set(f->gate, &order, NULL, NULL, &err), -1);
        assert_int_equal(err.code, ERR_IO);
        assert_int_equal(gate_tighten(f->gate, SLICE("INC-1"), &err), -1);
        assert_int_equal(err.code, ERR_IO);
    }
}

static void holds_when_the_journal_cannot_be_opened(void **state)
{
    struct fixture *f = *state;
    gate_stop(f->gate);
    failing = *io_real();
    failing.open = no_journal;
    f->config.io = &failing;
    start(f);
    observe_balance(f, "1000");
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "journal");
    bool released;
    struct err err;
    struct gate_answer held = ask(f, withdrawal("a", "1"));
    assert_int_equal(gate_approve(f->gate, slice_text(held.id), SLICE("sato"), &released, &err), -1);
}

static void holds_without_its_key(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/gate.key", f->dir);
    assert_int_equal(io_replace_file(io_real(), path, SLICE("short"), &err), 0);
    restart(f);
    observe_balance(f, "1000");
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "key");
}

/* ---- what was held stays held ---- */

static void keeps_what_it_held_in_doubt(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "1000");
    gate_set_health(f->gate, false, "replaying");
    is(ask(f, withdrawal("a", "500")), GATE_HOLD, "unhealthy");
    gate_set_health(f->gate, true, NULL);
    is(ask(f, withdrawal("b", "500")), GATE_HOLD, "large-share");
    restart(f);
    observe_balance(f, "1000000"); /* now it would be a small share */
    assert_int_equal(holds(f).count, 2);
    is(ask(f, withdrawal("a", "500")), GATE_HOLD, "unhealthy");
    is(ask(f, withdrawal("b", "500")), GATE_HOLD, "large-share");
    struct gate_request other = withdrawal("b", "1");
    struct gate_answer answer;
    struct err err;
    assert_int_equal(gate_decide(f->gate, &other, 5000, f->arena, &answer, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(answer.decision, GATE_HOLD); /* for a caller that does not look at the error */
    assert_int_equal(holds(f).count, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(holds_when_the_clock_was_set_back_while_it_was_down),
        TEST(holds_when_there_is_no_answer_in_time),
        TEST(holds_when_the_inbox_is_full),
        TEST(holds_while_events_wait),
        TEST(holds_when_events_were_lost),
        TEST(holds_without_memory),
        TEST(holds_when_an_incident_is_too_large_to_know),
        TEST(holds_when_its_state_is_damaged),
        TEST(holds_when_the_clock_goes_back),
        TEST(refuses_times_far_from_the_clock),
        TEST(takes_the_time_of_receipt),
        TEST(holds_when_the_disk_is_full),
        TEST(holds_when_the_journal_cannot_be_opened),
        TEST(confirms_no_stop_that_is_not_durable),
        TEST(holds_without_its_key),
        TEST(keeps_what_it_held_in_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
