/* dedup: the first N rows of each combination of values; uniq: of equal neighbours. */
#include "search/group.h"
#include "search/sort_keys.h"
#include "search/stage.h"

struct dedup_args {
    int64_t limit;
    bool keep_events, keep_empty, consecutive;
    struct field_list fields;
    struct sort_keys sort;
};

static const struct command_option options[] = {
    {.name = "keepevents",
     OPTION_BOOL,
     offsetof(struct dedup_args, keep_events),
     "keeps the rows, clears the fields",
     .standard = "f"},
    {.name = "keepempty",
     OPTION_BOOL,
     offsetof(struct dedup_args, keep_empty),
     "keeps rows that lack a field",
     .standard = "f"},
    {.name = "consecutive",
     OPTION_BOOL,
     offsetof(struct dedup_args, consecutive),
     "only rows that follow each other",
     .standard = "f"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct dedup_args *args = arena_calloc(p->arena, sizeof(*args));
    static const char *const stops[] = {"sortby", NULL};
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    args->limit = 1;
    if (p->token.kind == SPL_WORD && slice_to_i64(p->token.text, &args->limit)) {
        if (args->limit < 1)
            return spl_fail(p, "dedup keeps at least 1 row");
        if (spl_advance(p) < 0)
            return -1;
    }
    if (spl_take_fields_options(p, args, stops, &args->fields) < 0)
        return -1;
    if (args->fields.count == 0)
        return spl_fail(p, "here the name of a field is needed");
    if (spl_at_word(p, "sortby") &&
        (spl_advance(p) < 0 || spl_take_sort_keys(p, NULL, &args->sort) < 0))
        return -1;
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct dedup_args *args = command->args;
    wanted_add_list(wanted, &args->fields);
    for (size_t i = 0; i < args->sort.count; i++)
        wanted_add(wanted, args->sort.keys[i].field);
}

struct dedup {
    struct row_store rows; /* with sortby: what is left */
    struct grouper groups;
    uint32_t *seen; /* by group */
    uint32_t seen_room;
    uint32_t last; /* group of the row before */
    uint32_t run_length;
};

static bool count_row(struct stage *op, uint32_t group, bool *failed)
{
    const struct dedup_args *args = op->command->args;
    struct dedup *dedup = op->state;
    if (args->consecutive) {
        dedup->run_length = group == dedup->last ? dedup->run_length + 1 : 1;
        dedup->last = group;
        return dedup->run_length <= (uint64_t)args->limit;
    }
    while (group >= dedup->seen_room) {
        uint32_t room = dedup->seen_room ? 2 * dedup->seen_room : 256;
        uint32_t *seen = arena_grow(op->run->arena, dedup->seen, dedup->seen_room * sizeof(*seen),
                                    room * sizeof(*seen));
        if (!seen) {
            *failed = true;
            return false;
        }
        memset(seen + dedup->seen_room, 0, (room - dedup->seen_room) * sizeof(*seen));
        dedup->seen = seen;
        dedup->seen_room = room;
    }
    return ++dedup->seen[group] <= (uint64_t)args->limit;
}

/* keepevents: the rows stay but show the fields no more. */
static int clear_fields(struct stage *op, struct frame *frame, const uint64_t *first)
{
    const struct dedup_args *args = op->command->args;
    for (size_t f = 0; f < args->fields.count; f++) {
        const struct column *old = batch_find(frame->batch, args->fields.names[f]);
        struct column *fresh = old ? frame_column(frame, old->name) : NULL;
        if (!old)
            continue;
        for (uint32_t i = 0; fresh && i < old->count; i++)
            if (bits_get(first, old->rows[i]) &&
                column_add(frame->batch, fresh, old->rows[i], column_value(old, i)) < 0)
                return -1;
        if (!fresh || frame_put(frame, fresh) < 0)
            return -1;
    }
    return 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct dedup_args *args = op->command->args;
    struct dedup *dedup = op->state;
    struct group_rows rows;
    uint64_t *first =
        arena_calloc(frame->batch->arena, bits_words(frame->batch->row_count) * 8 + 8);
    uint64_t *present =
        arena_calloc(frame->batch->arena, bits_words(frame->batch->row_count) * 8 + 8);
    bool failed = !first || !present;
    if (failed || grouper_rows(&dedup->groups, frame, &rows) < 0)
        return run_nomem(op->run, err);
    for (uint32_t i = 0; i < rows.count; i++) {
        bool again = i > 0 && rows.rows[i] == rows.rows[i - 1];
        bits_set(present, rows.rows[i]);
        if (!again && count_row(op, rows.groups[i], &failed))
            bits_set(first, rows.rows[i]);
    }
    if (args->keep_empty)
        for (uint32_t row = frame_next(frame, 0); row < frame->batch->row_count;
             row = frame_next(frame, row + 1))
            if (!bits_get(present, row))
                bits_set(first, row);
    if (failed || (args->keep_events && clear_fields(op, frame, first) < 0))
        return run_nomem(op->run, err);
    if (!args->keep_events)
        bits_and(frame->selected, first, frame->batch->row_count);
    if (args->sort.count)
        return row_store_add(&dedup->rows, frame) < 0 ? run_nomem(op->run, err) : 0;
    return bits_any(frame->selected, frame->batch->row_count) ? stage_push(op, frame, err) : 0;
}

static int finish(struct stage *op, struct err *err)
{
    const struct dedup_args *args = op->command->args;
    struct dedup *dedup = op->state;
    uint32_t *order;
    if (!dedup->rows.batch)
        return 0;
    if (sort_rows(&args->sort, dedup->rows.batch, op->run->arena, &order) < 0)
        return run_nomem(op->run, err);
    return stage_emit(op, dedup->rows.batch, order, dedup->rows.batch->row_count, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct dedup_args *args = command->args;
    struct dedup *dedup = arena_calloc(run->arena, sizeof(*dedup));
    if (!dedup ||
        grouper_init(&dedup->groups, run->arena, args->fields.names, args->fields.count, 0) < 0)
        return run_nomem(run, err);
    row_store_init(&dedup->rows, run->arena);
    dedup->last = GROUP_NONE;
    op->push = push;
    op->finish = args->sort.count ? finish : NULL;
    op->state = dedup;
    return 0;
}

const struct command command_dedup = {
    .name = "dedup",
    .summary = "the first rows of each combination",
    .syntax = "dedup [N] FIELD ... [options] [sortby [-|+]FIELD ...]",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
