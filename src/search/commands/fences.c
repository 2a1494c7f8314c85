#include "search/commands/fences.h"

#include <math.h>
#include <stdlib.h>

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double fence_rank(const double *sorted, uint32_t count, double percent)
{
    uint32_t at = (uint32_t)floor(percent / 100 * count);
    return count ? sorted[at < count ? at : count - 1] : 0;
}

double *fence_numbers(const struct column *column, const struct batch *batch, struct arena *arena,
                      uint32_t *count)
{
    double *list = arena_array(arena, batch->row_count + 1U, sizeof(*list));
    *count = 0;
    for (uint32_t row = 0; list && row < batch->row_count; row++)
        if (rows_number(column, row, &list[*count]))
            ++*count;
    if (list && *count)
        qsort(list, *count, sizeof(*list), by_number);
    return list;
}

/* The value on the fence; marked ones are text. */
static struct value moved(const struct fence_args *args, double to, struct arena *arena)
{
    struct value v = rows_from_f64(to);
    struct slice text = args->mark ? value_text(v, arena) : SLICE_NONE;
    if (!args->mark)
        return v;
    text = text.ptr ? arena_printf(arena, "000%.*s", SLICE_ARG(text)) : SLICE_NONE;
    return text.ptr ? value_string(text) : value_null();
}

static int apply_one(struct frame *frame, const struct fence_args *args,
                     const struct column *column, uint64_t *keep)
{
    struct batch *batch = frame->batch;
    uint32_t count;
    double *numbers = fence_numbers(column, batch, batch->arena, &count), n;
    if (!numbers || !count)
        return numbers ? 0 : -1;
    double p25 = fence_rank(numbers, count, 25), p75 = fence_rank(numbers, count, 75);
    double low = p25 - args->param * (p75 - p25), high = p75 + args->param * (p75 - p25);
    struct column *to = frame_column(frame, column->name);
    for (uint32_t row = 0; to && row < batch->row_count; row++) {
        bool number = rows_number(column, row, &n);
        bool out = number && (n > high || (args->lower && n < low));
        uint32_t first, values = column_range(column, row, &first);
        if (out && args->remove)
            bits_clear(keep, row);
        struct value fence = out && !args->remove ? moved(args, n > high ? high : low, batch->arena)
                                                  : value_null();
        if (fence.type != VALUE_NULL && column_add(batch, to, row, fence) < 0)
            return -1;
        for (uint32_t k = 0; fence.type == VALUE_NULL && k < values; k++)
            if (column_add(batch, to, row, column_value(column, first + k)) < 0)
                return -1;
    }
    return to ? frame_put(frame, to) : -1;
}

int fences_apply(struct stage *op, struct frame *frame, const struct fence_args *args,
                 const struct field_list *fields, uint64_t *keep, struct err *err)
{
    static const struct slice star = {"*", 1};
    struct field_list all = {.names = &star, .count = 1};
    struct slice *names;
    uint32_t count;
    if (rows_expand(frame->batch, fields->count ? fields : &all, frame->batch->arena, &names,
                    &count) < 0)
        return run_nomem(op->run, err);
    for (uint32_t i = 0; i < count; i++) {
        const struct column *column = batch_find(frame->batch, names[i]);
        if (column && apply_one(frame, args, column, keep) < 0)
            return run_nomem(op->run, err);
    }
    return 0;
}

int rows_emit_kept(struct stage *op, const struct frame *frame, const uint64_t *keep,
                   struct err *err)
{
    uint32_t total = frame->batch->row_count, count = 0;
    uint32_t *rows = arena_array(op->run->arena, total + 1U, sizeof(*rows));
    for (uint32_t row = 0; rows && row < total; row++)
        if (bits_get(keep, row))
            rows[count++] = row;
    return rows ? stage_emit(op, frame->batch, rows, count, err) : run_nomem(op->run, err);
}
