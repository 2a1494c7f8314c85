/* fillnull and filldown: values where there are none. */
#include "event/schema.h"
#include "search/hold.h"
#include "search/rewrite.h"

struct fill_args {
    struct slice value;
    struct field_list fields;
};

static const struct command_option options[] = {
    {"value", OPTION_TEXT, offsetof(struct fill_args, value), "what is put there (0)"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct fill_args *args = arena_calloc(p->arena, sizeof(*args));
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    args->value = SLICE("0");
    if (spl_take_options(p, args) < 0 || spl_take_fields(p, NULL, true, &args->fields) < 0)
        return -1;
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct fill_args *args = command->args;
    wanted_add_list(wanted, &args->fields);
    if (args->fields.count == 0)
        wanted->all = true;
}

static struct value as_number(struct slice text, struct arena *arena)
{
    struct value n;
    return value_to_number(value_string(text), arena, &n) ? n : value_string(text);
}

static bool is_listed(const struct fill_args *args, struct slice name)
{
    for (size_t i = 0; i < args->fields.count; i++)
        if (slice_matches_stars(name, args->fields.names[i]))
            return true;
    return args->fields.count == 0 && !slice_equal(name, FIELD_TIMESTAMP) &&
           !slice_equal(name, FIELD_ORIGINAL);
}

static int fill_named(struct stage *op, struct frame *frame, struct err *err)
{
    const struct fill_args *args = op->command->args;
    struct value v = as_number(args->value, frame->batch->arena);
    for (size_t i = 0; i < args->fields.count; i++)
        if (slice_find_char(args->fields.names[i], '*') < 0 &&
            frame_fill(op->run, frame, args->fields.names[i], v, err) < 0)
            return -1;
    return 0;
}

static int push_fill(struct stage *op, struct frame *frame, struct err *err)
{
    return fill_named(op, frame, err) < 0 ? -1 : stage_push(op, frame, err);
}

/* Without a list every field seen in any row counts, so all rows must be in. */
static int finish_fill(struct stage *op, struct err *err)
{
    const struct fill_args *args = op->command->args;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    struct value v = as_number(args->value, op->run->arena);
    for (uint32_t i = 0; i < frame.batch->column_count; i++)
        if (is_listed(args, frame.batch->columns[i]->name) &&
            frame_fill(op->run, &frame, frame.batch->columns[i]->name, v, err) < 0)
            return -1;
    return fill_named(op, &frame, err) < 0 ? -1 : hold_emit(op, &frame, err);
}

static int make_fill(struct run *run, const struct spl_command *command, struct stage *op,
                     struct err *err)
{
    const struct fill_args *args = command->args;
    if (args->fields.count == 0 || args->fields.wild)
        return stage_hold(run, op, 0, finish_fill, err);
    op->push = push_fill;
    return 0;
}

const struct command command_fillnull = {"fillnull",
                                         0,
                                         "a value where there is none: fillnull value=unknown user",
                                         COMMAND_HOLDS,
                                         options,
                                         ARRAY_COUNT(options),
                                         parse,
                                         make_fill,
                                         want,
                                         0};

/* ---- filldown: the value of the row before ---- */

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

static int finish_down(struct stage *op, struct err *err)
{
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    for (uint32_t i = 0; i < frame.batch->column_count; i++)
        if (is_listed(op->command->args, frame.batch->columns[i]->name) &&
            down_column(op, &frame, frame.batch->columns[i], err) < 0)
            return -1;
    return hold_emit(op, &frame, err);
}

static int make_down(struct run *run, const struct spl_command *command, struct stage *op,
                     struct err *err)
{
    (void)command;
    return stage_hold(run, op, 0, finish_down, err);
}

const struct command command_filldown = {"filldown",
                                         0,
                                         "the value of the row before where there is none",
                                         COMMAND_HOLDS,
                                         0,
                                         0,
                                         parse,
                                         make_down,
                                         want,
                                         0};
