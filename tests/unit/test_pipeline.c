/* The walk over restarts: a child process does some of it and is gone, the next goes on. */
#include "store_fixture.h"

#include "flow/pipeline.h"

#include <signal.h>
#include <sys/wait.h>

enum { WALLETS = 6, ROUNDS = 12, BYTES = 512 };
#define WAIT_MS 20000

/* journal, store, checkpoint and the walk over them in one folder. */
struct world {
    char dir[64], journal_dir[96], store_dir[96], memory_dir[96], crash_path[96];
    struct journal *journal;
    struct store *store;
    struct checkpoint *checkpoint;
    struct decoders *decoders;
    struct rulebook *book;
    struct pipeline *pipeline;
    const char *deadly; /* a batch with this text kills the process */
    unsigned passed;
};

static void must(int result, const struct err *err)
{
    if (result < 0)
        fail_msg("%s", err->text);
}

static void on_passed(void *context, const struct batch *batch)
{
    struct world *world = context;
    world->passed += batch->row_count;
    for (uint32_t i = 0; world->deadly && i < batch->row_count; i++)
        if (slice_find(batch->rows[i].raw, slice_text(world->deadly)) >= 0)
            (void)raise(SIGSEGV);
}

static void world_name(struct world *world)
{
    folder_make(world->dir);
    (void)snprintf(world->journal_dir, sizeof(world->journal_dir), "%s/journal", world->dir);
    (void)snprintf(world->store_dir, sizeof(world->store_dir), "%s/store", world->dir);
    (void)snprintf(world->memory_dir, sizeof(world->memory_dir), "%s/memory", world->dir);
    (void)snprintf(world->crash_path, sizeof(world->crash_path), "%s/walk", world->dir);
}

static void world_open(struct world *world, uint32_t seal_rows)
{
    struct err err;
    struct rulebook_sources sources = {.rules = "content/rules/wdr_01_large_share.yml", .logsources = "content/logsources",
                                       .state = "content/state"};
    struct store_config store = {.dir = world->store_dir, .seal_rows = seal_rows};
    must(store_open(&store, &world->store, &err), &err);
    struct journal_config journal = {.dir = world->journal_dir,
                                     .file_bytes = 4096,
                                     .position_min = store_covered(world->store),
                                     .seq_min = store_next_seq(world->store)};
    must(journal_open(&journal, &world->journal, &err), &err);
    struct checkpoint_config checkpoint = {.dir = world->memory_dir};
    must(checkpoint_open(&checkpoint, &world->checkpoint, &err), &err);
    must(decoders_load("content/decoders", NULL, &world->decoders, &err), &err);
    must(rulebook_load(&sources, &world->book, &err), &err);
    struct pipeline_config config = {.journal = world->journal,
                                     .store = world->store,
                                     .checkpoint = world->checkpoint,
                                     .checkpoint_ms = 1,
                                     .crash_path = world->crash_path,
                                     .decoders = world->decoders,
                                     .book = world->book,
                                     .clock = clock_real(),
                                     .passed = on_passed,
                                     .context = world};
    must(pipeline_start(&config, &world->pipeline, &err), &err);
}

static void world_close(struct world *world)
{
    pipeline_stop(world->pipeline);
    checkpoint_close(world->checkpoint);
    store_close(world->store);
    journal_close(world->journal);
    decoders_free(world->decoders);
    rulebook_release(world->book);
    world->pipeline = NULL;
}

static void world_remove(const struct world *world)
{
    folder_remove(world->journal_dir);
    folder_remove(world->store_dir);
    folder_remove(world->memory_dir);
    folder_remove(world->dir);
}

static uint64_t send(struct world *world, const char *key, const char *body)
{
    struct journal_ack ack;
    struct err err;
    struct delivery delivery = {
        .origin = {.source = SLICE("hec"), .stream = SLICE("main")},
        .received_ns = clock_wall_ns(clock_real()),
        .key = slice_text(key),
        .framing = FRAMING_LINES,
        .event_count = delivery_count_lines(slice_text(body)),
        .body = slice_text(body),
    };
    must(journal_append_wait(world->journal, &delivery, &ack, &err), &err);
    return ack.end;
}

/* Everything in the journal has passed, findings on their way back included. */
static void walk_through(struct world *world)
{
    struct journal_stats stats;
    do {
        journal_stats(world->journal, &stats);
        assert_true(pipeline_wait(world->pipeline, stats.position, WAIT_MS));
        usleep(2000);
        journal_stats(world->journal, &stats);
    } while (stats.outstanding_bytes ||
             pipeline_counts(world->pipeline).position < stats.position);
}

static uint64_t rows_of(struct world *world)
{
    struct store_stats stats;
    store_stats(world->store, &stats);
    return stats.segment_rows + stats.memory_rows;
}

/* A hot wallet's balance in an even round; in the odd one after it most of it leaves (WDR-01). */
static void play_round(struct world *world, unsigned round)
{
    char key[32], body[BYTES];
    for (unsigned i = 0; i < WALLETS; i++) {
        unsigned wallet = round / 2 * WALLETS + i;
        (void)snprintf(key, sizeof(key), "%u-%u", round, i);
        if (round % 2 == 0)
            (void)snprintf(body, sizeof(body),
                           "{\"@timestamp\":\"2026-01-01T00:00:00Z\",\"event\":{\"dataset\":\"wallet.balance\"},"
                           "\"wallet\":{\"asset\":\"QQQ\",\"tier\":\"hot\",\"address\":\"hot-%u\","
                           "\"chain_balance\":1000000,\"ledger_balance\":1000000}}", wallet);
        else
            (void)snprintf(body, sizeof(body),
                           "{\"@timestamp\":\"2026-01-01T00:01:00Z\",\"event\":{\"id\":\"t-%u\",\"dataset\":\"chain.transfer\"},"
                           "\"wallet\":{\"asset\":\"QQQ\",\"from\":\"hot-%u\",\"to\":\"x\",\"amount\":190000,\"txid\":\"t%u\"}}",
                           wallet, wallet, wallet);
        (void)send(world, key, body);
    }
}

