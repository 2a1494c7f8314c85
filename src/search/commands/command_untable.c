/* untable: a table to rows. */
#include "search/commands/xy_args.h"
#include "search/hold.h"

static void want(const struct spl_command *command, struct wanted *wanted)
{
    (void)command;
    wanted->all = true;
}

static int finish(struct stage *op, struct err *err)
{
    const struct xy_args *args = op->command->args;
    const struct slice *names = args->fields.names;
    const struct batch *rows = ((struct hold *)op->state)->rows.batch;
    struct batch *out = frame_batch_new(op->run->arena, 0);
    if (!out)
        return run_nomem(op->run, err);
    for (uint32_t row = 0; rows && row < rows->row_count; row++) {
        struct value x = batch_first(rows, row, names[0]);
        for (uint32_t c = 0; x.type != VALUE_NULL && c < rows->column_count; c++) {
            const struct column *from = rows->columns[c];
            struct value v = column_first(from, row);
            if (slice_equal(from->name, names[0]) || v.type == VALUE_NULL)
                continue;
            uint32_t at = out->row_count++;
            struct slice shown = spl_field_shown(from->name, op->run->query);
            if (xy_put(op, out, at, names[0], x, err) < 0 ||
                xy_put(op, out, at, names[1], value_string(shown), err) < 0 ||
                xy_put(op, out, at, names[2], v, err) < 0)
                return -1;
        }
    }
    return stage_emit(op, out, NULL, out->row_count, err);
}

const struct command command_untable = {
    .name = "untable",
    .summary = "a table back to rows",
    .syntax = "untable ROWS NAMES VALUES",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS,
    .options = xy_options,
    .option_count = ARRAY_COUNT(xy_options),
    .parse = xy_parse,
    .make = hold_make,
    .finish = finish,
    .want = want,
};
