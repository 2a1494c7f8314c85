/* Several threads give the rows that one gives, in its order; stopping early and cancelling leave nothing behind. */
#include "../store_fixture.h"

#include "base/time.h"
#include "event/schema.h"
#include "store/scan_pool.h"

enum { BATCHES = 40, BATCH_ROWS = 120 };

static int put_row(struct batch *batch, uint32_t i, struct event_row *row, const struct hin_rand *rand)
{
    row->time_ns = (INT64_C(1767225600) + (int64_t)rand_below(rand, 86400 * 9)) * NS_PER_SECOND;
    return batch_put(batch, i, SLICE("n"), value_i64((int64_t)rand_below(rand, 50))) < 0
               ? -1
               : batch_put_text(batch, i, "message", SLICE("login failed"));
}

/* The last ones of some stay in memory. */
static bool seals(int batch)
{
    return batch % 8 != 7;
}

static struct store *make_store(const char *dir)
{
    return store_make(dir, &(struct made_store){9, BATCHES, BATCH_ROWS, put_row, seals});
}

/* The seqs of the rows, in order, as one thread or several give them. */
static uint64_t read_all(struct store *store, const struct scan_request *request, uint32_t threads, int64_t *seqs,
                         uint64_t most)
{
    struct snapshot *snapshot = store_snapshot(store);
    struct scan_pool *pool;
    struct scan_rows rows;
    struct err err;
    uint64_t count = 0;
    assert_int_equal(scan_pool_open(snapshot, request, threads, &pool, &err), 0);
    int more;
    while (count < most && (more = scan_pool_next(pool, &rows, &err)) > 0) {
        const struct column *seq = batch_find(rows.batch, FIELD_SEQ);
        for (uint32_t i = 0; i < rows.row_count; i++)
            if (bits_get(rows.selected, i))
                seqs[count++] = column_first(seq, i).i64;
    }
    assert_true(count >= most || more == 0);
    if (count < most)
        assert_true(scan_pool_stats(pool)->rows_selected >= count);
    scan_pool_close(pool);
    store_snapshot_release(snapshot);
    return count;
}

static void threads_change_nothing(void **state)
{
    (void)state;
    char dir[64];
    folder_make(dir);
    struct store *store = make_store(dir);
    static int64_t one[BATCHES * BATCH_ROWS + 8192], many[BATCHES * BATCH_ROWS + 8192];
    struct slice columns[] = {FIELD_SEQ};
    struct arena *arena = arena_new(1 << 20);
    for (int with_filter = 0; with_filter < 2; with_filter++) {
        struct scan_request request = {.columns = columns, .column_count = 1};
        if (with_filter)
            request.filter = expr_test_new(arena, SLICE("n"), TEST_EQUAL, TEST_NUMERIC, SLICE("7"));
        uint64_t want = read_all(store, &request, 1, one, UINT64_MAX);
        assert_true(with_filter ? want > 10 && want < 1000 : want == (uint64_t)BATCHES * BATCH_ROWS);
        for (uint32_t threads = 2; threads <= SCAN_THREADS_MAX + 1; threads++) {
            assert_int_equal(read_all(store, &request, threads, many, UINT64_MAX), want);
            assert_memory_equal(one, many, want * sizeof(*one));
            (void)read_all(store, &request, threads, many, 1 + want / 3); /* leaves early */
        }
    }
    arena_free(arena);
    store_close(store);
    folder_remove(dir);
}

static void cancelling_ends_it(void **state)
{
    (void)state;
    char dir[64];
    folder_make(dir);
    struct store *store = make_store(dir);
    struct snapshot *snapshot = store_snapshot(store);
    atomic_bool cancel = false;
    struct scan_request request = {.all_columns = true, .cancel = &cancel};
    struct scan_pool *pool;
    struct scan_rows rows;
    struct err err;
    assert_int_equal(scan_pool_open(snapshot, &request, 4, &pool, &err), 0);
    assert_int_equal(scan_pool_next(pool, &rows, &err), 1);
    atomic_store(&cancel, true);
    int more, given = 0;
    while ((more = scan_pool_next(pool, &rows, &err)) > 0)
        given++;
    assert_int_equal(more, -1);
    assert_int_equal(err.code, ERR_CANCELLED);
    assert_true(given <= 2 * SCAN_THREADS_MAX);
    scan_pool_close(pool);
    store_snapshot_release(snapshot);
    store_close(store);
    folder_remove(dir);
}

/* A share that is too small for a block is no reason to fail. */
static void one_goes_on_where_shares_are_too_small(void **state)
{
    (void)state;
    char dir[64];
    folder_make(dir);
    struct store *store = make_store(dir);
    static int64_t one[BATCHES * BATCH_ROWS + 8192], many[BATCHES * BATCH_ROWS + 8192];
    struct slice columns[] = {FIELD_SEQ, FIELD_TIMESTAMP};
    unsigned passed = 0, failed = 0;
    for (size_t memory = 8192; memory < 4 * 1024 * 1024; memory += memory / 2) {
        struct scan_request request = {.columns = columns, .column_count = 2, .memory_max = memory};
        struct snapshot *snapshot = store_snapshot(store);
        struct scan *scan;
        struct scan_rows rows;
        struct err err;
        int more = scan_open(snapshot, &request, &scan, &err);
        while (more >= 0 && (more = scan_next(scan, &rows, &err)) > 0)
            continue;
        bool fits = more == 0;
        scan_close(scan);
        store_snapshot_release(snapshot);
        failed += !fits;
        passed += fits;
        if (!fits)
            continue;
        uint64_t want = read_all(store, &request, 1, one, UINT64_MAX);
        assert_int_equal(read_all(store, &request, 8, many, UINT64_MAX), want);
        assert_memory_equal(one, many, want * sizeof(*one));
    }
    assert_true(passed > 2 && failed >= 2);
    store_close(store);
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(cancelling_ends_it),
        cmocka_unit_test(one_goes_on_where_shares_are_too_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
