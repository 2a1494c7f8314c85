/* append, appendcols, appendpipe, multisearch, union, inputlookup: more rows or columns. */
#include "search/hold.h"

struct sub_args {
    bool override, append;
    int64_t max_rows, max_time, timeout, start;
    struct slice table;
    struct spl_search where;
    const struct spl_query **queries;
    size_t count;
};

static const struct command_option options[] = {
    {"override", OPTION_BOOL, offsetof(struct sub_args, override), "the subsearch's values win"},
    {"maxout", OPTION_I64, offsetof(struct sub_args, max_rows), "rows taken (0: all)"},
    {"maxtime", OPTION_I64, offsetof(struct sub_args, max_time), "accepted: seconds"},
    {"timeout", OPTION_I64, offsetof(struct sub_args, timeout), "accepted: seconds"},
    {"extendtimerange", OPTION_BOOL, offsetof(struct sub_args, append), "accepted"},
    {"run_in_preview", OPTION_BOOL, offsetof(struct sub_args, append), "accepted"},
};

static struct sub_args *new_args(struct spl_parser *p, struct spl_command *command)
{
    struct sub_args *args = arena_calloc(p->arena, sizeof(*args));
    command->args = args;
    return args;
}

static int take_query(struct spl_parser *p, struct sub_args *args, bool pipeline)
{
    args->queries = spl_grow(p->arena, args->queries, args->count, sizeof(*args->queries));
    if (!args->queries)
        return err_nomem(p->err);
    const struct spl_query **to = &args->queries[args->count];
    if ((pipeline ? spl_take_pipeline(p, to) : spl_take_subsearch(p, to)) < 0)
        return -1;
    args->count++;
    return 0;
}

static int parse_one(struct spl_parser *p, struct spl_command *command)
{
    struct sub_args *args = new_args(p, command);
    bool pipeline = slice_is(slice_text(command->descriptor->name), "appendpipe");
    if (!args)
        return err_nomem(p->err);
    if (spl_take_options(p, args) < 0 || take_query(p, args, pipeline) < 0)
        return -1;
    return spl_expect_end(p);
}

static int parse_many(struct spl_parser *p, struct spl_command *command)
{
    struct sub_args *args = new_args(p, command);
    if (!args)
        return err_nomem(p->err);
    if (spl_take_options(p, args) < 0)
        return -1;
    while (p->token.kind == SPL_SUBSEARCH || spl_at_sign(p, ","))
        if ((p->token.kind == SPL_SUBSEARCH ? take_query(p, args, false) : spl_advance(p)) < 0)
            return -1;
    if (args->count == 0)
        return spl_fail(p, "here a subsearch in [ ] is needed");
    return spl_expect_end(p);
}

static int pass(struct stage *op, struct frame *frame, struct err *err)
{
    return stage_push(op, frame, err);
}

static int emit_all(struct stage *op, const struct batch *rows, int64_t most, struct err *err)
{
    uint32_t count = rows->row_count;
    if (most && (uint64_t)most < count)
        count = (uint32_t)most;
    return stage_emit(op, rows, NULL, count, err);
}

static int finish_append(struct stage *op, struct err *err)
{
    const struct sub_args *args = op->command->args;
    for (size_t i = 0; i < args->count; i++) {
        struct batch *rows;
        if (run_subsearch(op->run, args->queries[i], &rows, err) < 0 ||
            emit_all(op, rows, args->max_rows, err) < 0)
            return -1;
    }
    return 0;
}

static int make_append(struct run *run, const struct spl_command *command, struct stage *op,
                       struct err *err)
{
    (void)run;
    (void)command;
    (void)err;
    op->push = pass;
    op->finish = finish_append;
    return 0;
}

/* ---- appendcols ---- */

static int add_column(struct stage *op, struct frame *frame, const struct column *from,
                      struct err *err)
{
    const struct sub_args *args = op->command->args;
    const struct column *old = batch_find(frame->batch, from->name);
    struct column *to = frame_column(frame, from->name);
    for (uint32_t row = 0; to && row < frame->batch->row_count; row++) {
        uint32_t first, count = old ? column_range(old, row, &first) : 0;
        const struct column *source = old;
        uint32_t new_first, new_count = column_range(from, row, &new_first);
        if (new_count && (args->override || !count)) {
            source = from;
            first = new_first;
            count = new_count;
        }
        for (uint32_t k = 0; k < count; k++)
            if (column_add(frame->batch, to, row, source->values[first + k]) < 0)
                return run_nomem(op->run, err);
    }
    return !to || frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

static int finish_appendcols(struct stage *op, struct err *err)
{
    const struct sub_args *args = op->command->args;
    struct frame frame;
    bool failed;
    struct batch *rows;
    if (run_subsearch(op->run, args->queries[0], &rows, err) < 0)
        return -1;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : emit_all(op, rows, args->max_rows, err);
    uint32_t held = frame.batch->row_count;
    if (rows->row_count > held) /* rows beyond the main ones follow alone */
        frame.batch->row_count = rows->row_count;
    for (uint32_t c = 0; c < rows->column_count; c++) {
        struct slice name = rows->columns[c]->name;
        bool internal = name.len && (name.ptr[0] == '_' || name.ptr[0] == '@');
        if (!internal && add_column(op, &frame, rows->columns[c], err) < 0)
            return -1;
    }
    return hold_emit(op, &frame, err);
}

static int make_appendcols(struct run *run, const struct spl_command *command, struct stage *op,
                           struct err *err)
{
    (void)command;
    return stage_hold(run, op, 0, finish_appendcols, err);
}

/* ---- appendpipe ---- */

static int finish_appendpipe(struct stage *op, struct err *err)
{
    const struct sub_args *args = op->command->args;
    struct frame frame;
    struct batch *rows;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err)) {
        if (failed)
            return -1;
        frame.batch = frame_batch_new(op->run->arena, 0);
        if (!frame.batch)
            return run_nomem(op->run, err);
    } else if (hold_emit(op, &frame, err) < 0) {
        return -1;
    }
    if (run_pipeline(op->run, args->queries[0], frame.batch, &rows, err) < 0)
        return -1;
    return emit_all(op, rows, 0, err);
}

