/*
 * What state tables cost with millions of keys: the tables of content/state, fed with transfers to so many
 * addresses and withdrawals of so many accounts.
 *
 *   state_tables CONTENT ADDRESSES ACCOUNTS FOLDER [keep]   one line of JSON; FOLDER is made, written to and emptied; with
 *                                                           keep the checkpoint stays, for a server to start with
 *
 * Every key comes once, in an order of its own, and then as many events again for keys by chance. Only what a detector does is
 * timed (state_select and state_observe), not the making of the events. Then the state is saved, written, forgotten, read and
 * loaded; and by a detector with the rules of CONTENT, whose checkpoint is written as the server's pipeline does it.
 */
#include "base/clock.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/file.h"
#include "bench_usage.h"
#include "detect/detector.h"
#include "flow/checkpoint.h"
#include "table/state.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START_NS (INT64_C(1767225600) * NS_PER_SECOND)
#define FILE_BYTES_MAX (8 * GIB)

struct bench {
    struct arena *arena, *scratch;
    const struct state_definitions *definitions;
    struct state *state;
    struct batch *batch;
    uint64_t addresses, accounts, seq, seed;
    double seconds; /* of state_select and state_observe */
};

static uint64_t mix(uint64_t n)
{
    n += UINT64_C(0x9e3779b97f4a7c15);
    n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
    return n ^ n >> 31;
}

static int put(struct bench *bench, const char *name, struct slice text)
{
    return text.ptr ? batch_put_text(bench->batch, bench->batch->row_count - 1, name, text) : -1;
}

/* Eighteen decimals; one in four does not fit into 64 bits. */
static int put_amount(struct bench *bench, const char *name)
{
    uint64_t n = mix(bench->seed++);
    struct decimal amount = {.coefficient = (int128)(n >> 8) * (n % 4 ? 1 : 1000), .scale = 18};
    return batch_put(bench->batch, bench->batch->row_count - 1, slice_text(name), value_decimal(amount, bench->batch->arena));
}

static int put_transfer(struct bench *bench, uint64_t address)
{
    struct arena *arena = bench->batch->arena;
    uint64_t a = mix(address), b = mix(a), c = mix(b) & 0xffffffff;
    struct slice to = arena_printf(arena, "0x%016llx%016llx%08llx", (unsigned long long)a, (unsigned long long)b, (unsigned long long)c);
    struct slice from = arena_printf(arena, "hot%llu", (unsigned long long)(a % 100));
    return put(bench, "event.dataset", SLICE("chain.transfer")) < 0 || put(bench, "wallet.to", to) < 0 ||
                   put(bench, "wallet.from", from) < 0
               ? -1
               : put_amount(bench, "wallet.amount");
}

static int put_withdrawal(struct bench *bench, uint64_t account)
{
    struct arena *arena = bench->batch->arena;
    static const char *const assets[] = {"XEM", "BTC", "ETH", "XRP"};
    return put(bench, "event.dataset", SLICE("exchange.withdrawal")) < 0 ||
                   put(bench, "event.action", SLICE("withdrawal_requested")) < 0 ||
                   put(bench, "user.id", arena_printf(arena, "u%08llu", (unsigned long long)account)) < 0 ||
                   put(bench, "exchange.asset", slice_text(assets[account % 4])) < 0
               ? -1
               : put_amount(bench, "exchange.amount");
}

static int observe(struct bench *bench, struct err *err)
{
    struct state_feed_rows rows;
    struct batch *batch = bench->batch;
    struct expr_scope when = {.scratch = bench->arena};
    double start = cpu_seconds();
    arena_reset(bench->arena);
    if (state_select(bench->definitions, &when, batch, &rows, err) < 0)
        return -1;
    for (uint32_t row = 0; row < batch->row_count; row++) {
        struct expr_scope scope = {.scratch = bench->scratch, .now_ns = batch->rows[row].time_ns, .state = state_read,
                                   .state_context = bench->state};
        arena_reset(bench->scratch);
        if (bits_get(rows.any, row) && state_observe(bench->state, &scope, batch, row, scope.now_ns, &rows, err) < 0)
            return -1;
    }
    bench->seconds += cpu_seconds() - start;
    batch_reset(batch);
    return 0;
}

/* The i-th of all keys in an order that goes everywhere: the step is a prime, and no count is a multiple of it. */
static uint64_t key_at(uint64_t i, uint64_t count)
{
    return (uint64_t)((uint128)i * UINT64_C(2654435761) % count);
}

