/* Expressions and conditions of steps, asked of one event. */
#include "decode/condition.h"

#include "decode/decode_run.h"
#include "expr/function.h"

#define SCRATCH_BYTES_KEPT (64 * KIB)

static bool bound_field(void *context, struct slice name, struct value_list *out)
{
    struct run *run = context;
    if (!name.len || name.ptr[0] != '_')
        return false;
    uintptr_t number = (uintptr_t)map_find(&run->runner->decoders->fields.by_name, name);
    *out = number ? run_get(run, (uint32_t)number - 1) : (struct value_list){0};
    return true;
}

bool run_evaluate(struct run *run, const struct expr *expr, struct value_list *out)
{
    struct runner *runner = run->runner;
    if (arena_used(runner->scratch) > SCRATCH_BYTES_KEPT)
        arena_reset(runner->scratch);
    runner->scope.scratch = runner->scratch;
    runner->scope.now_ns = run->received_ns;
    runner->scope.zone = run->zone;
    runner->scope.bound = bound_field;
    runner->scope.bound_context = run;
    if (expr_eval(expr, &runner->scope, run->batch, run->row, out, run->err) == 0)
        return true;
    run->out_of_memory = true;
    return false;
}

static enum truth ask_expr(struct run *run, const struct expr *expr)
{
    struct value_list list = {0};
    return run_evaluate(run, expr, &list) ? value_truth(&list) : TRUTH_NULL;
}

static bool is_missing(const struct value_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->values[i].type != VALUE_NULL)
            return false;
    return true;
}

/* Other values than texts are compared as expr/expr does. */
static enum truth ask_equal(struct run *run, const struct condition *condition, const struct value_list *list)
{
    bool equal = false;
    for (uint32_t i = 0; i < list->count; i++) {
        struct value v = list->values[i];
        if (v.type != VALUE_STRING && v.type != VALUE_NULL)
            return ask_expr(run, condition->expr);
        equal |= v.type == VALUE_STRING && slice_equal_short(value_slice(v), condition->text);
    }
    return equal == (condition->kind == CONDITION_EQUAL) ? TRUTH_TRUE : TRUTH_FALSE;
}

static enum truth ask(struct run *run, const struct condition *condition);

/* Three-valued: one FALSE of all decides, or one TRUE of any; else a NULL does. */
static enum truth ask_parts(struct run *run, const struct condition *condition)
{
    enum truth decides = condition->kind == CONDITION_ALL ? TRUTH_FALSE : TRUTH_TRUE;
    enum truth result = condition->kind == CONDITION_ALL ? TRUTH_TRUE : TRUTH_FALSE;
    for (uint32_t i = 0; i < condition->part_count; i++) {
        enum truth one = ask(run, &condition->parts[i]);
        if (one == decides)
            return one;
        if (one == TRUTH_NULL)
            result = TRUTH_NULL;
    }
    return result;
}

static enum truth ask(struct run *run, const struct condition *condition)
{
    struct value_list list = {0};
    if (condition->field != UINT32_MAX)
        list = run_get(run, condition->field);
    bool missing = is_missing(&list);
    switch (condition->kind) {
    case CONDITION_ASK:
        return condition->field != UINT32_MAX && missing ? TRUTH_NULL : ask_expr(run, condition->expr);
    case CONDITION_ALL:
    case CONDITION_ANY:
        return ask_parts(run, condition);
    case CONDITION_NOT: {
        enum truth inner = ask(run, &condition->parts[0]);
        return inner == TRUTH_NULL ? inner : inner == TRUTH_TRUE ? TRUTH_FALSE : TRUTH_TRUE;
    }
    case CONDITION_MISSING:
        return missing ? TRUTH_TRUE : TRUTH_FALSE;
    case CONDITION_THERE:
        return missing ? TRUTH_FALSE : TRUTH_TRUE;
    case CONDITION_EQUAL:
    case CONDITION_NOT_EQUAL:
        return missing ? TRUTH_NULL : ask_equal(run, condition, &list);
    }
    return TRUTH_NULL;
}

bool run_holds(struct run *run, const struct condition *condition)
{
    return ask(run, condition) == TRUTH_TRUE;
}
