/* eventstats: statistics joined to every row. */
#include "search/aggregate.h"
#include "search/hold.h"

struct eventstats_args {
    bool allnum;
    struct agg_list aggs;
    struct field_list by;
};

static const struct command_option options[] = {
    {.name = "allnum",
     OPTION_BOOL,
     offsetof(struct eventstats_args, allnum),
     "accepted, does nothing"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    static const char *const stops[] = {"by", NULL};
    struct eventstats_args *args = arena_calloc(p->arena, sizeof(*args));
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    if (spl_take_options(p, args) < 0 || spl_take_aggs(p, stops, &args->aggs) < 0)
        return -1;
    if (spl_at_word(p, "by") &&
        (spl_advance(p) < 0 || spl_take_fields(p, NULL, false, &args->by) < 0))
        return -1;
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct eventstats_args *args = command->args;
    for (size_t i = 0; i < args->aggs.count; i++)
        wanted_drop(wanted, args->aggs.aggs[i].name);
    wanted_add_list(wanted, &args->by);
    wanted_add_aggs(wanted, &args->aggs);
}

struct eventstats {
    struct hold hold;
    struct aggregator a;
    uint32_t *groups; /* of each row held; GROUP_NONE for rows that lack a field */
    uint32_t room;
};

static int note_groups(struct stage *op, struct frame *frame, const struct group_rows *rows)
{
    struct eventstats *e = op->state;
    uint32_t held = e->hold.rows.batch ? e->hold.rows.batch->row_count : 0;
    uint32_t count = frame_count(frame);
    while (held + count > e->room) {
        uint32_t room = e->room ? 2 * e->room : 4096;
        uint32_t *groups = arena_grow(op->run->arena, e->groups, e->room * sizeof(*groups),
                                      room * sizeof(*groups));
        if (!groups)
            return -1;
        e->groups = groups;
        e->room = room;
    }
    uint32_t at = 0;
    for (uint32_t row = frame_next(frame, 0); row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        while (at < rows->count && rows->rows[at] < row)
            at++;
        bool here = at < rows->count && rows->rows[at] == row;
        e->groups[held++] = here ? rows->groups[at] : GROUP_NONE;
    }
    return 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    struct eventstats *e = op->state;
    struct group_rows rows;
    struct frame held = *frame;
    /* eval() columns are made in a copy of the frame, so they do not go on */
    struct frame work;
    if (frame_share(&work, frame->batch, frame->selected, frame->batch->arena) < 0)
        return run_nomem(op->run, err);
    if (aggregator_add(&e->a, &work, &rows, err) < 0)
        return -1;
    if (note_groups(op, frame, &rows) < 0 || row_store_add(&e->hold.rows, &held) < 0)
        return run_nomem(op->run, err);
    return 0;
}

static int join_column(struct stage *op, struct frame *frame, size_t slot, struct err *err)
{
    struct eventstats *e = op->state;
    struct column *to = frame_column(frame, aggregator_name(&e->a, slot));
    uint32_t groups = e->a.groups.count;
    struct value_list *results = arena_array(op->run->arena, groups + 1U, sizeof(*results));
    if (!to || !results)
        return run_nomem(op->run, err);
    for (uint32_t g = 0; g < groups; g++)
        if (aggregator_result(&e->a, slot, g, &results[g], err) < 0)
            return -1;
    for (uint32_t row = 0; row < frame->batch->row_count; row++) {
        uint32_t group = e->groups[row];
        for (uint32_t i = 0; group != GROUP_NONE && i < results[group].count; i++)
            if (column_add(frame->batch, to, row, results[group].values[i]) < 0)
                return run_nomem(op->run, err);
    }
    return frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

static int finish(struct stage *op, struct err *err)
{
    struct eventstats *e = op->state;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    for (size_t slot = 0; slot < e->a.slot_count; slot++)
        if (join_column(op, &frame, slot, err) < 0)
            return -1;
    return hold_emit(op, &frame, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct eventstats_args *args = command->args;
    if (stage_hold(run, op, sizeof(struct eventstats), finish, err) < 0)
        return -1;
    op->push = push;
    struct eventstats *e = op->state;
    return aggregator_init(&e->a, run, run->arena, &args->aggs, args->by.names, args->by.count, 0, err);
}

const struct command command_eventstats = {
    .name = "eventstats",
    .summary = "statistics joined to every row",
    .syntax = "eventstats AGGREGATE ... [by FIELD ...]",
    .flags = COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
