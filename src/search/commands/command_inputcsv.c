/* inputcsv: rows of a CSV file in the folder csv. */
#include "search/commands/csv_file.h"
#include "search/hold.h"

struct inputcsv_args {
    bool append, dispatch, strict, events;
    int64_t start, max;
    struct slice name;
    struct spl_search where;
};

#define AT(f) offsetof(struct inputcsv_args, f)
static const struct command_option options[] = {
    {.name = "append", OPTION_BOOL, AT(append), "after the rows that are there (f)"},
    {.name = "dispatch", OPTION_BOOL, AT(dispatch), "accepted"},
    {.name = "strict", OPTION_BOOL, AT(strict), "accepted: a missing file always fails"},
    {.name = "events", OPTION_BOOL, AT(events), "accepted"},
    {.name = "start", OPTION_I64, AT(start), "rows left out first (0)"},
    {.name = "max", OPTION_I64, AT(max), "rows taken (0: all)"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct inputcsv_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    if (spl_take_options(p, args) < 0)
        return -1;
    args->name = p->token.text;
    if (!spl_is_field(p))
        return spl_fail(p, "here the name of a CSV file is needed");
    if (spl_advance(p) < 0 || spl_take_options(p, args) < 0)
        return -1;
    if (!spl_at_word(p, "where"))
        return spl_expect_end(p);
    return spl_advance(p) < 0 ? -1 : spl_take_search(p, false, NULL, &args->where);
}

static int finish(struct stage *op, struct err *err)
{
    const struct inputcsv_args *args = op->command->args;
    struct batch *rows;
    struct slice path;
    struct frame frame;
    if (csv_file_path(op->run, args->name, &path, err) < 0 ||
        csv_file_read(op->run, path, &rows, err) < 0)
        return -1;
    if (frame_share(&frame, rows, NULL, op->run->arena) < 0)
        return run_nomem(op->run, err);
    if (args->where.expr && run_filter(op->run, &frame, args->where.expr, err) < 0)
        return -1;
    uint32_t *order = arena_array(op->run->arena, rows->row_count + 1U, sizeof(*order));
    uint32_t count = 0;
    uint64_t seen = 0;
    for (uint32_t row = frame_next(&frame, 0); order && row < rows->row_count;
         row = frame_next(&frame, row + 1))
        if (seen++ >= (uint64_t)args->start && (!args->max || count < (uint64_t)args->max))
            order[count++] = row;
    return order ? stage_emit(op, rows, order, count, err) : run_nomem(op->run, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct inputcsv_args *args = command->args;
    struct slice path;
    op->push = stage_pass;
    op->finish = finish;
    return csv_file_path(run, args->name, &path, err);
}

const struct command command_inputcsv = {
    .name = "inputcsv",
    .syntax = "inputcsv [options] FILE [where SEARCH]",
    .summary = "rows of a file in the folder csv: inputcsv assets where site=k*",
    .flags = COMMAND_GENERATES | COMMAND_BRACKETS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
};
