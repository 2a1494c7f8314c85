/* Fields with several values. */
#include "base/time_modifier.h"
#include "expr/function.h"

#include <stdlib.h>

static int return_list(struct call *call, struct value *values, uint32_t count,
                       struct value_list *out)
{
    if (!values)
        return err_nomem(call->err);
    *out = (struct value_list){values, count};
    return 0;
}

static int call_mvcount(struct call *call, struct value_list *out)
{
    struct value_list list;
    if (call_arg(call, 0, &list) < 0)
        return -1;
    return list.count ? call_return(call, value_i64(list.count), out) : 0;
}

static int call_mvappend(struct call *call, struct value_list *out)
{
    struct value *all = NULL;
    uint32_t count = 0;
    if (call->node->arg_count == 0)
        return 0;
    for (size_t i = 0; i < call->node->arg_count; i++) {
        struct value_list list;
        if (call_arg(call, i, &list) < 0)
            return -1;
        all = arena_grow(call->scope->scratch, all, count * sizeof(*all),
                         (count + list.count + 1U) * sizeof(*all));
        if (!all)
            return err_nomem(call->err);
        if (list.count)
            memcpy(all + count, list.values, list.count * sizeof(*all));
        count += list.count;
    }
    return return_list(call, all, count, out);
}

static int call_mvindex(struct call *call, struct value_list *out)
{
    struct value_list list;
    int64_t first, last;
    bool ok, last_ok = true;
    if (call_arg(call, 0, &list) < 0 || call_i64(call, 1, &first, &ok) < 0)
        return -1;
    last = first;
    if (call->node->arg_count > 2 && call_i64(call, 2, &last, &last_ok) < 0)
        return -1;
    first += first < 0 ? (int64_t)list.count : 0;
    last += last < 0 ? (int64_t)list.count : 0;
    if (last >= (int64_t)list.count && call->node->arg_count > 2)
        last = (int64_t)list.count - 1;
    if (!ok || !last_ok || first < 0 || last < first || last >= (int64_t)list.count)
        return 0;
    *out = (struct value_list){list.values + first, (uint32_t)(last - first + 1)};
    return 0;
}

static int call_mvjoin(struct call *call, struct value_list *out)
{
    struct value_list list;
    struct slice separator;
    if (call_arg(call, 0, &list) < 0 || call_text(call, 1, &separator) < 0)
        return -1;
    if (!list.count)
        return 0;
    struct buffer text;
    buffer_init(&text, EXPR_TEXT_MAX);
    for (uint32_t i = 0; i < list.count; i++) {
        char small[VALUE_TEXT_SIZE];
        if (i)
            buffer_put(&text, separator);
        buffer_put(&text, value_text_small(list.values[i], small));
    }
    int result = buffer_failed(&text) ? call_too_long(call)
                                      : call_return_text(call, buffer_slice(&text), out);
    buffer_close(&text);
    return result;
}

static int call_split(struct call *call, struct value_list *out)
{
    struct slice text, separator, part;
    if (call_text(call, 0, &text) < 0 || call_text(call, 1, &separator) < 0)
        return -1;
    if (!text.ptr || !separator.ptr)
        return 0;
    size_t room = separator.len ? text.len / separator.len + 2 : text.len + 1;
    struct value *values = arena_array(call->scope->scratch, room, sizeof(*values));
    uint32_t count = 0;
    for (bool more = true; values && more;) {
        ptrdiff_t at = separator.len ? slice_find(text, separator) : text.len > 1 ? 1 : -1;
        more = at >= 0;
        part = more ? slice_sub(text, 0, (size_t)at) : text;
        text = slice_from(text, more ? (size_t)at + separator.len : text.len);
        values[count++] = value_string(part);
    }
    return return_list(call, values, count, out);
}

static int call_mvdedup(struct call *call, struct value_list *out)
{
    struct value_list list;
    if (call_arg(call, 0, &list) < 0)
        return -1;
    struct value *kept = arena_array(call->scope->scratch, list.count + 1U, sizeof(*kept));
    uint32_t count = 0;
    for (uint32_t i = 0; kept && i < list.count; i++) {
        bool seen = false;
        for (uint32_t k = 0; k < count && !seen; k++)
            seen = value_equal(kept[k], list.values[i]);
        if (!seen)
            kept[count++] = list.values[i];
    }
    return return_list(call, kept, count, out);
}

static int by_text(const void *a, const void *b)
{
    char x[VALUE_TEXT_SIZE], y[VALUE_TEXT_SIZE];
    return slice_compare(value_text_small(*(const struct value *)a, x),
                         value_text_small(*(const struct value *)b, y));
}

