/* return: values of the first rows as the text of a search, for the search outside. */
#include "search/hold.h"
#include "search/rows.h"
#include "search/commands/search_text.h"

struct returned {
    struct slice name;  /* as the outer search calls it; SLICE_NONE: the value alone */
    struct slice field; /* where it comes from */
};

struct return_args {
    int64_t rows;
    struct returned *list;
    size_t count;
};

/* user, alias=user, $user */
static int take_one(struct spl_parser *p, struct returned *out)
{
    struct slice name = p->token.text;
    if (spl_at_option(p)) {
        if (spl_advance(p) < 0 || spl_take_value(p, &out->field) < 0)
            return -1;
        out->name = name;
        out->field = spl_field_alias(out->field);
        return 0;
    }
    if (p->token.kind == SPL_WORD && name.len > 1 && name.ptr[0] == '$') {
        name = slice_from(name, 1);
        if (name.ptr[name.len - 1] == '$')
            name.len--;
        out->field = spl_field_alias(name);
        return spl_advance(p);
    }
    out->name = name;
    return spl_take_field(p, &out->field);
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct return_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->rows = 1;
    if (p->token.kind == SPL_WORD && !spl_at_option(p) &&
        slice_to_i64(p->token.text, &args->rows)) {
        if (args->rows < 1)
            return spl_fail(p, "return gives at least 1 row");
        if (spl_advance(p) < 0)
            return -1;
    }
    while (p->token.kind != SPL_END) {
        args->list = spl_grow(p->arena, args->list, args->count, sizeof(*args->list));
        if (!args->list)
            return err_nomem(p->err);
        args->list[args->count] = (struct returned){0};
        if (take_one(p, &args->list[args->count]) < 0)
            return -1;
        args->count++;
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    return args->count ? 0 : spl_fail(p, "here a field is needed: return 5 user");
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct return_args *args = command->args;
    wanted_reset(wanted);
    for (size_t i = 0; i < args->count; i++)
        wanted_add(wanted, args->list[i].field);
}

struct returning {
    struct hold hold;
    uint64_t seen;
};

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct return_args *args = op->command->args;
    struct returning *state = op->state;
    for (uint32_t row = frame_next(frame, 0);
         row < frame->batch->row_count && state->seen < (uint64_t)args->rows;
         row = frame_next(frame, row + 1), state->seen++)
        if (row_store_add_row(&state->hold.rows, frame, row) < 0)
            return run_nomem(op->run, err);
    op->satisfied = state->seen >= (uint64_t)args->rows;
    return 0;
}

static void put_value(struct buffer *to, const struct returned *one, struct slice text)
{
    if (!one->name.ptr)
        buffer_put(to, text);
    else
        search_text_pair(to, one->name, text);
}

/* A row's values stand beside each other, and so do several of one field as alternatives. */
static bool put_row(struct stage *op, struct buffer *to, const struct batch *batch, uint32_t row)
{
    const struct return_args *args = op->command->args;
    bool some = false;
    for (size_t i = 0; i < args->count; i++) {
        const struct column *column = batch_find(batch, args->list[i].field);
        uint32_t first, count = column ? column_range(column, row, &first) : 0;
        if (!count)
            continue;
        buffer_put_text(to, some ? " " : "");
        buffer_put_text(to, count > 1 ? "(" : "");
        for (uint32_t k = 0; k < count; k++) {
            buffer_put_text(to, k ? " OR " : "");
            put_value(to, &args->list[i],
                      rows_text(column_value(column, first + k), op->run->arena));
        }
        buffer_put_text(to, count > 1 ? ")" : "");
        some = true;
    }
    return some;
}

static int finish(struct stage *op, struct err *err)
{
    const struct return_args *args = op->command->args;
    struct returning *state = op->state;
    const struct batch *batch = state->hold.rows.batch;
    struct buffer text, row_text;
    bool some = false;
    buffer_init(&text, MEMORY_QUERY_MAX);
    buffer_init(&row_text, MEMORY_QUERY_MAX);
    for (uint32_t row = 0; batch && row < batch->row_count; row++) {
        buffer_clear(&row_text);
        if (!put_row(op, &row_text, batch, row))
            continue;
        bool plain = args->rows == 1;
        buffer_put_text(&text, some ? " OR " : "");
        buffer_put_text(&text, plain ? "" : "(");
        buffer_put(&text, buffer_slice(&row_text));
        buffer_put_text(&text, plain ? "" : ")");
        some = true;
    }
    text.failed |= buffer_failed(&row_text);
    buffer_close(&row_text);
    if (some)
        return search_text_emit(op, &text, err);
    buffer_close(&text);
    return 0;
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    (void)command;
    if (stage_hold(run, op, sizeof(struct returning), finish, err) < 0)
        return -1;
    op->push = push;
    return 0;
}

const struct command command_return = {
    .name = "return",
    .syntax = "return [N] [NEW=FIELD | FIELD | $FIELD] ...",
    .summary = "values of the first rows for the search outside: return 5 user, return ip=src, "
               "return $user",
    .flags = COMMAND_TRANSFORMS,
    .parse = parse,
    .make = make,
    .want = want,
};
