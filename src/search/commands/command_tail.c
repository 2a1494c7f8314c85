/* tail: the last rows, the last one first. */
#include "search/commands/rows_backward.h"
#include "search/hold.h"
#include "search/rows.h"

struct tail_args {
    int64_t limit;
};

static const struct command_option options[] = {
    {.name = "limit",
     OPTION_I64,
     offsetof(struct tail_args, limit),
     "rows to keep",
     .standard = "10"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct tail_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->limit = 10;
    if (spl_take_options(p, args) < 0 ||
        (p->token.kind != SPL_END && spl_take_i64(p, &args->limit) < 0))
        return -1;
    return spl_expect_end(p);
}

struct tail {
    struct shelf shelf;
    uint64_t limit;
};

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    struct tail *tail = op->state;
    if (row_store_add(&tail->shelf.rows, frame) < 0)
        return run_nomem(op->run, err);
    uint32_t held = shelf_count(&tail->shelf), limit = (uint32_t)tail->limit;
    if (tail->limit > held || held <= 4 * tail->limit + SHELF_SLACK)
        return 0;
    uint32_t *rows = arena_alloc(frame->batch->arena, (limit + 1U) * sizeof(*rows));
    for (uint32_t i = 0; rows && i < limit; i++)
        rows[i] = held - limit + i;
    return !rows || shelf_keep(&tail->shelf, rows, limit) < 0 ? run_nomem(op->run, err) : 0;
}

static int finish(struct stage *op, struct err *err)
{
    struct tail *tail = op->state;
    uint32_t count = shelf_count(&tail->shelf);
    if (tail->limit < count)
        count = (uint32_t)tail->limit;
    return rows_backward(op, tail->shelf.rows.batch, count, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    struct tail *tail = op->state = arena_calloc(run->arena, sizeof(*tail));
    op->push = push;
    op->finish = finish;
    if (!tail || shelf_init(&tail->shelf, run) < 0)
        return run_nomem(run, err);
    tail->limit = (uint64_t)((const struct tail_args *)command->args)->limit;
    return 0;
}

const struct command command_tail = {
    .name = "tail",
    .summary = "the last rows, the last one first",
    .syntax = "tail [N]",
    .flags = COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
};
