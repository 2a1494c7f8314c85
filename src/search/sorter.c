#include "search/sorter.h"

enum { LIMIT_SLACK = 8192 };   /* rows over the limit before it is worth dropping them */

static void close_sorter(void *sorter)
{
    sorter_close(sorter);
}

int sorter_init(struct sorter *sorter, struct run *run, const struct sort_keys *keys,
                uint64_t limit, struct err *err)
{
    static const struct sort_keys none;
    *sorter = (struct sorter){.run = run, .keys = keys ? *keys : none, .limit = limit};
    for (int i = 0; i < 2; i++) /* a preview shall not take the search's memory */
        sorter->arenas[i] =
            run->preview ? arena_new(MEMORY_QUERY_MAX) : arena_new_within(&run->memory->budget);
    sorter->names = frame_batch_new(run->arena, 0);
    row_store_init(&sorter->rows, sorter->arenas[0]);
    if (!sorter->arenas[0] || !sorter->arenas[1] || !sorter->names ||
        arena_defer(run->arena, close_sorter, sorter) < 0) {
        sorter_close(sorter);
        return run_nomem(run, err);
    }
    return 0;
}

void sorter_close(struct sorter *sorter)
{
    for (int i = 0; i < 2; i++) {
        arena_free(sorter->arenas[i]);
        sorter->arenas[i] = NULL;
    }
    sorter->rows.batch = NULL;
    sorter->part_count = 0;
}

void sorter_clear(struct sorter *sorter)
{
    for (int i = 0; i < 2; i++)
        arena_reset(sorter->arenas[i]);
    row_store_init(&sorter->rows, sorter->arenas[0]);
    sorter->part_count = 0;
    sorter->noted = 0;
    sorter->count = 0;
}

static size_t held(const struct sorter *sorter)
{
    return arena_used(sorter->arenas[0]) + arena_used(sorter->arenas[1]);
}

static uint32_t row_count(const struct sorter *sorter)
{
    return sorter->rows.batch ? sorter->rows.batch->row_count : 0;
}

/* The order of the rows in memory, in arenas[1]; NULL without keys. */
static int order_rows(struct sorter *sorter, uint32_t **order, struct err *err)
{
    *order = NULL;
    return sorter->keys.count && sort_rows(&sorter->keys, sorter->rows.batch, sorter->arenas[1],
                                           order) < 0
               ? run_nomem(sorter->run, err)
               : 0;
}

static struct spill_part *add_part(struct sorter *sorter)
{
    sorter->parts = spl_grow(sorter->run->arena, sorter->parts, sorter->part_count,
                             sizeof(*sorter->parts));
    if (!sorter->parts)
        return NULL;
    sorter->parts[sorter->part_count] = (struct spill_part){0};
    return &sorter->parts[sorter->part_count++];
}

/* Columns that the rows in memory have got since they were looked at last. */
static int note_names(struct sorter *sorter)
{
    const struct batch *batch = sorter->rows.batch;
    for (; sorter->noted < batch->column_count; sorter->noted++)
        if (!batch_column(sorter->names, batch->columns[sorter->noted]->name))
            return -1;
    return 0;
}

/* What is in memory becomes a part. */
static int spill_rows(struct sorter *sorter, struct err *err)
{
    struct spill_part *part;
    uint32_t *order, count = row_count(sorter);
    if (order_rows(sorter, &order, err) < 0)
        return -1;
    if (sorter->limit && sorter->limit < count)
        count = (uint32_t)sorter->limit;
    if (!(part = add_part(sorter)))
        return run_nomem(sorter->run, err);
    if (spill_write(sorter->run->memory, sorter->rows.batch, order, count, part, err) < 0)
        return -1;
    sorter->rows.batch = NULL;
    sorter->noted = 0;
    arena_reset(sorter->arenas[0]);
    arena_reset(sorter->arenas[1]);
    return 0;
}

