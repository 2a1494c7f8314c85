/* mvcombine: one row for rows that differ in a field only. */
#include "search/commands/mv_field.h"
#include "search/group.h"
#include "search/hold.h"

static int finish(struct stage *op, struct err *err)
{
    const struct mv_args *args = op->command->args;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    struct arena *arena = op->run->arena;
    struct batch *batch = frame.batch;
    struct slice *names = arena_array(arena, batch->column_count + 1U, sizeof(*names));
    size_t count = 0;
    for (uint32_t c = 0; names && c < batch->column_count; c++)
        if (!slice_equal(batch->columns[c]->name, args->field) && batch->columns[c]->count)
            names[count++] = batch->columns[c]->name;
    struct grouper groups;
    struct group_rows rows;
    if (!names || count > 64 || grouper_init(&groups, arena, names, count, UINT64_MAX) < 0 ||
        grouper_rows(&groups, &frame, &rows) < 0)
        return count > 64 ? err_set(err, ERR_LIMIT, "mvcombine works on at most 64 fields")
                          : run_nomem(op->run, err);
    uint32_t *order = arena_array(arena, groups.count + 1U, sizeof(*order));
    const struct column *from = batch_find(batch, args->field);
    struct frame out;
    for (uint32_t i = rows.count; order && i-- > 0;)
        order[rows.groups[i]] = rows.rows[i];
    if (!order || frame_gather(&out, batch, order, groups.count, arena) < 0)
        return run_nomem(op->run, err);
    struct column *to = frame_column(&out, args->field);
    for (uint32_t g = 0; to && from && g < groups.count; g++)
        for (uint32_t i = 0; i < rows.count; i++) {
            uint32_t first, n = rows.groups[i] == g ? column_range(from, rows.rows[i], &first) : 0;
            for (uint32_t k = 0; k < n; k++)
                if (column_add(out.batch, to, g, from->values[first + k]) < 0)
                    return run_nomem(op->run, err);
        }
    if (!to || frame_put(&out, to) < 0)
        return run_nomem(op->run, err);
    return hold_emit(op, &out, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    (void)command;
    return stage_hold(run, op, 0, finish, err);
}

const struct command command_mvcombine = {
    .name = "mvcombine",
    .summary = "one row for rows that differ in a field only",
    .syntax = "mvcombine [delim=TEXT] FIELD",
    .flags = COMMAND_HOLDS,
    .options = mv_options,
    .option_count = 1,
    .parse = mv_parse,
    .make = make,
};
