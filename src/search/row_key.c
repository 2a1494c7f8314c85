#include "search/row_key.h"

#include "search/spill.h"

struct slice row_key_text(const struct value *tuple, size_t count, struct arena *arena)
{
    struct buffer key;
    buffer_init(&key, GIB);
    for (size_t i = 0; i < count; i++) {
        char small[VALUE_TEXT_SIZE];
        buffer_put_char(&key, tuple[i].type == VALUE_TIME ? 't' : 'v'); /* a time is no text */
        if (tuple[i].type == VALUE_TIME)
            buffer_put_le64(&key, (uint64_t)tuple[i].i64);
        else
            buffer_put_block(&key, value_text_small(tuple[i], small));
    }
    struct slice copy = buffer_failed(&key) ? SLICE_NONE : arena_copy(arena, buffer_slice(&key));
    buffer_close(&key);
    return copy;
}

bool row_key_first(const struct batch *batch, const struct slice *fields, size_t count, uint32_t row,
                   struct value *tuple)
{
    for (size_t f = 0; f < count; f++) {
        const struct column *column = batch_find(batch, fields[f]);
        uint32_t at, n = column ? column_range(column, row, &at) : 0;
        tuple[f] = value_null();
        for (uint32_t i = 0; i < n && tuple[f].type == VALUE_NULL; i++)
            tuple[f] = column_value(column, at + i);
        if (tuple[f].type == VALUE_NULL)
            return false;
    }
    return true;
}

struct combining {
    const struct batch *batch;
    const struct slice *fields;
    size_t count;
    uint32_t row;
    struct value tuple[64];
    row_key_take take;
    void *context;
};

static int combine(struct combining *c, size_t field)
{
    if (field == c->count)
        return c->take(c->context, c->row, c->tuple);
    const struct column *column = batch_find(c->batch, c->fields[field]);
    uint32_t at, n = column ? column_range(column, c->row, &at) : 0;
    for (uint32_t i = 0; i < n; i++) {
        c->tuple[field] = column_value(column, at + i);
        if (c->tuple[field].type != VALUE_NULL && combine(c, field + 1) < 0)
            return -1;
    }
    return 0;
}

int row_key_each(const struct batch *batch, const struct slice *fields, size_t count, uint32_t row,
                 row_key_take take, void *context)
{
    struct combining c;
    c.batch = batch;
    c.fields = fields;
    c.count = count;
    c.row = row;
    c.take = take;
    c.context = context;
    return combine(&c, 0);
}

int64_t row_key_number(const struct column *column, uint32_t row, int64_t missing)
{
    struct value v = column ? column_first(column, row) : value_null();
    return v.type == VALUE_I64 ? v.i64 : missing;
}

int rows_show(struct frame *frame)
{
    const struct batch *batch = frame->batch;
    struct column **kept =
        arena_array(batch->arena, batch->column_count + 1U, sizeof(struct column *));
    if (!kept)
        return -1;
    for (uint32_t c = 0; c < batch->column_count; c++)
        kept[c] = row_key_hides(batch->columns[c]->name) ? NULL : batch->columns[c];
    return frame_keep(frame, kept, batch->column_count);
}

int rows_show_emit(struct stage *op, const struct batch *batch, const uint32_t *rows, uint32_t count,
                   struct err *err)
{
    struct frame frame;
    struct arena *arena = arena_new_within(&op->run->memory->budget);
    int result = arena && frame_share(&frame, batch, NULL, arena) == 0 && rows_show(&frame) == 0
                     ? stage_emit(op, frame.batch, rows, count, err)
                     : run_nomem(op->run, err);
    arena_free(arena);
    return result;
}
