/* mvexpand, makemv, nomv, mvcombine: fields with several values. */
#include "search/group.h"
#include "search/hold.h"
#include "search/rewrite.h"

struct mv_args {
    struct slice field, delim, tokenizer;
    bool allow_empty, setsv;
    int64_t limit;
    struct regex *regex;
};

#define AT(field) offsetof(struct mv_args, field)
static const struct command_option options[] = {
    {"delim", OPTION_TEXT, AT(delim), "between the values"},
    {"tokenizer", OPTION_TEXT, AT(tokenizer), "a regular expression with one group: each match"},
    {"allowempty", OPTION_BOOL, AT(allow_empty), "empty values between two delimiters count"},
    {"setsv", OPTION_BOOL, AT(setsv), "accepted"},
    {"limit", OPTION_I64, AT(limit), "values expanded (0: all)"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct mv_args *args = arena_calloc(p->arena, sizeof(*args));
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    args->delim = SLICE(" ");
    while (p->token.kind != SPL_END) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (taken)
            continue;
        if (args->field.ptr)
            return spl_expect_end(p);
        if (spl_take_field(p, &args->field) < 0)
            return -1;
    }
    if (!args->field.ptr)
        return spl_fail(p, "here the name of a field is needed");
    if (args->tokenizer.ptr && regex_new_in(p->arena, args->tokenizer, 0, &args->regex, p->err) < 0)
        return -1;
    return 0;
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    wanted_add(wanted, ((const struct mv_args *)command->args)->field);
}

static int put(struct stage *op, struct frame *frame, struct column *to, struct err *err)
{
    if (frame_put(frame, to) < 0)
        return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}

/* ---- makemv ---- */

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

static int push_makemv(struct stage *op, struct frame *frame, struct err *err)
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
    return put(op, frame, to, err);
}

/* ---- nomv ---- */

static int join_row(struct frame *frame, const struct column *from, uint32_t first, uint32_t count,
                    struct slice delim, struct column *to)
{
    struct buffer text;
    buffer_init(&text, 16 * MIB);
    for (uint32_t k = 0; k < count; k++) {
        char small[VALUE_TEXT_SIZE];
        if (k)
            buffer_put(&text, delim);
        buffer_put(&text, value_text_small(column_value(from, first + k), small));
    }
    struct slice copy =
        buffer_failed(&text) ? SLICE_NONE : arena_copy(frame->batch->arena, buffer_slice(&text));
    buffer_close(&text);
    if (!copy.ptr)
        return -1;
    return column_add(frame->batch, to, from->rows[first], value_string(copy));
}

static int push_nomv(struct stage *op, struct frame *frame, struct err *err)
{
    const struct mv_args *args = op->command->args;
    const struct column *from = batch_find(frame->batch, args->field);
    struct column *to = frame_column(frame, args->field);
    if (!to)
        return run_nomem(op->run, err);
    if (!from)
        return stage_push(op, frame, err);
    for (uint32_t i = 0; i < from->count;) {
        uint32_t count = 1;
        while (i + count < from->count && from->rows[i + count] == from->rows[i])
            count++;
        int result = count == 1 ? column_add(frame->batch, to, from->rows[i], column_value(from, i))
                                : join_row(frame, from, i, count, SLICE("\n"), to);
        if (result < 0)
            return run_nomem(op->run, err);
        i += count;
    }
    return put(op, frame, to, err);
}

/* ---- mvexpand ---- */

