/*
 * patterns: templates of log lines (search/templates.h) with how often each occurs, most frequent first.
 */
#include "event/schema.h"
#include "search/rows.h"
#include "search/templates.h"

struct patterns_args {
    struct slice field;
    struct value likeness;
    double t;
    int64_t shown;
};

#define AT(f) offsetof(struct patterns_args, f)
static const struct command_option options[] = {
    {.name = "field", OPTION_FIELD, AT(field), "the text (_raw)"},
    {.name = "t", OPTION_NUMBER, AT(likeness), "words of a template that must be equal, 0 to 1 (0.5)"},
    {.name = "limit", OPTION_I64, AT(shown), "templates shown (0: all)"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct patterns_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->field = FIELD_ORIGINAL;
    if (spl_take_options(p, args) < 0)
        return -1;
    args->t = args->likeness.type ? value_to_f64(args->likeness) : 0.5;
    if (!(args->t > 0 && args->t <= 1))
        return spl_fail(p, "t is more than 0 and at most 1");
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    wanted_reset(wanted);
    wanted_add(wanted, ((const struct patterns_args *)command->args)->field);
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct patterns_args *args = op->command->args;
    const struct column *column = batch_find(frame->batch, args->field);
    for (uint32_t i = 0; column && i < column->count; i++) {
        if (!bits_get(frame->selected, column->rows[i]))
            continue;
        struct slice line = rows_text(column_value(column, i), frame->batch->arena);
        if (line.ptr && !templates_add(op->state, line))
            return run_nomem(op->run, err);
    }
    return run_check(op->run, err);
}

static int put_row(struct stage *op, struct batch *out, const struct template *t)
{
    const struct templates *all = op->state;
    uint32_t row = out->row_count++;
    double percent = 100.0 * (double)t->lines / (double)all->lines;
    struct slice pattern = template_text(t, op->run->arena);
    return pattern.ptr && batch_put(out, row, SLICE("pattern"), value_string(pattern)) == 0 &&
                   batch_put(out, row, SLICE("count"), value_i64((int64_t)t->lines)) == 0 &&
                   batch_put(out, row, SLICE("percent"), rows_from_f64(percent)) == 0 &&
                   batch_put(out, row, SLICE("example"), value_string(t->example)) == 0
               ? 0
               : -1;
}

static int finish(struct stage *op, struct err *err)
{
    const struct patterns_args *args = op->command->args;
    struct templates *all = op->state;
    struct batch *out = frame_batch_new(op->run->arena, 0);
    uint32_t shown = all->count;
    if (!out)
        return run_nomem(op->run, err);
    templates_sort(all);
    if (args->shown && (uint64_t)args->shown < shown)
        shown = (uint32_t)args->shown;
    for (uint32_t i = 0; i < shown; i++)
        if (put_row(op, out, all->list[i]) < 0)
            return run_nomem(op->run, err);
    if (all->other) {
        run_message(op->run, "patterns-limit", op->command, true,
                    "patterns holds %d templates; %llu lines that are like none of them are counted "
                    "under <*>",
                    PATTERNS_MAX, (unsigned long long)all->other->lines);
        if (put_row(op, out, all->other) < 0)
            return run_nomem(op->run, err);
    }
    return stage_emit(op, out, NULL, out->row_count, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct patterns_args *args = command->args;
    struct templates *all = arena_alloc(run->arena, sizeof(*all));
    op->push = push;
    op->finish = finish;
    op->state = all;
    if (!all)
        return run_nomem(run, err);
    templates_init(all, run->arena, args->t, PATTERNS_MAX);
    return 0;
}

const struct command command_patterns = {
    .name = "patterns",
    .syntax = "patterns [options]",
    .summary = "templates of log lines with count, per cent and an example: patterns t=0.6",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
