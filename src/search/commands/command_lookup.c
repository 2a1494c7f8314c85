/* lookup: fields of a table's row with the same key. */
#include "search/commands/met_rows.h"

struct lookup_args {
    struct slice table;
    struct field_pair *keys, *outputs; /* no outputs: all other columns */
    size_t key_count, output_count;
    bool only_new; /* OUTPUTNEW */
    bool accepted;
    struct slice accepted_text;
};

static int take_pairs(struct spl_parser *p, struct field_pair **list, size_t *count)
{
    while (spl_is_field(p) && !spl_at_word(p, "output") && !spl_at_word(p, "outputnew")) {
        *list = spl_grow(p->arena, *list, *count, sizeof(**list));
        if (!*list)
            return err_nomem(p->err);
        struct field_pair *pair = &(*list)[*count];
        if (spl_take_field(p, &pair->theirs) < 0)
            return -1;
        pair->ours = pair->theirs;
        if (spl_at_word(p, "as") && (spl_advance(p) < 0 || spl_take_field(p, &pair->ours) < 0))
            return -1;
        ++*count;
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    return *count ? 0 : spl_fail(p, "here the name of a field is needed");
}

static const struct command_option options[] = {
    {.name = "local",
     OPTION_BOOL,
     offsetof(struct lookup_args, accepted),
     "accepted, does nothing"},
    {.name = "update",
     OPTION_BOOL,
     offsetof(struct lookup_args, accepted),
     "accepted, does nothing"},
    {.name = "event_time_field",
     OPTION_TEXT,
     offsetof(struct lookup_args, accepted_text),
     "accepted, does nothing"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct lookup_args *args = arena_calloc(p->arena, sizeof(*args));
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    if (spl_take_options(p, args) < 0)
        return -1;
    if (!spl_is_field(p))
        return spl_fail(p, "here the name of a lookup table is needed");
    args->table = p->token.text;
    if (spl_advance(p) < 0 || spl_take_options(p, args) < 0 ||
        take_pairs(p, &args->keys, &args->key_count) < 0)
        return -1;
    args->only_new = spl_at_word(p, "outputnew");
    if ((args->only_new || spl_at_word(p, "output")) &&
        (spl_advance(p) < 0 || take_pairs(p, &args->outputs, &args->output_count) < 0))
        return -1;
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct lookup_args *args = command->args;
    for (size_t i = 0; i < args->key_count; i++)
        wanted_add(wanted, args->keys[i].ours);
    for (size_t i = 0; i < args->output_count; i++)
        wanted_add(wanted, args->outputs[i].ours);
}

/* The values of all rows met, in the table's order. */
static int add_values(struct frame *frame, struct column *to, uint32_t row, const struct met *met,
                      const struct column *from, uint32_t theirs)
{
    for (; theirs != GROUP_NONE; theirs = met->next[theirs]) {
        uint32_t first, n = column_range(from, theirs, &first);
        for (uint32_t k = 0; k < n; k++)
            if (column_add(frame->batch, to, row, from->values[first + k]) < 0)
                return -1;
    }
    return 0;
}

static int output_column(struct stage *op, struct frame *frame, const struct field_pair *pair,
                         const uint32_t *first, struct err *err)
{
    const struct lookup_args *args = op->command->args;
    struct met *met = op->state;
    const struct column *from = batch_find(met->rows, pair->theirs);
    const struct column *old = batch_find(frame->batch, pair->ours);
    struct column *to = frame_column(frame, pair->ours);
    if (!from && args->output_count)
        run_message(op->run, "field", op->command, false, "the table %.*s has no field %.*s",
                    SLICE_ARG(args->table), SLICE_ARG(pair->theirs));
    for (uint32_t row = frame_next(frame, 0); to && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        uint32_t at = 0, n = old ? column_range(old, row, &at) : 0;
        uint32_t before = to->count;
        bool keep = n && args->only_new;
        if (!keep && from && first[row] != GROUP_NONE &&
            add_values(frame, to, row, met, from, first[row]) < 0)
            return run_nomem(op->run, err);
        bool met_none = first[row] == GROUP_NONE && args->only_new;
        for (uint32_t k = 0; (keep || met_none) && to->count == before + k && k < n; k++)
            if (column_add(frame->batch, to, row, column_value(old, at + k)) < 0)
                return run_nomem(op->run, err);
    }
    return !to || frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct lookup_args *args = op->command->args;
    struct met *met = op->state;
    uint32_t *first =
        arena_alloc(frame->batch->arena, (frame->batch->row_count + 1U) * sizeof(*first));
    if (!first)
        return run_nomem(op->run, err);
    if (met_rows(op, met, frame, first, err) < 0)
        return -1;
    for (size_t i = 0; i < args->output_count; i++)
        if (output_column(op, frame, &args->outputs[i], first, err) < 0)
            return -1;
    for (uint32_t c = 0; args->output_count == 0 && c < met->rows->column_count; c++) {
        struct slice name = met->rows->columns[c]->name;
        struct field_pair pair = {name, name};
        if (!met_is_key(args->keys, args->key_count, name) &&
            output_column(op, frame, &pair, first, err) < 0)
            return -1;
    }
    return stage_push(op, frame, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct lookup_args *args = command->args;
    struct met *met = arena_calloc(run->arena, sizeof(*met));
    op->push = push;
    op->state = met;
    if (!met)
        return run_nomem(run, err);
    if (run_table(run, args->table, &met->rows, err) < 0)
        return -1;
    return met_index(run, met, args->keys, args->key_count, err);
}

const struct command command_lookup = {
    .name = "lookup",
    .summary = "fields of a table's row with the same key",
    .syntax = "lookup TABLE KEY [as FIELD] ... [OUTPUT|OUTPUTNEW COLUMN [as FIELD] ...]",
    .notes = "Keys are compared as they are written, upper and lower case apart.\n"
             "Several rows with the key give several values.",
    .flags = COMMAND_STREAMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
