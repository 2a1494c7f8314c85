/* Building, walking and printing trees. Evaluation is in eval.c, tests on one value in test.c. */
#include "expr/expr.h"

#include "base/utf8.h"
#include "event/schema.h"
#include "expr/any_of.h"
#include "expr/function.h"

struct expr *expr_new(struct arena *arena, enum expr_kind kind)
{
    struct expr *expr = arena_calloc(arena, sizeof(*expr));
    if (expr) {
        expr->kind = kind;
        expr->start = expr->end = -1;
    }
    return expr;
}

struct expr *expr_list(struct arena *arena, enum expr_kind kind, const struct expr **args,
                       size_t count)
{
    struct expr *expr = expr_new(arena, kind);
    const struct expr **copy = arena_array(arena, count + 1, sizeof(*copy));
    if (!expr || !copy)
        return NULL;
    memcpy(copy, args, count * sizeof(*copy));
    expr->args = copy;
    expr->arg_count = count;
    return expr;
}

static const struct expr *pair(struct arena *arena, enum expr_kind kind, const struct expr *a,
                         const struct expr *b)
{
    const struct expr *args[] = {a, b};
    if (a && b)
        return expr_list(arena, kind, args, 2);
    return a ? a : b;
}

const struct expr *expr_and(struct arena *arena, const struct expr *a, const struct expr *b)
{
    return pair(arena, EXPR_AND, a, b);
}

const struct expr *expr_or(struct arena *arena, const struct expr *a, const struct expr *b)
{
    return pair(arena, EXPR_OR, a, b);
}

struct expr *expr_not(struct arena *arena, const struct expr *a)
{
    return expr_list(arena, EXPR_NOT, &a, 1);
}

struct expr *expr_field(struct arena *arena, struct slice name)
{
    struct expr *expr = expr_new(arena, EXPR_FIELD);
    if (!expr)
        return NULL;
    expr->field = arena_copy(arena, schema_alias(name));
    return expr->field.ptr ? expr : NULL;
}

struct expr *expr_constant(struct arena *arena, struct value v)
{
    struct expr *expr = expr_new(arena, EXPR_CONST);
    if (!expr)
        return NULL;
    expr->constant = value_copy(v, arena);
    return expr->constant.type == v.type ? expr : NULL;
}

/* Takes no more room than the text needs: there are rules by the thousand. */
static struct slice folded_copy(struct arena *arena, struct slice text)
{
    UNSET char small[1024];
    if (3 * text.len <= sizeof(small))
        return arena_copy(arena, slice_of(small, utf8_fold_text(text, small)));
    char *folded = arena_alloc(arena, 3 * text.len);
    return folded ? slice_of(folded, utf8_fold_text(text, folded)) : SLICE_NONE;
}

struct expr *expr_test_new(struct arena *arena, struct slice field, enum test_kind kind,
                           unsigned flags, struct slice text)
{
    struct expr *expr = expr_new(arena, EXPR_TEST);
    if (!expr)
        return NULL;
    expr->field = arena_copy(arena, field.ptr ? field : SLICE(""));
    expr->test.kind = kind;
    expr->test.flags = flags & ~(unsigned)TEST_NUMERIC;
    expr->test.text = flags & TEST_CASED ? arena_copy(arena, text) : folded_copy(arena, text);
    if (!expr->field.ptr || !expr->test.text.ptr)
        return NULL;
    if ((flags & TEST_NUMERIC) && value_to_number(value_string(expr->test.text), arena,
                                                  &expr->test.number))
        expr->test.flags |= TEST_NUMERIC;
    return expr;
}

static bool is_searchmatch(const struct expr *expr)
{
    return expr->kind == EXPR_CALL && slice_is(slice_text(expr->function->name), "searchmatch");
}

bool expr_calls(const struct expr *expr, const char *function)
{
    for (size_t i = 0; i < expr->arg_count; i++)
        if (expr_calls(expr->args[i], function))
            return true;
    return expr->kind == EXPR_CALL && slice_is(slice_text(expr->function->name), function);
}

int expr_bind_searches(const struct expr *expr, expr_search_bind bind, void *context)
{
    for (size_t i = 0; i < expr->arg_count; i++)
        if (expr_bind_searches(expr->args[i], bind, context) < 0)
            return -1;
    if (!is_searchmatch(expr))
        return 0;
    struct expr *call = (struct expr *)(uintptr_t)expr; /* just parsed, not shared yet */
    call->prepared = bind(context, expr->args[0]);
    return call->prepared ? 0 : -1;
}

