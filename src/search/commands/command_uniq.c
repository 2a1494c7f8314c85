/* uniq: a row that equals the one before it is left out. */
#include "search/hold.h"
#include "search/rows.h"

struct uniq {
    struct shelf last; /* the last row of the frame before */
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    (void)command;
    return spl_expect_end(p);
}

/* Rows are compared as they are shown: with all fields. */
static void want(const struct spl_command *command, struct wanted *wanted)
{
    (void)command;
    wanted->all = true;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    struct uniq *uniq = op->state;
    struct batch *batch = frame->batch;
    uint32_t before = UINT32_MAX;
    for (uint32_t row = frame_next(frame, 0); row < batch->row_count;
         row = frame_next(frame, row + 1)) {
        bool again = before != UINT32_MAX ? rows_equal(batch, row, batch, before)
                     : shelf_count(&uniq->last)
                         ? rows_equal(batch, row, uniq->last.rows.batch, 0)
                         : false;
        before = row;
        if (again)
            bits_clear(frame->selected, row);
    }
    if (before == UINT32_MAX)
        return 0;
    arena_reset(uniq->last.arenas[0]);
    row_store_init(&uniq->last.rows, uniq->last.arenas[0]);
    if (row_store_add_row(&uniq->last.rows, frame, before) < 0)
        return run_nomem(op->run, err);
    return bits_any(frame->selected, batch->row_count) ? stage_push(op, frame, err) : 0;
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    (void)command;
    struct uniq *uniq = arena_calloc(run->arena, sizeof(*uniq));
    op->push = push;
    op->state = uniq;
    return !uniq || shelf_init(&uniq->last, run) < 0 ? run_nomem(run, err) : 0;
}

const struct command command_uniq = {
    .name = "uniq",
    .syntax = "uniq",
    .summary = "equal neighbours once",
    .parse = parse,
    .make = make,
    .want = want,
};
