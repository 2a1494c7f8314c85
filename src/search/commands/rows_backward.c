/* reverse and tail: rows from the last to the first. */
#include "search/commands/rows_backward.h"

int rows_backward(struct stage *op, const struct batch *batch, uint32_t count, struct err *err)
{
    uint32_t *order = batch ? arena_alloc(op->run->arena, (count + 1U) * sizeof(*order)) : NULL;
    if (!batch)
        return 0;
    if (!order)
        return run_nomem(op->run, err);
    for (uint32_t i = 0; i < count; i++)
        order[i] = batch->row_count - 1 - i;
    return stage_emit(op, batch, order, count, err);
}
