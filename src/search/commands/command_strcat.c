/* strcat: fields and texts joined. */
#include "search/rows.h"
#include "search/stage.h"

struct strcat_part {
    struct slice text;
    bool literal;
};

struct strcat_args {
    bool all_required;
    struct strcat_part *parts;
    size_t count;
    struct slice to;
};

static const struct command_option options[] = {
    {.name = "allrequired",
     OPTION_BOOL,
     offsetof(struct strcat_args, all_required),
     "all fields must be there",
     .standard = "f"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct strcat_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    if (spl_take_options(p, args) < 0)
        return -1;
    while (spl_is_field(p)) {
        args->parts = spl_grow(p->arena, args->parts, args->count, sizeof(*args->parts));
        if (!args->parts)
            return err_nomem(p->err);
        bool literal = p->token.kind == SPL_TEXT;
        args->parts[args->count++] =
            (struct strcat_part){literal ? p->token.text : spl_field_alias(p->token.text), literal};
        if (spl_advance(p) < 0)
            return -1;
    }
    if (args->count < 2)
        return spl_fail(p, "strcat needs fields or texts, and the field to set");
    args->to = args->parts[--args->count].text;
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct strcat_args *args = command->args;
    wanted_drop(wanted, args->to);
    for (size_t i = 0; i < args->count; i++)
        if (!args->parts[i].literal)
            wanted_add(wanted, args->parts[i].text);
}

static int join_row(struct stage *op, struct frame *frame, struct column *to, uint32_t row,
                    struct err *err)
{
    const struct strcat_args *args = op->command->args;
    struct slice text = SLICE("");
    for (size_t i = 0; i < args->count; i++) {
        char small[VALUE_TEXT_SIZE];
        struct slice part = args->parts[i].text;
        if (!args->parts[i].literal) {
            struct value v = batch_first(frame->batch, row, part);
            if (v.type == VALUE_NULL && args->all_required)
                return 0;
            part = v.type == VALUE_NULL ? SLICE("") : value_text_small(v, small);
        }
        text = arena_printf(frame->batch->arena, "%.*s%.*s", SLICE_ARG(text), SLICE_ARG(part));
        if (!text.ptr)
            return run_nomem(op->run, err);
    }
    return column_add(frame->batch, to, row, value_string(text)) < 0 ? run_nomem(op->run, err) : 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct strcat_args *args = op->command->args;
    struct column *to = frame_column(frame, args->to);
    for (uint32_t row = frame_next(frame, 0); to && row < frame->batch->row_count;
         row = frame_next(frame, row + 1))
        if (join_row(op, frame, to, row, err) < 0)
            return -1;
    if (!to || frame_put(frame, to) < 0)
        return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}

const struct command command_strcat = {
    .name = "strcat",
    .summary = "joins fields and texts",
    .syntax = "strcat [allrequired=t|f] FIELD|\"TEXT\" ... TARGET",
    .flags = COMMAND_STREAMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .want = want,
    .push = push,
};
