#include "search/rewrite.h"

int frame_rewrite(struct run *run, struct frame *frame, struct slice from, struct slice as,
                  rewrite_value change, const void *context, struct err *err)
{
    const struct column *old = batch_find(frame->batch, from);
    struct column *to = frame_column(frame, as);
    for (uint32_t i = 0; to && old && i < old->count; i++) {
        struct value v = column_value(old, i), made = value_null();
        if (!bits_get(frame->selected, old->rows[i]) || v.type == VALUE_NULL)
            continue;
        if (change(context, run, v, frame->batch->arena, &made) < 0)
            return run_nomem(run, err);
        if (made.type != VALUE_NULL && column_add(frame->batch, to, old->rows[i], made) < 0)
            return run_nomem(run, err);
    }
    if (!old)
        return 0;
    return !to || frame_put(frame, to) < 0 ? run_nomem(run, err) : 0;
}

int frame_fill(struct run *run, struct frame *frame, struct slice name, struct value v,
               struct err *err)
{
    const struct column *old = batch_find(frame->batch, name);
    struct column *to = frame_column(frame, name);
    uint32_t at = 0;
    for (uint32_t row = frame_next(frame, 0); to && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        bool some = false;
        while (old && at < old->count && old->rows[at] < row)
            at++;
        for (; old && at < old->count && old->rows[at] == row; at++) {
            if (column_value(old, at).type == VALUE_NULL)
                continue;
            some = true;
            if (column_add(frame->batch, to, row, column_value(old, at)) < 0)
                return run_nomem(run, err);
        }
        if (!some && column_add(frame->batch, to, row, v) < 0)
            return run_nomem(run, err);
    }
    return !to || frame_put(frame, to) < 0 ? run_nomem(run, err) : 0;
}
