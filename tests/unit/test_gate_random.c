/*
 * Releases by chance: random requests, approvals good and bad, stops, changes of the policy and of the clock, over a disk that fails
 * and loses power by chance (faulty_disk.h). What is right is kept beside the gate, in bits: who said so of what.
 *
 * HINOMI_FULL: 10,000 seeds, else 300. HINOMI_SEED=n runs one and says what happens.
 */
#include "gate_fixture.h"

#include "faulty_disk.h"
#include "gate/approval.h"
#include "gate/gate_book.h"
#include "gate/gate_journal.h"
#include "gate/gate_journal_reader.h"
#include "gate/gate_rerun.h"

#include <sodium.h>

enum { PEOPLE = 4, REQUESTS = 6, STEPS = 40, TOKEN_MAX = 160 };

static const char *const people[PEOPLE] = {"sato", "suzuki", "ito", "tanaka"}; /* tanaka has a key, but is no approver */
static const char *const amounts[REQUESTS] = {"1", "20", "30", "200", "2", "300"};
static const unsigned needs[REQUESTS] = {0, 1, 1, 2, 0, 2}; /* distinct people, by the policy below */

struct asked {
    char id[8];
    int owner;         /* of PEOPLE who asks, or -1 */
    int64_t held_ns;   /* as its answer says, which tells one hold from another */
    int held_step;     /* at which that hold was first seen; -1: not */
    int untold_step;   /* at which the journal failed under its answer, so that the disk may have what was decided; -1: never */
    unsigned said;     /* bits of PEOPLE whose good word was given to the gate */
    char token[TOKEN_MAX]; /* of the first allow; "": none yet */
};

struct run {
    struct fixture *f;
    struct faulty_disk *disk;
    struct rand_seeded chance;
    struct arena *arena;
    uint64_t seed;
    bool tell;
    bool removed, is_out; /* suzuki is not in the policy's file, in the policy in force */
    bool stopped;         /* surely: set was confirmed, and nobody reopened since */
    int64_t stop_ns;      /* as it says, which tells one from another */
    int step, stop_step;  /* at which it was set */
    struct asked asked[REQUESTS];
    unsigned allows, releases, made_again;
};

static uint64_t below(struct run *run, uint64_t n)
{
    return rand_below(&run->chance.rand, n);
}

#define SAY(run, ...)                                   \
    do {                                                \
        if ((run)->tell)                                \
            print_message(__VA_ARGS__);                 \
    } while (0)

#define WRONG(run, format, ...) \
    fail_msg("HINOMI_SEED=%llu: " format, (unsigned long long)(run)->seed, __VA_ARGS__)

/* ---- policy and gate ---- */

static void seed_of(int person, unsigned char seed[APPROVER_SEED_SIZE])
{
    memset(seed, 0, APPROVER_SEED_SIZE);
    seed[0] = (unsigned char)(person + 1);
}

static struct slice key_text(struct run *run, int person)
{
    unsigned char seed[APPROVER_SEED_SIZE], key[APPROVER_KEY_SIZE];
    char text[64];
    seed_of(person, seed);
    approval_public_key(seed, key);
    sodium_bin2base64(text, sizeof(text), key, sizeof(key), sodium_base64_VARIANT_ORIGINAL);
    return arena_copy(run->arena, slice_text(text));
}

static void put_policy(struct run *run)
{
    write_policy(run->f, arena_printf(run->arena,
                                      "version: \"%d\"\nmode: enforce\nrows:\n"
                                      "  - {name: small, when: request.amount < 5, effect: allow}\n"
                                      "  - {name: middle, when: request.amount < 50, effect: hold, approvals: 1, reason: {en: e, ja: j}}\n"
                                      "  - {name: big, effect: hold, approvals: 2, reason: {en: e, ja: j}}\n"
                                      "approvers:\n  sato: %s\n  ito: %s\n%s%s\n",
                                      run->removed, key_text(run, 0).ptr, key_text(run, 2).ptr, run->removed ? "" : "  suzuki: ",
                                      run->removed ? "" : key_text(run, 1).ptr));
}

