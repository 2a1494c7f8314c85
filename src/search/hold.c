#include "search/hold.h"

static int hold_push(struct operator* op, struct frame *frame, struct err *err)
{
    struct hold *hold = op->state;
    return row_store_add(&hold->rows, frame) < 0 ? run_nomem(op->run, err) : 0;
}

int operator_hold(struct run *run, struct operator* op, size_t state_size,
                  int (*finish)(struct operator* op, struct err *err), struct err *err)
{
    struct hold *hold = arena_calloc(run->arena, state_size ? state_size : sizeof(*hold));
    op->state = hold;
    op->push = hold_push;
    op->finish = finish;
    if (!hold)
        return run_nomem(run, err);
    row_store_init(&hold->rows, run->arena);
    return 0;
}

bool hold_frame(struct operator* op, struct frame *frame, bool *failed, struct err *err)
{
    const struct hold *hold = op->state;
    *failed = false;
    if (!hold->rows.batch || hold->rows.batch->row_count == 0)
        return false;
    if (frame_share(frame, hold->rows.batch, NULL, op->run->arena) == 0)
        return true;
    run_nomem(op->run, err);
    *failed = true;
    return false;
}

int hold_emit(struct operator* op, const struct frame *frame, struct err *err)
{
    return operator_emit(op, frame->batch, NULL, frame->batch->row_count, err);
}
