/* fields and table: which columns go on. */
#include "event/schema.h"
#include "search/stage.h"

struct fields_args {
    struct field_list list;
    bool minus;
};

static int parse_fields(struct spl_parser *p, struct spl_command *command)
{
    struct fields_args *args = arena_calloc(p->arena, sizeof(*args));
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    args->minus = spl_at_word(p, "-");
    if ((args->minus || spl_at_word(p, "+")) && spl_advance(p) < 0)
        return -1;
    if (spl_take_fields(p, NULL, false, &args->list) < 0)
        return -1;
    return spl_expect_end(p);
}

static void want_fields(const struct spl_command *command, struct wanted *wanted)
{
    const struct fields_args *args = command->args;
    if (args->minus) {
        for (size_t i = 0; !wanted->all && i < args->list.count; i++)
            wanted_drop(wanted, args->list.names[i]);
        return;
    }
    wanted_reset(wanted);
    wanted_add_list(wanted, &args->list);
    wanted_add(wanted, FIELD_TIMESTAMP);
    wanted_add(wanted, FIELD_ORIGINAL);
}

static bool is_listed(const struct field_list *list, struct slice name, bool *by_name)
{
    bool listed = false;
    *by_name = false;
    for (size_t i = 0; i < list->count; i++) {
        bool wild = slice_find_char(list->names[i], '*') >= 0;
        bool match =
            wild ? slice_matches_stars(name, list->names[i]) : slice_equal(list->names[i], name);
        listed |= match;
        *by_name |= match && !wild;
    }
    return listed;
}

static bool is_internal(struct slice name)
{
    return slice_equal(name, FIELD_TIMESTAMP) || slice_equal(name, FIELD_ORIGINAL);
}

static int keep(struct stage *op, struct frame *frame, struct column **columns, uint32_t count,
                struct err *err)
{
    if (frame_keep(frame, columns, count) < 0)
        return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}

static int drop_listed(struct stage *op, struct frame *frame, struct err *err)
{
    const struct fields_args *args = op->command->args;
    struct batch *batch = frame->batch;
    struct column **columns = arena_array(batch->arena, batch->column_count + 1U, sizeof(*columns));
    if (!columns)
        return run_nomem(op->run, err);
    for (uint32_t i = 0; i < batch->column_count; i++) {
        bool by_name;
        bool listed = is_listed(&args->list, batch->columns[i]->name, &by_name);
        if (!listed || (is_internal(batch->columns[i]->name) && !by_name))
            columns[i] = batch->columns[i];
    }
    return keep(op, frame, columns, batch->column_count, err);
}

/* The list's order; a star stands for the names as they were first seen. */
static int list_columns(struct stage *op, struct frame *frame, const struct field_list *list,
                        struct column ***out, uint32_t *count, bool make_missing, struct err *err)
{
    struct batch *batch = frame->batch;
    size_t most = list->count * (batch->column_count + 1U) + 3;
    struct column **columns = arena_array(batch->arena, most, sizeof(*columns));
    *out = columns;
    *count = 0;
    if (!columns)
        return run_nomem(op->run, err);
    for (size_t f = 0; f < list->count; f++) {
        if (slice_find_char(list->names[f], '*') < 0) {
            struct column *column = batch_find(batch, list->names[f]);
            if (!column && make_missing && !(column = frame_column(frame, list->names[f])))
                return run_nomem(op->run, err);
            columns[(*count)++] = column;
            continue;
        }
        for (uint32_t i = 0; i < batch->column_count; i++)
            if (slice_matches_stars(batch->columns[i]->name, list->names[f]) &&
                !is_internal(batch->columns[i]->name))
                columns[(*count)++] = batch->columns[i];
    }
    return 0;
}

static int push_fields(struct stage *op, struct frame *frame, struct err *err)
{
    const struct fields_args *args = op->command->args;
    struct column **columns;
    uint32_t count;
    if (args->minus)
        return drop_listed(op, frame, err);
    if (list_columns(op, frame, &args->list, &columns, &count, true, err) < 0)
        return -1;
    columns[count++] = batch_find(frame->batch, FIELD_TIMESTAMP);
    columns[count++] = batch_find(frame->batch, FIELD_ORIGINAL);
    return keep(op, frame, columns, count, err);
}

const struct command command_fields = {
    "fields",        0, "keeps fields, or drops them: fields host user, fields - _raw",
    COMMAND_STREAMS, 0, 0,
    parse_fields,    0, want_fields,
    push_fields};

/* ---- table ---- */

static void want_table(const struct spl_command *command, struct wanted *wanted)
{
    const struct fields_args *args = command->args;
    wanted_reset(wanted);
    wanted_add_list(wanted, &args->list);
}

static int push_table(struct stage *op, struct frame *frame, struct err *err)
{
    const struct fields_args *args = op->command->args;
    struct column **columns;
    uint32_t count;
    if (list_columns(op, frame, &args->list, &columns, &count, true, err) < 0)
        return -1;
    return keep(op, frame, columns, count, err);
}

const struct command command_table = {"table",
                                      0,
                                      "these columns in this order: table _time host user",
                                      COMMAND_TRANSFORMS,
                                      0,
                                      0,
                                      parse_fields,
                                      0,
                                      want_table,
                                      push_table};
