/* appendcols: columns of a subsearch beside these. */
#include "search/commands/sub_rows.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    return sub_parse_one(p, command, false);
}

static int add_column(struct stage *op, struct frame *frame, const struct column *from,
                      struct err *err)
{
    const struct sub_args *args = op->command->args;
    const struct column *old = batch_find(frame->batch, from->name);
    struct column *to = frame_column(frame, from->name);
    for (uint32_t row = 0; to && row < frame->batch->row_count; row++) {
        uint32_t first, count = old ? column_range(old, row, &first) : 0;
        const struct column *source = old;
        uint32_t new_first, new_count = column_range(from, row, &new_first);
        if (new_count && (args->override || !count)) {
            source = from;
            first = new_first;
            count = new_count;
        }
        for (uint32_t k = 0; k < count; k++)
            if (column_add(frame->batch, to, row, source->values[first + k]) < 0)
                return run_nomem(op->run, err);
    }
    return !to || frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

static int finish(struct stage *op, struct err *err)
{
    const struct sub_args *args = op->command->args;
    struct frame frame;
    bool failed;
    struct batch *rows;
    if (run_subsearch(op->run, args->queries[0], &rows, err) < 0)
        return -1;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : sub_emit(op, rows, args->max_rows, err);
    uint32_t held = frame.batch->row_count;
    if (rows->row_count > held) /* rows beyond the main ones follow alone */
        frame.batch->row_count = rows->row_count;
    for (uint32_t c = 0; c < rows->column_count; c++) {
        struct slice name = rows->columns[c]->name;
        bool internal = name.len && (name.ptr[0] == '_' || name.ptr[0] == '@');
        if (!internal && add_column(op, &frame, rows->columns[c], err) < 0)
            return -1;
    }
    return hold_emit(op, &frame, err);
}

const struct command command_appendcols = {
    .name = "appendcols",
    .summary = "columns of a subsearch beside these, row by row",
    .syntax = "appendcols [options] [SUBSEARCH]",
    .notes = "Rows that the subsearch has more of follow alone.",
    .flags = COMMAND_HOLDS | COMMAND_BRACKETS,
    .options = sub_options,
    .option_count = 5,
    .parse = parse,
    .make = hold_make,
    .finish = finish,
};
