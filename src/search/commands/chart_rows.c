/* chart and timechart: rows in. */
#include "search/commands/chart.h"

/* Times that ascend, as a block of the store has them: the buckets become a dictionary, and a row
 * costs a comparison. False: they do not, or memory is out. */
static bool bucket_codes(struct stage *op, const struct frame *frame, const struct column *from,
                         struct column *to)
{
    const struct chart *chart = op->state;
    struct arena *arena = frame->batch->arena;
    uint32_t *codes = arena_alloc(arena, (from->count + 1U) * sizeof(*codes)), count = 0;
    struct value *dict = arena_alloc(arena, (from->count + 1U) * sizeof(*dict));
    int64_t start = 0, end = INT64_MIN, before = INT64_MIN;
    for (uint32_t i = 0; codes && dict && i < from->count; i++) {
        int64_t ns = from->values[i].i64;
        if (ns < before)
            return false;
        if (ns >= end || count == 0) {
            if (!span_time_bucket(&chart->span, op->run->scope.zone, 0, ns, &start, &end))
                return false;
            dict[count++] = value_time(start);
        }
        codes[i] = count - 1;
        before = ns;
    }
    to->rows = from->rows;
    to->count = to->size = from->count;
    to->codes = codes;
    to->dict = dict;
    to->dict_count = count;
    to->types_seen = from->types_seen;
    return codes && dict && count;
}

/* Expressions read values, and there are none beside the codes. */
static bool may_bucket_codes(const struct stage *op, const struct column *from)
{
    const struct chart_args *args = op->command->args;
    const struct chart *chart = op->state;
    for (size_t i = 0; i < args->aggs.count; i++)
        if (args->aggs.aggs[i].expr)
            return false;
    return chart->span.kind == SPAN_TIME && from->values && !from->multi &&
           from->types_seen == 1U << VALUE_TIME;
}

static int bucket_x(struct stage *op, struct frame *frame, struct err *err)
{
    const struct chart_args *args = op->command->args;
    struct chart *chart = op->state;
    const struct column *from = batch_find(frame->batch, args->x);
    struct column *to = frame_column(frame, chart->by[0]);
    if (to && from && may_bucket_codes(op, from) && bucket_codes(op, frame, from, to))
        return frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
    if (to)
        *to = (struct column){.name = to->name};
    int64_t start = 0, end = INT64_MIN;
    for (uint32_t i = 0; to && from && i < from->count; i++) {
        struct value v = column_value(from, i), n;
        if (!bits_get(frame->selected, from->rows[i]))
            continue;
        if (chart->span.kind == SPAN_TIME) {
            bool ok;
            int64_t ns = 0;
            ok = rows_time(v, &ns);
            bool inside = end != INT64_MIN && ns >= start && ns < end;
            if (!ok || (!inside &&
                        !span_time_bucket(&chart->span, op->run->scope.zone, 0, ns, &start, &end)))
                continue;
            v = value_time(start);
        } else if (value_to_number(v, frame->batch->arena, &n)) {
            struct slice text =
                span_number_bucket(&chart->span, value_to_f64(n), frame->batch->arena);
            v = text.ptr ? value_string(text) : v;
        }
        if (column_add(frame->batch, to, from->rows[i], v) < 0)
            return run_nomem(op->run, err);
    }
    return !to || frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

int chart_push(struct stage *op, struct frame *frame, struct err *err)
{
    struct chart *chart = op->state;
    if (chart->span.kind && bucket_x(op, frame, err) < 0)
        return -1;
    return aggregator_add(&chart->a, frame, NULL, err);
}

int chart_begin(struct stage *op, struct err *err)
{
    const struct chart_args *args = op->command->args;
    struct chart *chart = op->state;
    return aggregator_init(&chart->a, op->run, op->run->arena, &args->aggs, chart->by, args->y.ptr ? 2 : 1, 2, err);
}

int chart_make(struct run *run, const struct spl_command *command, struct stage *op, bool hold,
               struct err *err)
{
    const struct chart_args *args = command->args;
    if (stage_hold(run, op, sizeof(struct chart), chart_emit, err) < 0)
        return -1;
    struct chart *chart = op->state;
    if (!hold)
        op->push = chart_push;
    chart->span = args->span;
    /* beside the times, which earliest() and rate() go by */
    chart->by[0] = args->time || args->span.kind ? SLICE("hinomi.bucket") : args->x;
    chart->by[1] = args->y;
    return chart_begin(op, err);
}
