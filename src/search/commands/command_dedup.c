/* dedup: the first N rows of each combination of values; uniq: of equal neighbours. */
#include "search/commands/dedup_sorted.h"
#include "search/group.h"
#include "search/rows.h"

struct dedup_args {
    int64_t limit;
    bool keep_empty, consecutive;
    struct field_list fields;
    struct dedup_rule rule; /* of the above */
    struct sort_keys sort;
};

static const struct command_option options[] = {
    {.name = "keepevents",
     OPTION_BOOL,
     offsetof(struct dedup_args, rule.keep_events),
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
    struct dedup_args *args = command_args(p, command, sizeof(*args));
    static const char *const stops[] = {"sortby", NULL};
    if (!args)
        return -1;
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
    if (args->fields.count > 64)
        return spl_fail(p, "dedup looks at 64 fields at most");
    args->rule.limit = args->limit;
    args->rule.fields = &args->fields;
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
    struct sorter rows; /* with sortby: all of them; their order says which are first */
    struct arena *arena;
    struct grouper groups;
    uint32_t *seen; /* by group */
    uint32_t seen_room;
    struct arena *last_arena;
    struct slice last; /* consecutive: the key of the row before */
    uint64_t run_length;
    struct dedup_sorted *sorted; /* NULL: memory has room for all groups */
};

static int grow_seen(struct dedup *dedup, uint32_t group)
{
    uint32_t old = dedup->seen_room, room = grown_room(old > group ? old : group);
    uint32_t *seen = grown_array(dedup->arena, dedup->seen, old * sizeof(*seen), room * sizeof(*seen));
    if (!seen)
        return -1;
    memset(seen + old, 0, (room - old) * sizeof(*seen));
    dedup->seen = seen;
    dedup->seen_room = room;
    return 0;
}

static bool count_row(struct stage *op, uint32_t group, bool *failed)
{
    const struct dedup_args *args = op->command->args;
    struct dedup *dedup = op->state;
    if (group >= dedup->seen_room && grow_seen(dedup, group) < 0) {
        *failed = true;
        return false;
    }
    if (dedup->seen[group] >= (uint64_t)args->limit)
        return false;
    dedup->seen[group]++;
    return true;
}

/* ---- which rows are first, and which have all fields ---- */

static int mark_groups(struct stage *op, const struct frame *frame, uint64_t *first, uint64_t *present)
{
    struct dedup *dedup = op->state;
    struct group_rows rows;
    bool failed = false;
    if (grouper_rows(&dedup->groups, frame, &rows) < 0)
        return -1;
    for (uint32_t i = 0; i < rows.count; i++) {
        bool again = i > 0 && rows.rows[i] == rows.rows[i - 1];
        bits_set(present, rows.rows[i]);
        if (!again && count_row(op, rows.groups[i], &failed))
            bits_set(first, rows.rows[i]);
    }
    return failed ? -1 : 0;
}

/* Only the row before matters. */
static int mark_runs(struct stage *op, const struct frame *frame, uint64_t *first, uint64_t *present)
{
    const struct dedup_args *args = op->command->args;
    struct dedup *dedup = op->state;
    struct value *tuple = arena_array(frame->batch->arena, args->fields.count + 1, sizeof(*tuple));
    for (uint32_t row = frame_next(frame, 0); tuple && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        if (!row_key_first(frame->batch, args->fields.names, args->fields.count, row, tuple))
            continue;
        struct slice key = row_key_text(tuple, args->fields.count, frame->batch->arena);
        if (!key.ptr)
            return -1;
        bits_set(present, row);
        if (!dedup->last.ptr || !slice_equal(key, dedup->last)) {
            dedup->run_length = 0;
            arena_reset(dedup->last_arena);
            dedup->last = arena_copy(dedup->last_arena, key);
            if (!dedup->last.ptr)
                return -1;
        }
        if (dedup->run_length++ < (uint64_t)args->limit)
            bits_set(first, row);
    }
    return tuple ? 0 : -1;
}

/* Rows of groups that are not known are strangers: neither first nor not. */
static int mark_known(struct stage *op, const struct frame *frame, uint64_t *first, uint64_t *present,
                      uint64_t *strangers)
{
    const struct dedup_args *args = op->command->args;
    struct dedup *dedup = op->state;
    bool failed = false;
    struct value *tuple = arena_array(frame->batch->arena, args->fields.count + 1, sizeof(*tuple));
    for (uint32_t row = frame_next(frame, 0); tuple && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        if (!row_key_first(frame->batch, args->fields.names, args->fields.count, row, tuple))
            continue;
        bits_set(present, row);
        uint32_t group = grouper_look(&dedup->groups, tuple);
        if (group == GROUP_NONE)
            bits_set(strangers, row);
        else if (count_row(op, group, &failed))
            bits_set(first, row);
    }
    return tuple && !failed ? 0 : -1;
}

static int begin_sorted(struct stage *op, struct err *err)
{
    const struct dedup_args *args = op->command->args;
    struct dedup *dedup = op->state;
    dedup->groups.frozen = true;
    dedup->sorted = arena_alloc(op->run->arena, sizeof(*dedup->sorted));
    if (!dedup->sorted)
        return run_nomem(op->run, err);
    return dedup_sorted_init(dedup->sorted, op->run, &args->rule, err);
}

static int give(struct stage *op, struct frame *frame, struct err *err)
{
    return bits_any(frame->selected, frame->batch->row_count) ? stage_push(op, frame, err) : 0;
}

static int take(struct stage *op, struct frame *frame, struct err *err)
{
    const struct dedup_args *args = op->command->args;
    struct dedup *dedup = op->state;
    uint32_t rows = frame->batch->row_count;
    size_t size = bits_words(rows) * 8 + 8;
    uint64_t *first = arena_calloc(frame->batch->arena, size);
    uint64_t *present = arena_calloc(frame->batch->arena, size);
    uint64_t *strangers = arena_calloc(frame->batch->arena, size);
    if (!first || !present || !strangers)
        return run_nomem(op->run, err);
    if ((dedup->sorted      ? mark_known(op, frame, first, present, strangers)
         : args->consecutive ? mark_runs(op, frame, first, present)
                             : mark_groups(op, frame, first, present)) < 0)
        return run_nomem(op->run, err);
    for (size_t word = 0; args->keep_empty && word < bits_words(rows); word++)
        first[word] |= frame->selected[word] & ~present[word];
    if (dedup->sorted)
        return dedup_sorted_add(dedup->sorted, frame, first, strangers, err);
    if (dedup_keep(&args->rule, frame, first) < 0)
        return run_nomem(op->run, err);
    if (give(op, frame, err) < 0)
        return -1;
    bool near = search_memory_is_short(op->run->memory, arena_used(dedup->arena));
    return near && !op->run->preview ? begin_sorted(op, err) : 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct dedup_args *args = op->command->args;
    struct dedup *dedup = op->state;
    return args->sort.count ? sorter_add(&dedup->rows, frame, err) : take(op, frame, err);
}

static int take_rows(void *context, const struct batch *rows, struct err *err)
{
    struct stage *op = context;
    struct frame frame;
    if (frame_share(&frame, rows, NULL, rows->arena) < 0)
        return run_nomem(op->run, err);
    return take(op, &frame, err);
}

static int begin_groups(struct dedup *dedup, const struct dedup_args *args)
{
    arena_reset(dedup->arena);
    dedup->seen = NULL;
    dedup->seen_room = 0;
    dedup->last = SLICE_NONE;
    return grouper_init(&dedup->groups, dedup->arena, args->fields.names, args->fields.count, 0);
}

static int give_sorted(void *context, struct frame *frame, struct err *err)
{
    return give(context, frame, err);
}

/* A preview has the rows that went on already. */
static int finish(struct stage *op, struct err *err)
{
    const struct dedup_args *args = op->command->args;
    struct dedup *dedup = op->state;
    if (args->sort.count && begin_groups(dedup, args) < 0)
        return run_nomem(op->run, err);
    if (args->sort.count && sorter_each(&dedup->rows, take_rows, op, err) < 0)
        return -1;
    if (dedup->sorted && !op->run->preview) {
        arena_reset(dedup->arena); /* the groups have met their last row */
        if (dedup_sorted_each(dedup->sorted, give_sorted, op, err) < 0)
            return -1;
    }
    return 0;
}

static void release(struct stage *op)
{
    struct dedup *dedup = op->state;
    arena_reset(dedup->arena);
    sorter_close(&dedup->rows);
}

static void free_arena(void *arena)
{
    arena_free(arena);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct dedup_args *args = command->args;
    struct dedup *dedup = op->state = arena_calloc(run->arena, sizeof(*dedup));
    op->push = push;
    op->finish = finish;
    op->release = release;
    op->late = !args->sort.count;
    if (!dedup || sorter_init(&dedup->rows, run, &args->sort, 0, err) < 0)
        return run_nomem(run, err);
    struct arena **arenas[] = {&dedup->arena, &dedup->last_arena};
    for (size_t i = 0; i < ARRAY_COUNT(arenas); i++)
        if (!(*arenas[i] = arena_new_within(&run->memory->budget)) ||
            arena_defer(run->arena, free_arena, *arenas[i]) < 0)
            return run_nomem(run, err);
    return begin_groups(dedup, args) < 0 ? run_nomem(run, err) : 0;
}

const struct command command_dedup = {
    .name = "dedup",
    .summary = "the first rows of each combination",
    .syntax = "dedup [N] FIELD ... [options] [sortby [-|+]FIELD ...]",
    .notes = "sortby comes first: its order says which rows stay.",
    .flags = COMMAND_READS_CODES,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
