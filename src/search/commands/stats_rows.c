/* stats and sistats: reading, grouping, the rows out. */
#include "search/commands/stats_rows.h"

#include "search/commands/command_sort.h"

const struct command_option stats_options[] = {
    {.name = "allnum",
     OPTION_BOOL,
     offsetof(struct stats_args, allnum),
     "only fields that are all numbers",
     .standard = "f"},
    {.name = "delim",
     OPTION_TEXT,
     offsetof(struct stats_args, delim),
     "between values where they are joined"},
    {.name = "partitions",
     OPTION_I64,
     offsetof(struct stats_args, partitions),
     "accepted, does nothing"},
    {.name = "dedup_splitvals",
     OPTION_BOOL,
     offsetof(struct stats_args, allnum),
     "accepted, does nothing"},
};

int stats_parse(struct spl_parser *p, struct spl_command *command)
{
    static const char *const stops[] = {"by", NULL};
    struct stats_args *args = arena_calloc(p->arena, sizeof(*args));
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    if (spl_take_options(p, args) < 0 || spl_take_aggs(p, stops, &args->aggs) < 0)
        return -1;
    if (spl_at_word(p, "by") &&
        (spl_advance(p) < 0 || spl_take_fields(p, NULL, false, &args->by) < 0))
        return -1;
    if (args->by.count > 64)
        return spl_fail(p, "stats groups by at most 64 fields");
    return spl_expect_end(p);
}

void stats_want(const struct spl_command *command, struct wanted *wanted)
{
    const struct stats_args *args = command->args;
    wanted_reset(wanted);
    wanted_add_list(wanted, &args->by);
    wanted_add_aggs(wanted, &args->aggs);
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    return aggregator_add(op->state, frame, NULL, err);
}

static int finish(struct stage *op, struct err *err)
{
    struct aggregator *a = op->state;
    struct batch *batch;
    struct group_list first = {NULL, 0};
    uint64_t rows;
    const struct sort_key *key = sort_first_key(op->command->next, &rows);
    if (aggregator_whole(a, err) < 0 ||
        (key && aggregator_keep_first(a, key, rows, &first, err) < 0) ||
        aggregator_batch(a, &first, op->run->arena, &batch, err) < 0)
        return -1;
    return stage_emit(op, batch, NULL, batch->row_count, err);
}

int stats_make(struct run *run, const struct spl_command *command, struct stage *op,
               struct err *err)
{
    const struct stats_args *args = command->args;
    struct aggregator *a = arena_calloc(run->arena, sizeof(*a));
    op->push = push;
    op->finish = finish;
    op->state = a;
    if (!a)
        return run_nomem(run, err);
    return aggregator_init(a, run, &args->aggs, args->by.names, args->by.count, 0, err);
}
