#include "app/rule_mutants.h"

/* The change that is looked for, on the walk through a tree. */
struct change {
    struct arena *arena;
    struct buffer *said; /* NULL: it is said already */
    const char *part;    /* of the rule */
    size_t left;         /* changes before it */
    bool done, failed;
};

/* True for the one change that is wanted; then from and to are said. */
static bool is_it(struct change *change)
{
    if (change->done || change->failed)
        return false;
    change->done = change->left == 0;
    change->left--;
    return change->done;
}

static const struct expr *say(struct change *change, const struct expr *from, const struct expr *to)
{
    change->failed |= !to;
    if (!change->said || !to)
        return to;
    buffer_printf(change->said, "%s: ", change->part);
    expr_print(from, change->said);
    buffer_put_text(change->said, " became ");
    expr_print(to, change->said);
    return to;
}

static struct expr *copy_of(struct change *change, const struct expr *expr)
{
    struct expr *copy = expr_new(change->arena, expr->kind);
    if (!copy)
        return NULL;
    *copy = *expr;
    copy->args = arena_array(change->arena, expr->arg_count + 1, sizeof(*copy->args));
    if (!copy->args)
        return NULL;
    for (size_t i = 0; i < expr->arg_count; i++)
        copy->args[i] = expr->args[i];
    return copy;
}

/* A test that holds for every event, or for none. */
static const struct expr *constant(struct change *change, bool always)
{
    struct expr *never = expr_test_new(change->arena, SLICE("never"), TEST_EXISTS, TEST_CASED, SLICE(""));
    return always && never ? expr_not(change->arena, never) : never;
}

/* ---- one node ---- */

static const struct expr *with_kind(struct change *change, const struct expr *expr, enum expr_kind kind)
{
    struct expr *copy = copy_of(change, expr);
    if (copy)
        copy->kind = kind;
    return copy;
}

static enum expr_operator turned(enum expr_operator op)
{
    static const enum expr_operator other[] = {
        [OP_EQUAL] = OP_NOT_EQUAL,        [OP_NOT_EQUAL] = OP_EQUAL, [OP_LESS] = OP_LESS_EQUAL,
        [OP_LESS_EQUAL] = OP_LESS,        [OP_GREATER] = OP_GREATER_EQUAL,
        [OP_GREATER_EQUAL] = OP_GREATER,
    };
    return (size_t)op < ARRAY_COUNT(other) ? other[op] : op;
}

static const struct expr *change_compare(struct change *change, const struct expr *expr)
{
    if (expr->kind != EXPR_COMPARE || !is_it(change))
        return expr;
    struct expr *copy = copy_of(change, expr);
    if (copy)
        copy->op = turned(expr->op);
    return say(change, expr, copy);
}

/* < as <=, and the bound halved and doubled, where it is a whole number. */
static const struct expr *change_order(struct change *change, const struct expr *expr)
{
    static const enum test_kind other[] = {
        [TEST_LESS] = TEST_LESS_EQUAL, [TEST_LESS_EQUAL] = TEST_LESS,
        [TEST_GREATER] = TEST_GREATER_EQUAL, [TEST_GREATER_EQUAL] = TEST_GREATER,
    };
    enum test_kind kind = expr->test.kind;
    bool number = expr->test.number.type == VALUE_I64 && expr->test.number.i64 != 0 &&
                  expr->test.number.i64 < INT64_MAX / 2 && expr->test.number.i64 > INT64_MIN / 2;
    if (expr->kind != EXPR_TEST || kind < TEST_LESS || kind > TEST_GREATER_EQUAL)
        return expr;
    for (int way = 0; way < (number ? 3 : 1); way++) {
        if (!is_it(change))
            continue;
        struct expr *copy = copy_of(change, expr);
        if (copy && way == 0)
            copy->test.kind = other[kind];
        else if (copy)
            copy->test.number.i64 = way == 1 ? expr->test.number.i64 / 2 : expr->test.number.i64 * 2;
        return say(change, expr, copy);
    }
    return expr;
}

static const struct expr *change_number(struct change *change, const struct expr *expr)
{
    const enum expr_operator ways[] = {OP_MULTIPLY, OP_DIVIDE};
    if (expr->kind != EXPR_CONST || (expr->constant.type != VALUE_I64 && expr->constant.type != VALUE_F64 &&
                                     expr->constant.type != VALUE_DECIMAL))
        return expr;
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        if (!is_it(change))
            continue;
        const struct expr *args[] = {expr, expr_constant(change->arena, value_i64(2))};
        struct expr *list = args[1] ? expr_list(change->arena, EXPR_ARITHMETIC, args, 2) : NULL;
        if (list)
            list->op = ways[i];
        return say(change, expr, list);
    }
    return expr;
}

