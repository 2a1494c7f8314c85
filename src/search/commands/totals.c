/* addtotals and addcoltotals: a column of row sums, a row of column sums. */
#include "search/commands/totals.h"

#include "event/schema.h"
#include "search/hold.h"
#include "search/rows.h"
#include "search/stat.h"

struct totals_args {
    bool row, col;
    struct slice name, label, label_field;
    struct field_list fields;
};

#define AT(field) offsetof(struct totals_args, field)
const struct command_option totals_options[] = {
    {.name = "row", OPTION_BOOL, AT(row), "a sum for each row"},
    {.name = "col", OPTION_BOOL, AT(col), "a row with the sum of each column"},
    {.name = "fieldname", OPTION_TEXT, AT(name), "the column of row sums", .standard = "Total"},
    {.name = "label",
     OPTION_TEXT,
     AT(label),
     "what stands in the row of sums",
     .standard = "Total"},
    {.name = "labelfield", OPTION_FIELD, AT(label_field), "where it stands"},
};

int totals_parse(struct spl_parser *p, struct spl_command *command, bool columns)
{
    struct totals_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    *args = (struct totals_args){
        .row = !columns, .col = columns, .name = SLICE("Total"), .label = SLICE("Total")};
    return spl_take_fields_options(p, args, NULL, &args->fields);
}

void totals_want(const struct spl_command *command, struct wanted *wanted)
{
    const struct totals_args *args = command->args;
    wanted_add_list(wanted, &args->fields);
    if (args->fields.count == 0)
        wanted->all = true;
}

static bool counts(const struct totals_args *args, struct slice name)
{
    for (size_t i = 0; i < args->fields.count; i++)
        if (slice_matches_stars(name, args->fields.names[i]))
            return true;
    return args->fields.count == 0 && !slice_equal(name, FIELD_TIMESTAMP) &&
           !slice_equal(name, FIELD_ORIGINAL) && (!name.len || name.ptr[0] != '_');
}

static const struct stat *sum_stat(void)
{
    const char *nearest;
    double percent;
    return stat_find(SLICE("sum"), &percent, &nearest);
}

static int row_totals(struct stage *op, struct frame *frame, struct err *err)
{
    const struct totals_args *args = op->command->args;
    struct stat_scope scope = {.arena = frame->batch->arena};
    const struct stat *sum = sum_stat();
    struct column *to = frame_column(frame, args->name);
    void *state = arena_calloc(frame->batch->arena, sum->size);
    for (uint32_t row = 0; to && state && row < frame->batch->row_count; row++) {
        struct value_list list = {0};
        memset(state, 0, sum->size);
        for (uint32_t c = 0; c < frame->batch->column_count; c++) {
            const struct column *column = frame->batch->columns[c];
            uint32_t first, n = counts(args, column->name) ? column_range(column, row, &first) : 0;
            for (uint32_t k = 0; k < n; k++)
                sum->add(&scope, state, column_value(column, first + k), 0);
        }
        sum->result(&scope, state, &list);
        if (column_add(frame->batch, to, row, list.count ? list.values[0] : value_i64(0)) < 0)
            return run_nomem(op->run, err);
    }
    return !to || !state || frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

/* One more row: the sums of the columns that hold only numbers. */
static int column_totals(struct stage *op, struct frame *frame, struct err *err)
{
    const struct totals_args *args = op->command->args;
    struct arena *arena = frame->batch->arena;
    struct stat_scope scope = {.arena = arena};
    const struct stat *sum = sum_stat();
    uint32_t last = frame->batch->row_count++, columns = frame->batch->column_count;
    for (uint32_t c = 0; c < columns; c++) {
        const struct column *old = frame->batch->columns[c];
        void *state = arena_calloc(arena, sum->size);
        struct column *to = frame_column(frame, old->name);
        struct value_list list = {0};
        if (!counts(args, old->name))
            continue;
        for (uint32_t i = 0; state && to && i < old->count; i++) {
            sum->add(&scope, state, column_value(old, i), 0);
            if (column_add(frame->batch, to, old->rows[i], column_value(old, i)) < 0)
                return run_nomem(op->run, err);
        }
        if (!state || !to)
            return run_nomem(op->run, err);
        sum->result(&scope, state, &list);
        if (list.count && column_add(frame->batch, to, last, list.values[0]) < 0)
            return run_nomem(op->run, err);
        if (frame_put(frame, to) < 0)
            return run_nomem(op->run, err);
    }
    if (!args->label_field.ptr)
        return 0;
    const struct column *old = batch_find(frame->batch, args->label_field);
    struct column *to = frame_column(frame, args->label_field);
    for (uint32_t i = 0; to && old && i < old->count; i++)
        if (old->rows[i] != last &&
            column_add(frame->batch, to, old->rows[i], column_value(old, i)) < 0)
            return run_nomem(op->run, err);
    if (!to || column_add(frame->batch, to, last, value_string(args->label)) < 0 ||
        frame_put(frame, to) < 0)
        return run_nomem(op->run, err);
    return 0;
}

static int finish(struct stage *op, struct err *err)
{
    const struct totals_args *args = op->command->args;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    if ((args->row && row_totals(op, &frame, err) < 0) ||
        (args->col && column_totals(op, &frame, err) < 0))
        return -1;
    return hold_emit(op, &frame, err);
}

int totals_make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    (void)command;
    return stage_hold(run, op, 0, finish, err);
}
