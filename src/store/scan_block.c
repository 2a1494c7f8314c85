/* store/scan_block: the rows of one block of a segment that a scan asks for. */
#include "base/time.h"
#include "event/schema.h"
#include "store/scan_filter.h"
#include "store/scan_inside.h"

static int64_t time_in_values(const void *context, uint32_t row)
{
    return ((const struct value *)context)[row].i64;
}

/* ---- blocks of segments ----------------------------------------------------------------- */

/* One a row. */
static int load_times(struct block_view *view, const struct value **out, struct err *err)
{
    struct segment_column *time = block_view_column(view, FIELD_TIMESTAMP);
    if (!time || segment_load_values(time, NULL, view->arena, err) < 0) {
        view->damaged = FIELD_TIMESTAMP;
        return time ? -1 : err_set(err, ERR_CORRUPT, "a block has no @timestamp");
    }
    if (time->count != view->row_count || time->chunk->types_seen != 1U << VALUE_TIME)
        return err_set(err, ERR_CORRUPT, "a block's @timestamp has gaps");
    *out = time->values;
    return 0;
}

/* Rows of the block inside the time range. */
static int select_time(struct scan *scan, struct block_view *view,
                       const struct segment_block *block, uint64_t *out, struct err *err)
{
    const struct value *times;
    if (scan_inside_time(&scan->request, block->time_min, block->time_max)) {
        bits_fill(out, view->row_count);
        return 0;
    }
    if (load_times(view, &times, err) < 0)
        return -1;
    memset(out, 0, bits_words(view->row_count) * 8);
    for (uint32_t i = 0; i < view->row_count; i++)
        if (times[i].i64 >= scan->request.from_ns && times[i].i64 < scan->request.to_ns)
            bits_set(out, i);
    return 0;
}

/* Rows of a block that are read at once: all, or as many as memory has room for. */
struct slice_of_rows {
    uint32_t first, behind;
    bool over;         /* the block has nothing more to give */
    int64_t before_ns; /* newest first: the time of the row before the first */
};

/* The rows that are asked for, as bits in *selected (in the work arena). */
static int select_rows(struct scan *scan, struct block_view *view,
                       const struct segment_block *block, const struct slice_of_rows *slice,
                       uint64_t **selected, struct err *err)
{
    size_t bytes = bits_words(block->row_count) * 8;
    uint64_t *found = arena_calloc(scan->work, bytes);
    const struct value *times;
    *selected = arena_alloc(scan->work, bytes);
    if (!*selected || !found)
        return err_nomem(err);
    if (select_time(scan, view, block, *selected, err) < 0)
        return -1;
    for (uint32_t row = 0; row < slice->first; row++)
        bits_clear(*selected, row);
    for (uint32_t row = slice->behind; row < block->row_count; row++)
        bits_clear(*selected, row);
    if (scan->request.filter) {
        if (scan_filter_block(view, scan->request.filter, *selected, found, err) < 0)
            return -1;
        *selected = found;
    }
    if (!scan->newest.most || !bits_any(*selected, block->row_count))
        return 0;
    if (load_times(view, &times, err) < 0)
        return -1;
    scan_keep_newest(scan, *selected, block->row_count, time_in_values, times);
    return 0;
}

static bool is_late(const struct scan_request *request, struct slice name)
{
    return request->late_column.ptr && slice_equal(request->late_column, name);
}

static int put_wanted(struct scan *scan, struct block_view *view, struct slice name,
                      const uint64_t *selected, struct batch *batch, struct err *err)
{
    struct segment_column *column = block_view_column(view, name);
    if (!column || batch_find(batch, name))
        return 0;
    if (is_late(&scan->request, name) && column->chunk->encoding == CHUNK_SKELETON)
        return block_put_matching(batch, name, column, selected, &scan->request.late_match, err);
    return block_put_column(batch, name, column, selected, scan->request.codes_only, err);
}

/* A wanted column that cannot be read is left out and reported; the rows stay. */
static int put_or_note(struct scan *scan, struct block_view *view, struct slice name,
                       const uint64_t *selected, struct scan_rows *out, struct err *err)
{
    struct err reason;
    err_clear(&reason);
    if (put_wanted(scan, view, name, selected, out->batch, &reason) == 0)
        return 0;
    if (!scan_is_damage(&reason)) {
        if (err)
            *err = reason;
        return -1;
    }
    scan_note_damage(scan, scan->units[scan->unit].segment, name, out->time_min, out->time_max,
                out->selected_count, &reason);
    return 0;
}

