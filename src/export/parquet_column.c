#include "export/parquet_column.h"

#include <assert.h>

/* ---- which type ---- */

static bool only(uint16_t types_seen, unsigned types)
{
    unsigned seen = types_seen & ~(1U << VALUE_NULL);
    return seen != 0 && (seen & ~types) == 0;
}

/* What has one type gets it; a mixture, an address and what has too many digits is text. */
static enum parquet_kind kind_of(const struct export_column *from)
{
    if (only(from->types_seen, 1U << VALUE_TIME))
        return PARQUET_TIME;
    if (only(from->types_seen, 1U << VALUE_I64))
        return PARQUET_I64;
    if (only(from->types_seen, 1U << VALUE_BOOL))
        return PARQUET_BOOL;
    if (only(from->types_seen, 1U << VALUE_F64))
        return PARQUET_F64;
    if (only(from->types_seen, 1U << VALUE_I64 | 1U << VALUE_DECIMAL) &&
        from->whole + from->scale <= DECIMAL_DIGITS_MAX)
        return PARQUET_DECIMAL;
    return PARQUET_BYTES;
}

void parquet_column_init(struct parquet_column *column, const struct export_column *from)
{
    unsigned digits = (unsigned)from->whole + from->scale;
    *column = (struct parquet_column){.name = from->label, .kind = kind_of(from), .list = from->multi};
    column->text = column->kind == PARQUET_BYTES && !from->not_utf8;
    column->scale = from->scale;
    column->precision = (uint8_t)(digits ? digits : 1);
    buffer_init(&column->values, 4 * EXPORT_GROUP_BYTES);
    buffer_init(&column->levels, 4 * EXPORT_GROUP_BYTES);
}

void parquet_column_close(struct parquet_column *column)
{
    buffer_close(&column->values);
    buffer_close(&column->levels);
}

enum parquet_type parquet_column_type(const struct parquet_column *column)
{
    switch (column->kind) {
    case PARQUET_BOOL:
        return PARQUET_TYPE_BOOLEAN;
    case PARQUET_I64:
    case PARQUET_TIME:
        return PARQUET_TYPE_INT64;
    case PARQUET_F64:
        return PARQUET_TYPE_DOUBLE;
    case PARQUET_DECIMAL:
        return PARQUET_TYPE_FIXED;
    case PARQUET_BYTES:
        break;
    }
    return PARQUET_TYPE_BYTE_ARRAY;
}

size_t parquet_column_bytes(const struct parquet_column *column)
{
    return column->values.len + column->levels.len;
}

/* ---- values ---- */

static void put_levels(struct parquet_column *column, uint8_t def, uint8_t rep, uint32_t count)
{
    struct buffer *levels = &column->levels;
    struct level_run run = {.count = count, .def = def, .rep = rep}, last;
    column->entries += count;
    if (levels->len) {
        memcpy(&last, levels->ptr + levels->len - sizeof(last), sizeof(last));
        if (last.def == def && last.rep == rep) {
            last.count += count;
            memcpy(levels->ptr + levels->len - sizeof(last), &last, sizeof(last));
            return;
        }
    }
    buffer_put(levels, slice_of(&run, sizeof(run)));
}

static void put_decimal(struct parquet_column *column, struct value v)
{
    char bytes[PARQUET_DECIMAL_BYTES];
    struct decimal d = v.type == VALUE_I64 ? decimal_from_i64(v.i64) : value_get_decimal(v);
    for (; d.scale < column->scale; d.scale++)
        d.coefficient *= 10;
    uint128 n = (uint128)d.coefficient;
    for (size_t i = PARQUET_DECIMAL_BYTES; i-- > 0; n >>= 8)
        bytes[i] = (char)(uint8_t)n;
    buffer_put(&column->values, slice_of(bytes, sizeof(bytes)));
}

static void put_value(struct parquet_column *column, struct value v)
{
    char room[VALUE_TEXT_SIZE];
    uint64_t bits;
    struct slice text;
    column->value_count++;
    switch (column->kind) {
    case PARQUET_BOOL:
        buffer_put_char(&column->values, v.boolean != 0);
        return;
    case PARQUET_I64:
    case PARQUET_TIME:
        buffer_put_le64(&column->values, (uint64_t)v.i64);
        return;
    case PARQUET_F64:
        memcpy(&bits, &v.f64, sizeof(bits));
        buffer_put_le64(&column->values, bits);
        return;
    case PARQUET_DECIMAL:
        put_decimal(column, v);
        return;
    case PARQUET_BYTES:
        text = value_text_small(v, room);
        buffer_put_le32(&column->values, (uint32_t)text.len);
        buffer_put(&column->values, text);
        return;
    }
}

void parquet_column_fill(struct parquet_column *column, uint32_t rows)
{
    if (rows > column->rows)
        put_levels(column, 0, 0, rows - column->rows);
    column->rows = rows;
}

void parquet_column_add(struct parquet_column *column, uint32_t row, const struct value *values,
                        uint32_t count)
{
    uint8_t full = column->list ? 3 : 1;
    assert(row >= column->rows && count > 0 && (count == 1 || column->list));
    parquet_column_fill(column, row);
    for (uint32_t i = 0; i < count; i++) {
        bool missing = values[i].type == VALUE_NULL;
        put_levels(column, missing ? (uint8_t)(full - 1) : full, i > 0, 1);
        if (!missing)
            put_value(column, values[i]);
    }
    column->rows = row + 1;
}
