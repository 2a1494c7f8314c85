/*
 * One thing fails, at every place in turn, while a gate starts, decides, holds, is released and starts
 * again. It may hold too much; it never crashes, never forgets a hold, and no allow goes out that is
 * not in its journal.
 */
#include "gate_fixture.h"

#include "base/mem.h"

#define POLICY \
    "version: \"1\"\nmode: enforce\nrows:\n" \
    "  - {name: small, when: request.amount < 5, effect: allow}\n" \
    "  - {name: big, effect: hold, approvals: 2, reason: {en: e, ja: j}}\n"

enum { ASKED_MAX = 8 };

struct seen { /* what the exchange was told */
    struct gate_request request;
    char token[128];
    bool held; /* and recorded: not one of timeout, busy, memory, journal */
};

struct run {
    struct fixture *f;
    struct arena *arena;
    struct gate *gate;
    struct seen seen[ASKED_MAX];
    size_t count;
};

static bool open_gate(struct run *run)
{
    struct err err;
    if (gate_start(&run->f->config, &run->gate, &err) < 0)
        return false;
    gate_set_health(run->gate, true, NULL);
    return true;
}

static void close_gate(struct run *run)
{
    gate_stop(run->gate);
    run->gate = NULL;
}

static bool is_recorded(struct slice row)
{
    static const char *const not[] = {"timeout", "busy", "memory", "journal"};
    for (size_t i = 0; i < ARRAY_COUNT(not); i++)
        if (slice_is(row, not[i]))
            return false;
    return true;
}

static struct seen *seen_of(struct run *run, const struct gate_request *request)
{
    for (size_t i = 0; i < run->count; i++)
        if (slice_equal(run->seen[i].request.request_id, request->request_id))
            return &run->seen[i];
    assert_true(run->count < ASKED_MAX);
    run->seen[run->count] = (struct seen){.request = *request};
    return &run->seen[run->count++];
}

static struct gate_answer ask_one(struct run *run, const char *id, const char *amount)
{
    struct err err;
    struct gate_answer answer;
    struct gate_request request = withdrawal(id, amount);
    if (gate_decide(run->gate, &request, 5000, run->arena, &answer, &err) < 0)
        fail_msg("%s", err.text);
    struct seen *seen = seen_of(run, &request);
    if (answer.decision == GATE_ALLOW)
        (void)snprintf(seen->token, sizeof(seen->token), "%.*s", SLICE_ARG(answer.token));
    seen->held = answer.decision == GATE_HOLD && is_recorded(answer.row);
    return answer;
}

static void approve(struct run *run, const struct gate_answer *held, const char *who)
{
    struct err err;
    bool released;
    (void)!gate_approve(run->gate, slice_text(held->id), slice_text(who), &released, &err);
    (void)!gate_approve(run->gate, slice_text(held->id), slice_text(who), &released, &err); /* a second click */
}

static void go_through(struct run *run)
{
    struct entity entity = {SLICE("asset"), SLICE("other")};
    if (!open_gate(run))
        return;
    ask_one(run, "a", "1");
    gate_incident(run->gate, SLICE("INC-1"), SEVERITY_HIGH, true, &entity, 1);
    struct gate_answer held = ask_one(run, "b", "500");
    ask_one(run, "c", "500");
    approve(run, &held, "sato");
    close_gate(run);
    if (!open_gate(run))
        return;
    approve(run, &held, "suzuki");
    ask_one(run, "b", "500");
    ask_one(run, "a", "1");
    ask_one(run, "d", "2");
    close_gate(run);
}

/* On a sound machine again: what was said is still said. */
static void check(struct run *run)
{
    run->f->config.io = NULL;
    clock_manual_advance(&run->f->clock, NS_PER_SECOND); /* a token made anew would be another one */
    if (!open_gate(run))
        fail_msg("it does not start any more");
    for (size_t i = 0; i < run->count; i++) {
        struct err err;
        struct gate_answer answer;
        const struct seen *seen = &run->seen[i];
        if (gate_decide(run->gate, &seen->request, 5000, run->arena, &answer, &err) < 0)
            fail_msg("%s", err.text);
        if (seen->token[0] && !slice_is(answer.token, seen->token))
            fail_msg("the allow of %.*s is not in the journal", SLICE_ARG(seen->request.request_id));
        bool by_people = slice_is(answer.row, "released");
        if (seen->held && answer.decision == GATE_ALLOW && !by_people)
            fail_msg("the hold of %.*s is forgotten", SLICE_ARG(seen->request.request_id));
        if (slice_is(seen->request.request_id, "c"))
            assert_int_equal(answer.decision, GATE_HOLD);
    }
    close_gate(run);
}

static void begin(struct run *run, struct fixture *f)
{
    *run = (struct run){.f = f, .arena = arena_new(64 * MIB)};
    static const char *const files[] = {"gate.journal", "gate.journal.next", "gate.key"};
    for (size_t i = 0; i < ARRAY_COUNT(files); i++)
        remove_file(f, files[i]);
}

/* As many allows as without any fault: the fault was behind the last call. */
static bool end(struct run *run)
{
    size_t allowed = 0;
    check(run);
    for (size_t i = 0; i < run->count; i++)
        allowed += run->seen[i].token[0] != '\0';
    arena_free(run->arena);
    return allowed == 3;
}