/* What a killed process leaves: nothing is closed. */
static int in_child(struct world *world, void (*play)(struct world *, unsigned), unsigned round,
                    unsigned wait_ms)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGSEGV, SIG_DFL); /* cmocka has one of its own */
        world_open(world, 7);
        play(world, round);
        if (wait_ms)
            usleep(wait_ms * 1000);
        else
            walk_through(world);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void add_counts(void *context, const struct ledger_entry *entry)
{
    struct ledger_counts *sum = context;
    sum->received += entry->counts.received;
    sum->stored += entry->counts.stored;
    sum->quarantined += entry->counts.quarantined;
}

static void memory_and_findings_survive_a_kill_at_any_moment(void **state)
{
    (void)state;
    struct world world = {0};
    world_name(&world);
    for (unsigned round = 0; round < ROUNDS; round++)
        assert_int_equal(in_child(&world, play_round, round, round % 3 ? round % 5 : 0), 0);
    world_open(&world, 7);
    walk_through(&world);
    /* each transfer is found by its wallet's balance, which another process saw: one event each */
    assert_int_equal(rows_of(&world), ROUNDS * WALLETS + ROUNDS / 2 * WALLETS);
    world_close(&world);
    world_open(&world, 7);
    walk_through(&world);
    assert_int_equal(rows_of(&world), ROUNDS * WALLETS + ROUNDS / 2 * WALLETS);
    struct ledger ledger;
    struct ledger_counts sum = {0};
    struct err err;
    must(store_ledger(world.store, &ledger, &err), &err);
    ledger_each(&ledger, add_counts, &sum);
    assert_int_equal(sum.received, rows_of(&world));
    assert_int_equal(sum.stored, rows_of(&world));
    ledger_close(&ledger);
    world_close(&world);
    world_remove(&world);
}

static void damage(const struct world *world, int slot)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/checkpoint.%d", world->memory_dir, slot);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -1, SEEK_END), 0);
    int last = fgetc(file);
    assert_int_equal(fseek(file, -1, SEEK_END), 0);
    (void)fputc(last ^ 1, file);
    (void)fclose(file);
}

static void play_until_both_are_there(struct world *world, unsigned round)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/checkpoint.1", world->memory_dir);
    play_round(world, round);
    for (int tries = 0; tries < WAIT_MS && access(path, F_OK) < 0; tries++)
        usleep(1000);
}

static void one_damaged_checkpoint_costs_nothing(void **state)
{
    (void)state;
    for (int slot = 0; slot < 2; slot++) {
        struct world world = {0};
        world_name(&world);
        assert_int_equal(in_child(&world, play_until_both_are_there, 0, 0), 0);
        damage(&world, slot);
        assert_int_equal(in_child(&world, play_round, 1, 0), 0);
        world_open(&world, 7);
        assert_false(checkpoint_lost(world.checkpoint));
        walk_through(&world);
        assert_int_equal(rows_of(&world), 3 * WALLETS);
        world_close(&world);
        world_remove(&world);
    }
}

static void both_damaged_is_said_until_a_person_removes_it(void **state)
{
    (void)state;
    struct world world = {0};
    char lost[128];
    world_name(&world);
    assert_int_equal(in_child(&world, play_until_both_are_there, 0, 0), 0);
    damage(&world, 0);
    damage(&world, 1);
    for (int start = 0; start < 2; start++) {
        world_open(&world, 7);
        walk_through(&world);
        assert_true(checkpoint_lost(world.checkpoint));
        world_close(&world);
    }
    (void)snprintf(lost, sizeof(lost), "%s/lost", world.memory_dir);
    assert_int_equal(unlink(lost), 0);
    world_open(&world, 7);
    assert_false(checkpoint_lost(world.checkpoint));
    world_close(&world);
    world_remove(&world);
}

static void play_deadly(struct world *world, unsigned round)
{
    if (round == 0) {
        (void)send(world, "a", "{\"n\":1}");
        (void)send(world, "b", "{\"n\":2,\"x\":\"deadly\"}\n{\"n\":3}\n");
    }
    if (round == 2)
        (void)send(world, "c", "{\"n\":4}");
}

static void what_kills_the_walk_twice_is_quarantined(void **state)
{
    (void)state;
    struct world world = {.deadly = "deadly"};
    world_name(&world);
    for (unsigned round = 0; round < 2; round++) {
        int status = in_child(&world, play_deadly, round, 0);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    }
    assert_int_equal(in_child(&world, play_deadly, 2, 0), 0);
    world_open(&world, 7);
    walk_through(&world);
    assert_int_equal(rows_of(&world), 4); /* the good one after it too */
    struct ledger ledger;
    struct err err;
    must(store_ledger(world.store, &ledger, &err), &err);
    struct ledger_counts sum = {0};
    ledger_each(&ledger, add_counts, &sum);
    assert_int_equal(sum.received, 4);
    assert_int_equal(sum.stored, 2);
    assert_int_equal(sum.quarantined, 2);
    ledger_close(&ledger);
    world_close(&world);
    world_remove(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_and_findings_survive_a_kill_at_any_moment),
        cmocka_unit_test(one_damaged_checkpoint_costs_nothing),
        cmocka_unit_test(both_damaged_is_said_until_a_person_removes_it),
        cmocka_unit_test(what_kills_the_walk_twice_is_quarantined),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
