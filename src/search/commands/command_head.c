/* head: the first rows, or the rows as long as a condition holds. */
#include "search/commands/command_head.h"

#include "search/rows.h"
#include "search/stage.h"

struct head_args {
    int64_t limit;
    const struct expr *while_true;
    bool keep_last;
    bool null; /* a NULL condition goes on */
};

static const struct command_option options[] = {
    {.name = "limit", OPTION_I64, offsetof(struct head_args, limit), "rows", .standard = "10"},
    {.name = "keeplast",
     OPTION_BOOL,
     offsetof(struct head_args, keep_last),
     "the row that ended it too",
     .standard = "f"},
    {.name = "null",
     OPTION_BOOL,
     offsetof(struct head_args, null),
     "a condition that is NULL goes on",
     .standard = "f"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct head_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->limit = -1;
    while (p->token.kind != SPL_END) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (taken)
            continue;
        int result = spl_at_sign(p, "(") ? spl_take_expr(p, &args->while_true)
                                         : spl_take_i64(p, &args->limit);
        if (result < 0)
            return -1;
    }
    if (args->limit < 0)
        args->limit = args->while_true ? INT64_MAX : 10;
    return 0;
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    wanted_add_expr(wanted, ((const struct head_args *)command->args)->while_true);
}

struct head {
    int64_t left;
};

/* Clears the rows from row on. */
static void cut(struct frame *frame, uint32_t row)
{
    for (; row < frame->batch->row_count; row = frame_next(frame, row + 1))
        bits_clear(frame->selected, row);
}

/* 1: the row stays and so may more, 0: it ends here. */
static int goes_on(struct stage *op, const struct frame *frame, uint32_t row, struct err *err)
{
    const struct head_args *args = op->command->args;
    struct value_list list;
    if (!args->while_true)
        return 1;
    arena_reset(op->run->scratch);
    if (expr_eval(args->while_true, &op->run->scope, frame->batch, row, &list, err) < 0)
        return -1;
    bool null = list.count == 0;
    bool yes = list.count && list.values[0].type == VALUE_BOOL && list.values[0].boolean;
    return yes || (null && args->null);
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct head_args *args = op->command->args;
    struct head *head = op->state;
    uint32_t row = op->satisfied ? 0 : frame_next(frame, 0);
    for (; !op->satisfied && row < frame->batch->row_count; row = frame_next(frame, row + 1)) {
        if (head->left == 0) {
            op->satisfied = true;
            break;
        }
        int more = goes_on(op, frame, row, err);
        if (more < 0)
            return -1;
        if (!more) {
            op->satisfied = true;
            if (args->keep_last)
                row = frame_next(frame, row + 1);
            break;
        }
        head->left--;
    }
    cut(frame, row);
    op->satisfied |= head->left == 0;
    return bits_any(frame->selected, frame->batch->row_count) ? stage_push(op, frame, err) : 0;
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    struct head *head = arena_calloc(run->arena, sizeof(*head));
    if (!head)
        return run_nomem(run, err);
    head->left = ((const struct head_args *)command->args)->limit;
    op->push = push;
    op->state = head;
    op->satisfied = head->left == 0;
    return 0;
}

int64_t head_limit(const struct spl_command *command)
{
    const struct head_args *args = command->args;
    return command->descriptor == &command_head && !args->while_true ? args->limit : -1;
}

const struct command command_head = {
    .name = "head",
    .summary = "the first rows, or the rows as long as a condition holds",
    .syntax = "head [N | (CONDITION)] [options]",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