/* Of the rows in memory those from first up to behind, by their order, stay. */
static int keep_rows(struct sorter *sorter, const uint32_t *order, uint32_t first, uint32_t behind,
                     struct err *err)
{
    struct row_store kept;
    struct frame frame = {.batch = sorter->rows.batch};
    struct arena *fresh = arena_new_within(&sorter->run->memory->budget);
    if (!fresh)
        return run_nomem(sorter->run, err);
    sorter->count -= row_count(sorter) - (behind - first);
    row_store_init(&kept, fresh);
    for (uint32_t i = first; i < behind; i++)
        if (row_store_add_row(&kept, &frame, order ? order[i] : i) < 0) {
            arena_free(fresh);
            return run_nomem(sorter->run, err);
        }
    arena_free(sorter->arenas[0]);
    sorter->arenas[0] = fresh;
    arena_reset(sorter->arenas[1]);
    sorter->rows = kept;
    return 0;
}

int sorter_cut(struct sorter *sorter, uint64_t keep, struct err *err)
{
    uint32_t *order;
    return order_rows(sorter, &order, err) < 0 ? -1
                                               : keep_rows(sorter, order, 0, (uint32_t)keep, err);
}

int sorter_take(struct sorter *sorter, uint32_t first, struct stage *op, struct err *err)
{
    uint32_t *order;
    if (order_rows(sorter, &order, err) < 0 ||
        stage_emit(op, sorter->rows.batch, order, first, err) < 0)
        return -1;
    return keep_rows(sorter, order, first, row_count(sorter), err);
}

/* Sorting what is held needs memory, too. */
static bool is_full(const struct sorter *sorter)
{
    const struct search_memory *memory = sorter->run->memory;
    size_t more = sort_rows_bytes(&sorter->keys, row_count(sorter));
    if (sorter->memory_only || sorter->run->preview)
        return false;
    return search_memory_is_short(memory, held(sorter)) ||
           (memory->budget.bytes_held + more > memory->budget.bytes_max / 4 * 3 &&
            search_memory_is_worth(memory, held(sorter) + more));
}

static int add_some(struct sorter *sorter, const struct frame *frame, struct err *err)
{
    if (row_store_add(&sorter->rows, frame) < 0 || note_names(sorter) < 0)
        return run_nomem(sorter->run, err);
    sorter->count += frame_count(frame);
    uint32_t rows = row_count(sorter);
    if (sorter->limit && sorter->limit < rows && rows - sorter->limit > 3 * sorter->limit + LIMIT_SLACK)
        return sorter_cut(sorter, sorter->limit, err);
    return is_full(sorter) ? spill_rows(sorter, err) : 0;
}

/* A large frame in windows, so that memory is looked at often enough. */
int sorter_add(struct sorter *sorter, const struct frame *frame, struct err *err)
{
    if (frame->batch->row_count <= FRAME_ROWS_MAX)
        return add_some(sorter, frame, err);
    struct frame_windows windows;
    if (frame_windows_init(&windows, frame) < 0)
        return run_nomem(sorter->run, err);
    while (frame_windows_next(&windows))
        if (add_some(sorter, &windows.window, err) < 0)
            return -1;
    return 0;
}

/* ---- giving ---- */

/* One of the sorted rows that are merged. */
struct cursor {
    struct spill_reader reader; /* of a part; memory has none */
    bool is_memory;
    const uint32_t *order; /* of memory */
    const struct batch *batch;
    const struct sort_cell *cells;
    uint32_t at, number;
};

struct merge {
    struct sorter *sorter;
    struct cursor *cursors;
    struct cursor **heap;
    uint32_t open, size;
    sorter_give give;
    void *context;
    struct arena *arena;
    struct row_store rows; /* to be given */
    uint64_t given;
};

static uint32_t cursor_row(const struct cursor *cursor)
{
    return cursor->order ? cursor->order[cursor->at] : cursor->at;
}

/* To the next row that there is; 0: none. */
static int cursor_load(const struct merge *merge, struct cursor *cursor, struct err *err)
{
    const struct sorter *sorter = merge->sorter;
    struct batch *batch;
    if (cursor->batch && cursor->at < cursor->batch->row_count)
        return 1;
    if (cursor->is_memory)
        return 0;
    int more = spill_read(&cursor->reader, &batch, err);
    if (more <= 0)
        return more;
    cursor->batch = batch;
    cursor->at = 0;
    cursor->cells = sort_cells(&sorter->keys, batch, cursor->reader.arena);
    return cursor->cells ? 1 : run_nomem(sorter->run, err);
}

