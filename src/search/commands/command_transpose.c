/* transpose: rows become columns. */
#include "search/hold.h"
#include "search/rows.h"

struct transpose_args {
    int64_t rows;
    struct slice column_name, header;
    bool include_empty;
};

static const struct command_option options[] = {
    {.name = "column_name",
     OPTION_TEXT,
     offsetof(struct transpose_args, column_name),
     "name of the first column",
     .standard = "column"},
    {.name = "header_field",
     OPTION_FIELD,
     offsetof(struct transpose_args, header),
     "its values name the columns"},
    {.name = "include_empty",
     OPTION_BOOL,
     offsetof(struct transpose_args, include_empty),
     "fields without values too",
     .standard = "t"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct transpose_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    *args =
        (struct transpose_args){.rows = 5, .column_name = SLICE("column"), .include_empty = true};
    while (p->token.kind != SPL_END) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (!taken && spl_take_i64(p, &args->rows) < 0)
            return -1;
    }
    return 0;
}

static struct slice column_title(const struct transpose_args *args, const struct batch *batch,
                                 uint32_t row, struct arena *arena)
{
    struct value v = args->header.ptr ? batch_first(batch, row, args->header) : value_null();
    if (v.type != VALUE_NULL)
        return value_text(v, arena);
    return arena_printf(arena, "row %u", row + 1);
}

/* Every column becomes a row. */
static void want(const struct spl_command *command, struct wanted *wanted)
{
    (void)command;
    wanted->all = true;
}

static int finish(struct stage *op, struct err *err)
{
    const struct transpose_args *args = op->command->args;
    const struct batch *batch = ((struct hold *)op->state)->rows.batch;
    struct arena *arena = op->run->arena;
    struct batch *out = frame_batch_new(arena, 0);
    if (!batch)
        return 0;
    uint32_t rows = batch->row_count;
    if (args->rows && (uint64_t)args->rows < rows)
        rows = (uint32_t)args->rows;
    struct column **to = arena_array(arena, rows + 1U, sizeof(*to));
    struct column *names = out ? batch_column(out, args->column_name) : NULL;
    for (uint32_t row = 0; to && names && row < rows; row++)
        if (!(to[row] = batch_column(out, column_title(args, batch, row, arena))))
            return run_nomem(op->run, err);
    if (!to || !names)
        return run_nomem(op->run, err);
    for (uint32_t c = 0; c < batch->column_count; c++) {
        const struct column *from = batch->columns[c];
        if (rows_is_internal(from->name) ||
            (args->header.ptr && slice_equal(from->name, args->header)) ||
            (!args->include_empty && !from->count))
            continue;
        uint32_t at = out->row_count++;
        struct slice shown = spl_field_shown(from->name, op->run->query);
        if (column_add(out, names, at, value_string(shown)) < 0)
            return run_nomem(op->run, err);
        for (uint32_t row = 0; row < rows; row++) {
            uint32_t first, n = column_range(from, row, &first);
            for (uint32_t k = 0; k < n; k++)
                if (column_add(out, to[row], at, from->values[first + k]) < 0)
                    return run_nomem(op->run, err);
        }
    }
    return stage_emit(op, out, NULL, out->row_count, err);
}

const struct command command_transpose = {
    .name = "transpose",
    .summary = "rows become columns",
    .syntax = "transpose [N] [options]",
    .notes = "5 rows unless a number says how many; 0: all.",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = hold_make,
    .finish = finish,
    .want = want,
};
