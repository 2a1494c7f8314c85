/* Conditions, comparison and what a value is. */
#include "expr/function.h"

static int call_if(struct call *call, struct value_list *out)
{
    enum truth truth;
    if (call_truth(call, 0, &truth) < 0)
        return -1;
    return call_arg(call, truth == TRUTH_TRUE ? 1 : 2, out);
}

static int call_case(struct call *call, struct value_list *out)
{
    for (size_t i = 0; i + 1 < call->node->arg_count; i += 2) {
        enum truth truth;
        if (call_truth(call, i, &truth) < 0)
            return -1;
        if (truth == TRUTH_TRUE)
            return call_arg(call, i + 1, out);
    }
    return 0;
}

static int call_validate(struct call *call, struct value_list *out)
{
    for (size_t i = 0; i + 1 < call->node->arg_count; i += 2) {
        enum truth truth;
        if (call_truth(call, i, &truth) < 0)
            return -1;
        if (truth == TRUTH_FALSE)
            return call_arg(call, i + 1, out);
    }
    return 0;
}

static int call_coalesce(struct call *call, struct value_list *out)
{
    for (size_t i = 0; i < call->node->arg_count; i++) {
        if (call_arg(call, i, out) < 0)
            return -1;
        if (out->count)
            return 0;
    }
    return 0;
}

static int call_nullif(struct call *call, struct value_list *out)
{
    struct value_list a, b;
    if (call_arg(call, 0, &a) < 0 || call_arg(call, 1, &b) < 0)
        return -1;
    if (a.count && b.count &&
        value_compare_by(OP_EQUAL, a.values[0], b.values[0], call->scope->scratch) == TRUTH_TRUE)
        return 0;
    *out = a;
    return 0;
}

static int call_null(struct call *call, struct value_list *out)
{
    return call_return(call, value_null(), out);
}

static int call_true(struct call *call, struct value_list *out)
{
    return call_return(call, value_bool(true), out);
}

static int call_false(struct call *call, struct value_list *out)
{
    return call_return(call, value_bool(false), out);
}

static int call_isnull(struct call *call, struct value_list *out)
{
    struct value_list a;
    if (call_arg(call, 0, &a) < 0)
        return -1;
    return call_return(call, value_bool(a.count == 0), out);
}

static int call_isnotnull(struct call *call, struct value_list *out)
{
    struct value_list a;
    if (call_arg(call, 0, &a) < 0)
        return -1;
    return call_return(call, value_bool(a.count > 0), out);
}

static int call_isnum(struct call *call, struct value_list *out)
{
    struct value number;
    bool ok;
    if (call_number(call, 0, &number, &ok) < 0)
        return -1;
    return call_return(call, value_bool(ok), out);
}

static int call_isint(struct call *call, struct value_list *out)
{
    struct value number;
    bool ok;
    if (call_number(call, 0, &number, &ok) < 0)
        return -1;
    return call_return(call, value_bool(ok && number.type == VALUE_I64), out);
}

static int call_isstr(struct call *call, struct value_list *out)
{
    struct value v, number;
    if (call_value(call, 0, &v) < 0)
        return -1;
    bool text = v.type == VALUE_STRING && !value_to_number(v, call->scope->scratch, &number);
    return call_return(call, value_bool(text), out);
}

static int call_isbool(struct call *call, struct value_list *out)
{
    struct value v;
    if (call_value(call, 0, &v) < 0)
        return -1;
    return call_return(call, value_bool(v.type == VALUE_BOOL), out);
}

static int call_in(struct call *call, struct value_list *out)
{
    struct expr in = *call->node;
    in.kind = EXPR_IN;
    return expr_eval(&in, call->scope, call->batch, call->row, out, call->err);
}

static int call_like(struct call *call, struct value_list *out)
{
    struct expr like = *call->node;
    like.kind = EXPR_LIKE;
    return expr_eval(&like, call->scope, call->batch, call->row, out, call->err);
}

static int prepare_match(struct expr *node, struct arena *arena, struct err *err)
{
    return function_prepare_regex(node, 1, arena, err);
}

static bool any_matches(struct call *call, const struct regex *regex, const struct value_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        char small[VALUE_TEXT_SIZE];
        enum regex_result result = regex_match(regex, value_text_small(list->values[i], small));
        expr_regex_done(call->scope, result);
        if (result == REGEX_YES)
            return true;
        if (call->scope->stopped)
            break;
    }
    return false;
}

