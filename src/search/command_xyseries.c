/* xyseries and untable: rows to a table and back. */
#include "search/group.h"
#include "search/hold.h"

struct xy_args {
    bool grouped;
    struct slice sep, format;
    struct field_list fields; /* x, name, values ... */
};

static const struct command_option options[] = {
    {"grouped", OPTION_BOOL, offsetof(struct xy_args, grouped), "accepted"},
    {"sep", OPTION_TEXT, offsetof(struct xy_args, sep), "between value field and name (: )"},
    {"format", OPTION_TEXT, offsetof(struct xy_args, format), "accepted"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct xy_args *args = arena_calloc(p->arena, sizeof(*args));
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    args->sep = SLICE(": ");
    if (spl_take_options(p, args) < 0 || spl_take_fields(p, NULL, false, &args->fields) < 0)
        return -1;
    if (args->fields.count < 3)
        return spl_fail(p, "%s needs three fields: rows, names and values",
                        command->descriptor->name);
    return spl_expect_end(p);
}

static void want_xy(const struct spl_command *command, struct wanted *wanted)
{
    wanted_reset(wanted);
    wanted_add_list(wanted, &((const struct xy_args *)command->args)->fields);
}

static void want_all(const struct spl_command *command, struct wanted *wanted)
{
    (void)command;
    wanted->all = true;
}

static int put_cell(struct stage *op, struct batch *out, uint32_t at, struct slice name,
                    struct value v, struct err *err)
{
    struct column *to = batch_column(out, name);
    if (!to || column_add(out, to, at, v) < 0)
        return run_nomem(op->run, err);
    return 0;
}

static int finish_xy(struct stage *op, struct err *err)
{
    const struct xy_args *args = op->command->args;
    const struct slice *names = args->fields.names;
    struct arena *arena = op->run->arena;
    struct grouper groups;
    struct group_rows rows;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    struct batch *out = frame_batch_new(arena, 0);
    if (!out || !batch_column(out, names[0]) || grouper_init(&groups, arena, names, 1, 0) < 0 ||
        grouper_rows(&groups, &frame, &rows) < 0)
        return run_nomem(op->run, err);
    const uint32_t *order = grouper_sorted(&groups, NULL, arena);
    if (!order)
        return run_nomem(op->run, err);
    for (uint32_t g = 0; g < groups.count; g++) {
        uint32_t at = out->row_count++;
        if (put_cell(op, out, at, names[0], grouper_key(&groups, order[g], 0), err) < 0)
            return -1;
        for (uint32_t i = 0; i < rows.count; i++)
            for (size_t f = 2; rows.groups[i] == order[g] && f < args->fields.count; f++) {
                struct value v = batch_first(frame.batch, rows.rows[i], names[f]);
                struct value n = batch_first(frame.batch, rows.rows[i], names[1]);
                struct slice title = value_text(n, arena);
                if (v.type == VALUE_NULL || n.type == VALUE_NULL)
                    continue;
                if (args->fields.count > 3)
                    title = arena_printf(arena, "%.*s%.*s%.*s", SLICE_ARG(names[f]),
                                         SLICE_ARG(args->sep), SLICE_ARG(title));
                if (!title.ptr || put_cell(op, out, at, title, v, err) < 0)
                    return title.ptr ? -1 : run_nomem(op->run, err);
            }
    }
    return stage_emit(op, out, NULL, out->row_count, err);
}

static int finish_untable(struct stage *op, struct err *err)
{
    const struct xy_args *args = op->command->args;
    const struct slice *names = args->fields.names;
    const struct batch *rows = ((struct hold *)op->state)->rows.batch;
    struct batch *out = frame_batch_new(op->run->arena, 0);
    if (!out)
        return run_nomem(op->run, err);
    for (uint32_t row = 0; rows && row < rows->row_count; row++) {
        struct value x = batch_first(rows, row, names[0]);
        for (uint32_t c = 0; x.type != VALUE_NULL && c < rows->column_count; c++) {
            const struct column *from = rows->columns[c];
            struct value v = column_first(from, row);
            if (slice_equal(from->name, names[0]) || v.type == VALUE_NULL)
                continue;
            uint32_t at = out->row_count++;
            struct slice shown = spl_field_shown(from->name, op->run->query);
            if (put_cell(op, out, at, names[0], x, err) < 0 ||
                put_cell(op, out, at, names[1], value_string(shown), err) < 0 ||
                put_cell(op, out, at, names[2], v, err) < 0)
                return -1;
        }
    }
    return stage_emit(op, out, NULL, out->row_count, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    bool xy = slice_is(slice_text(command->descriptor->name), "xyseries");
    return stage_hold(run, op, 0, xy ? finish_xy : finish_untable, err);
}

const struct command command_xyseries = {"xyseries",
                                         0,
                                         "a table of rows: xyseries host status count",
                                         COMMAND_TRANSFORMS | COMMAND_HOLDS,
                                         options,
                                         ARRAY_COUNT(options),
                                         parse,
                                         make,
                                         want_xy,
                                         0};
const struct command command_untable = {"untable",
                                        0,
                                        "rows of a table: untable host status count",
                                        COMMAND_TRANSFORMS | COMMAND_HOLDS,
                                        options,
                                        ARRAY_COUNT(options),
                                        parse,
                                        make,
                                        want_all,
                                        0};
