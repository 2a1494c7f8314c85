/* xyseries: rows to a table. */
#include "search/commands/chart_series.h"
#include "search/commands/xy_args.h"
#include "search/group.h"
#include "search/hold.h"

static void want(const struct spl_command *command, struct wanted *wanted)
{
    wanted_reset(wanted);
    wanted_add_list(wanted, &((const struct xy_args *)command->args)->fields);
}

static int finish(struct stage *op, struct err *err)
{
    const struct xy_args *args = op->command->args;
    const struct slice *names = args->fields.names;
    struct arena *arena = op->run->arena;
    struct grouper groups;
    struct group_rows rows;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    struct batch *out = frame_batch_new(arena, 0);
    if (!out || !batch_column(out, names[0]) || grouper_init(&groups, arena, names, 1, 0) < 0 ||
        grouper_rows(&groups, &frame, &rows) < 0)
        return run_nomem(op->run, err);
    const uint32_t *order = grouper_sorted(&groups, NULL, arena);
    if (!order)
        return run_nomem(op->run, err);
    for (uint32_t g = 0; g < groups.count; g++) {
        uint32_t at = out->row_count++;
        if (xy_put(op, out, at, names[0], grouper_key(&groups, order[g], 0), err) < 0)
            return -1;
        for (uint32_t i = 0; i < rows.count; i++)
            for (size_t f = 2; rows.groups[i] == order[g] && f < args->fields.count; f++) {
                struct value v = batch_first(frame.batch, rows.rows[i], names[f]);
                struct value n = batch_first(frame.batch, rows.rows[i], names[1]);
                struct slice title = value_text(n, arena);
                if (v.type == VALUE_NULL || n.type == VALUE_NULL)
                    continue;
                if (args->fields.count > 3 && args->format.ptr)
                    title = chart_series_format(args->format, names[f], title, arena);
                else if (args->fields.count > 3)
                    title = arena_printf(arena, "%.*s%.*s%.*s", SLICE_ARG(names[f]),
                                         SLICE_ARG(args->sep), SLICE_ARG(title));
                if (!title.ptr || xy_put(op, out, at, title, v, err) < 0)
                    return title.ptr ? -1 : run_nomem(op->run, err);
            }
    }
    return stage_emit(op, out, NULL, out->row_count, err);
}

const struct command command_xyseries = {
    .name = "xyseries",
    .summary = "rows to a table",
    .syntax = "xyseries [options] ROWS NAMES VALUES ...",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS,
    .options = xy_options,
    .option_count = ARRAY_COUNT(xy_options),
    .parse = xy_parse,
    .make = hold_make,
    .finish = finish,
    .want = want,
};
