/* mvexpand: a row for each value of a field. */
#include "search/commands/mv_field.h"

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct mv_args *args = op->command->args;
    const struct column *from = batch_find(frame->batch, args->field);
    uint32_t rows = frame->batch->row_count;
    if (!from || !from->multi)
        return stage_push(op, frame, err);
    size_t most = (size_t)rows + from->count + 1;
    uint32_t *order = arena_alloc(frame->batch->arena, most * sizeof(*order));
    struct value *values = arena_array(frame->batch->arena, most, sizeof(*values));
    uint32_t count = 0;
    if (!order || !values)
        return run_nomem(op->run, err);
    for (uint32_t row = frame_next(frame, 0); row < rows; row = frame_next(frame, row + 1)) {
        uint32_t first, n = column_range(from, row, &first), shown = n;
        if (args->limit && (uint64_t)args->limit < n)
            shown = (uint32_t)args->limit;
        if (shown < n)
            run_message(op->run, "limit", op->command, true,
                        "mvexpand kept %u values a row, as its limit says", shown);
        for (uint32_t k = 0; k < (n ? shown : 1); k++) {
            values[count] = n ? column_value(from, first + k) : value_null();
            order[count++] = row;
        }
    }
    struct frame out;
    if (frame_gather(&out, frame->batch, order, count, frame->batch->arena) < 0)
        return run_nomem(op->run, err);
    struct column *to = frame_column(&out, args->field);
    for (uint32_t i = 0; to && i < count; i++)
        if (values[i].type != VALUE_NULL && column_add(out.batch, to, i, values[i]) < 0)
            return run_nomem(op->run, err);
    return to ? mv_put(op, &out, to, err) : run_nomem(op->run, err);
}

const struct command command_mvexpand = {
    .name = "mvexpand",
    .summary = "a row for each value of a field",
    .syntax = "mvexpand FIELD [limit=N]",
    .notes = "A row without the field passes.",
    .flags = COMMAND_STREAMS,
    .options = &mv_options[4],
    .option_count = 1,
    .parse = mv_parse,
    .push = push,
    .want = mv_want,
};
