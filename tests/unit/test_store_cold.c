/* Segments that are packed and moved give the same rows, at every moment and to everybody. */
#include "store_days.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static char manifest_digit(const struct days *days)
{
    char path[128], bytes[8];
    (void)snprintf(path, sizeof(path), "%s/manifest", days->store_dir);
    int fd = open(path, O_RDONLY);
    assert_int_equal(pread(fd, bytes, 8, 0), 8);
    close(fd);
    return bytes[7];
}

static void old_days_move_and_answer_the_same(void **state)
{
    (void)state;
    static const struct retention rules[] = {{{"hot", 3}, 0, 0}, {{"s*", 2}, 0, 1}, {{"z", 1}, 0, RETENTION_AS_OTHERS}};
    struct days days;
    struct err err;
    uint64_t count, moved;
    days_begin(&days);
    days.config.cold_dir = days.cold_dir;
    days.config.cold_days = 3;
    days.config.retention = rules;
    days.config.retention_count = ARRAY_COUNT(rules);
    days_open(&days);
    days_add(&days, "hot", 9, 20);
    days_add(&days, "a", 4, 20);
    days_add(&days, "a", 3, 20);
    days_add(&days, "s1", 2, 20);
    days_add(&days, "z", 4, 20);
    uint64_t want = days_hash(&days, &count);
    struct snapshot *before = store_snapshot(days.store);
    assert_int_equal(manifest_digit(&days), '1'); /* an older program can still read it */
    assert_int_equal(store_chill(days.store, &err), 1);
    assert_int_equal(days_hash(&days, &moved), want); /* half way */
    assert_int_equal(manifest_digit(&days), '2');
    days_do_all(store_chill, days.store);
    assert_string_equal(days_text(&days), "hot/9 a/4! z/4! a/3 s1/2!");
    assert_int_equal(days_hash(&days, &moved), want);
    assert_int_equal(moved, count);
    assert_int_equal(days_rows(before, &moved), want); /* who looked before still does */
    store_snapshot_release(before);
    days_close(&days);
    days.config.cold_dir = NULL; /* they are found without being told */
    days_open(&days);
    assert_int_equal(days_hash(&days, &moved), want);
    assert_string_equal(days_text(&days), "hot/9 a/4! z/4! a/3 s1/2!");
    days_close(&days);
    days.config.read_only = true;
    days_open(&days);
    assert_int_equal(days_hash(&days, &moved), want);
    days_close(&days);
    days.config.read_only = false;
    days.config.retention_count = 0;
    days.config.retention_days = 1;
    days_open(&days);
    assert_int_equal(store_retain(days.store, &err), 0);
    assert_string_equal(days_text(&days), "");
    assert_int_equal(manifest_digit(&days), '1'); /* and the way back is open again */
    days_end(&days);
}

static void another_stores_folder_is_left_alone(void **state)
{
    (void)state;
    struct days days, other;
    uint64_t count;
    days_begin(&days);
    days.config.cold_dir = days.cold_dir;
    days.config.cold_days = 3;
    days_open(&days);
    days_add(&days, "a", 4, 20);
    uint64_t want = days_hash(&days, &count);
    days_do_all(store_chill, days.store);
    days_begin(&other);
    other.config.cold_dir = days.cold_dir;
    other.config.cold_days = 3;
    days_open(&other);
    assert_non_null(strstr(other.said, "has segments of another store"));
    days_add(&other, "a", 4, 20);
    days_do_all(store_chill, other.store);
    assert_string_equal(days_text(&other), "a/4");
    days_end(&other);
    days_close(&days);
    days_open(&days); /* the marks are right: it tidies up, and nothing of its own is gone */
    assert_int_equal(days_hash(&days, &count), want);
    days_end(&days);
}

static void a_disk_that_is_not_there_gets_nothing(void **state)
{
    (void)state;
    struct days days;
    uint64_t count;
    char away[128], mark[128];
    days_begin(&days);
    days.config.cold_dir = days.cold_dir;
    days.config.cold_days = 3;
    days_open(&days);
    days_add(&days, "a", 4, 20);
    days_do_all(store_chill, days.store);
    days_add(&days, "a", 5, 20);
    uint64_t want = days_hash(&days, &count);
    (void)snprintf(away, sizeof(away), "%s/away", days.dir);
    (void)snprintf(mark, sizeof(mark), "%s/hinomi-cold", days.cold_dir);
    assert_int_equal(rename(days.cold_dir, away), 0);
    assert_int_equal(io_real()->mkdir(NULL, days.cold_dir, 0700), 0);
    days_do_all(store_chill, days.store);
    days_do_all(store_chill, days.store);
    assert_string_equal(days_text(&days), "a/5 a/4!");
    char *first = strstr(days.said, "is the disk mounted");
    assert_non_null(first);
    assert_null(strstr(first + 1, "is the disk mounted")); /* said once */
    assert_int_equal(access(mark, F_OK), -1);
    assert_int_equal(rmdir(days.cold_dir), 0);
    assert_int_equal(rename(away, days.cold_dir), 0);
    days_do_all(store_chill, days.store);
    assert_non_null(strstr(days.said, "can be used again"));
    assert_string_equal(days_text(&days), "a/5! a/4!");
    assert_int_equal(days_hash(&days, &count), want);
    days_end(&days);
}