static int push_mvexpand(struct stage *op, struct frame *frame, struct err *err)
{
    const struct mv_args *args = op->command->args;
    const struct column *from = batch_find(frame->batch, args->field);
    uint32_t rows = frame->batch->row_count;
    if (!from || !from->multi)
        return stage_push(op, frame, err);
    size_t most = (size_t)rows + from->count + 1;
    uint32_t *order = arena_alloc(frame->batch->arena, most * sizeof(*order));
    struct value *values = arena_array(frame->batch->arena, most, sizeof(*values));
    uint32_t count = 0;
    if (!order || !values)
        return run_nomem(op->run, err);
    for (uint32_t row = frame_next(frame, 0); row < rows; row = frame_next(frame, row + 1)) {
        uint32_t first, n = column_range(from, row, &first), shown = n;
        if (args->limit && (uint64_t)args->limit < n)
            shown = (uint32_t)args->limit;
        if (shown < n)
            run_message(op->run, "limit", op->command, true,
                        "mvexpand kept %u values a row, as its limit says", shown);
        for (uint32_t k = 0; k < (n ? shown : 1); k++) {
            values[count] = n ? column_value(from, first + k) : value_null();
            order[count++] = row;
        }
    }
    struct frame out;
    if (frame_gather(&out, frame->batch, order, count, frame->batch->arena) < 0)
        return run_nomem(op->run, err);
    struct column *to = frame_column(&out, args->field);
    for (uint32_t i = 0; to && i < count; i++)
        if (values[i].type != VALUE_NULL && column_add(out.batch, to, i, values[i]) < 0)
            return run_nomem(op->run, err);
    return to ? put(op, &out, to, err) : run_nomem(op->run, err);
}

/* ---- mvcombine ---- */

static int finish_mvcombine(struct stage *op, struct err *err)
{
    const struct mv_args *args = op->command->args;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    struct arena *arena = op->run->arena;
    struct batch *batch = frame.batch;
    struct slice *names = arena_array(arena, batch->column_count + 1U, sizeof(*names));
    size_t count = 0;
    for (uint32_t c = 0; names && c < batch->column_count; c++)
        if (!slice_equal(batch->columns[c]->name, args->field) && batch->columns[c]->count)
            names[count++] = batch->columns[c]->name;
    struct grouper groups;
    struct group_rows rows;
    if (!names || count > 64 || grouper_init(&groups, arena, names, count, UINT64_MAX) < 0 ||
        grouper_rows(&groups, &frame, &rows) < 0)
        return count > 64 ? err_set(err, ERR_LIMIT, "mvcombine works on at most 64 fields")
                          : run_nomem(op->run, err);
    uint32_t *order = arena_array(arena, groups.count + 1U, sizeof(*order));
    const struct column *from = batch_find(batch, args->field);
    struct frame out;
    for (uint32_t i = rows.count; order && i-- > 0;)
        order[rows.groups[i]] = rows.rows[i];
    if (!order || frame_gather(&out, batch, order, groups.count, arena) < 0)
        return run_nomem(op->run, err);
    struct column *to = frame_column(&out, args->field);
    for (uint32_t g = 0; to && from && g < groups.count; g++)
        for (uint32_t i = 0; i < rows.count; i++) {
            uint32_t first, n = rows.groups[i] == g ? column_range(from, rows.rows[i], &first) : 0;
            for (uint32_t k = 0; k < n; k++)
                if (column_add(out.batch, to, g, from->values[first + k]) < 0)
                    return run_nomem(op->run, err);
        }
    if (!to || frame_put(&out, to) < 0)
        return run_nomem(op->run, err);
    return hold_emit(op, &out, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    struct slice name = slice_text(command->descriptor->name);
    if (slice_is(name, "mvcombine"))
        return stage_hold(run, op, 0, finish_mvcombine, err);
    op->push = slice_is(name, "makemv") ? push_makemv
               : slice_is(name, "nomv") ? push_nomv
                                        : push_mvexpand;
    return 0;
}

const struct command command_makemv = {"makemv",
                                       0,
                                       "a field's text to several values: makemv delim=\",\" to",
                                       COMMAND_STREAMS,
                                       options,
                                       ARRAY_COUNT(options),
                                       parse,
                                       make,
                                       want,
                                       0};
const struct command command_nomv = {"nomv",
                                     0,
                                     "several values to one text",
                                     COMMAND_STREAMS,
                                     options,
                                     ARRAY_COUNT(options),
                                     parse,
                                     make,
                                     want,
                                     0};
const struct command command_mvexpand = {"mvexpand",
                                         0,
                                         "a row for each value of a field",
                                         COMMAND_STREAMS,
                                         options,
                                         ARRAY_COUNT(options),
                                         parse,
                                         make,
                                         want,
                                         0};
const struct command command_mvcombine = {"mvcombine",
                                          0,
                                          "one row for rows that differ in a field only",
                                          COMMAND_HOLDS,
                                          options,
                                          ARRAY_COUNT(options),
                                          parse,
                                          make,
                                          0,
                                          0};
