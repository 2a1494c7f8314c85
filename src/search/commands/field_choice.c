/* fields and table: reading the list, choosing the columns. */
#include "search/commands/field_choice.h"
#include "search/rows.h"

#include "event/schema.h"

int field_choice_parse(struct spl_parser *p, struct spl_command *command)
{
    struct field_choice *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->minus = spl_at_word(p, "-");
    if ((args->minus || spl_at_word(p, "+")) && spl_advance(p) < 0)
        return -1;
    if (spl_take_fields(p, NULL, false, &args->list) < 0)
        return -1;
    return spl_expect_end(p);
}

bool field_is_internal(struct slice name)
{
    return slice_equal(name, FIELD_TIMESTAMP) || slice_equal(name, FIELD_ORIGINAL);
}

int field_choice_keep(struct stage *op, struct frame *frame, struct column **columns,
                      uint32_t count, struct err *err)
{
    if (frame_keep(frame, columns, count) < 0)
        return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}

int field_choice_columns(struct stage *op, struct frame *frame, const struct field_list *list,
                         struct column ***out, uint32_t *count, struct err *err)
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
            if (!column && !(column = frame_column(frame, list->names[f])))
                return run_nomem(op->run, err);
            columns[(*count)++] = column;
            continue;
        }
        for (uint32_t i = 0; i < batch->column_count; i++)
            if (slice_matches_stars(batch->columns[i]->name, list->names[f]) &&
                !field_is_internal(batch->columns[i]->name))
                columns[(*count)++] = batch->columns[i];
    }
    return 0;
}