static void a_full_disk_moves_before_it_drops(void **state)
{
    (void)state;
    struct days days;
    days_begin(&days);
    days.config.cold_dir = days.cold_dir;
    days.config.disk_free_min = 1000;
    days_open(&days);
    days_add(&days, "a", 1, 20);
    days.faulty.space = (struct io_space){1000000, 999, 1}; /* both on one file system: of no use */
    days_do_all(store_chill, days.store);
    assert_string_equal(days_text(&days), "a/1");
    days.faulty.cold_space = (struct io_space){1000000, 1000000, 2};
    days_do_all(store_chill, days.store);
    assert_string_equal(days_text(&days), "a/1!");
    days_end(&days);
}

static void packing_keeps_every_row_and_joins_files(void **state)
{
    (void)state;
    struct days days;
    struct store_stats stats;
    uint64_t count, packed;
    days_begin(&days);
    days.config.quiet_ms = 1000;
    days_open(&days);
    for (int i = 0; i < 5; i++)
        days_add(&days, "a", 4, 40000); /* not small: these are never merged */
    days_add(&days, "a", 2, 100);
    uint64_t want = days_hash(&days, &count);
    days_do_all(store_pack, days.store);
    store_stats(days.store, &stats);
    assert_int_equal(stats.packs, 0); /* somebody may still be adding to that day */
    clock_manual_advance(&days.clock, NS_PER_SECOND);
    days_do_all(store_merge, days.store);
    days_do_all(store_pack, days.store);
    store_stats(days.store, &stats);
    assert_int_equal(stats.merges, 0);
    assert_int_equal(stats.packed_segments, 5);
    assert_int_equal(stats.packed_rows, 200000);
    assert_string_equal(days_text(&days), "a/4 a/2"); /* a/2 is too young */
    assert_int_equal(days_hash(&days, &packed), want);
    days_do_all(store_pack, days.store);
    store_stats(days.store, &stats);
    assert_int_equal(stats.packs, 1); /* once */
    days_close(&days);
    days_open(&days);
    assert_int_equal(days_hash(&days, &packed), want);
    assert_int_equal(packed, count);
    days_end(&days);
}

/* A seal a minute for a day of a quiet stream. */
static void a_day_ends_with_few_files_and_few_rewrites(void **state)
{
    (void)state;
    struct days days;
    struct store_stats stats;
    uint64_t count;
    size_t most = 0;
    days_begin(&days);
    days.config.quiet_ms = 3600 * 1000;
    days_open(&days);
    for (int i = 0; i < 1440; i++) {
        days_add(&days, "a", 0, 3);
        days_do_all(store_merge, days.store);
        store_stats(days.store, &stats);
        most = stats.segments > most ? stats.segments : most;
    }
    assert_true(most <= 96 + 1440 / 96);
    clock_manual_advance(&days.clock, NS_PER_DAY);
    days_do_all(store_merge, days.store);
    store_stats(days.store, &stats);
    (void)days_hash(&days, &count);
    print_message("%llu segments, at most %zu during the day; %.2f rewrites a row\n",
                  (unsigned long long)stats.segments, most,
                  (double)stats.merged_rows / (double)stats.segment_rows);
    assert_int_equal(count, 1440 * 3);
    assert_true(stats.segments <= 2);
    assert_true(stats.merged_rows <= 3 * stats.segment_rows);
    for (int i = 0; i < 100; i++) { /* rows that come late do not have the day rewritten each time */
        days_add(&days, "a", 0, 1);
        clock_manual_advance(&days.clock, 2 * 3600 * NS_PER_SECOND);
        days_do_all(store_merge, days.store);
    }
    uint64_t before = stats.merged_rows;
    store_stats(days.store, &stats);
    assert_true(stats.merged_rows - before < 1500);
    assert_true(stats.segments < 20);
    days_end(&days);
}

