#pragma once
/* What the tests of keeping share: a store on one day, rows of streams and days, and what is in it. */
#include "store_fixture.h"

#include "base/time.h"
#include "store/store_state.h"

#define DAYS_NOW (INT64_C(1768478400) * NS_PER_SECOND) /* 2026-01-15T12:00:00Z */

struct days {
    char dir[64], store_dir[96], cold_dir[96];
    struct faulty_io faulty;
    struct clock_manual clock;
    struct store_config config;
    struct store *store;
    uint64_t seq;
    unsigned wide; /* so many bytes more of each event's text */
    char said[4096];
};

static inline void days_note(void *context, const char *text)
{
    struct days *days = context;
    size_t len = strlen(days->said);
    (void)snprintf(days->said + len, sizeof(days->said) - len, "%s\n", text);
}

static inline void days_open(struct days *days)
{
    struct err err;
    if (store_open(&days->config, &days->store, &err) < 0)
        fail_msg("%s", err.text);
}

/* config may be changed before days_open(). */
static inline void days_begin(struct days *days)
{
    *days = (struct days){0};
    folder_make(days->dir);
    (void)snprintf(days->store_dir, sizeof(days->store_dir), "%s/store", days->dir);
    (void)snprintf(days->cold_dir, sizeof(days->cold_dir), "%s/cold", days->dir);
    faulty_init(&days->faulty, -1, EIO);
    clock_manual_init(&days->clock, DAYS_NOW);
    days->config = (struct store_config){.dir = days->store_dir, .io = &days->faulty.io,
                                         .clock = &days->clock.clock, .no_background = true,
                                         .quiet_ms = -1, .note = days_note, .note_context = days};
}

static inline void days_close(struct days *days)
{
    store_close(days->store);
    days->store = NULL;
}

static inline void days_end(struct days *days)
{
    days_close(days);
    folder_remove(days->store_dir);
    folder_remove(days->cold_dir);
    folder_remove(days->dir);
}

static inline void days_append(struct days *days, const char *stream, int64_t ago, unsigned first,
                               unsigned end)
{
    struct err err;
    struct batch *batch = batch_new(16 * MIB);
    struct origin origin = {.source = SLICE("test"), .stream = slice_text(stream)};
    assert_non_null(batch);
    for (unsigned i = first; i < end; i++) {
        struct event_row *row = batch_add_row(batch);
        assert_non_null(row);
        row->raw = arena_printf(batch->arena, "%s %lld %u of %llu%*s", stream, (long long)ago, i,
                                (unsigned long long)days->seq, (int)days->wide, "");
        row->seq = ++days->seq;
        row->received_ns = DAYS_NOW;
        row->time_ns = DAYS_NOW - ago * NS_PER_DAY + (int64_t)i * NS_PER_MS;
        row->origin = &origin;
        assert_int_equal(batch_put(batch, i - first, SLICE("number"), value_i64((int64_t)i)), 0);
    }
    batch->journal_end = days->seq * 10;
    assert_int_equal(batch_finish(batch), 0);
    assert_int_equal(store_append(days->store, batch, &err), 0);
    batch_free(batch);
}

/* One segment. */
static inline void days_add(struct days *days, const char *stream, int64_t ago, unsigned rows)
{
    struct err err;
    for (unsigned i = 0; i < rows; i += 4000)
        days_append(days, stream, ago, i, i + 4000 < rows ? i + 4000 : rows);
    assert_int_equal(store_flush(days->store, &err), 0);
}

/* "a/1 b/3": streams and ages of the segments, oldest first; "!" lies in a further folder. */
static inline const char *days_text(struct days *days)
{
    static char text[1024];
    size_t count, len = 0;
    struct store_segment **list = store_segments_hold(days->store, &count);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s/%lld%s", i ? " " : "",
                                SLICE_ARG(list[i]->info.stream),
                                (long long)(time_day(DAYS_NOW) - list[i]->info.day),
                                list[i]->info.place ? "!" : "");
    store_segments_release(list, count);
    return text;
}

static inline uint64_t days_hash_text(uint64_t hash, struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = hash * 1099511628211U + (unsigned char)text.ptr[i];
    return hash;
}

/* A task of the store until it has nothing more to do. */
static inline void days_do_all(int (*task)(struct store *store, struct err *err), struct store *store)
{
    struct err err;
    int done;
    while ((done = task(store, &err)) == 1)
        ;
    if (done < 0)
        fail_msg("%s", err.text);
}

/* A hash over all rows that does not depend on their order; all of them must be readable. */
static inline uint64_t days_rows(struct snapshot *snapshot, uint64_t *count)
{
    static const struct slice columns[] = {{"event.original", 14}, {"hinomi.seq", 10}, {"number", 6}};
    struct scan_request request = {.columns = columns, .column_count = ARRAY_COUNT(columns)};
    struct scan *scan;
    struct scan_rows rows;
    struct err err;
    uint64_t sum = 0;
    *count = 0;
    assert_int_equal(scan_open(snapshot, &request, &scan, &err), 0);
    while (scan_next(scan, &rows, &err) == 1)
        for (uint32_t i = 0; i < rows.row_count; i++) {
            struct slice raw = value_slice(batch_first(rows.batch, i, columns[0]));
            uint64_t hash = (uint64_t)batch_first(rows.batch, i, columns[1]).i64;
            sum += days_hash_text(hash, raw) + (uint64_t)batch_first(rows.batch, i, columns[2]).i64 * 31;
            ++*count;
        }
    assert_int_equal(scan_get_stats(scan)->damage_count, 0);
    scan_close(scan);
    return sum;
}

static inline uint64_t days_hash(struct days *days, uint64_t *count)
{
    struct snapshot *snapshot = store_snapshot(days->store);
    assert_non_null(snapshot);
    uint64_t sum = days_rows(snapshot, count);
    store_snapshot_release(snapshot);
    return sum;
}
