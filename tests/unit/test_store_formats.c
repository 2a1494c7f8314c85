/* Stores of released formats go through everything that a store does, and the manifest's tail is read with care. */
#include "store_days.h"

#include "store/segment_format.h"

#include <fcntl.h>
#include <sys/stat.h>

static const char *copy_to; /* folder that copy_one() copies into */

static int copy_one(void *context, const char *path, struct err *err)
{
    (void)context;
    char to[256], bytes[65536];
    (void)snprintf(to, sizeof(to), "%s/%s", copy_to, strrchr(path, '/') + 1);
    int from = open(path, O_RDONLY), fd = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ssize_t len = from < 0 ? -1 : read(from, bytes, sizeof(bytes));
    bool ok = len > 0 && fd >= 0 && write(fd, bytes, (size_t)len) == len;
    close(from);
    close(fd);
    return ok ? 0 : err_set(err, ERR_IO, "cannot copy %s", path);
}

static void copy_golden(struct days *days, int version)
{
    char from[128], segments[128];
    struct err err;
    (void)snprintf(segments, sizeof(segments), "%s/segments", days->store_dir);
    (void)snprintf(from, sizeof(from), "tests/golden/formats/version-%d/data/store/segments", version);
    assert_int_equal(io_make_dirs(io_real(), segments, &err), 0);
    copy_to = segments;
    assert_int_equal(file_walk(from, ".segment", copy_one, NULL, &err), 0);
    (void)snprintf(from, sizeof(from), "tests/golden/formats/version-%d/data/store/manifest", version);
    copy_to = days->store_dir;
    assert_int_equal(copy_one(NULL, from, &err), 0);
}

/* Text and number of every row, in order of hinomi.seq. */
static uint64_t golden_rows(struct days *days, uint64_t *count)
{
    static const struct slice columns[] = {{"event.original", 14}, {"hinomi.seq", 10}, {"@timestamp", 10},
                                           {"user.name", 9}, {"message", 7}};
    struct snapshot *snapshot = store_snapshot(days->store);
    struct scan_request request = {.columns = columns, .column_count = ARRAY_COUNT(columns)};
    struct scan *scan;
    struct scan_rows rows;
    struct err err;
    uint64_t sum = 0;
    *count = 0;
    assert_int_equal(scan_open(snapshot, &request, &scan, &err), 0);
    while (scan_next(scan, &rows, &err) == 1)
        for (uint32_t i = 0; i < rows.row_count; i++) {
            uint64_t hash = 1;
            for (size_t k = 0; k < ARRAY_COUNT(columns); k++) {
                struct value v = batch_first(rows.batch, i, columns[k]);
                struct slice text = v.type == VALUE_STRING ? value_slice(v) : SLICE("");
                hash = hash * 31 + (v.type == VALUE_STRING || v.type == VALUE_NULL ? text.len : (uint64_t)v.i64);
                hash = days_hash_text(hash, text);
            }
            sum += hash;
            ++*count;
        }
    assert_int_equal(scan_get_stats(scan)->damage_count, 0);
    scan_close(scan);
    store_snapshot_release(snapshot);
    return sum;
}

static void every_format_is_merged_packed_and_moved(void **state)
{
    (void)state;
    for (int version = 1; version <= SEGMENT_VERSION; version++)
        for (int merge = 0; merge < 2; merge++) {
            struct days days;
            struct store_stats stats;
            uint64_t count, after;
            days_begin(&days);
            clock_manual_advance(&days.clock, 2000 * NS_PER_DAY);
            copy_golden(&days, version);
            days.config.cold_dir = days.cold_dir;
            days.config.cold_days = 1;
            days_open(&days);
            uint64_t want = golden_rows(&days, &count);
            assert_int_equal(count, 120);
            days.seq = 1000; /* what is older is known already */
            if (merge)
                days_add(&days, "main", 0, 5);
            days_do_all(store_merge, days.store);
            days_do_all(store_pack, days.store);
            days_do_all(store_chill, days.store);
            store_stats(days.store, &stats);
            assert_true(stats.packs >= 4 && stats.moves >= 4);
            uint64_t got = golden_rows(&days, &after);
            assert_int_equal(after, count + (merge ? 5 : 0));
            if (!merge)
                assert_int_equal(got, want);
            days_close(&days);
            days_open(&days);
            assert_int_equal(golden_rows(&days, &after), got);
            days_end(&days);
        }
}

static void make_manifest(struct manifest *manifest, struct arena *arena, struct ledger *ledger)
{
    *manifest = (struct manifest){.store_id = 7, .next_number = 9, .segment_count = 3, .place_count = 2,
                                  .drop_count = 2, .ledger = ledger};
    manifest->segments = arena_calloc(arena, 3 * sizeof(*manifest->segments));
    manifest->places = arena_calloc(arena, 2 * sizeof(*manifest->places));
    manifest->drops = arena_calloc(arena, 2 * sizeof(*manifest->drops));
    for (uint32_t i = 0; i < 3; i++)
        manifest->segments[i] = (struct segment_info){.number = i + 1, .stream = SLICE("s"), .place = i,
                                                      .level = i * 3, .generation = i + 5};
    manifest->places[0] = (struct manifest_place){SLICE("/a"), 11};
    manifest->places[1] = (struct manifest_place){SLICE("/b"), 12};
    manifest->drops[0] = (struct manifest_drop){.serial = 4, .stream = SLICE("x"), .day = -3, .rows = 6};
    manifest->drops[1] = (struct manifest_drop){.serial = 5, .reason = DROP_DISK_FREE, .time_min = -9};
}

static void the_tail_comes_back_as_it_was(void **state)
{
    (void)state;
    struct arena *arena = arena_new(64 * MIB);
    struct ledger ledger, back;
    struct manifest manifest, got = {.ledger = &back};
    struct buffer bytes;
    struct err err;
    char path[64];
    assert_int_equal(ledger_init(&ledger, &err) | ledger_init(&back, &err), 0);
    make_manifest(&manifest, arena, &ledger);
    buffer_init(&bytes, MIB);
    assert_int_equal(manifest_encode(&manifest, &bytes, &err), 0);
    assert_memory_equal(bytes.ptr, "HINMANI2", 8);
    assert_int_equal(manifest_decode(buffer_slice(&bytes), arena, &got, &err), 0);
    assert_int_equal(got.segments[2].place, 2);
    assert_int_equal(got.segments[2].level, 6);
    assert_int_equal(got.segments[2].generation, 7);
    assert_int_equal(got.places[1].mark, 12);
    assert_int_equal(got.drops[0].day, -3);
    assert_int_equal(got.drops[1].reason, DROP_DISK_FREE);
    assert_true(manifest_segment_path(&got, "/x/segments", &got.segments[0], path, sizeof(path)));
    assert_string_equal(path, "/x/segments/0000000000000001.segment");
    assert_true(manifest_segment_path(&got, "/x/segments", &got.segments[2], path, sizeof(path)));
    assert_string_equal(path, "/b/0000000000000003.segment");
    assert_false(manifest_segment_path(&got, "/x/segments", &got.segments[2], path, 20));
    manifest.segments[1].place = 3; /* there is none */
    buffer_clear(&bytes);
    assert_int_equal(manifest_encode(&manifest, &bytes, &err), 0);
    ledger_close(&back);
    assert_int_equal(ledger_init(&back, &err), 0);
    assert_int_equal(manifest_decode(buffer_slice(&bytes), arena, &got, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    buffer_close(&bytes);
    ledger_close(&ledger);
    ledger_close(&back);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_is_merged_packed_and_moved),
        cmocka_unit_test(the_tail_comes_back_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