/* A block that is read must fit into a search's memory, however long the lines are. */
static void long_lines_are_not_merged_into_a_huge_block(void **state)
{
    (void)state;
    struct days days;
    days_begin(&days);
    days_open(&days);
    days.wide = 1 << 20;
    for (int i = 0; i < 40; i++)
        days_add(&days, "a", 1, 4); /* 160 MiB */
    uint64_t before, after, hash = days_hash(&days, &before);
    days_do_all(store_merge, days.store);
    assert_int_equal(days_hash(&days, &after), hash);
    assert_int_equal(after, before);
    size_t count;
    struct store_segment **list = store_segments_hold(days.store, &count);
    assert_in_range(count, 3, 5);
    for (size_t i = 0; i < count; i++)
        assert_in_range(list[i]->info.raw_bytes, 1, MERGE_BYTES_MAX);
    store_segments_release(list, count);
    days_end(&days);
}

/* ---- threads ---- */

struct reader {
    struct days *days;
    atomic_bool over;
    uint64_t looked;
};

/* No row of the stream that stays is ever missing or there twice, whatever is done to its segments. */
static void *read_on(void *context)
{
    struct reader *reader = context;
    static const struct slice columns[] = {{"hinomi.seq", 10}};
    static const struct slice streams[] = {{"a", 1}};
    struct scan_request request = {.columns = columns, .column_count = 1, .streams = streams, .stream_count = 1};
    uint64_t before = 0;
    while (!atomic_load(&reader->over)) {
        uint64_t count = count_rows(reader->days->store, &request);
        assert_true(count >= before && count % 50 == 0);
        before = count;
        reader->looked++;
    }
    return NULL;
}

static void everybody_at_once(void **state)
{
    (void)state;
    struct days days;
    struct err err;
    struct store_stats stats;
    struct manifest_drop *drops;
    struct arena *arena = arena_new(16 * MIB);
    struct retention_hold hold = {SLICE("x"), SLICE("a"), 0, INT64_MAX};
    size_t count;
    static const struct retention gone[] = {{{"gone*", 5}, 6, 0}};
    days_begin(&days);
    days.config.no_background = false;
    days.config.io = NULL; /* the disk that fails counts its calls without a lock */
    days.config.retention = gone;
    days.config.retention_count = 1;
    days.config.retention_days = 3;
    days.config.await_holds = true;
    days.config.cold_dir = days.cold_dir;
    days.config.cold_days = 3;
    days_open(&days);
    struct reader reader = {.days = &days};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_on, &reader), 0);
    assert_int_equal(store_set_holds(days.store, &hold, 1, &err), 0);
    for (int i = 0; i < 60; i++) {
        days_add(&days, "a", 4 + i % 3, 50);
        days_add(&days, "gone", 8, 10);
        assert_int_equal(store_set_holds(days.store, &hold, 1, &err), 0);
        assert_int_equal(store_drops(days.store, 0, arena, &drops, &count, &err), 0);
        arena_reset(arena);
        store_stats(days.store, &stats);
    }
    /* on a busy machine the store's own thread may not have had its turn yet */
    for (int i = 0; i < 10000; i++) {
        (void)!store_retain(days.store, &err); /* a conflict when the thread changes them meanwhile */
        store_stats(days.store, &stats);
        if (stats.dropped_rows >= 600 && stats.merges + stats.packs > 0 && stats.moves > 0)
            break;
        usleep(1000);
    }
    atomic_store(&reader.over, true);
    pthread_join(thread, NULL);
    print_message("%llu merges, %llu packs, %llu moves, %llu segments dropped, looked %llu times\n",
                  (unsigned long long)stats.merges, (unsigned long long)stats.packs,
                  (unsigned long long)stats.moves, (unsigned long long)stats.dropped_segments,
                  (unsigned long long)reader.looked);
    assert_true(stats.merges + stats.packs > 0 && stats.moves > 0);
    assert_int_equal(stats.dropped_rows, 600);
    assert_int_equal(stats.segment_rows, 3000);
    arena_free(arena);
    days_end(&days);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_days_move_and_answer_the_same),
        cmocka_unit_test(another_stores_folder_is_left_alone),
        cmocka_unit_test(a_disk_that_is_not_there_gets_nothing),
        cmocka_unit_test(a_full_disk_moves_before_it_drops),
        cmocka_unit_test(packing_keeps_every_row_and_joins_files),
        cmocka_unit_test(a_day_ends_with_few_files_and_few_rewrites),
        cmocka_unit_test(long_lines_are_not_merged_into_a_huge_block),
        cmocka_unit_test(everybody_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
