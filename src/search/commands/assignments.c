/* eval and fieldformat: field = expression, one after the other. */
#include "search/commands/assignments.h"
#include "search/rows.h"

struct assignment {
    struct slice name;
    bool by_value; /* {field}: the name is the field's value */
    const struct expr *expr;
};

struct assignments {
    const struct assignment *list;
    size_t count;
};

/* a, "a b", 'a b', cpu:mem, {field}; then = */
static int take_target(struct spl_parser *p, struct assignment *to)
{
    struct slice name;
    if (spl_take_field(p, &name) < 0)
        return -1;
    if (name.len > 2 && name.ptr[0] == '{' && name.ptr[name.len - 1] == '}') {
        to->by_value = true;
        name = spl_field_alias(slice_sub(name, 1, name.len - 2));
    }
    to->name = name;
    if (!spl_at_sign(p, "="))
        return spl_fail(p, "here = and an expression are missing");
    return spl_advance(p);
}

static bool is_condition(const struct expr *expr)
{
    return expr->kind == EXPR_COMPARE || expr->kind == EXPR_AND || expr->kind == EXPR_OR ||
           expr->kind == EXPR_NOT || expr->kind == EXPR_XOR || expr->kind == EXPR_IN ||
           expr->kind == EXPR_LIKE;
}

int assignments_parse(struct spl_parser *p, struct spl_command *command)
{
    struct assignments *args = command_args(p, command, sizeof(*args));
    struct assignment *list = NULL;
    if (!args)
        return -1;
    for (bool more = true; more;) {
        list = spl_grow(p->arena, list, args->count, sizeof(*list));
        if (!list)
            return err_nomem(p->err);
        struct assignment *to = &list[args->count++];
        *to = (struct assignment){0};
        if (take_target(p, to) < 0 || spl_take_expr(p, &to->expr) < 0)
            return -1;
        if (is_condition(to->expr))
            return err_set_at(p->err, ERR_CONFIG, to->expr->start, to->expr->end,
                              "true or false cannot be kept in a field; use if(..., 1, 0) or "
                              "tostring(...)");
        more = spl_at_sign(p, ",");
        if (more && spl_advance(p) < 0)
            return -1;
    }
    args->list = list;
    return spl_expect_end(p);
}

void assignments_want(const struct spl_command *command, struct wanted *wanted)
{
    const struct assignments *args = command->args;
    for (size_t i = args->count; i-- > 0;) {
        if (args->list[i].by_value)
            wanted_add(wanted, args->list[i].name);
        else
            wanted_drop(wanted, args->list[i].name);
        wanted_add_expr(wanted, args->list[i].expr);
    }
}

/* Each row's value goes to the column that is named in the row. */
static int put_by_value(struct stage *op, struct frame *frame, struct slice field,
                        const struct column *made, struct err *err)
{
    const struct column *names = batch_find(frame->batch, field);
    struct map columns;
    map_init(&columns, frame->batch->arena);
    for (uint32_t i = 0; names && i < made->count; i++) {
        struct value v = column_first(names, made->rows[i]);
        struct slice name = v.type == VALUE_NULL ? SLICE_NONE : value_text(v, frame->batch->arena);
        if (!name.len)
            continue;
        void **slot = map_slot(&columns, spl_field_alias(name));
        if (slot && !*slot) { /* other rows keep what they have */
            const struct column *old = batch_find(frame->batch, spl_field_alias(name));
            struct column *fresh = frame_column(frame, spl_field_alias(name));
            uint32_t at = 0;
            for (uint32_t k = 0; fresh && old && k < old->count; k++) {
                while (at < made->count && made->rows[at] < old->rows[k])
                    at++;
                struct value n = column_first(names, old->rows[k]);
                char small[VALUE_TEXT_SIZE];
                if (n.type != VALUE_NULL && slice_equal(value_text_small(n, small), name))
                    continue;
                if (column_add(frame->batch, fresh, old->rows[k], column_value(old, k)) < 0)
                    return run_nomem(op->run, err);
            }
            *slot = fresh;
        }
        if (!slot || !*slot)
            return run_nomem(op->run, err);
        struct column *to = *slot;
        if (to->count && to->rows[to->count - 1] > made->rows[i]) {
            /* the old column ran ahead: insert in order */
            uint32_t place = to->count;
            if (column_add(frame->batch, to, to->rows[to->count - 1], made->values[i]) < 0)
                return run_nomem(op->run, err);
            while (place > 0 && to->rows[place - 1] > made->rows[i]) {
                to->rows[place] = to->rows[place - 1];
                to->values[place] = to->values[place - 1];
                place--;
            }
            to->rows[place] = made->rows[i];
            to->values[place] = made->values[i];
        } else if (column_add(frame->batch, to, made->rows[i], made->values[i]) < 0) {
            return run_nomem(op->run, err);
        }
    }
    const struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&columns, &at));)
        if (frame_put(frame, entry->value) < 0)
            return run_nomem(op->run, err);
    return 0;
}

int assignments_push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct assignments *args = op->command->args;
    for (size_t i = 0; i < args->count; i++) {
        const struct assignment *one = &args->list[i];
        struct column *made;
        if (run_eval(op->run, frame, one->expr, one->name, &made, err) < 0)
            return -1;
        if (one->by_value) {
            if (put_by_value(op, frame, one->name, made, err) < 0)
                return -1;
        } else if (frame_put(frame, made) < 0) {
            return run_nomem(op->run, err);
        }
    }
    return stage_push(op, frame, err);
}