/* ---- memory ---- */

enum { SOUND_IN_A_ROW = 40 }; /* faults without effect come in between; with 400 the figure is the same */

static void survives_every_failed_allocation(void **state)
{
    struct fixture *f = *state;
    struct run run;
    int sound = 0;
    long n = 0;
    for (; sound < SOUND_IN_A_ROW; n++) {
        begin(&run, f);
        mem_fail_after(n);
        go_through(&run);
        mem_fail_after(-1);
        if (run.gate)
            close_gate(&run);
        sound = end(&run) ? sound + 1 : 0;
    }
    print_message("%ld allocations failed in turn\n", n - SOUND_IN_A_ROW);
    assert_true(n - SOUND_IN_A_ROW > 100);
}

/* ---- files ---- */

struct faults {
    struct hin_io io;
    long left;    /* calls before it fails */
    bool for_good;
    int error;
    long calls;
};

static bool must_fail(void *context)
{
    struct faults *faults = context;
    faults->calls++;
    if (faults->left-- > 0 || (faults->left < -1 && !faults->for_good))
        return false;
    errno = faults->error;
    return true;
}

static int f_open(void *c, const char *path, int flags, mode_t mode)
{
    return must_fail(c) ? -1 : io_real()->open(NULL, path, flags, mode);
}

static int f_close(void *c, int fd)
{
    (void)c;
    return io_real()->close(NULL, fd);
}

static ssize_t f_pread(void *c, int fd, void *to, size_t len, off_t at)
{
    return must_fail(c) ? -1 : io_real()->pread(NULL, fd, to, len, at);
}

/* Half of it is written before it fails. */
static ssize_t f_pwrite(void *c, int fd, const void *from, size_t len, off_t at)
{
    if (!must_fail(c))
        return io_real()->pwrite(NULL, fd, from, len, at);
    int error = errno;
    (void)!io_real()->pwrite(NULL, fd, from, len / 2, at);
    errno = error;
    return -1;
}

/* The bytes may be there or not: here they are. */
static int f_fdatasync(void *c, int fd)
{
    (void)fd;
    return must_fail(c) ? -1 : 0;
}

static int f_ftruncate(void *c, int fd, off_t size)
{
    return must_fail(c) ? -1 : io_real()->ftruncate(NULL, fd, size);
}

static int f_rename(void *c, const char *from, const char *to)
{
    return must_fail(c) ? -1 : io_real()->rename(NULL, from, to);
}

static int f_unlink(void *c, const char *path)
{
    return must_fail(c) ? -1 : io_real()->unlink(NULL, path);
}

static int f_mkdir(void *c, const char *path, mode_t mode)
{
    return must_fail(c) ? -1 : io_real()->mkdir(NULL, path, mode);
}

static int f_fsync_dir(void *c, const char *path)
{
    return must_fail(c) ? -1 : io_real()->fsync_dir(NULL, path);
}

static off_t f_size(void *c, int fd)
{
    return must_fail(c) ? -1 : io_real()->size(NULL, fd);
}

static void prepare(struct faults *faults, long left, bool for_good)
{
    *faults = (struct faults){.left = left, .for_good = for_good, .error = left % 2 ? EIO : ENOSPC};
    faults->io = *io_real();
    faults->io.context = faults;
    faults->io.open = f_open;
    faults->io.close = f_close;
    faults->io.pread = f_pread;
    faults->io.pwrite = f_pwrite;
    faults->io.fdatasync = f_fdatasync;
    faults->io.ftruncate = f_ftruncate;
    faults->io.rename = f_rename;
    faults->io.unlink = f_unlink;
    faults->io.mkdir = f_mkdir;
    faults->io.fsync_dir = f_fsync_dir;
    faults->io.size = f_size;
}

/* *reached: the fault was among the calls that were made. */
static bool run_with(struct fixture *f, long left, bool for_good, bool *reached)
{
    static struct faults faults;
    struct run run;
    begin(&run, f);
    prepare(&faults, left, for_good);
    f->config.io = &faults.io;
    go_through(&run);
    *reached = faults.calls > left;
    return end(&run);
}

static void survives_every_failed_call(void **state)
{
    struct fixture *f = *state;
    bool reached = true;
    for (int for_good = 0; for_good < 2; for_good++) {
        long n = 0, refused = 0;
        for (reached = true; reached; n++)
            refused += !run_with(f, n, for_good, &reached);
        print_message("%ld calls failed in turn, %ld of them kept an allow back\n", n - 1, refused);
        assert_true(n > 100 && refused > n / 2);
    }
}

/* ---- around all ---- */

static int set_up_here(void **state)
{
    set_up(state);
    struct fixture *f = *state;
    if (access("/dev/shm", W_OK) == 0) { /* what is tested is the order of things: no disk is needed */
        gate_stop(f->gate);
        remove_file(f, "gate.journal");
        remove_file(f, "gate.key");
        (void)rmdir(f->dir);
        static const char pattern[] = "/dev/shm/hinomi-gate-XXXXXX";
        memcpy(f->dir, pattern, sizeof(pattern));
        assert_non_null(mkdtemp(f->dir));
        start(f);
    }
    own_policy(f, SLICE(POLICY));
    gate_stop(f->gate);
    f->gate = NULL;
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_here, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(survives_every_failed_allocation),
        TEST(survives_every_failed_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
