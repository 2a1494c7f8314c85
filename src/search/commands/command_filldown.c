/* filldown: the value of the row before where there is none. */
#include "search/commands/fill_args.h"
#include "search/hold.h"

static int down_column(struct stage *op, struct frame *frame, const struct column *old,
                       struct err *err)
{
    struct column *to = frame_column(frame, old->name);
    uint32_t first = 0, count = 0;
    for (uint32_t row = 0; to && row < frame->batch->row_count; row++) {
        uint32_t here, n = column_range(old, row, &here);
        if (n) {
            first = here;
            count = n;
        }
        for (uint32_t k = 0; k < count; k++)
            if (column_add(frame->batch, to, row, old->values[first + k]) < 0)
                return run_nomem(op->run, err);
    }
    return !to || frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

static int finish(struct stage *op, struct err *err)
{
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    for (uint32_t i = 0; i < frame.batch->column_count; i++)
        if (fill_is_listed(op->command->args, frame.batch->columns[i]->name) &&
            down_column(op, &frame, frame.batch->columns[i], err) < 0)
            return -1;
    return hold_emit(op, &frame, err);
}

const struct command command_filldown = {
    .name = "filldown",
    .summary = "the value of the row before where there is none",
    .syntax = "filldown [FIELD ...]",
    .flags = COMMAND_HOLDS,
    .parse = fill_parse,
    .make = hold_make,
    .finish = finish,
    .want = fill_want,
};
