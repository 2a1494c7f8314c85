/* A header, a row an event, CR LF (RFC 4180). Several values of a field stand on lines of their own in
 * one cell; times are RFC 3339; a missing field is an empty cell. */
#include "export/export_format.h"

#include "base/csv_cell.h"

static int begin(struct export_output *output, struct err *err)
{
    (void)err;
    for (size_t c = 0; c < export_schema_count(output->schema); c++) {
        buffer_put_text(&output->out, c ? "," : "");
        csv_put_cell(&output->out, export_schema_column(output->schema, c)->label, false);
    }
    buffer_put_text(&output->out, "\r\n");
    return 0;
}

static bool is_number(struct value v)
{
    return v.type == VALUE_I64 || v.type == VALUE_F64 || v.type == VALUE_DECIMAL;
}

static void put_cell(const struct column *column, uint32_t first, uint32_t count,
                     struct buffer *cell, struct buffer *to)
{
    char room[VALUE_TEXT_SIZE];
    if (count == 1) {
        struct value v = column->values[first];
        csv_put_cell(to, value_text_small(v, room), is_number(v));
        return;
    }
    buffer_clear(cell);
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buffer_put_char(cell, '\n');
        buffer_put(cell, value_text_small(column->values[first + i], room));
    }
    csv_put_cell(to, buffer_slice(cell), false);
    to->failed |= buffer_failed(cell);
}

static int put_rows(struct export_output *output, const struct batch *batch,
                    const uint64_t *selected, struct err *err)
{
    struct row_walk walk;
    struct buffer cell;
    uint32_t row;
    int result = 0;
    uint32_t *from = export_columns_of(output, batch);
    if (!from || row_walk_init(&walk, batch, selected, output->arena, err) < 0)
        return err_nomem(err);
    buffer_init(&cell, EXPORT_WORK_BYTES);
    while (result == 0 && row_walk_next(&walk, &row)) {
        for (size_t c = 0; c < export_schema_count(output->schema); c++) {
            uint32_t first, count = from[c] ? row_walk_values(&walk, from[c] - 1, row, &first) : 0;
            buffer_put_text(&output->out, c ? "," : "");
            if (count)
                put_cell(batch->columns[from[c] - 1], first, count, &cell, &output->out);
        }
        buffer_put_text(&output->out, "\r\n");
        output->counts.events++;
        result = export_flush(output, false, err);
    }
    buffer_close(&cell);
    return result;
}

const struct export_kind export_csv = {
    .name = "csv", .needs_schema = true, .begin = begin, .rows = put_rows};
