#include "search/rows.h"

#include "base/time.h"
#include "event/schema.h"
#include "search/stat.h"

#include <math.h>

void *command_args(struct spl_parser *p, struct spl_command *command, size_t size)
{
    void *args = arena_calloc(p->arena, size);
    command->args = args;
    if (!args)
        err_nomem(p->err);
    return args;
}

struct slice rows_text(struct value v, struct arena *arena)
{
    char text[DECIMAL_TEXT_SIZE];
    if (v.type != VALUE_TIME)
        return value_text(v, arena);
    size_t len = decimal_format(decimal_trim((struct decimal){v.i64, 9}), text);
    return arena_copy(arena, slice_of(text, len));
}

bool rows_number(const struct column *column, uint32_t row, double *out)
{
    int128 room;
    struct value n, v = column ? column_first(column, row) : value_null();
    if (v.type == VALUE_TIME) {
        *out = (double)v.i64 / 1e9;
        return true;
    }
    if (v.type == VALUE_NULL || !stat_number(v, &room, &n))
        return false;
    *out = value_to_f64(n);
    return true;
}

bool rows_time(struct value v, int64_t *time_ns)
{
    char small[VALUE_TEXT_SIZE];
    if (v.type == VALUE_TIME) {
        *time_ns = v.i64;
        return true;
    }
    return v.type != VALUE_NULL && time_parse_epoch(value_text_small(v, small), time_ns);
}

struct value rows_from_f64(double n)
{
    bool whole = fabs(n) < 9e15 && n == (double)(int64_t)n;
    return whole ? value_i64((int64_t)n) : value_f64(n);
}

bool rows_is_internal(struct slice name)
{
    return slice_equal(name, FIELD_TIMESTAMP) || slice_equal(name, FIELD_ORIGINAL) ||
           slice_equal(name, FIELD_INGESTED) || (name.len && name.ptr[0] == '_');
}

static bool same_values(const struct column *a, uint32_t row, const struct column *b,
                        uint32_t other)
{
    uint32_t at = 0, from = 0;
    uint32_t count = a ? column_range(a, row, &at) : 0;
    if (count != (b ? column_range(b, other, &from) : 0))
        return false;
    for (uint32_t k = 0; k < count; k++)
        if (!value_equal(column_value(a, at + k), column_value(b, from + k)))
            return false;
    return true;
}

bool rows_equal(const struct batch *a, uint32_t row, const struct batch *b, uint32_t other)
{
    for (uint32_t i = 0; i < a->column_count; i++)
        if (!same_values(a->columns[i], row, batch_find(b, a->columns[i]->name), other))
            return false;
    for (uint32_t i = 0; i < b->column_count; i++)
        if (!batch_find(a, b->columns[i]->name) && !same_values(NULL, 0, b->columns[i], other))
            return false;
    return true;
}

struct slice rows_key(const struct batch *batch, uint32_t row, const struct field_list *fields,
                      struct arena *arena, bool *failed)
{
    struct buffer key;
    bool whole = true;
    buffer_init(&key, MIB);
    for (size_t f = 0; whole && f < fields->count; f++) {
        const struct column *column = batch_find(batch, fields->names[f]);
        uint32_t first = 0, count = column ? column_range(column, row, &first) : 0;
        whole = count > 0;
        buffer_put_varint(&key, count);
        for (uint32_t k = 0; k < count; k++)
            buffer_put_block(&key, rows_text(column_value(column, first + k), arena));
    }
    struct slice copy = whole && !buffer_failed(&key) ? arena_copy(arena, buffer_slice(&key))
                                                      : SLICE_NONE;
    *failed |= whole && !copy.ptr;
    buffer_close(&key);
    return copy;
}

int rows_expand(const struct batch *batch, const struct field_list *fields, struct arena *arena,
                struct slice **names, uint32_t *count)
{
    struct slice *list = arena_array(arena, batch->column_count + fields->count + 1, sizeof(*list));
    struct map seen;
    map_init(&seen, arena);
    *names = list;
    *count = 0;
    if (!list)
        return -1;
    for (size_t f = 0; f < fields->count; f++) {
        struct slice pattern = fields->names[f];
        bool star = slice_find_char(pattern, '*') >= 0;
        for (uint32_t c = 0; c < (star ? batch->column_count : 1); c++) {
            struct slice name = star ? batch->columns[c]->name : pattern;
            if (star && (!slice_matches_stars(name, pattern) || rows_is_internal(name)))
                continue;
            if (map_has(&seen, name))
                continue;
            if (map_put(&seen, name, list) < 0)
                return -1;
            list[(*count)++] = name;
        }
    }
    return 0;
}

void spread_init(struct spread *spread, struct frame *frame)
{
    *spread = (struct spread){.frame = frame};
    map_init(&spread->by_name, frame->batch->arena);
}

int spread_put(struct spread *spread, uint32_t row, struct slice name, struct value v)
{
    void **slot = map_slot(&spread->by_name, name);
    if (!slot)
        return -1;
    if (!*slot) {
        spread->columns = spl_grow(spread->frame->batch->arena, spread->columns, spread->count,
                                   sizeof(struct column *));
        *slot = spread->columns ? frame_column(spread->frame, name) : NULL;
        if (!*slot)
            return -1;
        spread->columns[spread->count++] = *slot;
    }
    return column_add(spread->frame->batch, *slot, row, v);
}

bool spread_has(const struct spread *spread, uint32_t row, struct slice name)
{
    const struct column *column = map_find(&spread->by_name, name);
    return column && column->count && column->rows[column->count - 1] == row;
}

/* made over old, or old over made, row by row. */
static int merge(struct spread *spread, struct column *made)
{
    struct frame *frame = spread->frame;
    const struct column *old = batch_find(frame->batch, made->name);
    struct column *to = old ? frame_column(frame, made->name) : NULL;
    if (!old)
        return frame_put(frame, made);
    const struct column *over = spread->keep ? old : made, *under = spread->keep ? made : old;
    for (uint32_t row = 0; to && row < frame->batch->row_count; row++) {
        uint32_t first, count = column_range(over, row, &first);
        const struct column *from = count ? over : under;
        count = count ? count : column_range(under, row, &first);
        for (uint32_t k = 0; k < count; k++)
            if (column_add(frame->batch, to, row, column_value(from, first + k)) < 0)
                return -1;
    }
    return to ? frame_put(frame, to) : -1;
}

int spread_finish(struct spread *spread)
{
    for (uint32_t i = 0; i < spread->count; i++)
        if (merge(spread, spread->columns[i]) < 0)
            return -1;
    return 0;
}

int stage_pass(struct stage *op, struct frame *frame, struct err *err)
{
    return stage_push(op, frame, err);
}
