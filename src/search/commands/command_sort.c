/* sort: rows in order. */
#include "search/commands/command_sort.h"

#include "search/hold.h"
#include "search/newest.h"

struct sort_args {
    int64_t limit; /* 0: all */
    struct sort_keys keys;
};

static const struct command_option options[] = {
    {.name = "limit", OPTION_I64, offsetof(struct sort_args, limit), "rows to keep; 0: all"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    static const char *const stops[] = {"desc", "d", NULL};
    struct sort_args *args = arena_calloc(p->arena, sizeof(*args));
    int64_t n;
    if (!args)
        return err_nomem(p->err);
    command->args = args;
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

struct sort {
    struct hold hold;
    struct sort_keys keys;
    int64_t limit;
};

static int finish(struct stage *op, struct err *err)
{
    struct sort *sort = op->state;
    const struct batch *batch = sort->hold.rows.batch;
    uint32_t *order;
    if (!batch)
        return 0;
    if (sort_rows(&sort->keys, batch, op->run->arena, &order) < 0)
        return run_nomem(op->run, err);
    uint32_t count = batch->row_count;
    if (sort->limit && (uint64_t)sort->limit < count)
        count = (uint32_t)sort->limit;
    return stage_emit(op, batch, order, count, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct sort_args *args = command->args;
    if (stage_hold(run, op, sizeof(struct sort), finish, err) < 0)
        return -1;
    struct sort *sort = op->state;
    sort->keys = args->keys;
    sort->limit = args->limit;
    return 0;
}

const struct command command_sort = {
    .name = "sort",
    .summary = "rows in order: sort 100 -bytes, +str(user)",
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
    *rows = args->limit ? (uint64_t)args->limit : newest_limit(command->next, 0);
    return *rows ? &args->keys.keys[0] : NULL;
}
