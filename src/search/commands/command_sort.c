/* sort: rows in order. */
#include "search/commands/command_sort.h"

#include "search/newest.h"
#include "search/rows.h"
#include "search/sorter.h"

struct sort_args {
    int64_t limit; /* 0: all */
    struct sort_keys keys;
};

static const struct command_option options[] = {
    {.name = "limit",
     OPTION_I64,
     offsetof(struct sort_args, limit),
     "rows to keep; 0: all",
     .standard = "0"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    static const char *const stops[] = {"desc", "d", NULL};
    struct sort_args *args = command_args(p, command, sizeof(*args));
    int64_t n;
    if (!args)
        return -1;
    if (spl_take_options(p, args) < 0)
        return -1;
    if (p->token.kind == SPL_WORD && slice_to_i64(p->token.text, &n) && n >= 0) {
        args->limit = n;
        if (spl_advance(p) < 0)
            return -1;
    }
    if (spl_take_sort_keys(p, stops, &args->keys) < 0)
        return -1;
    if (spl_at_word(p, "desc") || spl_at_word(p, "d")) {
        struct sort_key *keys = (struct sort_key *)(uintptr_t)args->keys.keys;
        for (size_t i = 0; i < args->keys.count; i++)
            keys[i].descending = !keys[i].descending;
        if (spl_advance(p) < 0)
            return -1;
    }
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct sort_args *args = command->args;
    for (size_t i = 0; i < args->keys.count; i++)
        wanted_add(wanted, args->keys.keys[i].field);
}

/* Rows that can be in the answer: what it says itself, or a head behind it. 0: all. */
static uint64_t rows_of_use(const struct spl_command *command)
{
    const struct sort_args *args = command->args;
    return args->limit ? (uint64_t)args->limit : newest_limit(command->next, 0);
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    return sorter_add(op->state, frame, err);
}

static int finish(struct stage *op, struct err *err)
{
    return sorter_emit(op->state, op, err);
}

static void release(struct stage *op)
{
    sorter_close(op->state);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct sort_args *args = command->args;
    op->push = push;
    op->finish = finish;
    op->release = release;
    op->state = arena_alloc(run->arena, sizeof(struct sorter));
    return op->state ? sorter_init(op->state, run, &args->keys, rows_of_use(command), err)
                     : run_nomem(run, err);
}

const struct command command_sort = {
    .name = "sort",
    .summary = "rows in order",
    .syntax = "sort [N] [-|+]FIELD[, ...] [desc]",
    .notes = "All rows are kept; a stated number cuts.\n"
             "Missing values come last in both directions.\n"
             "num(f), str(f), ip(f) and auto(f) say how values are compared.",
    .flags = COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};

const struct sort_key *sort_first_key(const struct spl_command *command, uint64_t *rows)
{
    if (!command || command->descriptor != &command_sort)
        return NULL;
    const struct sort_args *args = command->args;
    *rows = rows_of_use(command);
    return *rows ? &args->keys.keys[0] : NULL;
}