static bool open_gate(struct run *run)
{
    struct err err;
    if (gate_start(&run->f->config, &run->f->gate, &err) < 0) {
        run->f->gate = NULL;
        return false;
    }
    gate_set_health(run->f->gate, true, NULL);
    run->is_out = run->removed;
    return true;
}

static void close_gate(struct run *run)
{
    gate_stop(run->f->gate);
    run->f->gate = NULL;
}

static struct gate_request request_of(const struct run *run, int i)
{
    const struct asked *asked = &run->asked[i];
    struct gate_request request = withdrawal(asked->id, amounts[i]);
    if (asked->owner >= 0)
        request.account = slice_text(people[asked->owner]);
    return request;
}

/* ---- what must be true ---- */

struct search {
    struct slice request_id;
    unsigned allows;
};

static int count_allow(void *context, struct slice record, struct err *err)
{
    struct search *search = context;
    struct book_decision decision;
    int found = book_read_decision(record, &decision, err);
    if (found > 0 && decision.answer.decision == GATE_ALLOW && slice_equal(decision.request.request_id, search->request_id))
        search->allows++;
    return found < 0 ? -1 : 0;
}

/* Of this request, in what a power cut now would surely leave. */
static unsigned durable_allows(struct run *run, const char *id)
{
    struct search search = {.request_id = slice_text(id)};
    struct gate_journal_place place = {.known = true};
    struct err err;
    char path[128];
    off_t end;
    (void)snprintf(path, sizeof(path), "%s/gate.journal", run->f->dir);
    if (gate_journal_read(disk_durable(run->disk, path, run->arena), &place, count_allow, &search, &end, &err) < 0)
        WRONG(run, "%s", err.text);
    return search.allows;
}

static void check_first_allow(struct run *run, int i)
{
    const struct asked *asked = &run->asked[i];
    unsigned counted = asked->said;
    if (asked->owner >= 0)
        counted &= ~(1U << asked->owner);
    if ((unsigned)__builtin_popcount(counted) < needs[i])
        WRONG(run, "%s went out with %d of %u approvals", asked->id, __builtin_popcount(counted), needs[i]);
    bool held_before = asked->held_step >= 0 && asked->held_step < run->stop_step;
    bool let_go = __builtin_popcount(counted) >= (needs[i] ? 1 : 2) && !held_before;
    bool decided_before = !needs[i] && asked->untold_step >= 0 && asked->untold_step < run->stop_step;
    if (run->stopped && !let_go && !decided_before) /* people may let go what was held under the stop */
        WRONG(run, "%s went out while its asset is stopped", asked->id);
    if (run->disk->dead)
        WRONG(run, "%s went out though nothing can be written", asked->id);
}

static void check_allow(struct run *run, int i, const struct gate_answer *answer)
{
    struct asked *asked = &run->asked[i];
    char token[TOKEN_MAX];
    (void)snprintf(token, sizeof(token), "%.*s", SLICE_ARG(answer->token));
    if (!asked->token[0]) {
        check_first_allow(run, i);
        memcpy(asked->token, token, sizeof(token));
        run->allows++;
        run->releases += needs[i] > 0;
    } else if (strcmp(asked->token, token) != 0)
        WRONG(run, "%s went out twice with two tokens", asked->id);
    if (durable_allows(run, asked->id) != 1)
        WRONG(run, "%s went out and is %u times in the durable journal", asked->id, durable_allows(run, asked->id));
}

/* ---- steps ---- */

static bool is_policys_hold(const struct gate_answer *answer)
{
    return slice_is(answer->row, "middle") || slice_is(answer->row, "big");
}

