#include "search/naive.h"

void naive_request(struct search_request *request)
{
    request->filter = NULL;
    request->newest_first = true;
    request->codes_only = false;
    request->minutes = false;
    request->rows_enough = 0;
    request->threads = 1;
}

static int drop_codes(struct run *run, struct frame *frame)
{
    for (uint32_t i = 0; i < frame->batch->column_count; i++) {
        struct column *plain = arena_alloc(run->frames, sizeof(*plain));
        if (!plain)
            return -1;
        *plain = *frame->batch->columns[i];
        plain->codes = NULL;
        plain->dict = NULL;
        plain->dict_epoch = 0;
        if (frame_put(frame, plain) < 0)
            return -1;
    }
    return 0;
}

int naive_frame(struct run *run, struct frame *frame, const struct expr *filter, struct err *err)
{
    if (drop_codes(run, frame) < 0)
        return run_nomem(run, err);
    uint32_t count = frame->batch->row_count;
    for (uint32_t row = frame_next(frame, 0); filter && row < count;
         row = frame_next(frame, row + 1)) {
        struct value_list list;
        arena_reset(run->scratch);
        if (expr_eval(filter, &run->scope, frame->batch, row, &list, err) < 0)
            return -1;
        bool yes = list.count == 1 && list.values[0].type == VALUE_BOOL && list.values[0].boolean;
        if (!yes)
            bits_clear(frame->selected, row);
    }
    return 0;
}