static int call_match(struct call *call, struct value_list *out)
{
    struct value_list list;
    if (call_arg(call, 0, &list) < 0)
        return -1;
    if (list.count == 0)
        return 0;
    if (call->node->prepared)
        return call_return(call, value_bool(any_matches(call, call->node->prepared, &list)), out);
    struct slice pattern;
    struct regex *regex;
    if (call_text(call, 1, &pattern) < 0)
        return -1;
    if (!pattern.ptr || regex_new(pattern, 0, &regex, NULL) < 0)
        return 0;
    bool hit = any_matches(call, regex, &list);
    regex_free(regex);
    return call_return(call, value_bool(hit), out);
}

static int call_cidrmatch(struct call *call, struct value_list *out)
{
    struct slice net;
    struct value_list list;
    struct cidr cidr;
    if (call_text(call, 0, &net) < 0 || call_arg(call, 1, &list) < 0)
        return -1;
    if (!net.ptr || list.count == 0)
        return 0;
    bool hit = false, valid = cidr_parse(net, &cidr);
    for (uint32_t i = 0; valid && i < list.count; i++) {
        struct value v = list.values[i];
        struct ip ip;
        if (v.type == VALUE_IP)
            hit |= cidr_contains(&cidr, v.ip, v.scale);
        else if (v.type == VALUE_STRING && ip_parse(value_slice(v), &ip))
            hit |= cidr_contains(&cidr, ip.bytes, ip.family);
    }
    return call_return(call, value_bool(hit), out);
}

/* What is remembered of a key at the time of the event; NULL when nothing is. */
static int call_state(struct call *call, struct value_list *out)
{
    struct slice table, key, field;
    struct expr_scope *scope = call->scope;
    if (call_text(call, 0, &table) < 0 || call_text(call, 1, &key) < 0 ||
        call_text(call, 2, &field) < 0)
        return -1;
    if (!scope->state || !table.ptr || !key.ptr || !field.ptr ||
        !scope->state(scope->state_context, table, key, field, scope->now_ns, scope->scratch, out))
        *out = (struct value_list){0};
    return 0;
}

static const struct expr_function functions[] = {
    {"if", 3, 3, "if(condition, a, b): a when the condition is true, else b", call_if, 0},
    {"case", 2, FUNCTION_ARGS_ANY, "case(c1, v1, ...): the value of the first true condition",
     call_case, 0},
    {"validate", 2, FUNCTION_ARGS_ANY, "validate(c1, m1, ...): the message of the first false one",
     call_validate, 0},
    {"coalesce", 1, FUNCTION_ARGS_ANY, "coalesce(a, ...): the first that is not null",
     call_coalesce, 0},
    {"nullif", 2, 2, "nullif(a, b): null when a equals b, else a", call_nullif, 0},
    {"null", 0, 0, "null(): no value", call_null, 0},
    {"true", 0, 0, "true(): what is true", call_true, 0},
    {"false", 0, 0, "false(): what is false", call_false, 0},
    {"isnull", 1, 1, "isnull(x): there is no value", call_isnull, 0},
    {"isnotnull", 1, 1, "isnotnull(x): there is a value", call_isnotnull, 0},
    {"isnum", 1, 1, "isnum(x): a number, or text that is one", call_isnum, 0},
    {"isint", 1, 1, "isint(x): a whole number", call_isint, 0},
    {"isstr", 1, 1, "isstr(x): text that is no number", call_isstr, 0},
    {"isbool", 1, 1, "isbool(x): true or false", call_isbool, 0},
    {"in", 2, FUNCTION_ARGS_ANY, "in(x, a, b, ...): x equals one of them", call_in, 0},
    {"like", 2, 2, "like(text, pattern): % any run, _ one", call_like, 0},
    {"match", 2, 2, "match(text, \"regex\"): found anywhere", call_match, prepare_match},
    {"state", 3, 3, "state(\"table\", key, \"field\"): what is remembered of the key", call_state,
     0},
    {"cidrmatch", 2, 2, "cidrmatch(\"net/bits\", ip): the address lies in the network",
     call_cidrmatch, 0},
};
const struct expr_family functions_logic = {functions, ARRAY_COUNT(functions)};
