#include "search/frame.h"

struct batch *frame_batch_new(struct arena *arena, uint32_t row_count)
{
    struct batch *batch = arena_calloc(arena, sizeof(*batch));
    if (!batch)
        return NULL;
    batch->arena = arena;
    batch->row_count = row_count;
    map_init(&batch->by_name, arena);
    return batch;
}

static int add_column(struct batch *batch, struct column *column)
{
    if (batch->column_count >= BATCH_COLUMNS_MAX)
        return -1;
    if (batch->column_count == batch->column_size) {
        uint32_t size = batch->column_size ? 2 * batch->column_size : 32;
        void *columns =
            arena_grow(batch->arena, batch->columns, batch->column_size * sizeof(struct column *),
                       size * sizeof(struct column *));
        if (!columns)
            return -1;
        batch->columns = columns;
        batch->column_size = size;
    }
    if (map_put(&batch->by_name, column->name, column) < 0)
        return -1;
    column->index = batch->column_count;
    batch->columns[batch->column_count++] = column;
    return 0;
}

uint32_t grown_room(uint32_t room)
{
    enum { FIRST = 32, DOUBLE_UNTIL = 1 << 20 };
    if (room == 0)
        return FIRST;
    return room < DOUBLE_UNTIL ? 2 * room : room + room / 2;
}

void *grown_array(struct arena *arena, void *old, size_t old_bytes, size_t bytes)
{
    void *array = arena_alloc(arena, bytes);
    if (!array)
        return NULL;
    if (old_bytes)
        memcpy(array, old, old_bytes);
    arena_give_back(arena, old);
    return array;
}

