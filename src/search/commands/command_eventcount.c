/* eventcount: how many events are stored, whatever the time range. */
#include "event/schema.h"
#include "search/commands/stored.h"

struct eventcount_args {
    bool summarize, report_size, list_vix, list_federated;
    struct slice index, server;
    struct field_list indexes;
};

#define AT(f) offsetof(struct eventcount_args, f)
static const struct command_option options[] = {
    {.name = "summarize", OPTION_BOOL, AT(summarize), "one number for all (t)"},
    {.name = "report_size", OPTION_BOOL, AT(report_size), "bytes as well (f)"},
    {.name = "index", OPTION_TEXT, AT(index), "stars are allowed; several times for several"},
    {.name = "list_vix", OPTION_BOOL, AT(list_vix), "accepted"},
    {.name = "list_federated_remote", OPTION_BOOL, AT(list_federated), "accepted"},
    {.name = "splunk_server", OPTION_TEXT, AT(server), "accepted"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct eventcount_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->summarize = true;
    if (stored_take_options(p, args, &args->index, &args->indexes, true) < 0)
        return -1;
    return spl_expect_end(p);
}

static int put(struct batch *out, const struct eventcount_args *args, uint64_t rows, uint64_t bytes,
               struct slice index)
{
    uint32_t row = out->row_count++;
    if (batch_put(out, row, SLICE("count"), value_i64((int64_t)rows)) < 0 ||
        (index.ptr && (batch_put(out, row, FIELD_STREAM, value_string(index)) < 0 ||
                       batch_put(out, row, SLICE("server"), value_string(SLICE("local"))) < 0)))
        return -1;
    return args->report_size ? batch_put(out, row, SLICE("size_bytes"), value_i64((int64_t)bytes))
                             : 0;
}

static int finish(struct stage *op, struct err *err)
{
    const struct eventcount_args *args = op->command->args;
    struct batch *out = frame_batch_new(op->run->arena, 0);
    struct search_piece *list;
    size_t count;
    uint64_t rows = 0, bytes = 0;
    if (!out)
        return run_nomem(op->run, err);
    if (stored_pieces(op->run, &args->indexes, &list, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        uint64_t own_rows = 0, own_bytes = 0;
        bool first = true;
        for (size_t k = 0; k < count; k++) {
            bool same = slice_equal(list[k].index, list[i].index);
            first &= !(same && k < i);
            own_rows += same ? list[k].rows : 0;
            own_bytes += same ? list[k].bytes : 0;
        }
        rows += list[i].rows;
        bytes += list[i].bytes;
        if (!args->summarize && first && put(out, args, own_rows, own_bytes, list[i].index) < 0)
            return run_nomem(op->run, err);
    }
    if (args->summarize && put(out, args, rows, bytes, SLICE_NONE) < 0)
        return run_nomem(op->run, err);
    return stage_emit(op, out, NULL, out->row_count, err);
}

const struct command command_eventcount = {
    .name = "eventcount",
    .syntax = "eventcount [options]",
    .summary = "how many events are stored: eventcount summarize=f index=*",
    .flags = COMMAND_GENERATES | COMMAND_TRANSFORMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .push = stage_pass,
    .finish = finish,
};
