/* join: rows met by rows of a subsearch. */
#include "event/schema.h"
#include "search/commands/join_sorted.h"
#include "search/rows.h"

struct join_args {
    struct slice *keys; /* none: the fields that both sides have */
    struct met_rule rule;
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
     offsetof(struct join_args, rule.max),
     "rows met by a row; 0: all",
     .standard = "1"},
    {.name = "overwrite",
     OPTION_BOOL,
     offsetof(struct join_args, rule.overwrite),
     "the subsearch's values win",
     .standard = "t"},
    {.name = "usetime",
     OPTION_BOOL,
     offsetof(struct join_args, rule.by_time),
     "only rows of the subsearch that are earlier, or later",
     .standard = "f"},
    {.name = "earlier",
     OPTION_BOOL,
     offsetof(struct join_args, rule.earlier),
     "with usetime: earlier ones; f: later ones; those of the same second are both",
     .standard = "t"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct join_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->rule.max = 1;
    args->rule.overwrite = args->rule.earlier = true;
    while (p->token.kind != SPL_SUBSEARCH) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (taken)
            continue;
        if (p->token.kind == SPL_END)
            return spl_fail(p, "join needs a subsearch in [ ]");
        args->keys = spl_grow(p->arena, args->keys, args->rule.count, sizeof(*args->keys));
        if (!args->keys)
            return err_nomem(p->err);
        if (args->rule.count == 64)
            return spl_fail(p, "join compares at most 64 fields");
        if (spl_take_field(p, &args->keys[args->rule.count++]) < 0)
            return -1;
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    args->rule.left = slice_is_nocase(args->type, "left") || slice_is_nocase(args->type, "outer");
    if (spl_take_subsearch(p, &args->query) < 0)
        return -1;
    return spl_take_options(p, args) < 0 ? -1 : spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct join_args *args = command->args;
    for (size_t i = 0; i < args->rule.count; i++)
        wanted_add(wanted, args->keys[i]);
    if (args->rule.by_time)
        wanted_add(wanted, FIELD_TIMESTAMP);
}

struct join {
    struct met_rule rule;
    struct sorter theirs;
    struct met met;
    struct join_sorted *sorted; /* NULL: memory has room for their rows */
};

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    struct join *join = op->state;
    return join->sorted ? join_sorted_add(join->sorted, frame, err)
                        : met_push(op, &join->met, frame, err);
}

static int finish(struct stage *op, struct err *err)
{
    const struct join *join = op->state;
    return op->run->preview ? 0 : join_sorted_emit(join->sorted, op, err);
}

/* Without fields, all that both sides have are keys; ours are only known when rows come. */
static int name_keys(struct run *run, const struct join_args *args, struct join *join, struct err *err)
{
    const struct batch *names = join->theirs.names;
    struct slice *keys = arena_array(run->arena, names->column_count + 1U, sizeof(*keys));
    join->rule = args->rule;
    join->rule.ours = join->rule.theirs = args->keys;
    if (!keys)
        return run_nomem(run, err);
    for (uint32_t c = 0; !args->keys && c < names->column_count; c++) {
        struct slice name = names->columns[c]->name;
        if (!name.len || name.ptr[0] == '_' || name.ptr[0] == '@')
            continue;
        if (join->rule.count == 64)
            return err_set(err, ERR_LIMIT, "join compares at most 64 fields; name them, or let the "
                           "subsearch keep fewer");
        keys[join->rule.count++] = name;
    }
    if (!args->keys)
        join->rule.ours = join->rule.theirs = keys;
    return 0;
}

/* An index of their rows is of about their size. */
static bool is_large(const struct run *run, const struct sorter *theirs)
{
    enum { INDEX_BYTES = 96 }; /* of a row */
    const struct arena_budget *budget = &run->memory->budget;
    size_t more = theirs->count * INDEX_BYTES;
    return theirs->part_count || (!run->preview && budget->bytes_held + more > budget->bytes_max / 2 &&
                                  search_memory_is_worth(run->memory, more));
}

static int begin_sorted(struct stage *op, struct err *err)
{
    struct join *join = op->state;
    join->sorted = arena_alloc(op->run->arena, sizeof(*join->sorted));
    if (!join->sorted)
        return run_nomem(op->run, err);
    op->finish = finish;
    op->late = true;
    return join_sorted_init(join->sorted, op->run, &join->rule, &join->theirs, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct join_args *args = command->args;
    struct join *join = op->state = arena_calloc(run->arena, sizeof(*join));
    op->push = push;
    if (!join)
        return run_nomem(run, err);
    if (sorter_init(&join->theirs, run, NULL, 0, err) < 0 ||
        run_subsearch_into(run, args->query, &join->theirs, err) < 0 ||
        name_keys(run, args, join, err) < 0)
        return -1;
    if (is_large(run, &join->theirs))
        return begin_sorted(op, err);
    const struct batch *rows = sorter_rows(&join->theirs);
    if (!rows && !(rows = frame_batch_new(run->arena, 0)))
        return run_nomem(run, err);
    return met_index(run, &join->met, &join->rule, rows, err);
}

const struct command command_join = {
    .name = "join",
    .summary = "rows met by rows of a subsearch",
    .syntax = "join [options] [FIELD ...] [SUBSEARCH]",
    .notes = "A subsearch has all its rows, not 50,000; what memory has no room for is in a temporary file.\n"
             "Without fields those that both sides have are compared.",
    .flags = COMMAND_STREAMS | COMMAND_BRACKETS | COMMAND_READS_CODES,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