uint32_t column_entry(const struct column *column, uint32_t row)
{
    uint32_t low = 0, high = column->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (column->rows[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int slice_column(const struct column *from, uint32_t row_count, uint32_t first,
                        uint32_t count, struct column *to, struct arena *arena)
{
    uint32_t at = column_entry(from, first), n = column_entry(from, first + count) - at;
    *to = *from;
    to->count = to->size = n;
    to->values = from->values ? from->values + at : NULL;
    to->codes = from->codes ? from->codes + at : NULL;
    if (first == 0 || column_is_dense(from, row_count))
        return 0; /* its first rows are 0, 1, 2 ... */
    to->rows = arena_alloc(arena, (n + 1U) * sizeof(*to->rows));
    for (uint32_t i = 0; to->rows && i < n; i++)
        to->rows[i] = from->rows[at + i] - first;
    return to->rows ? 0 : -1;
}

int frame_slice(struct frame *frame, const struct batch *from, const uint64_t *selected,
                uint32_t first, uint32_t count, struct arena *arena)
{
    size_t words = bits_words(count);
    frame->batch = frame_batch_new(arena, count);
    frame->selected = arena_alloc(arena, words * 8 + 8);
    struct column *columns = arena_alloc(arena, (from->column_count + 1U) * sizeof(*columns));
    frame->weights = NULL;
    if (!frame->batch || !frame->selected || !columns)
        return -1;
    bits_fill(frame->selected, count);
    for (size_t i = 0; selected && i < words; i++)
        frame->selected[i] &= selected[first / 64 + i];
    for (uint32_t i = 0; i < from->column_count; i++)
        if (slice_column(from->columns[i], from->row_count, first, count, &columns[i], arena) < 0 ||
            add_column(frame->batch, &columns[i]) < 0)
            return -1;
    return 0;
}

int frame_share(struct frame *frame, const struct batch *from, const uint64_t *selected,
                struct arena *arena)
{
    size_t words = bits_words(from->row_count);
    frame->batch = frame_batch_new(arena, from->row_count);
    frame->selected = arena_alloc(arena, words * 8 + 8);
    struct column *columns = arena_alloc(arena, (from->column_count + 1U) * sizeof(*columns));
    frame->weights = NULL;
    if (!frame->batch || !frame->selected || !columns)
        return -1;
    if (selected)
        memcpy(frame->selected, selected, words * 8);
    else
        bits_fill(frame->selected, from->row_count);
    for (uint32_t i = 0; i < from->column_count; i++) {
        columns[i] = *from->columns[i];
        if (add_column(frame->batch, &columns[i]) < 0)
            return -1;
    }
    return 0;
}

uint64_t *bits_range(struct arena *arena, const uint64_t *bits, uint32_t rows, uint32_t first,
                     uint32_t behind)
{
    size_t words = bits_words(rows), last = bits_words(behind);
    uint64_t *out = arena_calloc(arena, words * 8 + 8);
    for (size_t i = first / 64; out && i < last; i++)
        out[i] = bits[i];
    if (out && first % 64)
        out[first / 64] &= ~UINT64_C(0) << first % 64;
    if (out && behind % 64)
        out[behind / 64] &= ~(~UINT64_C(0) << behind % 64);
    return out;
}

/* Entries of rows whose place is known, from the last row to the first; several values of a row
 * keep their order. */
static int turn_column(struct frame *out, const struct column *from, const uint32_t *places,
                       uint32_t first, uint32_t behind)
{
    struct arena *arena = out->batch->arena;
    uint32_t low = column_entry(from, first), high = column_entry(from, behind), room = high - low + 1;
    struct column *to = frame_column(out, from->name);
    if (!to)
        return -1;
    to->rows = arena_alloc(arena, room * sizeof(*to->rows));
    to->values = from->values ? arena_alloc(arena, room * sizeof(*to->values)) : NULL;
    to->codes = from->codes ? arena_alloc(arena, room * sizeof(*to->codes)) : NULL;
    if (!to->rows || (from->values && !to->values) || (from->codes && !to->codes))
        return -1;
    for (uint32_t at = high; at > low;) {
        uint32_t end = at, row = from->rows[at - 1];
        while (at > low && from->rows[at - 1] == row)
            at--;
        for (uint32_t i = at; places[row - first] != UINT32_MAX && i < end; i++) {
            uint32_t n = to->count++;
            to->rows[n] = places[row - first];
            if (to->values)
                to->values[n] = from->values[i];
            if (to->codes)
                to->codes[n] = from->codes[i];
        }
    }
    to->size = to->count;
    to->dict = from->dict;
    to->dict_count = from->dict_count;
    to->dict_epoch = from->dict_epoch;
    to->types_seen = from->types_seen;
    to->multi = from->multi;
    return frame_put(out, to);
}

int frame_backward(struct frame *out, const struct frame *from, uint32_t first, uint32_t behind,
                   uint64_t most)
{
    struct arena *arena = from->batch->arena;
    uint32_t span = behind > first ? behind - first : 0, count = 0;
    uint32_t *places = arena_alloc(arena, (span + 1U) * sizeof(*places));
    if (!places)
        return -1;
    memset(places, 0xff, span * sizeof(*places));
    for (uint32_t row = behind; row > first && count < most; row--)
        if (bits_get(from->selected, row - 1))
            places[row - 1 - first] = count++;
    out->weights = NULL;
    out->batch = frame_batch_new(arena, count);
    out->selected = arena_alloc(arena, bits_words(count) * 8 + 8);
    if (!out->batch || !out->selected)
        return -1;
    bits_fill(out->selected, count);
    for (uint32_t i = 0; i < from->batch->column_count; i++)
        if (turn_column(out, from->batch->columns[i], places, first, behind) < 0)
            return -1;
    return 0;
}

int frame_windows_init(struct frame_windows *windows, const struct frame *frame)
{
    *windows = (struct frame_windows){.window = *frame, .frame = frame};
    size_t words = bits_words(frame->batch->row_count);
    windows->window.selected = arena_calloc(frame->batch->arena, words * 8 + 8);
    return windows->window.selected ? 0 : -1;
}

bool frame_windows_next(struct frame_windows *windows)
{
    enum { WORDS = FRAME_ROWS_MAX / 64 };
    uint32_t rows = windows->frame->batch->row_count;
    uint64_t *selected = windows->window.selected;
    size_t all = bits_words(rows);
    for (bool any = false; !any;) {
        size_t first = windows->at / 64, words = WORDS < all - first ? WORDS : all - first;
        if (windows->at >= rows)
            return false;
        if (first)
            memset(selected + first - WORDS, 0, WORDS * 8);
        memcpy(selected + first, windows->frame->selected + first, words * 8);
        for (size_t i = 0; i < words; i++)
            any |= selected[first + i] != 0;
        windows->at += FRAME_ROWS_MAX;
    }
    return true;
}

struct column *frame_column(struct frame *frame, struct slice name)
{
    struct column *column = arena_calloc(frame->batch->arena, sizeof(*column));
    if (column)
        column->name = name;
    return column;
}

int frame_put(struct frame *frame, struct column *column)
{
    struct column *old = batch_find(frame->batch, column->name);
    if (!old)
        return add_column(frame->batch, column);
    column->index = old->index;
    frame->batch->columns[old->index] = column;
    return map_put(&frame->batch->by_name, column->name, column);
}

int frame_keep(struct frame *frame, struct column **columns, uint32_t count)
{
    struct batch *batch = frame_batch_new(frame->batch->arena, frame->batch->row_count);
    if (!batch)
        return -1;
    for (uint32_t i = 0; i < count; i++)
        if (columns[i] && !batch_find(batch, columns[i]->name) && add_column(batch, columns[i]) < 0)
            return -1;
    frame->batch = batch;
    return 0;
}

struct column *frame_copy_as(struct frame *frame, const struct column *column, struct slice name)
{
    struct column *copy = arena_alloc(frame->batch->arena, sizeof(*copy));
    if (!copy)
        return NULL;
    *copy = *column;
    copy->name = name;
    copy->size = copy->count; /* shared: adding makes its own arrays */
    return copy;
}

void frame_drop(struct frame *frame, struct slice name)
{
    struct column *old = batch_find(frame->batch, name);
    static const struct column none;
    if (old) { /* the name stays known, without values */
        struct column *empty = arena_alloc(frame->batch->arena, sizeof(*empty));
        if (!empty) {
            old->count = 0;
            return;
        }
        *empty = none;
        empty->name = old->name;
        empty->index = old->index;
        frame->batch->columns[old->index] = empty;
        if (map_put(&frame->batch->by_name, empty->name, empty) < 0)
            old->count = 0;
    }
}

uint32_t frame_next(const struct frame *frame, uint32_t from)
{
    return (uint32_t)bits_next(frame->selected, frame->batch->row_count, from);
}

uint32_t frame_count(const struct frame *frame)
{
    return (uint32_t)bits_count(frame->selected, frame->batch->row_count);
}

uint64_t frame_weight(const struct frame *frame)
{
    uint64_t sum = 0;
    if (!frame->weights)
        return frame_count(frame);
    for (uint32_t row = frame_next(frame, 0); row < frame->batch->row_count;
         row = frame_next(frame, row + 1))
        sum += frame->weights[row];
    return sum;
}

bool column_is_dense(const struct column *column, uint32_t row_count)
{
    return column->count == row_count && !column->multi &&
           (row_count == 0 ||
            (column->rows[0] == 0 && column->rows[row_count - 1] == row_count - 1));
}

void row_store_init(struct row_store *store, struct arena *arena)
{
    *store = (struct row_store){.arena = arena};
}

/* A store's arrays are its own, so the old ones go at once: they would be as much again. */
static int grow_column(struct batch *batch, struct column *column)
{
    uint32_t room = grown_room(column->size), count = column->count;
    uint32_t *rows = grown_array(batch->arena, column->rows, count * sizeof(*rows), room * sizeof(*rows));
    struct value *values = grown_array(batch->arena, column->values, count * sizeof(*values),
                                       room * sizeof(*values));
    if (!rows || !values)
        return -1;
    column->rows = rows;
    column->values = values;
    column->size = room;
    return 0;
}

/* Copies of text are shared between neighbours that are equal, which is common. */
static int add_value(struct batch *batch, struct column *to, uint32_t row, struct value v,
                     struct value *last_from, struct value *last_to)
{
    bool same = v.type == VALUE_STRING && last_from->type == VALUE_STRING &&
                last_from->text == v.text && last_from->len == v.len;
    struct value copy = same ? *last_to : value_copy(v, batch->arena);
    if (copy.type != v.type)
        return -1;
    *last_from = v;
    *last_to = copy;
    if (to->count == to->size && grow_column(batch, to) < 0)
        return -1;
    return column_add(batch, to, row, copy);
}

static int store_column(struct row_store *store, const struct frame *frame,
                        const struct column *from, const uint32_t *places)
{
    struct column *to = NULL;
    struct value last_from = value_null(), last_to = value_null();
    for (uint32_t i = 0; i < from->count; i++) {
        uint32_t row = from->rows[i];
        struct value v = column_value(from, i);
        if (!bits_get(frame->selected, row) || v.type == VALUE_NULL)
            continue;
        if (!to && !(to = batch_column(store->batch, from->name)))
            return -1;
        if (add_value(store->batch, to, places[row], v, &last_from, &last_to) < 0)
            return -1;
    }
    return 0;
}

static bool store_ready(struct row_store *store)
{
    if (!store->batch)
        store->batch = frame_batch_new(store->arena, 0);
    return store->batch != NULL;
}

int row_store_add(struct row_store *store, const struct frame *frame)
{
    const struct batch *batch = frame->batch;
    uint32_t *places = arena_alloc(batch->arena, (batch->row_count + 1U) * sizeof(*places));
    if (!places || !store_ready(store))
        return -1;
    uint32_t next = store->batch->row_count;
    for (uint32_t row = frame_next(frame, 0); row < batch->row_count;
         row = frame_next(frame, row + 1))
        places[row] = next++;
    for (uint32_t i = 0; i < batch->column_count; i++) {
        /* known columns keep their place in the order even when they are empty */
        if (!batch_column(store->batch, batch->columns[i]->name) ||
            store_column(store, frame, batch->columns[i], places) < 0)
            return -1;
    }
    store->batch->row_count = next;
    return 0;
}

int row_store_add_row(struct row_store *store, const struct frame *frame, uint32_t row)
{
    if (!store_ready(store))
        return -1;
    uint32_t place = store->batch->row_count;
    for (uint32_t i = 0; i < frame->batch->column_count; i++) {
        const struct column *from = frame->batch->columns[i];
        struct column *to = batch_column(store->batch, from->name);
        uint32_t first, count = column_range(from, row, &first);
        if (!to)
            return -1;
        for (uint32_t k = 0; k < count; k++) {
            struct value v = column_value(from, first + k), copy = value_copy(v, store->arena);
            if (copy.type != v.type)
                return -1;
            if (copy.type == VALUE_NULL)
                continue;
            if ((to->count == to->size && grow_column(store->batch, to) < 0) ||
                column_add(store->batch, to, place, copy) < 0)
                return -1;
        }
    }
    store->batch->row_count++;
    return 0;
}

static int gather_column(struct frame *frame, const struct column *from, const uint32_t *rows,
                         uint32_t count)
{
    struct column *to = frame_column(frame, from->name);
    if (!to)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first, n = rows[i] == UINT32_MAX ? 0 : column_range(from, rows[i], &first);
        for (uint32_t k = 0; k < n; k++)
            if (column_add(frame->batch, to, i, column_value(from, first + k)) < 0)
                return -1;
    }
    return frame_put(frame, to);
}

int frame_gather(struct frame *frame, const struct batch *from, const uint32_t *rows,
                 uint32_t count, struct arena *arena)
{
    frame->weights = NULL;
    frame->batch = frame_batch_new(arena, count);
    frame->selected = arena_alloc(arena, bits_words(count) * 8 + 8);
    if (!frame->batch || !frame->selected)
        return -1;
    bits_fill(frame->selected, count);
    for (uint32_t i = 0; i < from->column_count; i++)
        if (gather_column(frame, from->columns[i], rows, count) < 0)
            return -1;
    return 0;
}
