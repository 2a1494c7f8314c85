/* stats and sistats: reading, grouping, the rows out. */
#include "search/commands/stats_rows.h"

#include "base/map.h"
#include "search/commands/command_sort.h"
#include "search/overflow.h"
#include "search/rows.h"
#include "search/spl_pipeline.h"

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
    struct stats_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
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
    struct overflow *overflow; /* NULL: memory has room for all groups */
    struct map texts;          /* allnum: fields with some value that is no number */
    struct field_list blank;   /* at the end: columns that stay empty because of them */
    struct stage *op;
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

static int list_blank(struct stage *op, struct err *err)
{
    struct stats *stats = op->state;
    struct slice *names = arena_array(op->run->arena, stats->a.slot_count + 1, sizeof(*names));
    if (!names)
        return run_nomem(op->run, err);
    stats->blank = (struct field_list){.names = names};
    for (size_t slot = 0; slot < stats->a.slot_count; slot++) {
        struct slice field = aggregator_field(&stats->a, slot);
        if (field.ptr && aggregator_stat(&stats->a, slot)->flags & STAT_NUMBERS &&
            map_has(&stats->texts, field))
            names[stats->blank.count++] = aggregator_name(&stats->a, slot);
    }
    return 0;
}

static int begin_overflow(struct stage *op, struct err *err)
{
    struct stats *stats = op->state;
    stats->overflow = arena_alloc(op->run->arena, sizeof(*stats->overflow));
    return stats->overflow ? overflow_init(stats->overflow, &stats->a, err)
                           : run_nomem(op->run, err);
}

static int add_rows(struct stage *op, struct frame *frame, struct err *err)
{
    const struct stats_args *args = op->command->args;
    struct stats *stats = op->state;
    if ((stats->overflow ? overflow_add(stats->overflow, frame, err)
                         : aggregator_add(&stats->a, frame, NULL, err)) < 0)
        return -1;
    if (args->allnum && note_texts(op, frame, err) < 0)
        return -1;
    bool whole = !op->run->is_part; /* a part's memory is looked after by who gave it */
    return whole && !stats->overflow && overflow_is_near(&stats->a) ? begin_overflow(op, err) : 0;
}

/* Whole blocks are quickest, as long as there is room for all that one may bring. */
static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct stats *stats = op->state;
    struct frame_windows windows;
    if (op->run->is_part || !overflow_is_possible(&stats->a)) /* a part's frame is added or not at all */
        return add_rows(op, frame, err);
    if (frame_windows_init(&windows, frame) < 0)
        return run_nomem(op->run, err);
    while (frame_windows_next(&windows))
        if (add_rows(op, &windows.window, err) < 0)
            return -1;
    return 0;
}

static int emit(void *context, const struct batch *rows, struct err *err)
{
    const struct stats *stats = context;
    stats->op->run->groups_given = true;
    for (size_t i = 0; i < stats->blank.count; i++) {
        struct column *column = batch_find(rows, stats->blank.names[i]);
        if (column)
            column->count = 0;
    }
    return stage_emit(stats->op, rows, NULL, rows->row_count, err);
}

static int finish(struct stage *op, struct err *err)
{
    const struct stats_args *args = op->command->args;
    struct stats *stats = op->state;
    struct group_list first = {NULL, 0};
    uint64_t rows;
    const struct sort_key *key = args->allnum ? NULL : sort_first_key(op->command->next, &rows);
    stats->op = op;
    if (args->allnum && list_blank(op, err) < 0)
        return -1;
    if (stats->overflow && !op->run->preview)
        return overflow_each(stats->overflow, emit, stats, err);
    if (aggregator_whole(&stats->a, err) < 0 ||
        (key && aggregator_keep_first(&stats->a, key, rows, &first, err) < 0))
        return -1;
    return aggregator_each(&stats->a, &first, emit, stats, err);
}

static void release(struct stage *op)
{
    struct stats *stats = op->state;
    aggregator_drop(&stats->a);
}

static void free_arena(void *arena)
{
    arena_free(arena);
}

int stats_take_in(struct stage *op, const struct stage *part, struct err *err)
{
    struct stats *stats = op->state;
    const struct stats *other = part->state;
    return aggregator_take_in(&stats->a, &other->a, err);
}

int stats_make(struct run *run, const struct spl_command *command, struct stage *op,
               struct err *err)
{
    const struct stats_args *args = command->args;
    struct stats *stats = arena_calloc(run->arena, sizeof(*stats));
    struct arena *arena = arena_new_within(&run->memory->budget);
    op->push = push;
    op->finish = finish;
    op->release = release;
    op->state = stats;
    if (!arena || arena_defer(run->arena, free_arena, arena) < 0 || !stats)
        return run_nomem(run, err);
    map_init(&stats->texts, run->arena);
    uint64_t nullable = args->fill.ptr ? UINT64_MAX : 0;
    if (aggregator_init(&stats->a, run, arena, &args->aggs, args->by.names, args->by.count, nullable,
                        err) < 0)
        return -1;
    if (args->fill.ptr)
        stats->a.groups.null_as = value_string(args->fill);
    return 0;
}