static void ask_one(struct run *run, int i, bool sound)
{
    struct gate_answer answer;
    struct err err;
    struct gate_request request = request_of(run, i);
    if (gate_decide(run->f->gate, &request, 5000, run->arena, &answer, &err) < 0)
        WRONG(run, "%s", err.text);
    SAY(run, "  ask %s: %s by %.*s\n", run->asked[i].id, gate_decision_name(answer.decision), SLICE_ARG(answer.row));
    if (answer.decision == GATE_ALLOW)
        check_allow(run, i, &answer);
    else if (sound && run->asked[i].token[0])
        WRONG(run, "the allow of %s is forgotten: %.*s", request.request_id.ptr, SLICE_ARG(answer.row));
    else if (slice_is(answer.row, "journal") && run->asked[i].untold_step < 0)
        run->asked[i].untold_step = run->step;
    else if (is_policys_hold(&answer) && (run->asked[i].held_step < 0 || run->asked[i].held_ns != answer.decided_ns)) {
        run->asked[i].held_ns = answer.decided_ns;
        run->asked[i].held_step = run->step;
    }
}

static void hold_id(const struct gate_request *request, char to[33], unsigned char digest[REQUEST_DIGEST_SIZE])
{
    assert_true(request_digest(request, digest));
    sodium_bin2hex(to, 33, digest, 16);
}

static void approve_by_session(struct run *run, int i)
{
    struct err err = {.text = ""};
    bool released;
    char id[33];
    unsigned char digest[REQUEST_DIGEST_SIZE];
    struct gate_request request = request_of(run, i);
    int person = (int)below(run, 3);
    hold_id(&request, id, digest);
    run->asked[i].said |= 1U << person;
    int result = gate_approve(run->f->gate, slice_text(id), slice_text(people[person]), &released, &err);
    SAY(run, "  %s approves %s: %s\n", people[person], run->asked[i].id, result < 0 ? err.text : released ? "released" : "counted");
}

enum wrong { GOOD, FORGED, EXPIRED, OTHER_BYTES, OTHER_KEY, OTHER_GATE, WRONGS };

static void approve_by_signature(struct run *run, int i)
{
    static const char *const names[] = {"good", "forged", "expired", "of other bytes", "by another's key", "for another gate"};
    struct err err = {.text = ""};
    bool released;
    char id[33], other[33], gate[GATE_ID_SIZE];
    unsigned char digest[REQUEST_DIGEST_SIZE], seed[APPROVER_SEED_SIZE];
    enum wrong wrong = below(run, 2) ? GOOD : (enum wrong)below(run, WRONGS);
    int person = (int)below(run, PEOPLE);
    struct gate_request request = request_of(run, i), signs = request_of(run, wrong == OTHER_BYTES ? (i + 1) % REQUESTS : i);
    hold_id(&request, id, digest);
    hold_id(&signs, other, digest);
    gate_id(run->f->gate, gate);
    if (wrong == OTHER_GATE)
        gate[0] = gate[0] == '0' ? '1' : '0';
    int64_t now_ns = clock_wall_ns(&run->f->clock.clock);
    struct gate_signature signature = {.approver = slice_text(people[person]),
                                       .expires_ns = now_ns + (wrong == EXPIRED ? -NS_PER_DAY : 10 * NS_PER_MINUTE)};
    struct approval_text text = {slice_text(gate), slice_text(other), signature.approver, digest, signature.expires_ns, SLICE_NONE};
    seed_of(wrong == OTHER_KEY ? (person + 1) % PEOPLE : person, seed);
    assert_true(approval_sign(&text, seed, signature.bytes));
    if (wrong == FORGED)
        signature.bytes[below(run, GATE_SIGNATURE_SIZE)] ^= 1;
    bool counts = wrong == GOOD && person < 3 && !(person == 1 && run->is_out);
    run->asked[i].said |= counts ? 1U << person : 0;
    int result = gate_approve_signed(run->f->gate, slice_text(id), &signature, &released, &err);
    SAY(run, "  %s signs %s (%s): %s\n", people[person], run->asked[i].id, names[wrong], result < 0 ? err.text : released ? "released" : "counted");
    if (result == 0 && !counts)
        WRONG(run, "a signature of %s, %s, was taken", people[person], names[wrong]);
}

