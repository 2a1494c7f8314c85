#include "search/spl_pipeline.h"

#include "base/limits.h"
#include "search/inline_text.h"
#include "search/spill.h"

#include <stdarg.h>
#include <stdio.h>

enum { KEPT_EIGHTHS = 5 }; /* of the memory: what is kept grows by half at a time, and still fits then */

/* Rows that people page through stay in memory: where they are too wide for it, as many as fit are kept, and that is said. */
static void keep_what_fits(struct pipeline *pipeline)
{
    const struct sorter *rows = pipeline->rows;
    const struct arena_budget *budget = &rows->run->memory->budget;
    if (rows->memory_only && pipeline->rows_max > rows->count && rows->count >= JOB_EVENTS_MAX &&
        budget->bytes_held > budget->bytes_max / 8 * KEPT_EIGHTHS)
        pipeline->rows_max = rows->count;
}

static int sink_push(struct stage *op, struct frame *frame, struct err *err)
{
    struct pipeline *pipeline = op->state;
    uint64_t count = frame_count(frame);
    uint64_t kept = pipeline->rows->count;
    keep_what_fits(pipeline);
    pipeline->rows_seen += count;
    if (pipeline->rows_max && kept + count > pipeline->rows_max) {
        uint32_t row = frame_next(frame, 0);
        for (uint64_t n = kept; n < pipeline->rows_max; n++)
            row = frame_next(frame, row + 1);
        for (; row < frame->batch->row_count; row = frame_next(frame, row + 1))
            bits_clear(frame->selected, row);
    }
    return pipeline->take ? pipeline->take(pipeline->take_context, frame, err)
                          : sorter_add(pipeline->rows, frame, err);
}

static int make_stage(struct run *run, const struct spl_command *command, struct stage *op,
                      struct err *err)
{
    const struct command *descriptor = command->descriptor;
    op->run = run;
    if (!descriptor)
        return err_set_at(err, ERR_CONFIG, command->start, command->end,
                          "here stands a macro that is not defined");
    if (inline_replace(run, command, &command, err) < 0)
        return -1;
    op->command = command;
    op->push = descriptor->push;
    op->finish = descriptor->finish;
    if (!descriptor->make && descriptor->push)
        return 0;
    if (!descriptor->make)
        return err_set_at(err, ERR_CONFIG, command->start, command->end,
                          "the command %s is known but not available yet", descriptor->name);
    if (descriptor->make(run, command, op, err) < 0) {
        if (err && err->start < 0) {
            err->start = command->start;
            err->end = command->end;
        }
        return -1;
    }
    return 0;
}

int pipeline_build(struct pipeline *pipeline, struct run *run, const struct spl_command *command,
                   struct err *err)
{
    size_t count = 0, i = 0;
    for (const struct spl_command *c = command; c; c = c->next)
        count++;
    *pipeline = (struct pipeline){.count = count};
    pipeline->stages = arena_array(run->arena, count + 1, sizeof(*pipeline->stages));
    if (!pipeline->stages)
        return run_nomem(run, err);
    pipeline->rows = arena_alloc(run->arena, sizeof(*pipeline->rows));
    if (!pipeline->rows)
        return run_nomem(run, err);
    if (sorter_init(pipeline->rows, run, NULL, 0, err) < 0)
        return -1;
    pipeline->rows->memory_only = true;
    for (; command; command = command->next, i++) {
        if (make_stage(run, command, &pipeline->stages[i], err) < 0)
            return -1;
        pipeline->stages[i].next = &pipeline->stages[i + 1];
    }
    pipeline->stages[count] = (struct stage){.push = sink_push, .run = run, .state = pipeline};
    return 0;
}

int pipeline_push(struct pipeline *pipeline, struct frame *frame, struct err *err)
{
    return pipeline->stages[0].push(&pipeline->stages[0], frame, err);
}

bool pipeline_satisfied(const struct pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->count; i++)
        if (pipeline->stages[i].satisfied)
            return true;
    return pipeline->rows_max && pipeline->rows_seen > pipeline->rows_max;
}

int pipeline_finish_one(struct stage *op, struct err *err)
{
    if (op->finish && op->finish(op, err) < 0)
        return -1;
    if (op->release && !op->run->preview)
        op->release(op);
    return 0;
}

int pipeline_finish(struct pipeline *pipeline, size_t first, struct err *err)
{
    for (size_t i = first; i < pipeline->count; i++)
        if (pipeline_finish_one(&pipeline->stages[i], err) < 0)
            return -1;
    return 0;
}

