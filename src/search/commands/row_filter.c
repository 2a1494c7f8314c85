/* search and where: subsearches become part of the filter, rows that pass go on. */
#include "search/commands/row_filter.h"

#include "event/schema.h"
#include "expr/any_of.h"
#include "search/labels.h"
#include "search/spl_pipeline.h"

void filter_want(const struct spl_command *command, struct wanted *wanted)
{
    const struct spl_search *args = command->args;
    wanted_add_expr(wanted, args->expr);
    if (args->places) /* what a subsearch asks of is known when it has run */
        wanted->all = true;
}

static bool is_text_field(struct slice name)
{
    return slice_is(name, "search") || slice_is(name, "query");
}

static const struct expr *all_of(struct arena *arena, const struct expr *a, const struct expr *b)
{
    return a ? expr_and(arena, a, b) : b;
}

/* A row that is text of a search, as return and format make it. */
static int parse_text(struct run *run, struct slice text, const struct expr **out, struct err *err)
{
    struct spl_search found;
    if (spl_search_text(text, run->arena, &found, err) < 0)
        return err_within(err, "the text that a subsearch gave");
    if (found.places)
        return err_set(err, ERR_CONFIG, "the text that a subsearch gave has a subsearch in it");
    *out = found.expr ? found.expr : expr_constant(run->arena, value_bool(true));
    return *out ? 0 : run_nomem(run, err);
}

static int row_expr(struct run *run, const struct batch *rows, uint32_t row,
                    const struct expr **out, struct err *err)
{
    const struct expr *all = NULL;
    for (uint32_t c = 0; c < rows->column_count; c++) {
        const struct column *column = rows->columns[c];
        uint32_t first, count = column_range(column, row, &first);
        const struct expr *any = NULL;
        for (uint32_t i = 0; i < count; i++) {
            struct slice text = value_text(column->values[first + i], run->arena);
            const struct expr *one = NULL;
            if (!text.ptr)
                return run_nomem(run, err);
            if (is_text_field(column->name)) {
                if (parse_text(run, text, &one, err) < 0)
                    return -1;
            } else {
                one = expr_test_new(run->arena, column->name, TEST_EQUAL, TEST_NUMERIC, text);
            }
            any = !one ? NULL : any ? expr_or(run->arena, any, one) : one;
            if (!any)
                return run_nomem(run, err);
        }
        if (any && !(all = all_of(run->arena, all, any)))
            return run_nomem(run, err);
    }
    *out = all;
    return 0;
}

/* Events give their default fields only by name: internal ones and the text are left out. */
static void drop_internal(struct batch *rows)
{
    for (uint32_t i = 0; i < rows->column_count; i++) {
        struct slice name = rows->columns[i]->name;
        bool internal = slice_equal(name, FIELD_ORIGINAL) || slice_equal(name, FIELD_TIMESTAMP) ||
                        (name.len && name.ptr[0] == '_');
        if (internal && rows->column_count > 1)
            rows->columns[i]->count = 0;
    }
}

/* A test for all values of a column. NULL: memory is out. */
static const struct expr *any_of_column(struct run *run, const struct column *column)
{
    struct any_of *set = any_of_new(run->arena, column->count, 0);
    for (uint32_t i = 0; set && i < column->count; i++) {
        if (column->values[i].type == VALUE_NULL)
            continue;
        struct slice text = value_text(column->values[i], run->arena);
        if (!text.ptr || any_of_add(set, run->arena, text) < 0)
            set = NULL;
    }
    return set ? any_of_expr(set, run->arena, column->name) : NULL;
}

/* What holds for all rows that fulfil one of many: in each field that all of them have, one of its values.
 * *exact: nothing else is asked. *out NULL: there is nothing of that kind. */