static void stop_or_reopen(struct run *run)
{
    struct err err = {.text = ""};
    struct gate_stop stop = {.scope = SLICE("asset"), .target = SLICE("ABC")};
    const struct gate_stop_order order = {.scope = stop.scope, .target = stop.target, .by = SLICE("sato"), .reason = SLICE("asked for")};
    if (below(run, 3) == 0) {
        bool set = gate_stop_set(run->f->gate, &order, run->arena, &stop, &err) == 0;
        if (set && run->stop_ns != stop.changed_ns) { /* else it stands already, as it was */
            run->stop_ns = stop.changed_ns;
            run->stop_step = run->step;
        }
        run->stopped = run->stopped || set;
        SAY(run, "  stop: %s\n", set ? "set" : err.text);
        return;
    }
    gate_stop_id(&stop);
    static const uint32_t shares[] = {100, 1000, GATE_SHARE_WHOLE};
    for (size_t i = 0; i < ARRAY_COUNT(shares); i++) {
        bool both = below(run, 4) != 0;
        run->stopped = run->stopped && !both; /* one person alone reopens nothing, if none was there before */
        for (int person = 0; person <= both; person++) {
            int result = gate_stop_reopen(run->f->gate, slice_text(stop.id), shares[i], slice_text(people[0 + person]), run->arena, &stop,
                                          &err);
            SAY(run, "  %s reopens to %u: %s\n", people[person], shares[i], result < 0 ? err.text : "counted");
        }
    }
}

static void move_clock(struct run *run)
{
    struct clock_manual *clock = &run->f->clock;
    int64_t by_ns = (int64_t)below(run, 10 * 60) * NS_PER_SECOND;
    if (below(run, 4) == 0)
        clock->wall_ns -= by_ns;
    else
        clock_manual_advance(clock, by_ns);
}

/* Stops the gate, sometimes with the power gone. */
static void start_again(struct run *run, bool cut, bool sound)
{
    run->disk->one_in = 0; /* ending is no call that may fail */
    close_gate(run);
    if (cut)
        disk_cut_power(run->disk);
    SAY(run, "  %s\n", cut ? "power cut" : "restart");
    run->disk->one_in = sound || below(run, 3) ? 0 : 20;
    run->disk->dead = false;
    while (!open_gate(run))
        run->disk->one_in = 0;
}

static void change_policy(struct run *run)
{
    struct err err;
    run->removed = !run->removed;
    put_policy(run);
    if (gate_policy_reload(run->f->gate, SLICE("sato"), &err) == 0)
        run->is_out = run->removed;
}

static void take_step(struct run *run)
{
    int i = (int)below(run, REQUESTS);
    switch (below(run, 16)) {
    case 0: start_again(run, true, false); return;
    case 1: start_again(run, false, false); return;
    case 2: stop_or_reopen(run); return;
    case 3: move_clock(run); return;
    case 4: change_policy(run); return;
    case 5: run->disk->one_in = below(run, 2) ? 0 : 30; return;
    case 6: run->disk->dead = below(run, 4) == 0; return;
    case 7: case 8: case 9: approve_by_session(run, i); return;
    case 10: case 11: approve_by_signature(run, i); return;
    default: ask_one(run, i, false);
    }
}

/* ---- a run ---- */

static void check_at_end(struct run *run)
{
    start_again(run, true, true);
    clock_manual_advance(&run->f->clock, NS_PER_HOUR);
    for (int i = 0; i < REQUESTS; i++)
        ask_one(run, i, true);
    close_gate(run);
}

