#include "event/batch.h"

#include "event/delivery.h"
#include "event/schema.h"

#include "base/mem.h"

#include <stdlib.h>

enum { COLUMNS_FIRST = 64, VALUES_FIRST = 16, ROWS_FIRST = 1024, CACHE_LINE = 64 };

static uint64_t next_life(void)
{
    static uint64_t last;
    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

struct batch *batch_new(size_t bytes_max)
{
    struct batch *batch = mem_calloc(1, sizeof(*batch));
    if (!batch)
        return NULL;
    batch->arena = arena_new(bytes_max);
    if (!batch->arena) {
        mem_free(batch);
        return NULL;
    }
    map_init(&batch->by_name, batch->arena);
    batch->life = next_life();
    return batch;
}

void batch_free(struct batch *batch)
{
    if (!batch)
        return;
    arena_free(batch->arena);
    mem_free(batch);
}

void batch_reset(struct batch *batch)
{
    struct arena *arena = batch->arena;
    arena_reset(arena);
    *batch = (struct batch){.arena = arena, .life = next_life()};
    map_init(&batch->by_name, arena);
}

/* Room for one more element; *size is four times what it was: batches are short-lived, copying is not. */
static void *grow(struct arena *arena, void *old, uint32_t count, uint32_t *size, uint32_t first,
                  size_t width)
{
    uint32_t next = *size ? *size * 4 : first;
    void *fresh = arena_grow(arena, old, (size_t)count * width, (size_t)next * width);
    if (fresh)
        *size = next;
    return fresh;
}

struct event_row *batch_add_row(struct batch *batch)
{
    if (batch->row_count == batch->row_size) {
        void *rows = grow(batch->arena, batch->rows, batch->row_count, &batch->row_size, ROWS_FIRST,
                          sizeof(*batch->rows));
        if (!rows)
            return NULL;
        batch->rows = rows;
    }
    struct event_row *row = &batch->rows[batch->row_count++];
    *row = (struct event_row){0};
    return row;
}

/* At the start of a line of the cache, its name right behind it: who guesses a column compares the name next. */
static struct column *new_column(struct arena *arena, struct slice name)
{
    char *room = arena_alloc(arena, sizeof(struct column) + CACHE_LINE + name.len);
    if (!room)
        return NULL;
    room += -(uintptr_t)room % CACHE_LINE;
    struct column *column = memset(room, 0, sizeof(*column));
    char *copy = room + sizeof(*column);
    memcpy(copy, name.ptr, name.len);
    column->name = slice_of(copy, name.len);
    return column;
}

static struct column *add_column(struct batch *batch, struct slice name)
{
    if (batch->column_count >= BATCH_COLUMNS_MAX)
        return NULL;
    if (batch->column_count == batch->column_size) {
        void *columns = grow(batch->arena, batch->columns, batch->column_count, &batch->column_size,
                             COLUMNS_FIRST, sizeof(*batch->columns));
        if (!columns)
            return NULL;
        batch->columns = columns;
    }
    struct column *column = new_column(batch->arena, name);
    if (!column || map_put(&batch->by_name, column->name, column) < 0)
        return NULL;
    column->index = batch->column_count;
    batch->columns[batch->column_count++] = column;
    return column;
}

struct column *batch_column(struct batch *batch, struct slice name)
{
    struct column *column = map_find(&batch->by_name, name);
    return column ? column : add_column(batch, name);
}

struct column *batch_find(const struct batch *batch, struct slice name)
{
    return map_find(&batch->by_name, name);
}

int column_grow(struct batch *batch, struct column *column)
{
    uint32_t size = column->size;
    void *values = grow(batch->arena, column->values, column->count, &size, VALUES_FIRST,
                        sizeof(*column->values));
    if (!values)
        return -1;
    column->values = values;
    size = column->size;
    void *rows = grow(batch->arena, column->rows, column->count, &size, VALUES_FIRST,
                      sizeof(*column->rows));
    if (!rows)
        return -1;
    column->rows = rows;
    column->size = size;
    return 0;
}

void column_drop_last(struct column *column, uint32_t row)
{
    while (column->count && column->rows[column->count - 1] == row)
        column->count--;
}

int column_set(struct batch *batch, struct column *column, uint32_t row, struct value v)
{
    column_drop_last(column, row);
    return column_add(batch, column, row, v);
}

int batch_put(struct batch *batch, uint32_t row, struct slice name, struct value v)
{
    struct column *column = batch_column(batch, name);
    return column ? column_add(batch, column, row, v) : -1;
}

int batch_put_text(struct batch *batch, uint32_t row, const char *name, struct slice text)
{
    return batch_put(batch, row, slice_text(name), value_string(text));
}

uint32_t column_range(const struct column *column, uint32_t row, uint32_t *first)
{
    uint32_t low = 0, high = column->count;
    if (row < high && column->rows[row] == row && !column->multi) { /* dense: at its own place */
        *first = row;
        return 1;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (column->rows[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    *first = low;
    uint32_t count = 0;
    while (low + count < column->count && column->rows[low + count] == row)
        count++;
    return count;
}

struct value column_first(const struct column *column, uint32_t row)
{
    uint32_t first;
    return column_range(column, row, &first) ? column_value(column, first) : value_null();
}

struct value column_next(const struct column *column, uint32_t row, uint32_t *at)
{
    while (*at < column->count && column->rows[*at] < row)
        ++*at;
    return *at < column->count && column->rows[*at] == row ? column_value(column, *at) : value_null();
}

struct value batch_first(const struct batch *batch, uint32_t row, struct slice name)
{
    const struct column *column = batch_find(batch, name);
    return column ? column_first(column, row) : value_null();
}

void column_present(const struct column *column, uint64_t *present)
{
    for (uint32_t i = 0; i < column->count; i++)
        bits_set(present, column->rows[i]);
}

static int by_name(const void *a, const void *b)
{
    const struct column *const *x = a, *const *y = b;
    return slice_compare((*x)->name, (*y)->name);
}

/* The columns in name order; only used for output, so made anew each time a row is printed first. */
static struct column **sorted_columns(const struct batch *batch)
{
    struct column **sorted =
        arena_alloc(batch->arena, sizeof(struct column *) * (batch->column_count + 1U));
    if (!sorted)
        return NULL;
    if (batch->column_count)
        memcpy(sorted, batch->columns, sizeof(struct column *) * batch->column_count);
    qsort(sorted, batch->column_count, sizeof(struct column *), by_name);
    return sorted;
}

static void put_values(const struct column *column, uint32_t first, uint32_t count,
                       struct json *json)
{
    json_key_slice(json, column->name);
    if (count > 1)
        json_open(json, '[');
    for (uint32_t i = 0; i < count; i++)
        value_to_json(column->values[first + i], json);
    if (count > 1)
        json_close(json, ']');
}

void batch_row_to_json(const struct batch *batch, uint32_t row, struct json *json)
{
    struct column **sorted = sorted_columns(batch);
    json_open(json, '{');
    for (uint32_t i = 0; sorted && i < batch->column_count; i++) {
        uint32_t first, count = column_range(sorted[i], row, &first);
        if (count)
            put_values(sorted[i], first, count, json);
    }
    json_close(json, '}');
}

/* Adds the origin's text to rows whose event does not say it itself. The column may have gaps, so
 * it is made anew in row order. */
static int fill_from_origin(struct batch *batch, struct slice name, size_t offset, bool always)
{
    struct column *old = batch_find(batch, name);
    struct column fresh = {0};
    for (uint32_t row = 0; row < batch->row_count; row++) {
        uint32_t first, count = old && !always ? column_range(old, row, &first) : 0;
        for (uint32_t i = 0; i < count; i++)
            if (column_add(batch, &fresh, row, old->values[first + i]) < 0)
                return -1;
        const struct origin *origin = batch->rows[row].origin;
        if (count || !origin)
            continue;
        const struct slice *text = (const void *)((const char *)origin + offset);
        if (text->ptr && column_add(batch, &fresh, row, value_string(*text)) < 0)
            return -1;
    }
    if (fresh.count == 0)
        return 0;
    struct column *column = old ? old : batch_column(batch, name);
    if (!column)
        return -1;
    fresh.name = column->name;
    fresh.index = column->index;
    fresh.next = column->next;
    *column = fresh;
    return 0;
}

static struct column *empty_column(struct batch *batch, struct slice name)
{
    struct column *column = batch_column(batch, name);
    if (column) {
        column->count = 0;
        column->types_seen = 0;
        column->multi = false;
    }
    return column;
}

int batch_finish(struct batch *batch)
{
    struct column *time = empty_column(batch, FIELD_TIMESTAMP);
    struct column *ingested = empty_column(batch, FIELD_INGESTED);
    struct column *seq = empty_column(batch, FIELD_SEQ);
    struct column *original = empty_column(batch, FIELD_ORIGINAL);
    if (!time || !ingested || !seq || !original)
        return -1;
    for (uint32_t i = 0; i < batch->row_count; i++) {
        const struct event_row *row = &batch->rows[i];
        if (column_add(batch, time, i, value_time(row->time_ns)) < 0 ||
            column_add(batch, ingested, i, value_time(row->received_ns)) < 0 ||
            column_add(batch, seq, i, value_i64((int64_t)row->seq)) < 0 ||
            column_add(batch, original, i, value_string(row->raw)) < 0)
            return -1;
    }
    if (fill_from_origin(batch, FIELD_SOURCE, offsetof(struct origin, source), true) < 0 ||
        fill_from_origin(batch, FIELD_STREAM, offsetof(struct origin, stream), true) < 0 ||
        fill_from_origin(batch, FIELD_IDENTITY, offsetof(struct origin, identity), true) < 0 ||
        fill_from_origin(batch, FIELD_PATH, offsetof(struct origin, path), false) < 0 ||
        fill_from_origin(batch, FIELD_SENDER, offsetof(struct origin, sender), false) < 0)
        return -1;
    return 0;
}