static int feed(struct bench *bench, bool by_chance, double *seconds, struct err *err)
{
    uint64_t keys = bench->addresses + bench->accounts;
    bench->seconds = 0;
    for (uint64_t i = 0; i < keys; i++) {
        uint64_t key = by_chance ? mix(i) % keys : key_at(i, keys);
        struct event_row *row = batch_add_row(bench->batch);
        if (!row)
            return err_nomem(err);
        row->time_ns = START_NS + (int64_t)bench->seq++ * 3000000; /* 22 million events are 18 hours */
        if ((key < bench->addresses ? put_transfer(bench, key) : put_withdrawal(bench, key - bench->addresses)) < 0)
            return err_nomem(err);
        if ((bench->batch->row_count == BATCH_ROWS_MAX || i + 1 == keys) && observe(bench, err) < 0)
            return -1;
    }
    *seconds = bench->seconds;
    return 0;
}

static double wall_seconds(void)
{
    return (double)clock_mono_ns(clock_real()) / (double)NS_PER_SECOND;
}

static double resident_mb(void)
{
    malloc_trim(0);
    return resident_bytes() / 1e6;
}

struct timed {
    double save_s, write_s, read_s, load_s, mb, loaded_mb;
    double pause_s, checkpoint_s, peak_mb; /* of a checkpoint: the pipeline stands still; it is on the disk; memory at most */
};

static int save(struct bench *bench, const char *path, struct timed *out, struct err *err)
{
    struct buffer saved;
    buffer_init(&saved, FILE_BYTES_MAX);
    double start = wall_seconds();
    state_save(bench->state, &saved);
    out->save_s = wall_seconds() - start;
    out->mb = (double)saved.len / 1e6;
    start = wall_seconds();
    int result = buffer_failed(&saved) ? err_nomem(err) : io_replace_file(io_real(), path, buffer_slice(&saved), err);
    out->write_s = wall_seconds() - start;
    buffer_close(&saved);
    return result;
}

static int load(struct bench *bench, const char *path, struct timed *out, struct err *err)
{
    struct slice bytes;
    struct arena *arena = arena_new(FILE_BYTES_MAX);
    state_free(bench->state);
    bench->state = state_new(bench->definitions);
    if (!arena || !bench->state)
        return err_nomem(err);
    double before_mb = resident_mb(), start = wall_seconds();
    int result = file_read(path, FILE_BYTES_MAX, arena, &bytes, err);
    out->read_s = wall_seconds() - start;
    start = wall_seconds();
    if (result == 0)
        result = state_load(bench->state, bytes, err);
    out->load_s = wall_seconds() - start;
    arena_free(arena);
    out->loaded_mb = resident_mb() - before_mb;
    return result;
}

/* The most that was resident since the last call, beside what the kernel counts in other ways. */
static double peak_mb(void)
{
    char line[128];
    unsigned long kb = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && !kb && fgets(line, sizeof(line), status))
        if (sscanf(line, "VmHWM: %lu", &kb) != 1)
            kb = 0;
    if (status)
        fclose(status);
    return (double)kb * 1024 / 1e6;
}

static int found(void *context, const struct finding *finding, const struct rule *rule, const struct batch *batch,
                 uint32_t row, struct err *err)
{
    (void)context, (void)finding, (void)rule, (void)batch, (void)row, (void)err;
    return 0;
}

/* A detector's snapshot with this state and nothing else. */
static int load_detector(struct detector *detector, const char *path, struct err *err)
{
    struct slice bytes;
    struct buffer content;
    struct arena *arena = arena_new(FILE_BYTES_MAX);
    buffer_init(&content, CHECKPOINT_BYTES_MAX);
    int result = arena ? file_read(path, FILE_BYTES_MAX, arena, &bytes, err) : err_nomem(err);
    if (result == 0) {
        detector_save(detector, &content); /* how it begins: version and watermark */
        content.len = 1 + 8;
        buffer_put_block(&content, SLICE("state"));
        buffer_put_block(&content, bytes);
        result = buffer_failed(&content) ? err_nomem(err) : detector_load(detector, buffer_slice(&content), err);
    }
    buffer_close(&content);
    arena_free(arena);
    return result;
}

static int write_checkpoint(struct detector *detector, const char *folder, struct timed *out, struct err *err)
{
    struct checkpoint_config config = {.dir = folder};
    struct checkpoint *checkpoint = NULL;
    struct buffer content;
    buffer_init(&content, CHECKPOINT_BYTES_MAX);
    malloc_trim(0);
    FILE *clear = fopen("/proc/self/clear_refs", "w"); /* the peak counts from here */
    if (clear && (fputs("5", clear) < 0 || fclose(clear) != 0))
        return err_set(err, ERR_IO, "the peak of memory cannot be set back");
    double before_mb = resident_mb(), start = wall_seconds();
    detector_save(detector, &content);
    out->pause_s = wall_seconds() - start;
    int result = buffer_failed(&content) ? err_nomem(err) : checkpoint_open(&config, &checkpoint, err);
    start = wall_seconds();
    if (result == 0)
        result = checkpoint_write(checkpoint, 1, buffer_slice(&content), err);
    out->checkpoint_s = wall_seconds() - start;
    out->peak_mb = peak_mb() - before_mb;
    checkpoint_close(checkpoint);
    buffer_close(&content);
    return result;
}