static bool comes_first(const struct merge *merge, const struct cursor *a, const struct cursor *b)
{
    const struct sort_keys *keys = &merge->sorter->keys;
    int order = sort_compare(keys, sort_cell_at(keys, a->cells, cursor_row(a)),
                             sort_cell_at(keys, b->cells, cursor_row(b)));
    return order ? order < 0 : a->number < b->number;
}

static void sift_down(struct merge *merge, uint32_t at)
{
    struct cursor **heap = merge->heap;
    for (uint32_t child; (child = 2 * at + 1) < merge->size; at = child) {
        if (child + 1 < merge->size && comes_first(merge, heap[child + 1], heap[child]))
            child++;
        if (!comes_first(merge, heap[child], heap[at]))
            return;
        struct cursor *swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
    }
}

static int give_rows(struct merge *merge, struct err *err)
{
    int result = 0;
    if (merge->rows.batch && merge->rows.batch->row_count)
        result = merge->give(merge->context, merge->rows.batch, err);
    arena_reset(merge->arena);
    row_store_init(&merge->rows, merge->arena);
    return result < 0 ? -1 : run_check(merge->sorter->run, err);
}

/* Columns keep the order in which they first came. */
static int add_row(struct merge *merge, const struct cursor *cursor)
{
    struct frame frame = {.batch = (struct batch *)(uintptr_t)cursor->batch};
    const struct batch *names = merge->sorter->names;
    if (!merge->rows.batch) {
        merge->rows.batch = frame_batch_new(merge->arena, 0);
        for (uint32_t i = 0; merge->rows.batch && i < names->column_count; i++)
            if (!batch_column(merge->rows.batch, names->columns[i]->name))
                return -1;
    }
    return merge->rows.batch ? row_store_add_row(&merge->rows, &frame, cursor_row(cursor)) : -1;
}

/* Rows may be large. */
static bool is_large(const struct merge *merge)
{
    enum { SHARE = 32 };
    return arena_used(merge->arena) > merge->sorter->run->memory->budget.bytes_max / SHARE;
}

static int merge_rows(struct merge *merge, struct err *err)
{
    uint64_t limit = merge->sorter->limit;
    uint32_t rows_max = search_memory_rows(merge->sorter->run->memory);
    while (merge->size && (!limit || merge->given < limit)) {
        struct cursor *first = merge->heap[0];
        if (add_row(merge, first) < 0)
            return run_nomem(merge->sorter->run, err);
        merge->given++;
        first->at++;
        int more = cursor_load(merge, first, err);
        if (more < 0)
            return -1;
        if (more == 0)
            merge->heap[0] = merge->heap[--merge->size];
        sift_down(merge, 0);
        if ((merge->rows.batch->row_count == rows_max || is_large(merge)) && give_rows(merge, err) < 0)
            return -1;
    }
    return give_rows(merge, err);
}

static int open_cursor(struct merge *merge, const struct spill_part *part, struct err *err)
{
    struct cursor *cursor = &merge->cursors[merge->open];
    struct sorter *sorter = merge->sorter;
    cursor->number = merge->open;
    if (part) {
        if (spill_reader_open(&cursor->reader, sorter->run->memory, part, err) < 0)
            return -1;
    } else {
        uint32_t *order;
        if (order_rows(sorter, &order, err) < 0)
            return -1;
        cursor->is_memory = true;
        cursor->order = order;
        cursor->batch = sorter->rows.batch;
        cursor->cells = sort_cells(&sorter->keys, cursor->batch, sorter->arenas[1]);
        if (!cursor->cells)
            return run_nomem(sorter->run, err);
    }
    merge->open++;
    int more = cursor_load(merge, cursor, err);
    if (more > 0)
        merge->heap[merge->size++] = cursor;
    return more < 0 ? -1 : 0;
}

