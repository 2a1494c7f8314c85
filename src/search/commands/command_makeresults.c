/* makeresults: rows out of nothing. */
#include "event/schema.h"
#include "search/rows.h"
#include "search/stage.h"
#include "search/table_source.h"

struct makeresults_args {
    int64_t count;
    bool annotate;
    struct slice format, data, server;
};

static const char *const format_words[] = {"csv", "json", NULL};

static const struct command_option options[] = {
    {.name = "count",
     OPTION_I64,
     offsetof(struct makeresults_args, count),
     "rows",
     .standard = "1"},
    {.name = "annotate",
     OPTION_BOOL,
     offsetof(struct makeresults_args, annotate),
     "accepted: the other default fields have no values here",
     .standard = "f"},
    {.name = "format",
     OPTION_TEXT,
     offsetof(struct makeresults_args, format),
     "what data is written in",
     .words = format_words},
    {.name = "data", OPTION_TEXT, offsetof(struct makeresults_args, data), "the rows as text"},
    {.name = "splunk_server",
     OPTION_TEXT,
     offsetof(struct makeresults_args, server),
     "accepted, does nothing"},
};

enum { MAKERESULTS_MAX = 10 * 1000 * 1000 };

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct makeresults_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->count = 1;
    if (spl_take_options(p, args) < 0)
        return -1;
    if (args->count > MAKERESULTS_MAX)
        return spl_fail(p, "makeresults makes at most %d rows", MAKERESULTS_MAX);
    return spl_expect_end(p);
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    return stage_push(op, frame, err);
}

static int from_data(struct stage *op, struct batch *batch, struct err *err)
{
    const struct makeresults_args *args = op->command->args;
    struct slice name = slice_is_nocase(args->format, "csv") ? SLICE(".csv") : SLICE(".json");
    struct slice text = arena_copy(op->run->arena, args->data);
    if (!text.ptr)
        return run_nomem(op->run, err);
    return table_read(name, text, batch, err);
}

static int finish(struct stage *op, struct err *err)
{
    const struct makeresults_args *args = op->command->args;
    struct batch *batch = frame_batch_new(op->run->arena, 0);
    if (!batch)
        return run_nomem(op->run, err);
    if (args->data.ptr && from_data(op, batch, err) < 0)
        return -1;
    if (!args->data.ptr)
        batch->row_count = (uint32_t)args->count;
    int64_t now = op->run->scope.now_ns / NS_PER_SECOND * NS_PER_SECOND;
    for (uint32_t row = 0; row < batch->row_count; row++)
        if (batch_put(batch, row, FIELD_TIMESTAMP, value_time(now)) < 0)
            return run_nomem(op->run, err);
    return stage_emit(op, batch, NULL, batch->row_count, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    (void)run;
    (void)command;
    (void)err;
    op->push = push;
    op->finish = finish;
    return 0;
}

const struct command command_makeresults = {
    .name = "makeresults",
    .summary = "rows out of nothing",
    .syntax = "makeresults [options]",
    .flags = COMMAND_GENERATES,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
};