int stage_emit(struct stage *op, const struct batch *batch, const uint32_t *rows, uint32_t count,
               struct err *err)
{
    struct run *run = op->run;
    uint32_t order[FRAME_ROWS_MAX], most = search_memory_rows(run->memory);
    for (uint32_t at = 0; at < count; at += most) {
        uint32_t n = count - at < most ? count - at : most;
        struct frame frame;
        for (uint32_t i = 0; i < n; i++)
            order[i] = rows ? rows[at + i] : at + i;
        arena_reset(run->frames);
        if (frame_gather(&frame, batch, order, n, run->frames) < 0)
            return run_nomem(run, err);
        if (run_check(run, err) < 0 || stage_push(op, &frame, err) < 0)
            return -1;
    }
    return 0;
}

int run_nomem(struct run *run, struct err *err)
{
    int64_t max = run->options->memory_max ? run->options->memory_max : (int64_t)MEMORY_QUERY_MAX;
    return err_set(err, ERR_LIMIT,
                   "the search needs more than %lld MiB; narrow its time range, keep fewer fields "
                   "or group earlier",
                   (long long)(max / (int64_t)MIB));
}

static void tell_busy(const struct run *run)
{
    if (run->options->busy)
        run->options->busy(run->options->busy_context);
}

bool run_is_over(void *context)
{
    const struct run *run = context;
    tell_busy(run);
    return (run->cancelled && __atomic_load_n(run->cancelled, __ATOMIC_RELAXED)) ||
           (run->deadline_ns && clock_mono_ns(run->scope.clock) > run->deadline_ns);
}

int run_check(struct run *run, struct err *err)
{
    const struct hin_clock *clock = run->scope.clock;
    tell_busy(run);
    if (run->cancelled && __atomic_load_n(run->cancelled, __ATOMIC_RELAXED))
        return err_set(err, ERR_CANCELLED, "the search was cancelled");
    if (run->deadline_ns && clock_mono_ns(clock) > run->deadline_ns)
        return err_set(err, ERR_LIMIT, "the search took longer than %lld ms",
                       (long long)run->options->time_max_ms);
    return 0;
}

void run_message(struct run *run, const char *code, const struct spl_command *command,
                 bool incomplete, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct search_message *message = arena_calloc(run->arena, sizeof(*message));
    run->incomplete |= incomplete;
    if (!message || len < 0)
        return;
    message->code = code;
    message->text = arena_copy(run->arena, slice_text(text));
    message->command =
        command && command->descriptor ? slice_text(command->descriptor->name) : SLICE("");
    struct search_message **to = &run->messages;
    while (*to) {
        if (slice_equal((*to)->text, message->text))
            return; /* said already */
        to = &(*to)->next;
    }
    *to = message;
}

static int put_list(struct run *run, struct frame *frame, struct column *to, uint32_t row,
                    const struct value_list *list, const struct expr *expr, struct err *err)
{
    for (uint32_t i = 0; i < list->count; i++) {
        struct value v = list->values[i];
        if (v.type == VALUE_NULL)
            continue;
        if (v.type == VALUE_BOOL)
            return err_set_at(err, ERR_CONFIG, expr->start, expr->end,
                              "true or false cannot be kept in a field; use if(..., 1, 0) or "
                              "tostring(...)");
        struct value copy = value_copy(v, frame->batch->arena);
        if (copy.type != v.type || column_add(frame->batch, to, row, copy) < 0)
            return run_nomem(run, err);
    }
    return 0;
}

/* -1; when the work was given up, err says why. */
static int run_why(struct run *run, struct err *err)
{
    int result = run_check(run, err);
    return result < 0 ? result : -1;
}

enum { SCRATCH_ROWS = 64 }; /* rows between two resets of the scratch arena */

int run_eval(struct run *run, struct frame *frame, const struct expr *expr, struct slice name,
             struct column **out, struct err *err)
{
    struct column *to = frame_column(frame, name);
    uint32_t done = 0;
    *out = to;
    if (!to)
        return run_nomem(run, err);
    for (uint32_t row = frame_next(frame, 0); row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        struct value_list list;
        if (done++ % SCRATCH_ROWS == 0) {
            arena_reset(run->scratch);
            if (run_check(run, err) < 0)
                return -1;
        }
        if (expr_eval(expr, &run->scope, frame->batch, row, &list, err) < 0)
            return run_why(run, err);
        if (put_list(run, frame, to, row, &list, expr, err) < 0)
            return -1;
    }
    return 0;
}

int run_filter(struct run *run, struct frame *frame, const struct expr *expr, struct err *err)
{
    uint64_t *out = arena_calloc(frame->batch->arena, bits_words(frame->batch->row_count) * 8 + 8);
    if (!out)
        return run_nomem(run, err);
    arena_reset(run->scratch);
    if (expr_filter(expr, &run->scope, frame->batch, frame->selected, out, err) < 0)
        return run_why(run, err);
    frame->selected = out;
    return 0;
}
