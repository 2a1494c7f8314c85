/* mvcombine: one row for rows that differ in a field only. */
#include "search/commands/mv_field.h"
#include "search/group.h"
#include "search/hold.h"

/* The values of each group's rows, group by group: the rows are chained by group first. */
static int add_members(const struct column *from, const struct group_rows *rows, uint32_t groups,
                       struct batch *out, struct column *to)
{
    uint32_t *first = arena_alloc(out->arena, (groups + 1U) * sizeof(*first));
    uint32_t *next = arena_alloc(out->arena, (rows->count + 1U) * sizeof(*next));
    if (!first || !next)
        return -1;
    memset(first, 0xff, (groups + 1U) * sizeof(*first));
    for (uint32_t i = rows->count; i-- > 0;) {
        next[i] = first[rows->groups[i]];
        first[rows->groups[i]] = i;
    }
    for (uint32_t g = 0; g < groups; g++)
        for (uint32_t i = first[g]; i != UINT32_MAX; i = next[i]) {
            uint32_t at, n = column_range(from, rows->rows[i], &at);
            for (uint32_t k = 0; k < n; k++)
                if (column_add(out, to, g, from->values[at + k]) < 0)
                    return -1;
        }
    return 0;
}

/* Rows are equal or not by all their fields. */
static void want(const struct spl_command *command, struct wanted *wanted)
{
    (void)command;
    wanted->all = true;
}

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
    if (!to || (from && add_members(from, &rows, groups.count, out.batch, to) < 0) ||
        frame_put(&out, to) < 0)
        return run_nomem(op->run, err);
    return hold_emit(op, &out, err);
}

const struct command command_mvcombine = {
    .name = "mvcombine",
    .summary = "one row for rows that differ in a field only",
    .syntax = "mvcombine [delim=TEXT] FIELD",
    .flags = COMMAND_HOLDS,
    .options = mv_options,
    .option_count = 1,
    .parse = mv_parse,
    .make = hold_make,
    .finish = finish,
    .want = want,
};
