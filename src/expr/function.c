#include "expr/function.h"

#include <math.h>

static const struct expr_family *const families[] = {
    &functions_logic, &functions_math, &functions_text, &functions_mv, &functions_convert,
    &functions_time, &functions_bits, &functions_json, &functions_json_edit, &functions_cast,
    &functions_name, &functions_search,
};

const struct expr_function *function_at(size_t index)
{
    for (size_t i = 0; i < ARRAY_COUNT(families); i++) {
        if (index < families[i]->count)
            return &families[i]->functions[index];
        index -= families[i]->count;
    }
    return NULL;
}

const struct expr_function *function_find(struct slice name, const char **nearest)
{
    size_t best = SIZE_MAX;
    *nearest = NULL;
    const struct expr_function *function;
    for (size_t i = 0; (function = function_at(i)); i++) {
        if (slice_is_nocase(name, function->name))
            return function;
        size_t distance = slice_distance(name, slice_text(function->name));
        if (distance < best) {
            best = distance;
            *nearest = function->name;
        }
    }
    return NULL;
}

int call_arg(struct call *call, size_t index, struct value_list *out)
{
    *out = (struct value_list){0};
    if (index >= call->node->arg_count)
        return 0;
    return expr_eval(call->node->args[index], call->scope, call->batch, call->row, out, call->err);
}

int call_value(struct call *call, size_t index, struct value *out)
{
    struct value_list list;
    if (call_arg(call, index, &list) < 0)
        return -1;
    *out = list.count ? list.values[0] : value_null();
    return 0;
}

int call_text(struct call *call, size_t index, struct slice *out)
{
    struct value v;
    *out = SLICE_NONE;
    if (call_value(call, index, &v) < 0)
        return -1;
    if (v.type == VALUE_NULL)
        return 0;
    *out = value_text(v, call->scope->scratch);
    return out->ptr ? 0 : err_nomem(call->err);
}

int call_number(struct call *call, size_t index, struct value *out, bool *ok)
{
    struct value v;
    if (call_value(call, index, &v) < 0)
        return -1;
    *ok = value_to_number(v, call->scope->scratch, out);
    return 0;
}

int call_i64(struct call *call, size_t index, int64_t *out, bool *ok)
{
    struct value v;
    if (call_number(call, index, &v, ok) < 0)
        return -1;
    if (!*ok)
        return 0;
    if (v.type == VALUE_I64) {
        *out = v.i64;
        return 0;
    }
    double n = trunc(value_to_f64(v));
    *ok = n >= -9.2e18 && n <= 9.2e18;
    *out = *ok ? (int64_t)n : 0;
    return 0;
}

int call_truth(struct call *call, size_t index, enum truth *out)
{
    struct value_list list;
    if (call_arg(call, index, &list) < 0)
        return -1;
    *out = value_truth(&list);
    return 0;
}

int call_return(struct call *call, struct value v, struct value_list *out)
{
    *out = (struct value_list){0};
    if (v.type == VALUE_NULL)
        return 0;
    struct value *room = arena_alloc(call->scope->scratch, sizeof(*room));
    if (!room)
        return err_nomem(call->err);
    *room = v;
    *out = (struct value_list){room, 1};
    return 0;
}

int call_return_text(struct call *call, struct slice text, struct value_list *out)
{
    struct slice copy = arena_copy(call->scope->scratch, text);
    if (!copy.ptr)
        return err_nomem(call->err);
    return call_return(call, value_string(copy), out);
}

int function_prepare_regex(struct expr *node, size_t index, struct arena *arena, struct err *err)
{
    const struct expr *pattern = node->args[index];
    struct regex *regex;
    if (pattern->kind != EXPR_CONST || pattern->constant.type != VALUE_STRING)
        return 0;
    if (regex_new_in(arena, value_slice(pattern->constant), 0, &regex, err) < 0) {
        if (err) {
            err->start = pattern->start;
            err->end = pattern->end;
        }
        return -1;
    }
    node->prepared = regex;
    return 0;
}

const struct regex *call_regex(struct call *call, size_t index, struct regex **own)
{
    struct slice pattern;
    *own = NULL;
    if (call->node->prepared)
        return call->node->prepared;
    if (call_text(call, index, &pattern) < 0 || !pattern.ptr)
        return NULL;
    return regex_new(pattern, 0, own, NULL) < 0 ? NULL : *own;
}

int call_too_long(struct call *call)
{
    return err_set_at(call->err, ERR_LIMIT, call->node->start, call->node->end,
                      "%s() would make a text of more than %zu MiB; keep less of it",
                      call->node->function->name, EXPR_TEXT_MAX / MIB);
}

int call_map(struct call *call, value_map map, struct value_list *out)
{
    struct value_list list;
    if (call_arg(call, 0, &list) < 0)
        return -1;
    struct value *values = arena_array(call->scope->scratch, list.count + 1U, sizeof(*values));
    uint32_t count = 0;
    if (!values)
        return err_nomem(call->err);
    for (uint32_t i = 0; i < list.count; i++) {
        values[count] = value_null();
        if (map(call, list.values[i], &values[count]) < 0)
            return -1;
        count += values[count].type != VALUE_NULL;
    }
    *out = (struct value_list){values, count};
    return 0;
}