static void make_again(struct run *run, struct gate_rerun *rerun, struct slice record)
{
    struct book_decision decision;
    struct err err;
    const char *why;
    int found = book_read_decision(record, &decision, &err);
    assert_true(found >= 0);
    if (!found)
        return;
    int result = gate_rerun_decision(rerun, &decision, NULL, NULL, &why, &err);
    if (result)
        WRONG(run, "%.*s comes out otherwise when it is made again: %s", SLICE_ARG(decision.request.request_id), result < 0 ? err.text : why);
    run->made_again++;
}

/* What the disk keeps, as files: every decision of it is made again. */
static void make_all_again(struct run *run)
{
    struct gate_rerun *rerun;
    struct gate_journal_reader *reader;
    struct gate_journal_frame frame;
    struct err err;
    char folder[128];
    int found;
    (void)snprintf(folder, sizeof(folder), "%s/policies", run->f->dir);
    assert_int_equal(io_make_dirs(io_real(), folder, &err), 0);
    for (int i = 0; i < DISK_NAMES; i++) {
        const char *path = run->disk->durable[i].path;
        if (path[0] && io_replace_file(io_real(), path, disk_durable(run->disk, path, run->arena), &err) < 0)
            fail_msg("%s", err.text);
    }
    assert_int_equal(gate_rerun_new(run->f->dir, &rerun, &err), 0);
    assert_int_equal(gate_journal_reader_open(run->f->dir, 0, &reader, &err), 0);
    while ((found = gate_journal_reader_next(reader, &frame, &err)) > 0) {
        struct slice payload = frame.payload, record;
        while (!frame.carried && gate_journal_record_next(&payload, &record) > 0)
            make_again(run, rerun, record);
    }
    if (found < 0)
        WRONG(run, "%s", err.text);
    gate_journal_reader_close(reader);
    gate_rerun_free(rerun);
}

static void run_seed(struct fixture *f, uint64_t seed, bool tell, struct run *sum)
{
    struct run run = {.f = f, .seed = seed, .tell = tell, .arena = arena_new(64 * MIB), .disk = disk_new(seed)};
    rand_seeded_init(&run.chance, seed * 2 + 1);
    clock_manual_init(&f->clock, NOW);
    f->config.io = &run.disk->io;
    for (int i = 0; i < REQUESTS; i++) {
        (void)snprintf(run.asked[i].id, sizeof(run.asked[i].id), "r%d", i);
        run.asked[i].owner = (int)below(&run, PEOPLE) - 1;
        run.asked[i].held_step = run.asked[i].untold_step = -1;
    }
    put_policy(&run);
    while (!open_gate(&run))
        continue;
    for (; run.step < STEPS; run.step++)
        take_step(&run);
    check_at_end(&run);
    make_all_again(&run);
    sum->allows += run.allows;
    sum->releases += run.releases;
    sum->made_again += run.made_again;
    sum->disk->failed += run.disk->failed;
    f->config.io = NULL;
    disk_free(run.disk);
    arena_free(run.arena);
}

static void no_release_without_its_people(void **state)
{
    struct faulty_disk *failed = disk_new(0);
    struct run sum = {.disk = failed};
    const char *one = getenv("HINOMI_SEED"), *full = getenv("HINOMI_FULL");
    uint64_t count = full && *full ? 10000 : 300;
    if (one)
        run_seed(*state, strtoull(one, NULL, 10), true, &sum);
    for (uint64_t seed = 1; seed <= count && !one; seed++)
        run_seed(*state, seed, false, &sum);
    print_message("%u allows, %u of them released by people; %u decisions made again; %lu calls of the disk failed\n", sum.allows, sum.releases,
                  sum.made_again, failed->failed);
    assert_true(one || (sum.releases > count / 10 && failed->failed > count / 10));
    disk_free(failed);
}

static int set_up_here(void **state)
{
    set_up(state);
    struct fixture *f = *state;
    own_policy(f, SLICE("version: \"1\"\nmode: enforce\nrows:\n  - {name: all, effect: hold, approvals: 2, reason: {en: e, ja: j}}\n"));
    gate_stop(f->gate);
    f->gate = NULL;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(no_release_without_its_people, set_up_here, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
