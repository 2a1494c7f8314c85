/* stats and sistats: reading, grouping, the rows out. */
#include "search/commands/stats_rows.h"

#include "base/map.h"
#include "search/commands/command_sort.h"

const struct command_option stats_options[] = {
    {.name = "allnum",
     OPTION_BOOL,
     offsetof(struct stats_args, allnum),
     "numbers only of fields without other values",
     .standard = "f"},
    {.name = "delim", OPTION_TEXT, offsetof(struct stats_args, delim), "accepted, does nothing"},
    {.name = "partitions",
     OPTION_I64,
     offsetof(struct stats_args, partitions),
     "accepted, does nothing"},
    {.name = "dedup_splitvals",
     OPTION_BOOL,
     offsetof(struct stats_args, accepted),
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

struct stats {
    struct aggregator a;
    struct map texts; /* allnum: fields with some value that is no number */
};

static bool has_text(const struct column *column, const struct frame *frame)
{
    int128 room;
    struct value n;
    for (uint32_t i = 0; column && i < column->count; i++)
        if (bits_get(frame->selected, column->rows[i]) &&
            !stat_number(column_value(column, i), &room, &n))
            return true;
    return false;
}

static int note_texts(struct stage *op, const struct frame *frame, struct err *err)
{
    struct stats *stats = op->state;
    for (size_t slot = 0; slot < stats->a.slot_count; slot++) {
        struct slice field = aggregator_field(&stats->a, slot);
        if (field.ptr && !map_has(&stats->texts, field) &&
            has_text(batch_find(frame->batch, field), frame) &&
            map_put(&stats->texts, field, stats) < 0)
            return run_nomem(op->run, err);
    }
    return 0;
}

static void drop_texts(const struct stats *stats, struct batch *batch)
{
    for (size_t slot = 0; slot < stats->a.slot_count; slot++) {
        struct slice field = aggregator_field(&stats->a, slot);
        struct column *column = batch_find(batch, aggregator_name(&stats->a, slot));
        if (column && field.ptr && aggregator_stat(&stats->a, slot)->flags & STAT_NUMBERS &&
            map_has(&stats->texts, field))
            column->count = 0;
    }
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct stats_args *args = op->command->args;
    struct stats *stats = op->state;
    if (aggregator_add(&stats->a, frame, NULL, err) < 0)
        return -1;
    return args->allnum ? note_texts(op, frame, err) : 0;
}

static int finish(struct stage *op, struct err *err)
{
    const struct stats_args *args = op->command->args;
    struct stats *stats = op->state;
    struct aggregator *a = &stats->a;
    struct batch *batch;
    struct group_list first = {NULL, 0};
    uint64_t rows;
    const struct sort_key *key = args->allnum ? NULL : sort_first_key(op->command->next, &rows);
    if (aggregator_whole(a, err) < 0 ||
        (key && aggregator_keep_first(a, key, rows, &first, err) < 0) ||
        aggregator_batch(a, &first, op->run->arena, &batch, err) < 0)
        return -1;
    if (args->allnum)
        drop_texts(stats, batch);
    return stage_emit(op, batch, NULL, batch->row_count, err);
}

int stats_make(struct run *run, const struct spl_command *command, struct stage *op,
               struct err *err)
{
    const struct stats_args *args = command->args;
    struct stats *stats = arena_calloc(run->arena, sizeof(*stats));
    op->push = push;
    op->finish = finish;
    op->state = stats;
    if (!stats)
        return run_nomem(run, err);
    map_init(&stats->texts, run->arena);
    return aggregator_init(&stats->a, run, &args->aggs, args->by.names, args->by.count, 0, err);
}
