/* xmlkv: <name>value</name> anywhere in a text becomes the field name. Elements that hold others give
 * the others; a name that comes again has several values. */
#include "cut/xml_scan.h"
#include "event/schema.h"
#include "search/rows.h"

struct xmlkv_args {
    struct slice field;
    int64_t inputs;
};

static const struct command_option options[] = {
    {.name = "maxinputs", OPTION_I64, offsetof(struct xmlkv_args, inputs), "accepted: all rows are read"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct xmlkv_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->field = FIELD_ORIGINAL;
    if (spl_take_options(p, args) < 0)
        return -1;
    if (p->token.kind != SPL_END && spl_take_field(p, &args->field) < 0)
        return -1;
    return spl_take_options(p, args) < 0 ? -1 : spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    wanted_add(wanted, ((const struct xmlkv_args *)command->args)->field);
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-' || c == '.' || c == ':' || (unsigned char)c >= 0x80;
}

/* <name attributes> at the start of text: its name and length; 0 when it is none. */
static size_t open_tag(struct slice text, struct slice *name)
{
    size_t end = 1;
    char quote = 0;
    while (end < text.len && is_name(text.ptr[end]))
        end++;
    *name = slice_sub(text, 1, end - 1);
    if (!name->len)
        return 0;
    for (; end < text.len && (quote || text.ptr[end] != '>'); end++) {
        char c = text.ptr[end];
        if (!quote && c == '<')
            return 0;
        if (c == '"' || c == '\'')
            quote = quote == c ? 0 : quote ? quote : c;
    }
    bool whole = end < text.len && text.ptr[end - 1] != '/';
    return whole ? end + 1 : 0;
}

static int take_row(struct spread *spread, uint32_t row, struct slice text)
{
    struct arena *arena = spread->frame->batch->arena;
    ptrdiff_t at;
    while ((at = slice_find_char(text, '<')) >= 0) {
        struct slice name;
        text = slice_from(text, (size_t)at);
        size_t len = open_tag(text, &name);
        struct slice rest = slice_from(text, len ? len : 1);
        ptrdiff_t end = len ? slice_find_char(rest, '<') : -1;
        text = rest;
        if (end < 0)
            continue;
        struct slice close = slice_from(rest, (size_t)end);
        if (!slice_starts(close, SLICE("</")) || !slice_starts(slice_from(close, 2), name) ||
            close.len < name.len + 3 || is_name(close.ptr[name.len + 2]))
            continue;
        struct slice value = xml_unescape(slice_sub(rest, 0, (size_t)end), arena);
        struct slice key = arena_copy(arena, name);
        if (!value.ptr || !key.ptr ||
            spread_put(spread, row, spl_field_alias(key), value_string(value)) < 0)
            return -1;
        text = slice_from(close, name.len + 2);
    }
    return 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct xmlkv_args *args = op->command->args;
    const struct column *from = batch_find(frame->batch, args->field);
    struct spread spread;
    spread_init(&spread, frame);
    for (uint32_t row = frame_next(frame, 0); from && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        uint32_t first, count = column_range(from, row, &first);
        for (uint32_t k = 0; k < count; k++) {
            struct slice text = rows_text(column_value(from, first + k), frame->batch->arena);
            if (text.ptr && take_row(&spread, row, text) < 0)
                return run_nomem(op->run, err);
        }
    }
    if (spread_finish(&spread) < 0)
        return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}

const struct command command_xmlkv = {
    .name = "xmlkv",
    .syntax = "xmlkv [FIELD] [options]",
    .summary = "fields of <name>value</name>: xmlkv body",
    .flags = COMMAND_STREAMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .push = push,
    .want = want,
};