static int take_checkpoint(struct bench *bench, const char *rules_path, const char *path, const char *folder,
                           struct timed *out, struct err *err)
{
    struct rule_set *rules = NULL;
    struct detector *detector = NULL;
    struct rule_options with = {.logsource_path = "content/logsources"};
    struct detector_options options = {.state = bench->definitions, .found = found};
    int result = rule_set_load(rules_path, &with, &rules, err);
    options.rules = rules;
    if (result == 0)
        result = detector_new(&options, &detector, err);
    if (result == 0)
        result = load_detector(detector, path, err);
    if (result == 0)
        result = write_checkpoint(detector, folder, out, err);
    detector_free(detector);
    rule_set_free(rules);
    return result;
}

static int measure(struct bench *bench, const char *content, const char *folder, struct err *err)
{
    double first_s, again_s, before_mb = resident_mb();
    struct timed timed = {0};
    char path[512], rules[512];
    (void)snprintf(path, sizeof(path), "%s/state", folder);
    (void)snprintf(rules, sizeof(rules), "%s/rules", content);
    if (feed(bench, false, &first_s, err) < 0)
        return -1;
    double held_mb = resident_mb() - before_mb;
    struct state_stats stats = state_stats(bench->state);
    if (feed(bench, true, &again_s, err) < 0)
        return -1;
    double again_mb = resident_mb() - before_mb;
    if (save(bench, path, &timed, err) < 0 || load(bench, path, &timed, err) < 0)
        return -1;
    struct state_stats loaded = state_stats(bench->state);
    state_free(bench->state);
    bench->state = NULL;
    if (take_checkpoint(bench, rules, path, folder, &timed, err) < 0)
        return -1;
    double events = (double)(bench->addresses + bench->accounts);
    printf("{\"keys\":%llu,\"evicted\":%llu,\"own_mb\":%.0f,\"resident_mb\":%.0f,\"first_events_s\":%.0f,\"again_events_s\":%.0f,"
           "\"again_resident_mb\":%.0f,\"saved_mb\":%.0f,\"save_s\":%.2f,\"write_s\":%.2f,\"read_s\":%.2f,\"load_s\":%.2f,"
           "\"loaded_resident_mb\":%.0f,\"keys_again\":%llu,\"checkpoint_pause_s\":%.2f,\"checkpoint_write_s\":%.2f,"
           "\"checkpoint_peak_mb\":%.0f}\n",
           (unsigned long long)stats.keys, (unsigned long long)stats.evicted, (double)stats.bytes / 1e6, held_mb, events / first_s,
           events / again_s, again_mb, timed.mb, timed.save_s, timed.write_s, timed.read_s, timed.load_s, timed.loaded_mb,
           (unsigned long long)loaded.keys, timed.pause_s, timed.checkpoint_s, timed.peak_mb);
    return 0;
}

static void empty(const char *folder, bool keep)
{
    static const char *const names[] = {"state", "checkpoint.0", "checkpoint.1"};
    char path[512];
    for (size_t i = 0; i < (keep ? 1 : ARRAY_COUNT(names)); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

int main(int argc, char **argv)
{
    struct err err;
    char path[512];
    struct bench bench = {.arena = arena_new(256 * MIB), .scratch = arena_new(64 * MIB), .batch = batch_new(BATCH_ARENA_MAX)};
    struct arena *arena = arena_new(64 * MIB);
    if (argc < 5 || !bench.arena || !bench.scratch || !bench.batch || !arena) {
        fprintf(stderr, "usage: %s CONTENT ADDRESSES ACCOUNTS FOLDER [keep]\n", argv[0]);
        return 2;
    }
    bench.addresses = strtoull(argv[2], NULL, 10);
    bench.accounts = strtoull(argv[3], NULL, 10);
    hash_seed = rand_u64(rand_real());
    (void)snprintf(path, sizeof(path), "%s/state", argv[1]);
    int result = state_definitions_load(path, arena, &bench.definitions, &err);
    if (result == 0 && !(bench.state = state_new(bench.definitions)))
        result = err_nomem(&err);
    if (result == 0)
        result = io_make_dirs(io_real(), argv[4], &err);
    if (result == 0)
        result = measure(&bench, argv[1], argv[4], &err);
    if (result < 0)
        fprintf(stderr, "%s\n", err.text);
    empty(argv[4], argc > 5 && strcmp(argv[5], "keep") == 0);
    state_free(bench.state);
    batch_free(bench.batch);
    arena_free(bench.arena);
    arena_free(bench.scratch);
    arena_free(arena);
    return result < 0;
}
