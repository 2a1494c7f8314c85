/* spath: fields of JSON text. */
#include "event/schema.h"
#include "search/json_path.h"
#include "search/rows.h"

struct spath_args {
    struct slice input, output, path;
};

static const struct command_option options[] = {
    {.name = "input",
     OPTION_FIELD,
     offsetof(struct spath_args, input),
     "the field to read",
     .standard = "_raw"},
    {.name = "output",
     OPTION_FIELD,
     offsetof(struct spath_args, output),
     "the field to set",
     .standard = "the path"},
    {.name = "path", OPTION_TEXT, offsetof(struct spath_args, path), "what to take: items{}.sku"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct spath_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->input = FIELD_ORIGINAL;
    while (p->token.kind != SPL_END) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (taken)
            continue;
        if (args->path.ptr || !spl_is_field(p))
            return spl_expect_end(p);
        args->path = p->token.text;
        if (spl_advance(p) < 0)
            return -1;
    }
    if (args->path.ptr && !args->output.ptr)
        args->output = spl_field_alias(args->path);
    return 0;
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct spath_args *args = command->args;
    if (args->output.ptr)
        wanted_add(wanted, args->output);
    wanted_add(wanted, args->input);
}

static int push_path(struct stage *op, struct frame *frame, struct err *err)
{
    const struct spath_args *args = op->command->args;
    const struct column *from = batch_find(frame->batch, args->input);
    const struct column *old = batch_find(frame->batch, args->output);
    struct column *to = frame_column(frame, args->output);
    for (uint32_t row = frame_next(frame, 0); to && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        struct value v = from ? column_first(from, row) : value_null();
        uint32_t before = to->count;
        struct slice text = value_text(v, frame->batch->arena);
        if (text.ptr && json_path_put(text, args->path, frame, to, row) < 0)
            return run_nomem(op->run, err);
        uint32_t first, n = old && to->count == before ? column_range(old, row, &first) : 0;
        for (uint32_t k = 0; k < n; k++)
            if (column_add(frame->batch, to, row, column_value(old, first + k)) < 0)
                return run_nomem(op->run, err);
    }
    if (!to || frame_put(frame, to) < 0)
        return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}

struct leaves_put {
    struct spread *spread;
    uint32_t row;
};

static int put_leaf(void *context, struct slice path, struct value v)
{
    struct leaves_put *to = context;
    return spread_put(to->spread, to->row, spl_field_alias(path), v);
}

/* Rows without the field in their JSON keep what they had. */
static int push_all(struct stage *op, struct frame *frame, struct err *err)
{
    const struct spath_args *args = op->command->args;
    const struct column *from = batch_find(frame->batch, args->input);
    struct spread spread;
    struct leaves_put to = {.spread = &spread};
    spread_init(&spread, frame);
    for (uint32_t row = frame_next(frame, 0); from && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        struct slice text = value_text(column_first(from, row), frame->batch->arena);
        to.row = row;
        if (text.ptr && json_path_leaves(text, frame->batch->arena, put_leaf, &to) < 0)
            return run_nomem(op->run, err);
    }
    if (spread_finish(&spread) < 0)
        return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    (void)run;
    (void)err;
    op->push = ((const struct spath_args *)command->args)->path.ptr ? push_path : push_all;
    return 0;
}

const struct command command_spath = {
    .name = "spath",
    .summary = "fields of JSON text",
    .syntax = "spath [options] [PATH]",
    .notes = "Text that is no JSON leaves the row as it was.",
    .flags = COMMAND_STREAMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
