/* stats: one row a group. */
#include "search/spl_pipeline.h"

#include "search/aggregate.h"
#include "search/command_sort.h"

struct stats_args {
    bool allnum;
    struct slice delim;
    int64_t partitions;
    struct agg_list aggs;
    struct field_list by;
    struct span by_span; /* of _time, in "by _time span=1h" */
};

static const struct command_option options[] = {
    {"allnum", OPTION_BOOL, offsetof(struct stats_args, allnum),
     "only fields that are all numbers"},
    {"delim", OPTION_TEXT, offsetof(struct stats_args, delim),
     "between values where they are joined"},
    {"partitions", OPTION_I64, offsetof(struct stats_args, partitions), "accepted, does nothing"},
    {"dedup_splitvals", OPTION_BOOL, offsetof(struct stats_args, allnum), "accepted, does nothing"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
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

static void want(const struct spl_command *command, struct wanted *wanted)
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

static int make(struct run *run, const struct spl_command *command, struct stage *op,
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

extern const struct command command_stats;

bool stats_need_order(const struct spl_command *command)
{
    static const char *const names[] = {"first", "last", "list", "mode"};
    const struct stats_args *args = command->args;
    if (command->descriptor != &command_stats)
        return false;
    for (size_t i = 0; i < args->aggs.count; i++)
        for (size_t n = 0; n < ARRAY_COUNT(names); n++)
            if (slice_is(slice_text(args->aggs.aggs[i].stat->name), names[n]))
                return true;
    return false;
}

bool stats_reads_codes(const struct spl_command *command)
{
    const struct stats_args *args = command->args;
    if (command->descriptor != &command_stats)
        return false;
    for (size_t i = 0; i < args->aggs.count; i++)
        if (args->aggs.aggs[i].expr)
            return false;
    return true;
}

const struct command command_stats = {"stats",
                                      0,
                                      "statistics, one row a group: stats count avg(bytes) by host",
                                      COMMAND_TRANSFORMS | COMMAND_HOLDS,
                                      options,
                                      ARRAY_COUNT(options),
                                      parse,
                                      make,
                                      want,
                                      0};
const struct command command_sistats = {"sistats",  0,
                                        "as stats", COMMAND_TRANSFORMS | COMMAND_HOLDS,
                                        options,    ARRAY_COUNT(options),
                                        parse,      make,
                                        want,       0};