static int call_mvsort(struct call *call, struct value_list *out)
{
    struct value_list list;
    if (call_arg(call, 0, &list) < 0)
        return -1;
    struct value *sorted = arena_array(call->scope->scratch, list.count + 1U, sizeof(*sorted));
    if (sorted && list.count) {
        memcpy(sorted, list.values, list.count * sizeof(*sorted));
        qsort(sorted, list.count, sizeof(*sorted), by_text);
    }
    return return_list(call, sorted, list.count, out);
}

static int call_mvzip(struct call *call, struct value_list *out)
{
    struct value_list a, b;
    struct slice separator = SLICE(",");
    if (call_arg(call, 0, &a) < 0 || call_arg(call, 1, &b) < 0)
        return -1;
    if (call->node->arg_count > 2 && call_text(call, 2, &separator) < 0)
        return -1;
    uint32_t count = a.count < b.count ? a.count : b.count;
    struct value *values = arena_array(call->scope->scratch, count + 1U, sizeof(*values));
    for (uint32_t i = 0; values && i < count; i++) {
        char x[VALUE_TEXT_SIZE], y[VALUE_TEXT_SIZE];
        struct slice left = value_text_small(a.values[i], x),
                     right = value_text_small(b.values[i], y);
        struct slice joined = arena_printf(call->scope->scratch, "%.*s%.*s%.*s", SLICE_ARG(left),
                                           SLICE_ARG(separator), SLICE_ARG(right));
        if (!joined.ptr)
            return err_nomem(call->err);
        values[i] = value_string(joined);
    }
    return return_list(call, values, count, out);
}

static int call_mvfind(struct call *call, struct value_list *out)
{
    struct value_list list;
    struct regex *own;
    if (call_arg(call, 0, &list) < 0)
        return -1;
    if (list.count == 0)
        return 0;
    const struct regex *regex = call_regex(call, 1, &own);
    int64_t found = -1;
    for (uint32_t i = 0; regex && found < 0 && i < list.count; i++) {
        char small[VALUE_TEXT_SIZE];
        if (regex_match(regex, value_text_small(list.values[i], small)) == REGEX_YES)
            found = i;
    }
    regex_free(own);
    return found < 0 ? 0 : call_return(call, value_i64(found), out);
}

static int prepare_mvfind(struct expr *node, struct arena *arena, struct err *err)
{
    return function_prepare_regex(node, 1, arena, err);
}

/* A number, or a span of time such as "1d" in seconds. */
static int take_step(struct call *call, int64_t *step, bool *ok)
{
    struct slice text;
    if (call_i64(call, 2, step, ok) < 0 || *ok)
        return *ok ? 0 : -1;
    if (call_text(call, 2, &text) < 0)
        return -1;
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    int64_t unit = time_unit_ns(time_unit_by_name(slice_from(text, digits))) / NS_PER_SECOND;
    *ok = unit > 0 && slice_to_i64(slice_sub(text, 0, digits), step) &&
          !__builtin_mul_overflow(*step, unit, step);
    return 0;
}

/* Numbers with a fraction, exact as all decimals are. */
static int range_of_numbers(struct call *call, struct value from, struct value to, struct value step,
                            struct value_list *out)
{
    int sign = value_compare_numbers(step, value_i64(0));
    double count = (value_to_f64(to) - value_to_f64(from)) / value_to_f64(step);
    if (sign == 0 || !(count > 0))
        return 0;
    if (count > FIELD_VALUES_MAX)
        return err_set(call->err, ERR_LIMIT, "mvrange() would make more than %d values",
                       FIELD_VALUES_MAX);
    struct value *values = arena_array(call->scope->scratch, (size_t)count + 3, sizeof(*values));
    uint32_t made = 0;
    for (struct value v = from; values && made < (size_t)count + 3; made++) {
        if (v.type == VALUE_NULL || value_compare_numbers(v, to) * sign >= 0)
            break;
        values[made] = v;
        v = value_arithmetic(OP_ADD, v, step, call->scope->scratch);
    }
    return return_list(call, values, made, out);
}

static int call_mvrange(struct call *call, struct value_list *out)
{
    struct value bounds[3] = {{0}, {0}, value_i64(1)};
    bool numbers = true, whole = true;
    for (size_t i = 0; i < call->node->arg_count && numbers; i++) {
        if (call_number(call, i, &bounds[i], &numbers) < 0)
            return -1;
        whole = whole && numbers && bounds[i].type == VALUE_I64;
    }
    if (numbers && !whole)
        return range_of_numbers(call, bounds[0], bounds[1], bounds[2], out);
    int64_t from, to, step = 1;
    bool ok_from, ok_to, ok_step = true;
    if (call_i64(call, 0, &from, &ok_from) < 0 || call_i64(call, 1, &to, &ok_to) < 0)
        return -1;
    if (call->node->arg_count > 2 && take_step(call, &step, &ok_step) < 0)
        return -1;
    if (!ok_from || !ok_to || !ok_step || step == 0 || (step > 0) != (to > from))
        return 0;
    int128 span = (int128)to - from;
    int128 count = (span + step - (step > 0 ? 1 : -1)) / step;
    if (count > FIELD_VALUES_MAX)
        return err_set(call->err, ERR_LIMIT, "mvrange() would make more than %d values",
                       FIELD_VALUES_MAX);
    struct value *values = arena_array(call->scope->scratch, (size_t)count + 1, sizeof(*values));
    for (int64_t i = 0; values && i < (int64_t)count; i++)
        values[i] = value_i64(from + i * step);
    return return_list(call, values, (uint32_t)count, out);
}

