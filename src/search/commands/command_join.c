/* join: rows met by rows of a subsearch. */
#include "search/commands/met_rows.h"

struct join_args {
    struct field_pair *keys; /* none: the fields that both sides have */
    size_t key_count;
    bool left, overwrite, accepted;
    int64_t max; /* 0: all */
    struct slice type;
    const struct spl_query *query;
};

static const char *const type_words[] = {"inner", "left", "outer", NULL};

static const struct command_option options[] = {
    {.name = "type",
     OPTION_TEXT,
     offsetof(struct join_args, type),
     "which rows stay",
     .standard = "inner",
     .words = type_words},
    {.name = "max",
     OPTION_I64,
     offsetof(struct join_args, max),
     "rows met by a row; 0: all",
     .standard = "1"},
    {.name = "overwrite",
     OPTION_BOOL,
     offsetof(struct join_args, overwrite),
     "the subsearch's values win",
     .standard = "t"},
    {.name = "usetime",
     OPTION_BOOL,
     offsetof(struct join_args, accepted),
     "accepted, does nothing"},
    {.name = "earlier",
     OPTION_BOOL,
     offsetof(struct join_args, accepted),
     "accepted, does nothing"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct join_args *args = arena_calloc(p->arena, sizeof(*args));
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    args->max = 1;
    args->overwrite = true;
    while (p->token.kind != SPL_SUBSEARCH) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (taken)
            continue;
        if (p->token.kind == SPL_END)
            return spl_fail(p, "join needs a subsearch in [ ]");
        args->keys = spl_grow(p->arena, args->keys, args->key_count, sizeof(*args->keys));
        if (!args->keys)
            return err_nomem(p->err);
        struct field_pair *pair = &args->keys[args->key_count++];
        if (spl_take_field(p, &pair->theirs) < 0)
            return -1;
        pair->ours = pair->theirs;
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    args->left = slice_is_nocase(args->type, "left") || slice_is_nocase(args->type, "outer");
    if (spl_take_subsearch(p, &args->query) < 0)
        return -1;
    if (spl_is_field(p) && args->key_count == 0) { /* join [..] field */
        args->keys = arena_calloc(p->arena, sizeof(*args->keys));
        if (!args->keys)
            return err_nomem(p->err);
    }
    return spl_take_options(p, args) < 0 ? -1 : spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct join_args *args = command->args;
    for (size_t i = 0; i < args->key_count; i++)
        wanted_add(wanted, args->keys[i].ours);
}

static int join_columns(struct stage *op, struct frame *out, const uint32_t *theirs,
                        struct err *err)
{
    const struct join_args *args = op->command->args;
    struct met *met = op->state;
    for (uint32_t c = 0; c < met->rows->column_count; c++) {
        const struct column *from = met->rows->columns[c];
        if (met_is_key(args->keys, args->key_count, from->name))
            continue;
        const struct column *old = batch_find(out->batch, from->name);
        struct column *to = frame_column(out, from->name);
        for (uint32_t row = 0; to && row < out->batch->row_count; row++) {
            uint32_t at = 0, n = old ? column_range(old, row, &at) : 0;
            const struct column *source = old;
            uint32_t first,
                count = theirs[row] == GROUP_NONE ? 0 : column_range(from, theirs[row], &first);
            if (count && (args->overwrite || !n)) {
                source = from;
                at = first;
                n = count;
            }
            for (uint32_t k = 0; k < n; k++)
                if (column_add(out->batch, to, row, column_value(source, at + k)) < 0)
                    return run_nomem(op->run, err);
        }
        if (!to || frame_put(out, to) < 0)
            return run_nomem(op->run, err);
    }
    return 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct join_args *args = op->command->args;
    struct met *met = op->state;
    struct arena *arena = frame->batch->arena;
    uint32_t rows = frame->batch->row_count, count = 0, room = rows + 16;
    uint32_t *first = arena_alloc(arena, (rows + 1U) * sizeof(*first));
    uint32_t *ours = arena_alloc(arena, room * sizeof(*ours));
    uint32_t *theirs = arena_alloc(arena, room * sizeof(*theirs));
    if (!first || !ours || !theirs)
        return run_nomem(op->run, err);
    if (met_rows(op, met, frame, first, err) < 0)
        return -1;
    for (uint32_t row = frame_next(frame, 0); row < rows; row = frame_next(frame, row + 1)) {
        uint32_t their = first[row];
        if (their == GROUP_NONE && !args->left)
            continue;
        for (int64_t n = 0; n == 0 || (their != GROUP_NONE && (args->max == 0 || n < args->max));
             n++) {
            if (count == room) {
                ours = arena_grow(arena, ours, room * sizeof(*ours), 2 * room * sizeof(*ours));
                theirs =
                    arena_grow(arena, theirs, room * sizeof(*theirs), 2 * room * sizeof(*theirs));
                room *= 2;
                if (!ours || !theirs)
                    return run_nomem(op->run, err);
            }
            ours[count] = row;
            theirs[count++] = their;
            if (their != GROUP_NONE)
                their = met->next[their];
        }
    }
    struct frame out;
    if (count == 0)
        return 0;
    if (frame_gather(&out, frame->batch, ours, count, arena) < 0)
        return run_nomem(op->run, err);
    return join_columns(op, &out, theirs, err) < 0 ? -1 : stage_push(op, &out, err);
}

/* Without fields, all that both sides have are keys; ours are only known when rows come. */
static int common_keys(struct run *run, const struct batch *rows, struct field_pair **keys,
                       size_t *count, struct err *err)
{
    *keys = arena_array(run->arena, rows->column_count + 1U, sizeof(**keys));
    *count = 0;
    if (!*keys)
        return run_nomem(run, err);
    for (uint32_t c = 0; c < rows->column_count; c++) {
        struct slice name = rows->columns[c]->name;
        if (name.len && name.ptr[0] != '_' && name.ptr[0] != '@')
            (*keys)[(*count)++] = (struct field_pair){name, name};
    }
    return 0;
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct join_args *args = command->args;
    struct met *met = arena_calloc(run->arena, sizeof(*met));
    struct field_pair *keys = args->keys;
    size_t count = args->key_count;
    op->push = push;
    op->state = met;
    if (!met)
        return run_nomem(run, err);
    if (run_subsearch(run, args->query, &met->rows, err) < 0)
        return -1;
    if (count == 0 && common_keys(run, met->rows, &keys, &count, err) < 0)
        return -1;
    return met_index(run, met, keys, count, err);
}

const struct command command_join = {
    .name = "join",
    .summary = "rows met by rows of a subsearch",
    .syntax = "join [options] [FIELD ...] [SUBSEARCH]",
    .notes = "A subsearch has all its rows, up to 100,000, not 50,000.\n"
             "Without fields those that both sides have are compared.",
    .flags = COMMAND_STREAMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
