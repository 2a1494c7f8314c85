/* What a tail gives: every row that came after it, once, in order of seq; what it misses is counted. */
#include "store_fixture.h"

#include "event/schema.h"
#include "store/store_tail.h"

enum { SEEN_MAX = 200000 };
#define START_NS (INT64_C(1516924800) * NS_PER_SECOND)

static struct origin origins[] = {
    {.source = {"hec", 3}, .stream = {"main", 4}},
    {.source = {"syslog", 6}, .stream = {"net", 3}},
    {.source = {"syslog", 6}, .stream = {"fw", 2}},
};

static uint64_t next_seq;

/* Over some streams and days, so over several tables. */
static void append(struct store *store, struct rand_seeded *rand, uint32_t rows)
{
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    struct err err;
    for (uint32_t i = 0; i < rows; i++) {
        struct event_row *row = batch_add_row(batch);
        row->raw = SLICE("a line");
        row->received_ns = START_NS;
        row->time_ns = START_NS - (int64_t)rand_below(&rand->rand, 2) * NS_PER_DAY;
        row->seq = ++next_seq;
        row->origin = &origins[rand_below(&rand->rand, ARRAY_COUNT(origins))];
    }
    assert_int_equal(batch_finish(batch), 0);
    batch->journal_end = next_seq * 10;
    assert_int_equal(store_append(store, batch, &err), 0);
    batch_free(batch);
}

struct seen {
    uint64_t last; /* no row of a later call may come before it */
    uint64_t rows, skipped, most;
    bool *seqs;
};

/* One step; false when there is nothing new. */
static bool look(struct store_tail *tail, struct seen *seen)
{
    struct snapshot *snapshot;
    struct scan *scan;
    struct scan_rows rows;
    struct err err;
    uint64_t skipped, last = seen->last, count = 0;
    const struct slice column = FIELD_SEQ;
    struct scan_request request = {.columns = &column, .column_count = 1};
    int got = store_tail_next(tail, &snapshot, &skipped, &err);
    seen->skipped += skipped;
    assert_true(got >= 0);
    if (got == 0)
        return false;
    assert_int_equal(scan_open(snapshot, &request, &scan, &err), 0);
    while (scan_next(scan, &rows, &err) == 1)
        for (uint32_t row = 0; row < rows.row_count; row++) {
            uint64_t seq = (uint64_t)batch_first(rows.batch, row, FIELD_SEQ).i64;
            if (seq <= seen->last || seen->seqs[seq])
                fail_msg("%llu comes behind %llu, or again", (unsigned long long)seq,
                         (unsigned long long)seen->last);
            seen->seqs[seq] = true;
            last = seq > last ? seq : last;
            count++;
        }
    scan_close(scan);
    store_snapshot_release(snapshot);
    assert_true(count > 0);
    seen->rows += count;
    seen->most = count > seen->most ? count : seen->most;
    seen->last = last;
    return true;
}

static struct store *open_store(const char *dir, uint32_t seal_rows)
{
    struct store *store;
    struct err err;
    struct store_config config = {.dir = dir, .no_background = true, .seal_rows = seal_rows};
    assert_int_equal(store_open(&config, &store, &err), 0);
    return store;
}

/* The tails' sets are sealed and gone from the store in the meantime. */
static void gives_each_row_once_in_order(void **state)
{
    (void)state;
    struct rand_seeded rand;
    rand_seeded_init(&rand, 5);
    char dir[64];
    folder_make(dir);
    struct store *store = open_store(dir, 1000);
    next_seq = 0;
    append(store, &rand, 100);
    struct store_tail *tail = store_tail_open(store);
    struct seen seen = {.last = next_seq, .seqs = calloc(SEEN_MAX, sizeof(bool))};
    assert_false(look(tail, &seen)); /* nothing of what was there before */
    for (int i = 0; i < 300; i++) {
        append(store, &rand, 1 + (uint32_t)rand_below(&rand.rand, 500));
        for (uint64_t n = rand_below(&rand.rand, 3); n > 0; n--)
            look(tail, &seen);
    }
    while (look(tail, &seen))
        continue;
    assert_int_equal(seen.skipped, 0);
    assert_int_equal(seen.rows, next_seq - 100);
    struct store_stats stats;
    store_stats(store, &stats);
    assert_true(stats.seals > 5);
    store_tail_close(tail);
    store_close(store);
    free(seen.seqs);
    folder_remove(dir);
}

/* A step has about TAIL_STEP_ROWS, whatever waits. */
static void takes_much_in_steps(void **state)
{
    (void)state;
    struct rand_seeded rand;
    rand_seeded_init(&rand, 6);
    char dir[64];
    folder_make(dir);
    struct store *store = open_store(dir, 60000);
    next_seq = 0;
    struct store_tail *tail = store_tail_open(store);
    struct seen seen = {.seqs = calloc(SEEN_MAX, sizeof(bool))};
    for (int i = 0; i < 25; i++)
        append(store, &rand, 4000);
    while (look(tail, &seen))
        continue;
    assert_int_equal(seen.rows, 100000);
    assert_true(seen.most < 6 * (TAIL_STEP_ROWS + 4000)); /* six tables */
    store_tail_close(tail);
    store_close(store);
    free(seen.seqs);
    folder_remove(dir);
}

static void counts_what_it_misses(void **state)
{
    (void)state;
    struct rand_seeded rand;
    rand_seeded_init(&rand, 7);
    char dir[64];
    folder_make(dir);
    struct store *store = open_store(dir, 1000);
    struct err err;
    next_seq = 0;
    struct store_tail *slow = store_tail_open(store), *none = store_tail_open(store);
    struct seen seen = {.seqs = calloc(SEEN_MAX, sizeof(bool))};
    append(store, &rand, 300);
    assert_true(look(slow, &seen));
    for (int i = 0; i < 20; i++) {
        append(store, &rand, 4000);
        assert_int_equal(store_flush(store, &err), 0);
    }
    while (look(slow, &seen))
        continue;
    assert_true(seen.skipped > 0 && seen.rows > 300);
    assert_int_equal(seen.rows + seen.skipped, next_seq);
    append(store, &rand, 10);
    assert_true(look(slow, &seen)); /* and it goes on */
    assert_int_equal(seen.rows + seen.skipped, next_seq);
    store_tail_close(slow);
    store_tail_close(none);
    store_close(store);
    free(seen.seqs);
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_each_row_once_in_order),
        cmocka_unit_test(takes_much_in_steps),
        cmocka_unit_test(counts_what_it_misses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
