#include "expr/chance.h"

#include "expr/function.h"

struct judging {
    chance_look look;
    void *context;
    struct expr_scope *scope;
};

static enum chance not_of(enum chance chance)
{
    return (enum chance)(CHANCE_ALWAYS - chance);
}

static bool is_never_there(const struct judging *judging, struct slice column)
{
    struct chance_column known = judging->look(judging->context, column);
    return known.told && known.count == 0;
}

static enum chance of_test(const struct judging *judging, const struct expr *expr)
{
    struct chance_column known = judging->look(judging->context, expr->field);
    bool beside = expr->test.other.ptr != NULL;
    size_t holds = 0;
    if (beside && is_never_there(judging, expr->test.other))
        return CHANCE_NEVER;
    if (!known.told)
        return CHANCE_MAYBE;
    if (expr->test.kind == TEST_NULL)
        return known.count == 0 ? CHANCE_ALWAYS : known.always ? CHANCE_NEVER : CHANCE_MAYBE;
    if (known.count == 0)
        return CHANCE_NEVER;
    if (beside)
        return CHANCE_MAYBE;
    for (size_t i = 0; i < known.count; i++)
        holds += expr_test_value(&expr->test, value_string(known.texts[i]), judging->scope);
    return !holds ? CHANCE_NEVER : holds == known.count && known.always ? CHANCE_ALWAYS : CHANCE_MAYBE;
}

static enum chance judge(const struct judging *judging, const struct expr *expr);

/* The column on the left of a comparison, also within lower() and upper(), which are NULL of NULL; SLICE_NONE: none. */
static struct slice compared_column(const struct expr *expr)
{
    const struct expr *left = expr->arg_count ? expr->args[0] : NULL;
    if (left && left->kind == EXPR_CALL && left->arg_count == 1 &&
        (slice_is(slice_text(left->function->name), "lower") || slice_is(slice_text(left->function->name), "upper")))
        left = left->args[0];
    return left && left->kind == EXPR_FIELD ? left->field : SLICE_NONE;
}

/* Whether it says that the column is one of some texts, and which of them it never is. In doubt it may be. */
static bool may_be_one_of(const struct expr *expr, const struct chance_column *known)
{
    bool equals = expr->kind == EXPR_IN || (expr->kind == EXPR_COMPARE && expr->op == OP_EQUAL);
    for (size_t i = 1; equals && i < expr->arg_count; i++) {
        const struct expr *wanted = expr->args[i];
        if (wanted->kind != EXPR_CONST || wanted->constant.type != VALUE_STRING)
            return true;
        for (size_t k = 0; k < known->count; k++)
            if (slice_equal_nocase(value_slice(wanted->constant), known->texts[k]))
                return true;
    }
    return !equals;
}

/* NULL compares with nothing; as the condition of a filter that is as good as FALSE. */
static enum chance of_comparison(const struct judging *judging, const struct expr *expr)
{
    struct slice column = compared_column(expr);
    struct chance_column known = column.ptr ? judging->look(judging->context, column) : (struct chance_column){0};
    if (!known.told)
        return CHANCE_MAYBE;
    return known.count == 0 || !may_be_one_of(expr, &known) ? CHANCE_NEVER : CHANCE_MAYBE;
}

static enum chance of_all(const struct judging *judging, const struct expr *expr)
{
    enum chance result = expr->kind == EXPR_AND ? CHANCE_ALWAYS : CHANCE_NEVER;
    for (size_t i = 0; i < expr->arg_count; i++) {
        enum chance one = judge(judging, expr->args[i]);
        bool decides = expr->kind == EXPR_AND ? one < result : one > result;
        result = decides ? one : result;
    }
    return result;
}

static enum chance judge(const struct judging *judging, const struct expr *expr)
{
    if (expr->kind == EXPR_TEST)
        return of_test(judging, expr);
    if (expr->kind == EXPR_NOT)
        return not_of(judge(judging, expr->args[0]));
    if (expr->kind == EXPR_AND || expr->kind == EXPR_OR)
        return of_all(judging, expr);
    if (expr->kind == EXPR_COMPARE || expr->kind == EXPR_IN || expr->kind == EXPR_LIKE)
        return of_comparison(judging, expr);
    return CHANCE_MAYBE;
}

enum chance expr_chance(const struct expr *expr, chance_look look, void *context, struct expr_scope *scope)
{
    const struct judging judging = {look, context, scope};
    return expr ? judge(&judging, expr) : CHANCE_ALWAYS;
}
