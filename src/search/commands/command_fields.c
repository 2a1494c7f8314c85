/* fields: columns that go on, or that do not. */
#include "event/schema.h"
#include "search/commands/field_choice.h"

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct field_choice *args = command->args;
    if (args->minus) {
        for (size_t i = 0; !wanted->all && i < args->list.count; i++)
            wanted_drop(wanted, args->list.names[i]);
        return;
    }
    if (!wanted->all) {
        wanted_only(wanted, &args->list, field_is_internal);
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

static int drop_listed(struct stage *op, struct frame *frame, struct err *err)
{
    const struct field_choice *args = op->command->args;
    struct batch *batch = frame->batch;
    struct column **columns = arena_array(batch->arena, batch->column_count + 1U, sizeof(*columns));
    if (!columns)
        return run_nomem(op->run, err);
    for (uint32_t i = 0; i < batch->column_count; i++) {
        bool by_name;
        bool listed = is_listed(&args->list, batch->columns[i]->name, &by_name);
        if (!listed || (field_is_internal(batch->columns[i]->name) && !by_name))
            columns[i] = batch->columns[i];
    }
    return field_choice_keep(op, frame, columns, batch->column_count, err);
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct field_choice *args = op->command->args;
    struct column **columns;
    uint32_t count;
    if (args->minus)
        return drop_listed(op, frame, err);
    if (field_choice_columns(op, frame, &args->list, &columns, &count, err) < 0)
        return -1;
    columns[count++] = batch_find(frame->batch, FIELD_TIMESTAMP);
    columns[count++] = batch_find(frame->batch, FIELD_ORIGINAL);
    return field_choice_keep(op, frame, columns, count, err);
}

const struct command command_fields = {
    .name = "fields",
    .summary = "keeps fields, or drops them",
    .syntax = "fields [+|-] FIELD ...",
    .notes = "_time and _raw stay unless they are named.",
    .flags = COMMAND_STREAMS | COMMAND_READS_CODES | COMMAND_SPREADS,
    .parse = field_choice_parse,
    .want = want,
    .push = push,
};