void expr_fields(const struct expr *expr, expr_field_visit visit, void *context, bool *all)
{
    if (is_searchmatch(expr) && expr->prepared)
        expr_fields(expr->prepared, visit, context, all);
    if (expr->kind == EXPR_KEYWORD)
        *all = true;
    else if (expr->kind == EXPR_FIELD || expr->kind == EXPR_TEST)
        visit(context, expr->field);
    if (expr->kind == EXPR_TEST && expr->test.other.ptr)
        visit(context, expr->test.other);
    for (size_t i = 0; i < expr->arg_count; i++)
        expr_fields(expr->args[i], visit, context, all);
}

static void print_quoted(struct slice text, char quote, struct buffer *to)
{
    buffer_put_char(to, quote);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == quote || text.ptr[i] == '\\')
            buffer_put_char(to, '\\');
        buffer_put_char(to, text.ptr[i]);
    }
    buffer_put_char(to, quote);
}

static void print_test(const struct expr *expr, struct buffer *to)
{
    static const char *const names[] = {
        "exists", "null", "equal", "prefix", "suffix", "contains", "wildcard", "regex", "cidr",
        "<", "<=", ">", ">=", "term", "field-equal", "field-prefix", "field-suffix",
        "field-contains", "any-of", "time-part",
    };
    const struct expr_test *test = &expr->test;
    if (expr->kind == EXPR_KEYWORD)
        buffer_put_text(to, "*any*");
    else
        print_quoted(expr->field, '\'', to);
    buffer_printf(to, " %s%s", names[test->kind], test->flags & TEST_CASED ? "/cased" : "");
    if (test->kind == TEST_EXISTS || test->kind == TEST_NULL)
        return;
    buffer_put_char(to, ' ');
    if (test->any_of)
        buffer_printf(to, "(%zu values)", any_of_count(test->any_of));
    else if (test->other.ptr)
        print_quoted(test->other, '\'', to);
    else if (test->text.ptr)
        print_quoted(test->text, '"', to);
    else {
        char small[VALUE_TEXT_SIZE];
        buffer_put(to, value_text_small(test->number, small));
    }
}

static void print_joined(const struct expr *expr, const char *word, struct buffer *to)
{
    buffer_put_char(to, '(');
    for (size_t i = 0; i < expr->arg_count; i++) {
        if (i)
            buffer_printf(to, " %s ", word);
        expr_print(expr->args[i], to);
    }
    buffer_put_char(to, ')');
}

static void print_call(const char *name, const struct expr *expr, struct buffer *to)
{
    buffer_put_text(to, name);
    print_joined(expr, ",", to);
}

void expr_print(const struct expr *expr, struct buffer *to)
{
    static const char *const operators[] = {"==", "!=", "<", "<=", ">", ">=",
                                            "+",  "-",  "*", "/",  "%"};
    char small[VALUE_TEXT_SIZE];
    switch (expr->kind) {
    case EXPR_CONST:
        if (expr->constant.type == VALUE_STRING)
            print_quoted(value_slice(expr->constant), '"', to);
        else if (expr->constant.type == VALUE_NULL)
            buffer_put_text(to, "null()");
        else
            buffer_put(to, value_text_small(expr->constant, small));
        return;
    case EXPR_FIELD:
        print_quoted(expr->field, '\'', to);
        return;
    case EXPR_TEST:
    case EXPR_KEYWORD:
        print_test(expr, to);
        return;
    case EXPR_AND:
        print_joined(expr, "AND", to);
        return;
    case EXPR_OR:
        print_joined(expr, "OR", to);
        return;
    case EXPR_XOR:
        print_joined(expr, "XOR", to);
        return;
    case EXPR_NOT:
        print_call("NOT", expr, to);
        return;
    case EXPR_COMPARE:
    case EXPR_ARITHMETIC:
        print_joined(expr, operators[expr->op], to);
        return;
    case EXPR_NEGATE:
        print_call("-", expr, to);
        return;
    case EXPR_CONCAT:
        print_joined(expr, ".", to);
        return;
    case EXPR_IN:
        print_call("in", expr, to);
        return;
    case EXPR_LIKE:
        print_joined(expr, "LIKE", to);
        return;
    case EXPR_CALL:
        print_call(expr->function->name, expr, to);
        return;
    }
}
