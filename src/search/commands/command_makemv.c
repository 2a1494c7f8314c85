/* makemv: a field's text to several values. */
#include "search/commands/mv_field.h"

static int split_value(const struct mv_args *args, struct frame *frame, struct column *to,
                       uint32_t row, struct slice text)
{
    struct regex_groups groups;
    if (args->regex) {
        for (size_t at = 0;
             at <= text.len && regex_capture(args->regex, text, at, &groups) == REGEX_YES;) {
            struct slice part = groups.count > 1 ? groups.group[1] : groups.group[0];
            size_t end = (size_t)(groups.group[0].ptr - text.ptr) + groups.group[0].len;
            if (part.ptr && column_add(frame->batch, to, row, value_string(part)) < 0)
                return -1;
            at = end > at ? end : end + 1;
        }
        return 0;
    }
    for (bool more = true; more;) {
        ptrdiff_t at = args->delim.len ? slice_find(text, args->delim) : -1;
        struct slice part = at < 0 ? text : slice_sub(text, 0, (size_t)at);
        more = at >= 0;
        if ((part.len || args->allow_empty) &&
            column_add(frame->batch, to, row, value_string(part)) < 0)
            return -1;
        text = slice_from(text, part.len + (more ? args->delim.len : 0));
    }
    return 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct mv_args *args = op->command->args;
    const struct column *from = batch_find(frame->batch, args->field);
    struct column *to = frame_column(frame, args->field);
    if (!to)
        return run_nomem(op->run, err);
    if (!from)
        return stage_push(op, frame, err);
    for (uint32_t i = 0; i < from->count; i++) {
        struct slice text = value_text(column_value(from, i), frame->batch->arena);
        if (text.ptr && bits_get(frame->selected, from->rows[i]) &&
            split_value(args, frame, to, from->rows[i], text) < 0)
            return run_nomem(op->run, err);
    }
    return mv_put(op, frame, to, err);
}

const struct command command_makemv = {
    .name = "makemv",
    .summary = "a field's text to several values",
    .syntax = "makemv [options] FIELD",
    .flags = COMMAND_STREAMS,
    .options = mv_options,
    .option_count = 4,
    .parse = mv_parse,
    .push = push,
    .want = mv_want,
};
