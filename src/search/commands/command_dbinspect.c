/* dbinspect: a row a stored part: a segment, or rows in memory. */
#include "search/commands/stored.h"

struct dbinspect_args {
    struct slice index, timeformat, span, corrupt;
    struct field_list indexes;
};

#define AT(f) offsetof(struct dbinspect_args, f)
static const struct command_option options[] = {
    {.name = "index", OPTION_TEXT, AT(index), "stars are allowed; several times for several"},
    {.name = "timeformat", OPTION_TEXT, AT(timeformat), "accepted: times are seconds since 1970"},
    {.name = "span", OPTION_TEXT, AT(span), "accepted"},
    {.name = "corruptonly", OPTION_TEXT, AT(corrupt), "accepted: hinomi verify looks for damage"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct dbinspect_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    if (stored_take_options(p, args, &args->index, &args->indexes, true) < 0)
        return -1;
    return spl_expect_end(p);
}

static int put(struct batch *out, const struct search_piece *piece)
{
    uint32_t row = out->row_count++;
    struct arena *arena = out->arena;
    struct slice id = arena_printf(arena, "%.*s~%llu", SLICE_ARG(piece->index),
                                   (unsigned long long)piece->number);
    struct value from = value_decimal(decimal_trim((struct decimal){piece->from_ns, 9}), arena);
    struct value to = value_decimal(decimal_trim((struct decimal){piece->to_ns, 9}), arena);
    const struct {
        const char *name;
        struct value v;
    } cells[] = {
        {"bucketId", value_string(id)},
        {"index", value_string(piece->index)},
        {"state", value_string(slice_text(piece->state))},
        {"eventCount", value_i64((int64_t)piece->rows)},
        {"startEpoch", piece->from_ns > piece->to_ns ? value_null() : from},
        {"endEpoch", piece->from_ns > piece->to_ns ? value_null() : to},
        {"rawSize", value_i64((int64_t)piece->raw_bytes)},
        {"sizeOnDiskMB", rows_from_f64((double)piece->bytes / (double)MIB)},
        {"path", piece->path.ptr ? value_string(piece->path) : value_null()},
    };
    if (!id.ptr)
        return -1;
    for (size_t i = 0; i < ARRAY_COUNT(cells); i++)
        if (cells[i].v.type != VALUE_NULL &&
            batch_put(out, row, spl_field_alias(slice_text(cells[i].name)), cells[i].v) < 0)
            return -1;
    return 0;
}

static int finish(struct stage *op, struct err *err)
{
    const struct dbinspect_args *args = op->command->args;
    const struct run *run = op->run;
    struct batch *out = frame_batch_new(run->arena, 0);
    struct search_piece *list;
    size_t count;
    if (!out)
        return run_nomem(op->run, err);
    if (stored_pieces(op->run, &args->indexes, &list, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        bool within = list[i].from_ns > list[i].to_ns ||
                      (list[i].to_ns >= run->from_ns && list[i].from_ns < run->to_ns);
        if (within && put(out, &list[i]) < 0)
            return run_nomem(op->run, err);
    }
    return stage_emit(op, out, NULL, out->row_count, err);
}

const struct command command_dbinspect = {
    .name = "dbinspect",
    .syntax = "dbinspect [options]",
    .summary = "the stored parts of indexes: dbinspect index=main",
    .flags = COMMAND_GENERATES | COMMAND_TRANSFORMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .push = stage_pass,
    .finish = finish,
};
