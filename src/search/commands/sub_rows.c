/* append and its kin: reading subsearches, passing rows on. */
#include "search/commands/sub_rows.h"

const struct command_option sub_options[] = {
    {.name = "extendtimerange",
     OPTION_BOOL,
     offsetof(struct sub_args, append),
     "accepted, does nothing"},
    {.name = "maxtime", OPTION_I64, offsetof(struct sub_args, max_time), "accepted, does nothing"},
    {.name = "maxout",
     OPTION_I64,
     offsetof(struct sub_args, max_rows),
     "rows taken; 0: all",
     .standard = "0"},
    {.name = "timeout", OPTION_I64, offsetof(struct sub_args, timeout), "accepted, does nothing"},
    {.name = "override",
     OPTION_BOOL,
     offsetof(struct sub_args, override),
     "the subsearch's values win",
     .standard = "f"},
    {.name = "run_in_preview",
     OPTION_BOOL,
     offsetof(struct sub_args, append),
     "accepted, does nothing"},
};

struct sub_args *sub_args_new(struct spl_parser *p, struct spl_command *command)
{
    struct sub_args *args = arena_calloc(p->arena, sizeof(*args));
    command->args = args;
    return args;
}

static int take_query(struct spl_parser *p, struct sub_args *args, bool pipeline)
{
    args->queries = spl_grow(p->arena, args->queries, args->count, sizeof(*args->queries));
    if (!args->queries)
        return err_nomem(p->err);
    const struct spl_query **to = &args->queries[args->count];
    if ((pipeline ? spl_take_pipeline(p, to) : spl_take_subsearch(p, to)) < 0)
        return -1;
    args->count++;
    return 0;
}

int sub_parse_one(struct spl_parser *p, struct spl_command *command, bool pipeline)
{
    struct sub_args *args = sub_args_new(p, command);
    if (!args)
        return err_nomem(p->err);
    if (spl_take_options(p, args) < 0 || take_query(p, args, pipeline) < 0)
        return -1;
    return spl_expect_end(p);
}

int sub_parse_many(struct spl_parser *p, struct spl_command *command)
{
    struct sub_args *args = sub_args_new(p, command);
    if (!args)
        return err_nomem(p->err);
    if (spl_take_options(p, args) < 0)
        return -1;
    while (p->token.kind == SPL_SUBSEARCH || spl_at_sign(p, ","))
        if ((p->token.kind == SPL_SUBSEARCH ? take_query(p, args, false) : spl_advance(p)) < 0)
            return -1;
    if (args->count == 0)
        return spl_fail(p, "here a subsearch in [ ] is needed");
    return spl_expect_end(p);
}

int sub_emit(struct stage *op, const struct batch *rows, int64_t most, struct err *err)
{
    uint32_t count = rows->row_count;
    if (most && (uint64_t)most < count)
        count = (uint32_t)most;
    return stage_emit(op, rows, NULL, count, err);
}

static int finish(struct stage *op, struct err *err)
{
    const struct sub_args *args = op->command->args;
    for (size_t i = 0; i < args->count; i++) {
        struct batch *rows;
        if (run_subsearch(op->run, args->queries[i], &rows, err) < 0 ||
            sub_emit(op, rows, args->max_rows, err) < 0)
            return -1;
    }
    return 0;
}

int sub_make(struct run *run, const struct spl_command *command, struct stage *op, struct err *err)
{
    (void)run;
    (void)command;
    (void)err;
    op->push = stage_pass;
    op->finish = finish;
    return 0;
}