/* Parts first to last, and what is in memory behind them. */
static int merge_parts(struct sorter *sorter, const struct spill_part *parts, uint32_t count,
                       bool memory, sorter_give give, void *context, struct err *err)
{
    struct merge merge = {.sorter = sorter, .give = give, .context = context};
    merge.arena = arena_new_within(&sorter->run->memory->budget);
    merge.cursors = merge.arena ? arena_array(sorter->run->arena, count + 1, sizeof(*merge.cursors)) : NULL;
    merge.heap = arena_array(sorter->run->arena, count + 1, sizeof(struct cursor *));
    int result = merge.cursors && merge.heap ? 0 : run_nomem(sorter->run, err);
    row_store_init(&merge.rows, merge.arena);
    for (uint32_t i = 0; result == 0 && i < count; i++)
        result = open_cursor(&merge, &parts[i], err);
    if (result == 0 && memory && row_count(sorter))
        result = open_cursor(&merge, NULL, err);
    for (uint32_t i = merge.size / 2; result == 0 && i-- > 0;)
        sift_down(&merge, i);
    if (result == 0)
        result = merge_rows(&merge, err);
    for (uint32_t i = 0; i < merge.open; i++)
        spill_reader_close(&merge.cursors[i].reader);
    arena_free(merge.arena);
    arena_reset(sorter->arenas[1]);
    return result;
}

struct writing {
    struct sorter *sorter;
    struct spill_part part;
};

static int write_part(void *context, const struct batch *rows, struct err *err)
{
    struct writing *writing = context;
    return spill_write(writing->sorter->run->memory, rows, NULL, rows->row_count, &writing->part, err);
}

/* How many parts are merged at once: each has a block in memory, some times as large there. */
static uint32_t parts_at_once(const struct sorter *sorter)
{
    const struct search_memory *memory = sorter->run->memory;
    size_t fit = memory->budget.bytes_max / 4 / (4 * spill_block_bytes(memory));
    return fit < 4 ? 4 : (uint32_t)fit;
}

/* Neighbouring parts become one until few enough are left. */
static int merge_some(struct sorter *sorter, struct err *err)
{
    uint32_t count = 0, most = parts_at_once(sorter);
    for (uint32_t at = 0; at < sorter->part_count; at += most) {
        uint32_t n = sorter->part_count - at;
        n = n < most ? n : most;
        struct writing writing = {.sorter = sorter};
        if (merge_parts(sorter, &sorter->parts[at], n, false, write_part, &writing, err) < 0)
            return -1;
        sorter->parts[count++] = writing.part;
    }
    sorter->part_count = count;
    return 0;
}

/* Parts in the order they were written, then memory: no keys, or nothing on disk. */
static int give_parts(struct sorter *sorter, sorter_give give, void *context, struct err *err)
{
    struct spill_reader reader;
    struct batch *batch;
    int more = 0;
    for (uint32_t i = 0; more == 0 && i < sorter->part_count; i++) {
        if (spill_reader_open(&reader, sorter->run->memory, &sorter->parts[i], err) < 0)
            return -1;
        while ((more = spill_read(&reader, &batch, err)) > 0)
            if (give(context, batch, err) < 0 || run_check(sorter->run, err) < 0) {
                more = -1;
                break;
            }
        spill_reader_close(&reader);
    }
    return more < 0 ? -1 : row_count(sorter) ? give(context, sorter->rows.batch, err) : 0;
}

int sorter_each(struct sorter *sorter, sorter_give give, void *context, struct err *err)
{
    if (!sorter->keys.count)
        return give_parts(sorter, give, context, err);
    /* what is in memory makes room for the blocks of the parts */
    if (sorter->part_count && row_count(sorter) && spill_rows(sorter, err) < 0)
        return -1;
    while (sorter->part_count > parts_at_once(sorter))
        if (merge_some(sorter, err) < 0)
            return -1;
    return merge_parts(sorter, sorter->parts, sorter->part_count, true, give, context, err);
}

static int give_stage(void *context, const struct batch *rows, struct err *err)
{
    return stage_emit(context, rows, NULL, rows->row_count, err);
}

int sorter_emit(struct sorter *sorter, struct stage *op, struct err *err)
{
    uint32_t *order, count = row_count(sorter);
    if ((sorter->part_count && !op->run->preview) || !sorter->keys.count)
        return sorter_each(sorter, give_stage, op, err);
    if (!count)
        return 0;
    if (order_rows(sorter, &order, err) < 0)
        return -1;
    if (sorter->limit && sorter->limit < count)
        count = (uint32_t)sorter->limit;
    int result = stage_emit(op, sorter->rows.batch, order, count, err);
    arena_reset(sorter->arenas[1]);
    return result;
}