static int values_expr(struct run *run, const struct batch *rows, const struct expr **out, bool *exact,
                       struct err *err)
{
    *out = NULL;
    *exact = true;
    for (uint32_t c = 0; c < rows->column_count; c++) {
        const struct column *column = rows->columns[c];
        if (!column->count)
            continue;
        bool all = column_is_dense(column, rows->row_count) && !is_text_field(column->name) &&
                   !(column->types_seen & 1U << VALUE_NULL);
        *exact &= all && !*out;
        if (!all || rows->row_count < ANY_OF_FROM || run->options->naive)
            continue;
        const struct expr *one = any_of_column(run, column);
        *out = one ? all_of(run->arena, *out, one) : NULL;
        if (!*out)
            return run_nomem(run, err);
    }
    return 0;
}

static int place_expr(struct run *run, const struct spl_place *place, const struct expr **out,
                      struct err *err)
{
    const struct expr *values;
    bool exact;
    struct batch *rows;
    const struct expr **list = NULL;
    size_t count = 0;
    if (run_subsearch(run, place->query, &rows, err) < 0)
        return -1;
    drop_internal(rows);
    if (values_expr(run, rows, &values, &exact, err) < 0)
        return -1;
    *out = values;
    if (values && exact)
        return 0;
    for (uint32_t row = 0; row < rows->row_count; row++) {
        const struct expr *one;
        if (row_expr(run, rows, row, &one, err) < 0)
            return -1;
        if (!one)
            continue;
        list = spl_grow(run->arena, list, count, sizeof(struct expr *));
        if (!list)
            return run_nomem(run, err);
        list[count++] = one;
    }
    if (count == 0)
        run_message(run, "subsearch-empty", NULL, false,
                    "a subsearch found nothing, so nothing can match it");
    *out = count == 0   ? expr_constant(run->arena, value_bool(false))
           : count == 1 ? list[0]
                        : expr_list(run->arena, EXPR_OR, list, count);
    if (*out && values)
        *out = expr_and(run->arena, values, *out);
    return *out ? 0 : run_nomem(run, err);
}

/* A copy of the tree with the place filled; what has no place in it is shared. */
static const struct expr *with_place(struct arena *arena, const struct expr *tree,
                                     const struct expr *place, const struct expr *filled)
{
    if (tree == place)
        return filled;
    for (size_t i = 0; i < tree->arg_count; i++) {
        const struct expr *one = with_place(arena, tree->args[i], place, filled);
        if (!one || one == tree->args[i]) {
            if (!one)
                return NULL;
            continue;
        }
        struct expr *copy = expr_list(arena, tree->kind, tree->args, tree->arg_count);
        if (!copy)
            return NULL;
        copy->args[i] = one;
        return copy;
    }
    return tree;
}

int filter_resolve(struct run *run, const struct spl_search *search, const struct expr **out,
                   struct err *err)
{
    *out = search->expr;
    for (const struct spl_place *place = search->places; place; place = place->next) {
        const struct expr *filled;
        if (place_expr(run, place, &filled, err) < 0)
            return -1;
        *out = with_place(run->arena, *out, place->place, filled);
        if (!*out)
            return run_nomem(run, err);
    }
    if (labels_replace(run, *out, out, err) < 0)
        return -1;
    if (!run->options->naive && any_of_gather(run->arena, *out, out) < 0)
        return run_nomem(run, err);
    return 0;
}

int command_filter(struct run *run, const struct spl_command *command, const struct expr **out,
                   bool *is_filter, struct err *err)
{
    const struct command *descriptor = command->descriptor;
    *is_filter = descriptor == &command_search || descriptor == &command_where;
    *out = NULL;
    return *is_filter && command->args ? filter_resolve(run, command->args, out, err) : 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    if (op->state && run_filter(op->run, frame, op->state, err) < 0)
        return -1;
    return bits_any(frame->selected, frame->batch->row_count) ? stage_push(op, frame, err) : 0;
}

int filter_make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct expr *filter;
    op->push = push;
    if (filter_resolve(run, command->args, &filter, err) < 0)
        return -1;
    op->state = (void *)(uintptr_t)filter;
    return 0;
}