static int make_appendpipe(struct run *run, const struct spl_command *command, struct stage *op,
                           struct err *err)
{
    (void)command;
    return stage_hold(run, op, 0, finish_appendpipe, err);
}

/* ---- inputlookup ---- */

static const struct command_option inputlookup_options[] = {
    {"append", OPTION_BOOL, offsetof(struct sub_args, append), "after the rows that are there"},
    {"start", OPTION_I64, offsetof(struct sub_args, start), "rows left out first"},
    {"max", OPTION_I64, offsetof(struct sub_args, max_rows), "rows taken (0: all)"},
    {"strict", OPTION_BOOL, offsetof(struct sub_args, override), "accepted"},
};

static int parse_inputlookup(struct spl_parser *p, struct spl_command *command)
{
    struct sub_args *args = new_args(p, command);
    if (!args)
        return err_nomem(p->err);
    if (spl_take_options(p, args) < 0 || spl_take_field(p, &args->table) < 0 ||
        spl_take_options(p, args) < 0)
        return -1;
    if (spl_at_word(p, "where")) {
        if (spl_advance(p) < 0)
            return -1;
        return spl_take_search(p, false, NULL, &args->where);
    }
    return spl_expect_end(p);
}

static int finish_inputlookup(struct stage *op, struct err *err)
{
    const struct sub_args *args = op->command->args;
    struct batch *rows;
    if (run_table(op->run, args->table, &rows, err) < 0)
        return -1;
    uint32_t *order = arena_alloc(op->run->arena, (rows->row_count + 1U) * sizeof(*order));
    struct frame frame;
    uint32_t count = 0;
    if (!order || frame_share(&frame, rows, NULL, op->run->arena) < 0)
        return run_nomem(op->run, err);
    if (args->where.expr && run_filter(op->run, &frame, args->where.expr, err) < 0)
        return -1;
    for (uint32_t row = frame_next(&frame, 0); row < rows->row_count;
         row = frame_next(&frame, row + 1))
        order[count++] = row;
    uint32_t from = (uint64_t)args->start < count ? (uint32_t)args->start : count;
    uint32_t left = count - from;
    if (args->max_rows && (uint64_t)args->max_rows < left)
        left = (uint32_t)args->max_rows;
    return stage_emit(op, rows, order + from, left, err);
}

static int make_inputlookup(struct run *run, const struct spl_command *command, struct stage *op,
                            struct err *err)
{
    (void)run;
    (void)command;
    (void)err;
    op->push = pass;
    op->finish = finish_inputlookup;
    return 0;
}

const struct command command_append = {
    "append",  0,           "rows of a subsearch after these: append [search ...]",
    0,         options,     ARRAY_COUNT(options),
    parse_one, make_append, 0,
    0};
const struct command command_appendcols = {"appendcols",
                                           0,
                                           "columns of a subsearch beside these, row by row",
                                           COMMAND_HOLDS,
                                           options,
                                           ARRAY_COUNT(options),
                                           parse_one,
                                           make_appendcols,
                                           0,
                                           0};
const struct command command_appendpipe = {
    "appendpipe",
    0,
    "what a pipeline makes of these rows, after them: appendpipe [stats ...]",
    COMMAND_HOLDS,
    options,
    ARRAY_COUNT(options),
    parse_one,
    make_appendpipe,
    0,
    0};
const struct command command_multisearch = {
    "multisearch",
    0,
    "rows of several searches: multisearch [search ...] [search ...]",
    COMMAND_GENERATES,
    options,
    ARRAY_COUNT(options),
    parse_many,
    make_append,
    0,
    0};
const struct command command_union = {"union",
                                      0,
                                      "rows of several searches",
                                      COMMAND_GENERATES,
                                      options,
                                      ARRAY_COUNT(options),
                                      parse_many,
                                      make_append,
                                      0,
                                      0};
const struct command command_inputlookup = {
    "inputlookup",
    0,
    "rows of a lookup table: inputlookup assets where site=k*",
    COMMAND_GENERATES,
    inputlookup_options,
    ARRAY_COUNT(inputlookup_options),
    parse_inputlookup,
    make_inputlookup,
    0,
    0};