static int put_derived_id(struct scan *scan, struct block_view *view, const uint64_t *selected,
                          struct scan_rows *out, struct err *err)
{
    struct err reason;
    err_clear(&reason);
    struct segment_column *seq = block_view_column(view, FIELD_SEQ);
    if (seq && segment_load_values(seq, NULL, view->arena, &reason) == 0)
        return block_put_ids(out->batch, view->store_id, seq->values, selected, err);
    if (seq && !scan_is_damage(&reason)) {
        if (err)
            *err = reason;
        return -1;
    }
    scan_note_damage(scan, scan->units[scan->unit].segment, FIELD_EVENT_ID, out->time_min,
                out->time_max, out->selected_count, &reason);
    return 0;
}

bool scan_wants(const struct scan_request *request, struct slice name)
{
    for (size_t i = 0; i < request->column_count; i++)
        if (slice_equal(request->columns[i], name))
            return true;
    return request->all_columns;
}

bool scan_wants_any(const struct scan_request *request)
{
    return request->all_columns || request->column_count;
}

static int put_columns(struct scan *scan, struct block_view *view, const uint64_t *selected,
                       struct scan_rows *out, struct err *err)
{
    const struct scan_request *request = &scan->request;
    const struct segment_block *block = segment_get_block(view->segment, view->block);
    const uint64_t *some = out->selected_count == view->row_count ? NULL : selected;
    if (!scan_wants_any(request))
        return 0;
    out->batch = block_batch_new(scan->work, view->row_count);
    if (!out->batch)
        return err_nomem(err);
    view->columns.wanted = some;
    for (uint32_t i = 0; request->all_columns && i < block->chunk_count; i++)
        if (put_or_note(scan, view, segment_column_name(view->segment, block->chunks[i].column),
                        some, out, err) < 0)
            return -1;
    for (size_t i = 0; !request->all_columns && i < request->column_count; i++)
        if (!is_late(request, request->columns[i]) &&
            put_or_note(scan, view, request->columns[i], some, out, err) < 0)
            return -1;
    /* after the others: what it refers to is read for its rows only, unless that has been done */
    if (request->late_column.ptr &&
        put_or_note(scan, view, request->late_column, some, out, err) < 0)
        return -1;
    return scan_wants(request, FIELD_EVENT_ID) ? put_derived_id(scan, view, some, out, err) : 0;
}

/* tzdata knows no zone whose offset from UTC has had seconds since then (Africa/Monrovia, 1972). */
#define WHOLE_MINUTES_FROM_NS (INT64_C(94694400) * 1000000000)

/* A row a minute instead of the block's rows. 1, 0 when the block has no such counts, -1. */
static int put_minutes(struct scan *scan, struct block_view *view, struct scan_rows *out,
                       struct err *err)
{
    struct time_counts counts;
    if (!scan->request.minutes || out->selected_count != view->row_count ||
        out->time_min < WHOLE_MINUTES_FROM_NS ||
        !segment_time_counts(view->segment, view->block, scan->work, &counts))
        return 0;
    struct batch *batch = block_batch_new(scan->work, 0);
    struct column *times = batch ? batch_column(batch, FIELD_TIMESTAMP) : NULL;
    uint32_t *weights = arena_alloc(scan->work, counts.minutes * sizeof(*weights));
    uint64_t *all = arena_alloc(scan->work, bits_words(counts.minutes) * 8);
    if (!times || !weights || !all)
        return err_nomem(err);
    for (uint32_t i = 0; i < counts.minutes; i++) {
        int64_t minute = counts.first_ns + i * NS_PER_MINUTE;
        if (counts.counts[i] == 0)
            continue;
        if (column_add(batch, times, batch->row_count, value_time(minute)) < 0)
            return err_nomem(err);
        weights[batch->row_count++] = (uint32_t)counts.counts[i];
    }
    bits_fill(all, batch->row_count);
    out->batch = batch;
    out->selected = all;
    out->weights = weights;
    out->row_count = out->selected_count = batch->row_count;
    return 1;
}

