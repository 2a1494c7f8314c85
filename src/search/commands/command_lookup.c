/* lookup: fields of a table's row with the same key. */
#include "search/commands/lookup_match.h"
#include "search/rows.h"

#include "event/schema.h"

struct lookup_args {
    struct slice table;
    struct field_pair *keys, *outputs; /* no outputs: all other columns */
    size_t key_count, output_count;
    bool only_new; /* OUTPUTNEW */
    bool accepted;
    struct slice time; /* our field with the time, where the lookup knows times */
};

struct lookup {
    struct lookup_match *match;
    const struct know_lookup *spec; /* or NULL */
    const struct batch *rows;
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
     OPTION_FIELD,
     offsetof(struct lookup_args, time),
     "the field with the event's time, for lookups that know times (_time)"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct lookup_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    if (spl_take_options(p, args) < 0)
        return -1;
    if (!spl_is_field(p))
        return spl_fail(p, "here the name of a lookup table is needed");
    args->table = p->token.text;
    if (spl_advance(p) < 0 || spl_take_options(p, args) < 0 ||
        take_pairs(p, &args->keys, &args->key_count) < 0)
        return -1;
    if (args->key_count > 64)
        return spl_fail(p, "lookup takes at most 64 keys");
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
    wanted_add(wanted, args->time.ptr ? args->time : FIELD_TIMESTAMP);
    for (size_t i = 0; i < args->output_count; i++)
        wanted_add(wanted, args->outputs[i].ours);
}

/* The values of all rows met; default_match up to min_matches of them. */
static int add_values(struct frame *frame, struct column *to, uint32_t row, const struct lookup *lookup,
                      const struct column *from, const struct lookup_list *met)
{
    const struct know_lookup *spec = lookup->spec;
    for (uint32_t i = 0; from && i < met->count; i++) {
        uint32_t first, n = column_range(from, met->rows[i], &first);
        for (uint32_t k = 0; k < n; k++)
            if (column_add(frame->batch, to, row, from->values[first + k]) < 0)
                return -1;
    }
    for (int64_t i = met->count; spec && spec->default_match.ptr && i < spec->min_matches; i++)
        if (column_add(frame->batch, to, row, value_string(spec->default_match)) < 0)
            return -1;
    return 0;
}

static int output_column(struct stage *op, struct frame *frame, const struct field_pair *pair,
                         const struct lookup_list *lists, struct err *err)
{
    const struct lookup_args *args = op->command->args;
    const struct lookup *lookup = op->state;
    const struct column *from = batch_find(lookup->rows, pair->theirs);
    const struct column *old = batch_find(frame->batch, pair->ours);
    struct column *to = frame_column(frame, pair->ours);
    if (!from && args->output_count)
        run_message(op->run, "field", op->command, false, "the table %.*s has no field %.*s",
                    SLICE_ARG(args->table), SLICE_ARG(pair->theirs));
    for (uint32_t row = frame_next(frame, 0); to && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        uint32_t at = 0, n = old ? column_range(old, row, &at) : 0;
        uint32_t before = to->count;
        if (!(n && args->only_new) &&
            add_values(frame, to, row, lookup, from, &lists[row]) < 0)
            return run_nomem(op->run, err);
        bool keep = args->only_new && to->count == before;
        for (uint32_t k = 0; keep && k < n; k++)
            if (column_add(frame->batch, to, row, column_value(old, at + k)) < 0)
                return run_nomem(op->run, err);
    }
    return !to || frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

static bool is_key(const struct lookup_args *args, struct slice theirs)
{
    for (size_t i = 0; i < args->key_count; i++)
        if (slice_equal(args->keys[i].theirs, theirs))
            return true;
    return false;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct lookup_args *args = op->command->args;
    const struct lookup *lookup = op->state;
    struct lookup_list *lists;
    if (lookup_match_rows(lookup->match, frame, &lists, err) < 0)
        return -1;
    for (size_t i = 0; i < args->output_count; i++)
        if (output_column(op, frame, &args->outputs[i], lists, err) < 0)
            return -1;
    for (uint32_t c = 0; args->output_count == 0 && c < lookup->rows->column_count; c++) {
        struct slice name = lookup->rows->columns[c]->name;
        struct field_pair pair = {name, name};
        if (!is_key(args, name) &&
            output_column(op, frame, &pair, lists, err) < 0)
            return -1;
    }
    return stage_push(op, frame, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct lookup_args *args = command->args;
    struct lookup *lookup = arena_calloc(run->arena, sizeof(*lookup));
    struct batch *rows;
    op->push = push;
    op->state = lookup;
    if (!lookup)
        return run_nomem(run, err);
    if (run_table(run, args->table, &rows, err) < 0)
        return -1;
    lookup->rows = rows;
    lookup->spec = run_lookup(run, args->table);
    return lookup_match_new(run, command, args->table, lookup->spec, rows, args->keys, args->key_count,
                            args->time, &lookup->match, err);
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
