/* sort, reverse, tail: they hold all rows and give them in another order. */
#include "search/command_sort.h"

#include "search/hold.h"
#include "search/newest.h"

struct sort_args {
    int64_t limit; /* 0: all */
    bool descending_all;
    struct sort_keys keys;
};

static const struct command_option sort_options[] = {
    {"limit", OPTION_I64, offsetof(struct sort_args, limit), "rows to keep; 0: all"},
};

static int parse_sort(struct spl_parser *p, struct spl_command *command)
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

static void want_sort(const struct spl_command *command, struct wanted *wanted)
{
    const struct sort_args *args = command->args;
    for (size_t i = 0; i < args->keys.count; i++)
        wanted_add(wanted, args->keys.keys[i].field);
}

struct holder {
    struct row_store rows;
    struct sort_keys keys;
    int64_t limit;
};

static int hold(struct stage *op, struct frame *frame, struct err *err)
{
    struct holder *holder = op->state;
    return row_store_add(&holder->rows, frame) < 0 ? run_nomem(op->run, err) : 0;
}

static int finish_sort(struct stage *op, struct err *err)
{
    struct holder *holder = op->state;
    const struct batch *batch = holder->rows.batch;
    uint32_t *order;
    if (!batch)
        return 0;
    if (sort_rows(&holder->keys, batch, op->run->arena, &order) < 0)
        return run_nomem(op->run, err);
    uint32_t count = batch->row_count;
    if (holder->limit && (uint64_t)holder->limit < count)
        count = (uint32_t)holder->limit;
    return stage_emit(op, batch, order, count, err);
}

static int make_holder(struct run *run, struct stage *op,
                       int (*finish)(struct stage *, struct err *), struct holder **out,
                       struct err *err)
{
    *out = op->state = arena_calloc(run->arena, sizeof(**out));
    op->push = hold;
    op->finish = finish;
    if (!*out)
        return run_nomem(run, err);
    row_store_init(&(*out)->rows, run->arena);
    return 0;
}

static int make_sort(struct run *run, const struct spl_command *command, struct stage *op,
                     struct err *err)
{
    const struct sort_args *args = command->args;
    struct holder *holder;
    if (make_holder(run, op, finish_sort, &holder, err) < 0)
        return -1;
    holder->keys = args->keys;
    holder->limit = args->limit;
    return 0;
}

const struct command command_sort = {"sort",
                                     0,
                                     "rows in order: sort 100 -bytes, +str(user)",
                                     COMMAND_HOLDS,
                                     sort_options,
                                     ARRAY_COUNT(sort_options),
                                     parse_sort,
                                     make_sort,
                                     want_sort,
                                     0};

const struct sort_key *sort_first_key(const struct spl_command *command, uint64_t *rows)
{
    if (!command || command->descriptor != &command_sort)
        return NULL;
    const struct sort_args *args = command->args;
    *rows = args->limit ? (uint64_t)args->limit : newest_limit(command->next, 0);
    return *rows ? &args->keys.keys[0] : NULL;
}

/* ---- reverse ---- */

static int parse_nothing(struct spl_parser *p, struct spl_command *command)
{
    (void)command;
    return spl_expect_end(p);
}

static int emit_backward(struct stage *op, const struct batch *batch, uint32_t count,
                         struct err *err)
{
    uint32_t *order = batch ? arena_alloc(op->run->arena, (count + 1U) * sizeof(*order)) : NULL;
    if (!batch)
        return 0;
    if (!order)
        return run_nomem(op->run, err);
    for (uint32_t i = 0; i < count; i++)
        order[i] = batch->row_count - 1 - i;
    return stage_emit(op, batch, order, count, err);
}

static int finish_reverse(struct stage *op, struct err *err)
{
    struct holder *holder = op->state;
    return emit_backward(op, holder->rows.batch,
                         holder->rows.batch ? holder->rows.batch->row_count : 0, err);
}

static int make_reverse(struct run *run, const struct spl_command *command, struct stage *op,
                        struct err *err)
{
    struct holder *holder;
    (void)command;
    return make_holder(run, op, finish_reverse, &holder, err);
}

const struct command command_reverse = {
    "reverse", 0, "the last row first", COMMAND_HOLDS, 0, 0, parse_nothing, make_reverse, 0, 0};

/* ---- tail ---- */

static int parse_tail(struct spl_parser *p, struct spl_command *command)
{
    struct sort_args *args = arena_calloc(p->arena, sizeof(*args));
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    args->limit = 10;
    if (spl_take_options(p, args) < 0 ||
        (p->token.kind != SPL_END && spl_take_i64(p, &args->limit) < 0))
        return -1;
    return spl_expect_end(p);
}

struct tail {
    struct shelf shelf;
    uint64_t limit;
};

static int push_tail(struct stage *op, struct frame *frame, struct err *err)
{
    struct tail *tail = op->state;
    if (row_store_add(&tail->shelf.rows, frame) < 0)
        return run_nomem(op->run, err);
    uint32_t held = shelf_count(&tail->shelf), limit = (uint32_t)tail->limit;
    if (tail->limit > held || held <= 4 * tail->limit + SHELF_SLACK)
        return 0;
    uint32_t *rows = arena_alloc(frame->batch->arena, (limit + 1U) * sizeof(*rows));
    for (uint32_t i = 0; rows && i < limit; i++)
        rows[i] = held - limit + i;
    return !rows || shelf_keep(&tail->shelf, rows, limit) < 0 ? run_nomem(op->run, err) : 0;
}

static int finish_tail(struct stage *op, struct err *err)
{
    struct tail *tail = op->state;
    uint32_t count = shelf_count(&tail->shelf);
    if (tail->limit < count)
        count = (uint32_t)tail->limit;
    return emit_backward(op, tail->shelf.rows.batch, count, err);
}

static int make_tail(struct run *run, const struct spl_command *command, struct stage *op,
                     struct err *err)
{
    struct tail *tail = op->state = arena_calloc(run->arena, sizeof(*tail));
    op->push = push_tail;
    op->finish = finish_tail;
    if (!tail || shelf_init(&tail->shelf, run) < 0)
        return run_nomem(run, err);
    tail->limit = (uint64_t)((const struct sort_args *)command->args)->limit;
    return 0;
}

const struct command command_tail = {"tail",
                                     0,
                                     "the last rows, the last one first",
                                     COMMAND_HOLDS,
                                     sort_options,
                                     ARRAY_COUNT(sort_options),
                                     parse_tail,
                                     make_tail,
                                     0,
                                     0};
