/* spath: fields of JSON and XML text. */
#include "cut/xml_path.h"
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

struct found {
    struct batch *batch;
    struct column *to;
    uint32_t row;
};

static int put_found(void *context, struct slice path, struct slice text)
{
    struct found *found = context;
    (void)path;
    return column_add(found->batch, found->to, found->row, value_string(text));
}

/* Adds what the path finds in text as values of row. */
static int path_put(struct slice text, struct slice path, struct frame *frame, struct column *to,
                    uint32_t row)
{
    struct found found = {frame->batch, to, row};
    return xml_path_fits(text) ? xml_path_each(text, path, frame->batch->arena, put_found, &found)
                               : json_path_put(text, path, frame, to, row);
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
        if (text.ptr && path_put(text, args->path, frame, to, row) < 0)
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

static int put_text(void *context, struct slice path, struct slice text)
{
    return put_leaf(context, path, value_string(text));
}

static int put_leaves(struct slice text, struct arena *arena, struct leaves_put *to)
{
    return xml_path_fits(text) ? xml_path_leaves(text, arena, put_text, to)
                               : json_path_leaves(text, arena, put_leaf, to);
}

/* Rows without the field in their text keep what they had. */
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
        if (text.ptr && put_leaves(text, frame->batch->arena, &to) < 0)
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
    .summary = "fields of JSON and XML text",
    .syntax = "spath [options] [PATH]",
    .notes = "Text that is neither leaves the row as it was.\n"
             "items{0} is the first of a JSON array, item{1} the first of XML elements.",
    .flags = COMMAND_STREAMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