/* mvmap and mvfilter bind the field that their expression names to one member after the other. */
struct binding {
    struct slice name;
    struct value value;
    bool (*outer)(void *context, struct slice name, struct value_list *out);
    void *outer_context;
};

static bool bound_member(void *context, struct slice name, struct value_list *out)
{
    struct binding *binding = context;
    if (slice_equal(name, binding->name)) {
        *out = (struct value_list){&binding->value, 1};
        return true;
    }
    return binding->outer && binding->outer(binding->outer_context, name, out);
}

static void first_field(void *context, struct slice name)
{
    struct slice *found = context;
    if (!found->ptr)
        *found = name;
}

static int each_member(struct call *call, struct slice name, const struct value_list *list,
                       const struct expr *body, bool filter, struct value_list *out)
{
    struct binding binding = {
        .name = name, .outer = call->scope->bound, .outer_context = call->scope->bound_context};
    struct expr_scope inner = *call->scope;
    inner.bound = bound_member;
    inner.bound_context = &binding;
    struct value *values = arena_array(call->scope->scratch, list->count + 1U, sizeof(*values));
    uint32_t count = 0;
    for (uint32_t i = 0; values && i < list->count; i++) {
        struct value_list result;
        binding.value = list->values[i];
        if (i % 64 == 63)
            expr_stopped(&inner);
        if (expr_eval(body, &inner, call->batch, call->row, &result, call->err) < 0)
            return -1;
        if (inner.stopped) {
            call->scope->stopped = true;
            return err_set(call->err, ERR_CANCELLED, "the work was cancelled");
        }
        if (filter && value_truth(&result) == TRUTH_TRUE)
            values[count++] = list->values[i];
        else if (!filter && result.count)
            values[count++] = result.values[0];
    }
    call->scope->regex_limits = inner.regex_limits;
    return return_list(call, values, count, out);
}

static int call_mvmap(struct call *call, struct value_list *out)
{
    struct value_list list;
    struct slice name = SLICE_NONE;
    bool all = false;
    expr_fields(call->node->args[0], first_field, &name, &all);
    if (call_arg(call, 0, &list) < 0)
        return -1;
    return each_member(call, name, &list, call->node->args[1], false, out);
}

static int call_mvfilter(struct call *call, struct value_list *out)
{
    struct slice name = SLICE_NONE;
    bool all = false;
    expr_fields(call->node->args[0], first_field, &name, &all);
    if (!name.ptr)
        return 0;
    struct expr field = {.kind = EXPR_FIELD, .field = name};
    struct value_list list;
    if (expr_eval(&field, call->scope, call->batch, call->row, &list, call->err) < 0)
        return -1;
    return each_member(call, name, &list, call->node->args[0], true, out);
}

static const struct expr_function functions[] = {
    {"mvcount", 1, 1, "mvcount(field): how many values", call_mvcount, 0},
    {"mvappend", 0, FUNCTION_ARGS_ANY, "mvappend(a, ...): nulls are skipped", call_mvappend, 0},
    {"mvindex", 2, 3, "mvindex(mv, first[, last]): from 0, negative from the end", call_mvindex, 0},
    {"mvjoin", 2, 2, "mvjoin(mv, separator): one text of all values", call_mvjoin, 0},
    {"split", 2, 2,
     "split(text, separator): the parts between the separators; \"\" gives characters", call_split,
     0},
    {"mvdedup", 1, 1, "mvdedup(mv): each value once, the first stays", call_mvdedup, 0},
    {"mvsort", 1, 1, "mvsort(mv): byte order", call_mvsort, 0},
    {"mvzip", 2, 3, "mvzip(a, b[, separator]): pairs of values, joined by a comma unless said",
     call_mvzip, 0},
    {"mvfind", 2, 2, "mvfind(mv, \"regex\"): position or null", call_mvfind, prepare_mvfind},
    {"mvrange", 2, 3, "mvrange(from, to[, step]): to is not included", call_mvrange, 0},
    {"mvmap", 2, 2, "mvmap(mv, expression): the expression for each value", call_mvmap, 0},
    {"mvfilter", 1, 1, "mvfilter(condition on one field): the values for which it is true",
     call_mvfilter, 0},
};
const struct expr_family functions_mv = {functions, ARRAY_COUNT(functions)};
