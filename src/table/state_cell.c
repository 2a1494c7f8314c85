/* Cells by their kind; latest, earliest, first and last seen here, the others in the files beside this one. */
#include "table/state_cell.h"

#include "base/limits.h"

enum { TIME_BYTES = 8 };

static bool cell_time(struct slice cell, int64_t *time_ns)
{
    uint64_t n;
    if (!slice_take_le64(&cell, &n))
        return false;
    *time_ns = (int64_t)n;
    return true;
}

/* Whether what is there stays: the one of the right end of time. */
static bool stays(enum keep_kind kind, struct slice old, int64_t time_ns)
{
    int64_t had_ns;
    if (!cell_time(old, &had_ns))
        return false;
    bool first = kind == KEEP_FIRST_SEEN || kind == KEEP_EARLIEST;
    return first ? had_ns <= time_ns : had_ns > time_ns;
}

/* time, type, and the value: numbers as numbers, what has no better form as text. */
static void put_value(struct value v, int64_t time_ns, struct buffer *to)
{
    char small[VALUE_TEXT_SIZE];
    struct decimal_sum number = {0};
    buffer_put_le64(to, (uint64_t)time_ns);
    switch ((enum value_type)v.type) {
    case VALUE_I64:
    case VALUE_DECIMAL:
        decimal_sum_add(&number, v.type == VALUE_I64 ? decimal_from_i64(v.i64) : value_get_decimal(v));
        buffer_put_char(to, (char)v.type);
        number_put(to, &number);
        return;
    case VALUE_F64:
    case VALUE_BOOL:
    case VALUE_TIME:
        buffer_put_char(to, (char)v.type);
        buffer_put_le64(to, (uint64_t)v.i64); /* the word of all three */
        return;
    case VALUE_NULL:
    case VALUE_STRING:
    case VALUE_IP:
    case VALUE_TYPE_COUNT:
        break;
    }
    buffer_put_char(to, VALUE_STRING);
    buffer_put(to, slice_sub(value_text_small(v, small), 0, STATE_TEXT_BYTES_MAX));
}

/* scratch NULL: only whether it is right. */
static bool take_value(struct slice cell, struct arena *scratch, struct value *out)
{
    struct slice type, copy;
    struct decimal_sum number;
    struct decimal d;
    uint64_t word;
    *out = value_null();
    if (!slice_take_le64(&cell, &word) || !slice_take(&cell, 1, &type))
        return false;
    switch (type.ptr[0]) {
    case VALUE_I64:
        if (!number_take(&cell, &number) || cell.len || !decimal_sum_total(&number, &d) || d.scale ||
            !decimal_to_i64(d, &out->i64))
            return false;
        out->type = VALUE_I64;
        return true;
    case VALUE_DECIMAL:
        if (!number_take(&cell, &number) || cell.len || !decimal_sum_total(&number, &d))
            return false;
        *out = scratch ? value_decimal(d, scratch) : value_bool(true);
        return out->type != VALUE_NULL;
    case VALUE_F64:
    case VALUE_BOOL:
    case VALUE_TIME:
        if (!slice_take_le64(&cell, &word) || cell.len || (type.ptr[0] == VALUE_BOOL && word > 1))
            return false;
        *out = (struct value){.type = (uint8_t)type.ptr[0], .i64 = (int64_t)word};
        return true;
    case VALUE_STRING:
        if (cell.len > STATE_TEXT_BYTES_MAX)
            return false;
        copy = scratch ? arena_copy(scratch, cell) : cell;
        *out = value_string(copy);
        return copy.ptr != NULL;
    default:
        return false;
    }
}

void cell_put(const struct state_field *field, struct slice old, const struct cell_input *input, struct arena *scratch,
              struct buffer *to, uint64_t *left)
{
    switch (field->kind) {
    case KEEP_LATEST:
    case KEEP_EARLIEST:
    case KEEP_FIRST_SEEN:
    case KEEP_LAST_SEEN:
        if (old.len && stays(field->kind, old, input->time_ns))
            buffer_put(to, old);
        else if (field->kind == KEEP_LATEST || field->kind == KEEP_EARLIEST)
            put_value(input->values.values[0], input->time_ns, to);
        else
            buffer_put_le64(to, (uint64_t)input->time_ns);
        return;
    case KEEP_COUNT:
    case KEEP_SUM:
    case KEEP_MEAN:
    case KEEP_MIN:
    case KEEP_MAX:
        window_put(field, old, input, scratch, to);
        return;
    case KEEP_DISTINCT:
        distinct_put(field, old, input, to);
        return;
    case KEEP_VALUES:
        values_put(field, old, input, to);
        return;
    case KEEP_TOTAL:
        total_put(old, input, scratch, to, left);
        return;
    case KEEP_KINDS:
        return;
    }
}

bool cell_read(const struct state_field *field, struct slice cell, int64_t now_ns, struct arena *scratch,
               struct value_list *out)
{
    struct value v;
    int64_t time_ns;
    switch (field->kind) {
    case KEEP_LATEST:
    case KEEP_EARLIEST:
        return take_value(cell, scratch, &v) && cell_one(v, scratch, out);
    case KEEP_FIRST_SEEN:
    case KEEP_LAST_SEEN:
        return cell_time(cell, &time_ns) && value_to_number(value_time(time_ns), scratch, &v) &&
               cell_one(v, scratch, out);
    case KEEP_COUNT:
    case KEEP_SUM:
    case KEEP_MEAN:
    case KEEP_MIN:
    case KEEP_MAX:
        return window_read(field, cell, now_ns, scratch, out);
    case KEEP_DISTINCT:
        return distinct_read(field, cell, now_ns, scratch, out);
    case KEEP_VALUES:
        return values_read(field, cell, now_ns, scratch, out);
    case KEEP_TOTAL:
        return total_read(cell, scratch, out);
    case KEEP_KINDS:
        break;
    }
    return false;
}

bool cell_valid(const struct state_field *field, struct slice cell)
{
    struct value v;
    switch (field->kind) {
    case KEEP_LATEST:
    case KEEP_EARLIEST:
        return take_value(cell, NULL, &v);
    case KEEP_FIRST_SEEN:
    case KEEP_LAST_SEEN:
        return cell.len == TIME_BYTES;
    case KEEP_COUNT:
    case KEEP_SUM:
    case KEEP_MEAN:
    case KEEP_MIN:
    case KEEP_MAX:
        return window_valid(field, cell);
    case KEEP_DISTINCT:
        return distinct_valid(cell);
    case KEEP_VALUES:
        return values_valid(cell);
    case KEEP_TOTAL:
        return total_valid(cell);
    case KEEP_KINDS:
        break;
    }
    return false;
}

void cell_convert(const struct state_field *field, int64_t window_ns, struct slice old, struct buffer *to)
{
    /* distinct and values keep exact times, which fit any window */
    bool buckets = keep_kind_has_window(field->kind) && field->kind != KEEP_DISTINCT && field->kind != KEEP_VALUES;
    if (buckets && field->window_ns != window_ns)
        window_convert(field, window_ns, old, to);
    else
        buffer_put(to, old);
}
