#include "search/live_source.h"

#include "base/mem.h"
#include "event/schema.h"
#include "search/frame.h"
#include "store/store_tail.h"

#include <stdlib.h>
#include <time.h>

struct reading {
    struct live_source *live;
    struct scan_request request;
    struct store_tail *tail;
    struct snapshot *snapshot; /* of the step at hand */
    struct scan *scan;
    bool one_table; /* its rows are in order as they come */
    bool gave_all;  /* of several */
    bool in_haste;  /* more rows wait */
    struct arena *arena; /* of the rows of several tables */
    struct batch *empty;
};

static void end_step(struct reading *reading)
{
    if (reading->scan)
        reading->live->rows_seen += scan_get_stats(reading->scan)->rows;
    scan_close(reading->scan);
    store_snapshot_release(reading->snapshot);
    reading->scan = NULL;
    reading->snapshot = NULL;
}

static void close_reading(void *context)
{
    struct reading *reading = context;
    end_step(reading);
    store_tail_close(reading->tail);
    arena_free(reading->arena);
    batch_free(reading->empty);
    mem_free(reading);
}

/* 1, or 0 when there is nothing new. */
static int begin_step(struct reading *reading, struct err *err)
{
    uint64_t skipped;
    int got = store_tail_next(reading->tail, &reading->snapshot, &skipped, err);
    reading->live->rows_skipped += skipped;
    if (got <= 0)
        return got;
    if (scan_open(reading->snapshot, &reading->request, &reading->scan, err) < 0)
        return -1;
    reading->gave_all = false;
    reading->one_table = scan_unit_count(reading->snapshot, &reading->request) < 2;
    return 1;
}

/* ---- several tables ---- */

struct place {
    int64_t seq;
    uint32_t row;
};

static int by_seq(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

/* The rows of the step, copied: a scan gives them table by table. */
static int copy_rows(struct reading *reading, struct row_store *rows, struct err *err)
{
    struct scan_rows some;
    int got;
    while ((got = scan_next(reading->scan, &some, err)) > 0) {
        const struct frame frame = {.batch = some.batch,
                                    .selected = (uint64_t *)(uintptr_t)some.selected};
        if (row_store_add(rows, &frame) < 0)
            return err_nomem(err);
    }
    return got;
}

static int put_in_order(struct reading *reading, const struct batch *rows, struct search_rows *out,
                        struct err *err)
{
    struct arena *arena = reading->arena;
    const struct column *seq = batch_find(rows, FIELD_SEQ);
    struct place *places = arena_array(arena, rows->row_count, sizeof(*places));
    uint32_t *order = arena_alloc(arena, rows->row_count * sizeof(*order));
    struct frame frame;
    if (!places || !order)
        return err_nomem(err);
    for (uint32_t row = 0; row < rows->row_count; row++)
        places[row] = (struct place){seq ? column_first(seq, row).i64 : 0, row};
    qsort(places, rows->row_count, sizeof(*places), by_seq);
    for (uint32_t row = 0; row < rows->row_count; row++)
        order[row] = places[row].row;
    if (frame_gather(&frame, rows, order, rows->row_count, arena) < 0)
        return err_nomem(err);
    *out = (struct search_rows){.batch = frame.batch, .selected = frame.selected};
    return 1;
}

/* All rows of the step at once; 0: none passes. */
static int next_of_several(struct reading *reading, struct search_rows *out, struct err *err)
{
    struct row_store rows;
    arena_reset(reading->arena);
    row_store_init(&rows, reading->arena);
    if (copy_rows(reading, &rows, err) < 0)
        return -1;
    return rows.batch && rows.batch->row_count ? put_in_order(reading, rows.batch, out, err) : 0;
}

/* ---- the source ---- */

static int next_of_step(struct reading *reading, struct search_rows *out, struct err *err)
{
    struct scan_rows rows;
    if (!reading->one_table) {
        bool over = reading->gave_all;
        reading->gave_all = true;
        return over ? 0 : next_of_several(reading, out, err);
    }
    int got = scan_next(reading->scan, &rows, err);
    if (got > 0)
        *out = (struct search_rows){.batch = rows.batch, .selected = rows.selected};
    return got;
}

static void rest(void)
{
    const struct timespec wait = {.tv_nsec = TAIL_POLL_MS * NS_PER_MS};
    nanosleep(&wait, NULL);
}

static int next(void *context, struct search_rows *out, struct err *err)
{
    struct reading *reading = context;
    *out = (struct search_rows){.batch = reading->empty};
    if (!reading->scan) {
        if (!reading->in_haste)
            rest();
        int got = begin_step(reading, err);
        reading->in_haste = false;
        if (got <= 0)
            return got < 0 ? -1 : 1;
    }
    int got = next_of_step(reading, out, err);
    if (got != 0)
        return got;
    reading->in_haste = scan_get_stats(reading->scan)->rows >= TAIL_STEP_ROWS;
    end_step(reading);
    return 1;
}

static const struct scan_stats *stats_of(void *context)
{
    static const struct scan_stats none;
    const struct reading *reading = context;
    return reading->scan ? scan_get_stats(reading->scan) : &none;
}

static int open_source(void *context, const struct search_request *request, struct arena *arena,
                       struct search_source *out, struct err *err)
{
    struct live_source *live = context;
    struct reading *reading = mem_calloc(1, sizeof(*reading));
    if (!reading)
        return err_nomem(err);
    reading->live = live;
    reading->empty = batch_new(1 * MIB);
    reading->arena = arena_new(request->memory_max);
    reading->tail = store_tail_open(live->from.store);
    if (!reading->empty || !reading->arena || !reading->tail ||
        store_backend_scan(&live->from, request, arena, &reading->request, err) < 0) {
        close_reading(reading);
        return err_nomem(err);
    }
    reading->request.newest_first = false;
    reading->request.newest_rows = 0;
    *out = (struct search_source){.next = next,
                                  .close = close_reading,
                                  .stats = stats_of,
                                  .context = reading,
                                  .filtered = true,
                                  .ordered = true,
                                  .kind = "what is stored from now on"};
    return 0;
}

void live_source_init(struct live_source *live, struct store *store, const struct hin_clock *clock)
{
    *live = (struct live_source){0};
    store_backend_init(&live->from, store, clock, NULL);
    live->backend = (struct search_backend){.open = open_source, .context = live};
}
