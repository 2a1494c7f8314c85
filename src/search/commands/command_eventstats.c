/* eventstats: statistics joined to every row. */
#include "search/aggregate.h"
#include "search/rows.h"
#include "search/sorter.h"

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
    struct eventstats_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
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
    struct sorter rows; /* in the order they came */
    struct aggregator a;
    uint32_t *groups; /* of each row; GROUP_NONE for rows that lack a field */
    uint32_t room;
    /* at the end */
    struct value_list *results; /* of each group, a slot after the other */
    uint64_t given;
    struct stage *op;
};

static int note_groups(struct stage *op, struct frame *frame, const struct group_rows *rows)
{
    struct eventstats *e = op->state;
    uint32_t held = (uint32_t)e->rows.count, count = frame_count(frame);
    while (held + count > e->room) {
        uint32_t room = grown_room(e->room);
        uint32_t *groups = grown_array(op->run->arena, e->groups, e->room * sizeof(*groups),
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
    /* eval() columns are made in a copy of the frame, so they do not go on */
    struct frame work;
    if (frame_share(&work, frame->batch, frame->selected, frame->batch->arena) < 0)
        return run_nomem(op->run, err);
    if (aggregator_add(&e->a, &work, &rows, err) < 0)
        return -1;
    if (note_groups(op, frame, &rows) < 0)
        return run_nomem(op->run, err);
    return sorter_add(&e->rows, frame, err);
}

static int join_column(struct eventstats *e, struct frame *frame, size_t slot)
{
    struct column *to = frame_column(frame, aggregator_name(&e->a, slot));
    const struct value_list *results = e->results + slot * e->a.groups.count;
    for (uint32_t row = 0; to && row < frame->batch->row_count; row++) {
        uint32_t group = e->groups[e->given + row];
        for (uint32_t i = 0; group != GROUP_NONE && i < results[group].count; i++)
            if (column_add(frame->batch, to, row, results[group].values[i]) < 0)
                return -1;
    }
    return to ? frame_put(frame, to) : -1;
}

static int join_rows(void *context, const struct batch *rows, struct err *err)
{
    struct eventstats *e = context;
    struct run *run = e->op->run;
    for (uint32_t at = 0, n; at < rows->row_count; at += n) {
        struct frame frame;
        n = rows->row_count - at < FRAME_ROWS_MAX ? rows->row_count - at : FRAME_ROWS_MAX;
        arena_reset(run->frames);
        if (frame_slice(&frame, rows, NULL, at, n, run->frames) < 0)
            return run_nomem(run, err);
        for (size_t slot = 0; slot < e->a.slot_count; slot++)
            if (join_column(e, &frame, slot) < 0)
                return run_nomem(run, err);
        e->given += n;
        if (run_check(run, err) < 0 || stage_push(e->op, &frame, err) < 0)
            return -1;
    }
    return 0;
}

static int finish(struct stage *op, struct err *err)
{
    struct eventstats *e = op->state;
    uint32_t groups = e->a.groups.count;
    e->op = op;
    e->given = 0;
    e->results = arena_array(op->run->arena, e->a.slot_count * groups + 1, sizeof(*e->results));
    if (!e->results)
        return run_nomem(op->run, err);
    for (size_t slot = 0; slot < e->a.slot_count; slot++)
        for (uint32_t g = 0; g < groups; g++)
            if (aggregator_result(&e->a, slot, g, &e->results[slot * groups + g], err) < 0)
                return -1;
    return sorter_each(&e->rows, join_rows, e, err);
}

static void release(struct stage *op)
{
    struct eventstats *e = op->state;
    sorter_close(&e->rows);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct eventstats_args *args = command->args;
    struct eventstats *e = op->state = arena_calloc(run->arena, sizeof(*e));
    op->push = push;
    op->finish = finish;
    op->release = release;
    if (!e || sorter_init(&e->rows, run, NULL, 0, err) < 0)
        return run_nomem(run, err);
    return aggregator_init(&e->a, run, run->arena, &args->aggs, args->by.names, args->by.count, 0,
                           err);
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
