/* rangemap: a word for a range of numbers. */
#include "search/rows.h"
#include "search/stage.h"

struct range {
    struct slice name;
    double low, high;
};

struct rangemap_args {
    struct slice field, other;
    struct range *ranges;
    size_t count;
};

/* "-5-10" and "1-100": the first - after a digit divides. */
static bool read_range(struct slice text, struct range *range)
{
    for (size_t i = 1; i < text.len; i++)
        if (text.ptr[i] == '-' && text.ptr[i - 1] != '-')
            return slice_to_f64(slice_sub(text, 0, i), &range->low) &&
                   slice_to_f64(slice_from(text, i + 1), &range->high) && range->low <= range->high;
    return false;
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct rangemap_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->other = SLICE("None");
    while (spl_at_option(p)) {
        struct slice name = p->token.text, value;
        struct spl_token at = p->token;
        if (spl_advance(p) < 0 || spl_take_value(p, &value) < 0)
            return -1;
        if (slice_is_nocase(name, "field")) {
            args->field = spl_field_alias(value);
        } else if (slice_is_nocase(name, "default")) {
            args->other = value;
        } else {
            args->ranges = spl_grow(p->arena, args->ranges, args->count, sizeof(*args->ranges));
            if (!args->ranges)
                return err_nomem(p->err);
            args->ranges[args->count].name = name;
            if (!read_range(value, &args->ranges[args->count++])) {
                p->token = at;
                return spl_fail(p, "a range is written name=low-high");
            }
        }
        if (spl_at_sign(p, ",") && spl_advance(p) < 0)
            return -1;
    }
    if (!args->field.ptr)
        return spl_fail(p, "rangemap needs field=");
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct rangemap_args *args = command->args;
    wanted_drop(wanted, SLICE("range"));
    wanted_add(wanted, args->field);
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct rangemap_args *args = op->command->args;
    struct column *to = frame_column(frame, SLICE("range"));
    for (uint32_t row = frame_next(frame, 0); to && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        struct value n, v = batch_first(frame->batch, row, args->field);
        bool number = value_to_number(v, frame->batch->arena, &n), some = false;
        for (size_t i = 0; number && i < args->count; i++) {
            double d = value_to_f64(n);
            if (d < args->ranges[i].low || d > args->ranges[i].high)
                continue;
            some = true;
            if (column_add(frame->batch, to, row, value_string(args->ranges[i].name)) < 0)
                return run_nomem(op->run, err);
        }
        if (!some && column_add(frame->batch, to, row, value_string(args->other)) < 0)
            return run_nomem(op->run, err);
    }
    if (!to || frame_put(frame, to) < 0)
        return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}

const struct command command_rangemap = {
    .name = "rangemap",
    .summary = "a word for a range, in the field range",
    .syntax = "rangemap field=FIELD NAME=LOW-HIGH ... [default=TEXT]",
    .flags = COMMAND_STREAMS | COMMAND_FREE_OPTIONS,
    .parse = parse,
    .want = want,
    .push = push,
};
