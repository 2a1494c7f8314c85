/* event.original, a line each: what was sent, for any other program. */
#include "export/export_format.h"

#include "event/schema.h"

static int put_rows(struct export_output *output, const struct batch *batch,
                    const uint64_t *selected, struct err *err)
{
    const struct column *column = batch_find(batch, FIELD_ORIGINAL);
    struct row_walk walk;
    uint32_t row;
    int result = row_walk_init(&walk, batch, selected, output->arena, err);
    while (result == 0 && row_walk_next(&walk, &row)) {
        uint32_t first,
            count = column ? row_walk_values(&walk, column->index, row, &first) : 0;
        if (!count || column->values[first].type != VALUE_STRING) {
            output->counts.without_original++;
            continue;
        }
        struct slice text = value_slice(column->values[first]);
        output->counts.with_line_feed += slice_find_char(text, '\n') >= 0;
        buffer_put(&output->out, text);
        buffer_put_char(&output->out, '\n');
        output->counts.events++;
        result = export_flush(output, false, err);
    }
    return result;
}

const struct export_kind export_raw = {.name = "raw", .rows = put_rows};