/* Dictionaries and filters may have told that no row fits. */
static bool looked_at_rows(const struct block_view *view)
{
    const struct segment_block *block = segment_get_block(view->segment, view->block);
    for (uint32_t i = 0; i < block->chunk_count; i++) {
        const struct segment_column *column = &view->columns.list[i];
        if (column->chunk && (column->rows || column->raw_codes.ptr || column->raw_present.ptr ||
                              column->numbers || column->values))
            return true;
    }
    return false;
}

static void note_read(struct scan *scan, const struct block_view *view, bool begins)
{
    scan->stats.blocks_read += begins;
    scan->stats.rows_read += begins ? view->row_count : 0;
}

/* Rows of the block that are asked for, in the slice. */
static int select_slice(struct scan *scan, struct block_view *view,
                        const struct segment_block *block, struct slice_of_rows *slice,
                        uint64_t **selected, struct err *err)
{
    const struct value *times;
    if (select_rows(scan, view, block, slice, selected, err) < 0)
        return -1;
    if (!scan->request.newest_first || slice->first == 0)
        return 0;
    if (load_times(view, &times, err) < 0)
        return -1;
    slice->before_ns = times[slice->first - 1].i64;
    return 0;
}

/* 1 rows, 0 none of them, -1; a damaged block is noted and gives 0. */
static int read_slice(struct scan *scan, uint32_t index, struct slice_of_rows *slice,
                      struct scan_rows *out, struct err *err)
{
    const struct segment_block *block = segment_get_block(scan->segment, index);
    bool begins = scan->request.newest_first ? slice->behind == block->row_count : slice->first == 0;
    scan->stats.blocks += begins;
    *out = (struct scan_rows){.row_count = block->row_count,
                              .time_min = block->time_min,
                              .time_max = block->time_max};
    if (!scan_in_time(&scan->request, block->time_min, block->time_max)) {
        scan->stats.blocks_skipped++;
        slice->over = true;
        return 0;
    }
    arena_reset(scan->work);
    scan->stats.rows += slice->behind - slice->first;
    struct block_view view = {.store_id = scan->snapshot->store_id,
                              .arena = scan->work,
                              .scope = &scan->scope};
    uint64_t *selected;
    struct err reason;
    err_clear(&reason);
    if (block_view_init(&view, scan->segment, index, err) < 0)
        return err_nomem(err);
    int result = select_slice(scan, &view, block, slice, &selected, &reason);
    if (result < 0 && scan_is_damage(&reason)) {
        scan_note_damage(scan, scan->units[scan->unit].segment, view.damaged, block->time_min,
                    block->time_max, slice->behind - slice->first, &reason);
        slice->over = true;
        return 0;
    }
    if (result < 0) {
        if (err)
            *err = reason;
        return -1;
    }
    out->selected = selected;
    out->selected_count = (uint32_t)bits_count(selected, block->row_count);
    if (!out->selected_count) {
        if (!looked_at_rows(&view))
            scan->stats.blocks_skipped += begins;
        else
            note_read(scan, &view, begins);
        return 0;
    }
    note_read(scan, &view, begins);
    scan->stats.rows_selected += out->selected_count;
    result = put_minutes(scan, &view, out, err);
    if (result == 0)
        result = put_columns(scan, &view, selected, out, err) < 0 ? -1 : 1;
    return result;
}

int scan_read_block(struct scan *scan, uint32_t index, uint32_t *done, struct scan_rows *out,
                      struct err *err)
{
    enum { LEAST = 1024 };
    uint32_t rows = segment_get_block(scan->segment, index)->row_count;
    for (;;) {
        struct scan_stats before = scan->stats;
        struct err own, *why = err ? err : &own;
        uint32_t left = rows - *done, n = scan->slice && scan->slice < left ? scan->slice : left;
        struct slice_of_rows slice = {.first = *done, .behind = *done + n};
        if (scan->request.newest_first)
            slice = (struct slice_of_rows){.first = left - n, .behind = left};
        err_clear(why);
        int result = read_slice(scan, index, &slice, out, why);
        bool full = result < 0 && (why->code == ERR_NOMEM || why->code == ERR_LIMIT);
        if (full && !scan->request.share_count && n > LEAST) {
            scan->slice = n / 2;
            scan->stats = before;
            continue;
        }
        *done = slice.over || *done + n == rows ? 0 : *done + n;
        scan->before_ns = slice.before_ns;
        return result;
    }
}