static bool joins(const struct expr *expr)
{
    return expr->kind == EXPR_AND || expr->kind == EXPR_OR || expr->kind == EXPR_NOT || expr->kind == EXPR_XOR;
}

static const struct expr *change_test(struct change *change, const struct expr *expr)
{
    for (int always = 0; always < 2; always++) {
        if (!is_it(change))
            continue;
        const struct expr *made = constant(change, always);
        change->failed |= !made;
        if (change->said) {
            buffer_printf(change->said, "%s: ", change->part);
            expr_print(expr, change->said);
            buffer_put_text(change->said, always ? " always held" : " never held");
        }
        return made;
    }
    return expr;
}

/* What holds or does not: and, or, not, and the tests below them. */
static const struct expr *change_truth(struct change *change, const struct expr *expr)
{
    if ((expr->kind == EXPR_AND || expr->kind == EXPR_OR) && expr->arg_count > 1) {
        if (is_it(change))
            return say(change, expr, with_kind(change, expr, expr->kind == EXPR_AND ? EXPR_OR : EXPR_AND));
    } else if (expr->kind == EXPR_NOT) {
        if (is_it(change))
            return say(change, expr, expr->args[0]);
    } else if (!joins(expr)) {
        return change_test(change, expr);
    }
    return expr;
}

/* ---- trees ---- */

/* The tree with its change, or itself. truth: it stands where true or false is asked for. */
static const struct expr *change_tree(struct change *change, const struct expr *expr, bool truth)
{
    const struct expr *changed = truth ? change_truth(change, expr) : expr;
    if (changed == expr)
        changed = change_compare(change, expr);
    if (changed == expr)
        changed = change_order(change, expr);
    if (changed == expr)
        changed = change_number(change, expr);
    for (size_t i = 0; changed == expr && i < expr->arg_count && !change->failed; i++) {
        const struct expr *arg = change_tree(change, expr->args[i], truth && joins(expr));
        if (arg == expr->args[i])
            continue;
        struct expr *copy = copy_of(change, expr);
        change->failed |= !copy || !arg;
        if (change->failed)
            return expr;
        copy->args[i] = arg;
        return copy;
    }
    return changed ? changed : expr;
}

static void change_duration(struct change *change, int64_t *duration_ns)
{
    for (int twice = 0; twice < 2; twice++)
        if (*duration_ns > 0 && is_it(change)) {
            *duration_ns = twice ? *duration_ns * 2 : *duration_ns / 2;
            buffer_printf(change->said, "%s %s", change->part, twice ? "doubled" : "halved");
        }
}

/* All variants are the same condition over other log sources' fields: changed in the same place. */
static void change_conditions(struct change *change, struct rule *rule)
{
    struct change first = *change;
    change->part = first.part = "condition";
    for (size_t i = 0; i < rule->variant_count; i++) {
        struct change each = first;
        each.said = i == 0 ? change->said : NULL;
        rule->variants[i].condition = change_tree(&each, rule->variants[i].condition, true);
        if (i == 0)
            *change = each;
        change->failed |= each.failed;
    }
}

static void change_part(struct change *change, const char *part, const struct expr **tree)
{
    change->part = part;
    if (*tree && !change->done && !change->failed)
        *tree = change_tree(change, *tree, true);
}

int rule_mutant_make(struct rule *rule, size_t n, struct arena *arena, struct rule_mutant *saved,
                     struct buffer *said)
{
    struct change change = {.arena = arena, .said = said, .left = n};
    *saved = (struct rule_mutant){.where = rule->where, .partner = rule->partner,
                                  .grace_ns = rule->grace_ns, .silence_ns = rule->silence_ns};
    saved->conditions = arena_array(arena, rule->variant_count + 1, sizeof(*saved->conditions));
    if (!saved->conditions)
        return -1;
    for (size_t i = 0; i < rule->variant_count; i++)
        saved->conditions[i] = rule->variants[i].condition;
    change_conditions(&change, rule);
    change_part(&change, "where", &rule->where);
    change_part(&change, "partner", &rule->partner);
    change.part = "grace";
    change_duration(&change, &rule->grace_ns);
    change.part = "silence";
    change_duration(&change, &rule->silence_ns);
    if (!change.failed)
        return change.done;
    rule_mutant_undo(rule, saved);
    return -1;
}

void rule_mutant_undo(struct rule *rule, const struct rule_mutant *saved)
{
    for (size_t i = 0; i < rule->variant_count; i++)
        rule->variants[i].condition = saved->conditions[i];
    rule->where = saved->where;
    rule->partner = saved->partner;
    rule->grace_ns = saved->grace_ns;
    rule->silence_ns = saved->silence_ns;
}
