/* What goes, in which order, and what stays whatever happens. */
#include "store_days.h"

static void streams_have_days_of_their_own(void **state)
{
    (void)state;
    static const struct retention rules[] = {
        {{"fw-lab", 6}, 0, 0}, {{"fw-*", 4}, 3, 0}, {{"*audit*", 7}, 10, 0}};
    struct days days;
    struct err err;
    days_begin(&days);
    days.config.retention = rules;
    days.config.retention_count = ARRAY_COUNT(rules);
    days.config.retention_days = 5;
    days_open(&days);
    days_add(&days, "fw-lab", 20, 3); /* the first that fits counts: for ever */
    days_add(&days, "fw-1", 3, 3);
    days_add(&days, "fw-1", 4, 3);
    days_add(&days, "the-audit-trail", 10, 3);
    days_add(&days, "the-audit-trail", 11, 3);
    days_add(&days, "main", 5, 3);
    days_add(&days, "main", 6, 3);
    assert_int_equal(store_retain(days.store, &err), 0);
    assert_string_equal(days_text(&days), "fw-lab/20 the-audit-trail/10 main/5 fw-1/3");
    days_end(&days);
}

static void a_hold_covers_what_it_says(void **state)
{
    (void)state;
    struct days days;
    struct err err;
    int64_t time = DAYS_NOW - 9 * NS_PER_DAY;
    const struct {
        const char *stream;
        int64_t from_ns, to_ns;
        const char *left;
    } cases[] = {
        {"a*", time + 2 * NS_PER_MS, time + 3 * NS_PER_MS, "a/9"}, /* its last event */
        {"a*", time + 2 * NS_PER_MS + 1, INT64_MAX, ""},
        {"*", 0, time + 1, "a/9 b/9"}, /* the first of both */
        {"*", 0, time, ""},            /* the end is not within */
        {"b", 0, INT64_MAX, "b/9"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct retention_hold hold = {SLICE("x"), slice_text(cases[i].stream), cases[i].from_ns,
                                      cases[i].to_ns};
        struct store_stats stats;
        days_begin(&days);
        days.config.retention_days = 5;
        days.config.await_holds = true;
        days_open(&days);
        days_add(&days, "a", 9, 3);
        days_add(&days, "b", 9, 3);
        assert_int_equal(store_retain(days.store, &err), 0);
        assert_string_equal(days_text(&days), "a/9 b/9"); /* nothing before the holds are known */
        assert_int_equal(store_set_holds(days.store, &hold, 1, &err), 0);
        assert_int_equal(store_retain(days.store, &err), 0);
        assert_string_equal(days_text(&days), cases[i].left);
        store_stats(days.store, &stats);
        assert_int_equal(stats.held_segments, strlen(cases[i].left) == 0 ? 0 : strlen(cases[i].left) / 4 + 1);
        assert_int_equal(store_set_holds(days.store, NULL, 0, &err), 0);
        assert_int_equal(store_retain(days.store, &err), 0);
        assert_string_equal(days_text(&days), "");
        days_end(&days);
    }
}

static uint64_t bytes_of(struct days *days)
{
    struct store_stats stats;
    store_stats(days->store, &stats);
    return stats.segment_bytes;
}

static void the_oldest_go_when_there_are_too_many_bytes(void **state)
{
    (void)state;
    struct days days;
    struct err err;
    struct store_stats stats;
    days_begin(&days);
    days_open(&days);
    days_add(&days, "b", 2, 50);
    days_add(&days, "a", 7, 50);
    days_add(&days, "b", 4, 50);
    days_add(&days, "a", 0, 50);
    uint64_t bytes = bytes_of(&days);
    days_close(&days);
    days.config.disk_max = bytes;
    days_open(&days);
    assert_int_equal(store_retain(days.store, &err), 0);
    assert_string_equal(days_text(&days), "a/7 b/4 b/2 a/0"); /* exactly as much as may be */
    days_close(&days);
    days.config.disk_max = bytes - 1;
    days_open(&days);
    assert_int_equal(store_retain(days.store, &err), 0);
    assert_string_equal(days_text(&days), "b/4 b/2 a/0");
    struct retention_hold hold = {SLICE("x"), SLICE("b"), 0, INT64_MAX};
    assert_int_equal(store_set_holds(days.store, &hold, 1, &err), 0);
    days_close(&days);
    days.config.disk_max = 1;
    days_open(&days);
    assert_int_equal(store_set_holds(days.store, &hold, 1, &err), 0);
    assert_int_equal(store_retain(days.store, &err), 0);
    assert_string_equal(days_text(&days), "b/4 b/2"); /* today's went, what is held did not */
    store_stats(days.store, &stats);
    assert_int_equal(stats.short_bytes, bytes_of(&days) - 1);
    assert_int_equal(stats.held_bytes, bytes_of(&days));
    assert_non_null(strstr(days.said, "nothing is left that may go"));
    size_t said = strlen(days.said);
    assert_int_equal(store_retain(days.store, &err), 0);
    assert_int_equal(strlen(days.said), said); /* once */
    assert_int_equal(store_set_holds(days.store, NULL, 0, &err), 0);
    assert_int_equal(store_retain(days.store, &err), 0);
    assert_string_equal(days_text(&days), "");
    assert_non_null(strstr(days.said, "room on the disk again"));
    days_end(&days);
}

static void rows_that_are_not_sealed_stay(void **state)
{
    (void)state;
    struct days days;
    struct err err;
    uint64_t count;
    days_begin(&days);
    days.config.disk_max = 1;
    days.config.retention_days = 1;
    days_open(&days);
    struct batch *batch = batch_new(4 * MIB);
    struct origin origin = {.stream = SLICE("a")};
    struct event_row *row = batch_add_row(batch);
    row->raw = SLICE("late");
    row->seq = 1;
    row->time_ns = DAYS_NOW - 30 * NS_PER_DAY;
    row->received_ns = DAYS_NOW;
    row->origin = &origin;
    assert_int_equal(batch_finish(batch), 0);
    assert_int_equal(store_append(days.store, batch, &err), 0);
    assert_int_equal(store_retain(days.store, &err), 0);
    (void)days_hash(&days, &count);
    assert_int_equal(count, 1);
    batch_free(batch);
    days_end(&days);
}

static void room_that_readers_still_hold_is_not_asked_for_twice(void **state)
{
    (void)state;
    struct days days;
    struct err err;
    days_begin(&days);
    days.config.disk_free_percent = 10;
    days.config.disk_free_min = 5;
    days_open(&days);
    days_add(&days, "a", 3, 50);
    days_add(&days, "a", 2, 50);
    days_add(&days, "a", 1, 50);
    days.faulty.space = (struct io_space){1000000, 100000, 1};
    assert_int_equal(store_retain(days.store, &err), 0);
    assert_string_equal(days_text(&days), "a/3 a/2 a/1");
    days.faulty.space.free = 99999;
    struct snapshot *reader = store_snapshot(days.store);
    for (int i = 0; i < 3; i++) /* the disk is as full as before while the reader has the file */
        assert_int_equal(store_retain(days.store, &err), 0);
    assert_string_equal(days_text(&days), "a/2 a/1");
    store_snapshot_release(reader);
    assert_int_equal(store_retain(days.store, &err), 0);
    assert_string_equal(days_text(&days), "a/1");
    days_end(&days);
}

static void what_went_is_written_down(void **state)
{
    (void)state;
    struct days days;
    struct err err;
    struct manifest_drop *drops;
    struct store_stats stats;
    size_t count;
    struct arena *arena = arena_new(4 * MIB);
    days_begin(&days);
    days.config.retention_days = 4;
    days_open(&days);
    days_add(&days, "a", 9, 10);
    days_add(&days, "a", 9, 5);
    days_add(&days, "b", 9, 7);
    assert_int_equal(store_retain(days.store, &err), 0);
    days_add(&days, "a", 8, 2);
    assert_int_equal(store_retain(days.store, &err), 0);
    days_close(&days);
    days_open(&days);
    assert_int_equal(store_drops(days.store, 0, arena, &drops, &count, &err), 0);
    assert_int_equal(count, 3);
    uint64_t rows = 0;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(drops[i].serial, i + 1);
        assert_int_equal(drops[i].reason, DROP_AGE);
        assert_int_equal(drops[i].time_ns, DAYS_NOW);
        rows += drops[i].rows;
    }
    assert_int_equal(drops[0].segments + drops[1].segments, 3);
    assert_int_equal(drops[2].day, time_day(DAYS_NOW) - 8);
    store_stats(days.store, &stats);
    assert_int_equal(rows, 24);
    assert_int_equal(stats.dropped_rows, rows);
    assert_int_equal(store_drops(days.store, 2, arena, &drops, &count, &err), 0);
    assert_int_equal(count, 1);
    arena_free(arena);
    days_end(&days);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_have_days_of_their_own),
        cmocka_unit_test(a_hold_covers_what_it_says),
        cmocka_unit_test(the_oldest_go_when_there_are_too_many_bytes),
        cmocka_unit_test(rows_that_are_not_sealed_stay),
        cmocka_unit_test(room_that_readers_still_hold_is_not_asked_for_twice),
        cmocka_unit_test(what_went_is_written_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
