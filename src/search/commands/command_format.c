/* format: the rows as the text of a search. */
#include "search/hold.h"
#include "search/rows.h"
#include "search/commands/search_text.h"

#include <stdlib.h>

enum { PART_COUNT = 6 };

struct format_args {
    struct slice mv_separator, empty;
    int64_t rows;
    struct slice parts[PART_COUNT]; /* row prefix, column prefix, separator, end; row separator, end */
};

#define AT(field) offsetof(struct format_args, field)
static const struct command_option options[] = {
    {.name = "mvsep", OPTION_TEXT, AT(mv_separator), "between several values of a field (OR)"},
    {.name = "maxresults", OPTION_I64, AT(rows), "rows taken (0: all)"},
    {.name = "emptystr", OPTION_TEXT, AT(empty), "the text when there are no rows (NOT ())"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct format_args *args = command_args(p, command, sizeof(*args));
    size_t count = 0;
    if (!args)
        return -1;
    *args = (struct format_args){.mv_separator = SLICE("OR"),
                                 .empty = SLICE("NOT ()"),
                                 .parts = {SLICE("("), SLICE("("), SLICE("AND"), SLICE(")"),
                                           SLICE("OR"), SLICE(")")}};
    while (p->token.kind != SPL_END) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (taken)
            continue;
        if (count == PART_COUNT || p->token.kind != SPL_TEXT)
            return spl_fail(p, "format takes six quoted texts: row prefix, column prefix, column "
                               "separator, column end, row separator, row end");
        args->parts[count++] = p->token.text;
        if (spl_advance(p) < 0)
            return -1;
    }
    if (count && count < PART_COUNT)
        return spl_fail(p, "format needs all six texts or none, and here are %zu", count);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct column *const *x = a, *const *y = b;
    return slice_compare((*x)->name, (*y)->name);
}

/* a="1" OR a="2", in brackets where there are several */
static void put_values(struct stage *op, struct buffer *to, const struct column *column,
                       uint32_t first, uint32_t count)
{
    const struct format_args *args = op->command->args;
    struct slice name = spl_field_shown(column->name, NULL);
    if (search_text_field(name)) /* the first value is the term */
        count = 1;
    buffer_put_text(to, count > 1 ? "( " : "");
    for (uint32_t k = 0; k < count; k++) {
        if (k)
            buffer_printf(to, " %.*s ", SLICE_ARG(args->mv_separator));
        search_text_pair(to, name, rows_text(column_value(column, first + k), op->run->arena));
    }
    buffer_put_text(to, count > 1 ? " )" : "");
}

/* Whether the row has anything to say. */
static bool put_row(struct stage *op, struct buffer *to, struct column **columns, uint32_t count,
                    uint32_t row, bool more)
{
    const struct format_args *args = op->command->args;
    bool some = false;
    for (uint32_t c = 0; c < count; c++) {
        uint32_t first, values = column_range(columns[c], row, &first);
        if (!values)
            continue;
        if (!some && more)
            buffer_printf(to, " %.*s ", SLICE_ARG(args->parts[4]));
        if (some)
            buffer_printf(to, " %.*s ", SLICE_ARG(args->parts[2]));
        else
            buffer_printf(to, "%.*s ", SLICE_ARG(args->parts[1]));
        some = true;
        put_values(op, to, columns[c], first, values);
    }
    if (some)
        buffer_printf(to, " %.*s", SLICE_ARG(args->parts[3]));
    return some;
}

static int finish(struct stage *op, struct err *err)
{
    const struct format_args *args = op->command->args;
    const struct batch *batch = ((struct hold *)op->state)->rows.batch;
    uint32_t rows = batch ? batch->row_count : 0, count = 0;
    struct column **columns =
        arena_array(op->run->arena, (batch ? batch->column_count : 0) + 1U, sizeof(*columns));
    struct buffer text;
    bool some = false;
    if (!columns)
        return run_nomem(op->run, err);
    for (uint32_t c = 0; batch && c < batch->column_count; c++)
        if (!rows_is_internal(batch->columns[c]->name))
            columns[count++] = batch->columns[c];
    if (count)
        qsort(columns, count, sizeof(*columns), by_name);
    if (args->rows && (uint64_t)args->rows < rows)
        rows = (uint32_t)args->rows;
    buffer_init(&text, MEMORY_QUERY_MAX);
    buffer_printf(&text, "%.*s ", SLICE_ARG(args->parts[0]));
    for (uint32_t row = 0; row < rows; row++)
        some |= put_row(op, &text, columns, count, row, some);
    buffer_printf(&text, " %.*s", SLICE_ARG(args->parts[5]));
    if (!some) {
        buffer_clear(&text);
        buffer_put(&text, args->empty);
    }
    return search_text_emit(op, &text, err);
}

const struct command command_format = {
    .name = "format",
    .syntax = "format [options] [\"ROW\" \"COLUMN\" \"AND\" \"END\" \"OR\" \"END\"]",
    .summary = "the rows as the text of a search, in the field search",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = hold_make,
    .finish = finish,
};
