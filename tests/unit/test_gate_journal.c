#include "gate_fixture.h"

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
    observe_balance(f, "1000000000");
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
        TEST(answers_the_same_request_the_same_way),
        TEST(needs_two_people_to_release),
        TEST(cuts_a_torn_end),
        TEST(holds_all_when_the_journal_is_damaged),
        TEST(holds_when_the_disk_fails),
        TEST(lists_the_latest_first),
        TEST(answers_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
