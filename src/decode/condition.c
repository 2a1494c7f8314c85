#include "decode/condition.h"

#include "decode/verb.h"

#include "expr/function.h"

static bool calls(const struct expr *expr, const char *name)
{
    return expr->kind == EXPR_CALL && strcmp(expr->function->name, name) == 0;
}

/* Of a field and something written: NULL without the field, as NULL spreads. */
static bool spreads_null(const struct expr *expr)
{
    bool spreads = expr->kind == EXPR_COMPARE || expr->kind == EXPR_LIKE || calls(expr, "like") ||
                   calls(expr, "match");
    return spreads && expr->args[0]->kind == EXPR_FIELD && expr->args[1]->kind == EXPR_CONST;
}

static enum condition_kind kind_of(const struct expr *expr, struct arena *arena)
{
    bool equality = expr->kind == EXPR_COMPARE && (expr->op == OP_EQUAL || expr->op == OP_NOT_EQUAL);
    bool of_field = expr->arg_count && expr->args[0]->kind == EXPR_FIELD;
    struct value number;
    if (expr->kind == EXPR_AND)
        return CONDITION_ALL;
    if (expr->kind == EXPR_OR)
        return CONDITION_ANY;
    if (expr->kind == EXPR_NOT)
        return CONDITION_NOT;
    if (of_field && calls(expr, "isnull"))
        return CONDITION_MISSING;
    if (of_field && calls(expr, "isnotnull"))
        return CONDITION_THERE;
    if (equality && spreads_null(expr) && expr->args[1]->constant.type == VALUE_STRING &&
        !value_to_number(expr->args[1]->constant, arena, &number))
        return expr->op == OP_EQUAL ? CONDITION_EQUAL : CONDITION_NOT_EQUAL;
    return CONDITION_ASK;
}

static int compile_parts(struct decoder_compiler *compiler, const struct expr *expr, struct condition *out)
{
    struct condition *parts = arena_array(compiler->arena, expr->arg_count, sizeof(*parts));
    if (!parts)
        return err_nomem(compiler->err);
    for (size_t i = 0; i < expr->arg_count; i++)
        if (condition_compile(compiler, expr->args[i], &parts[i]) < 0)
            return -1;
    out->parts = parts;
    out->part_count = (uint32_t)expr->arg_count;
    return 0;
}

int condition_compile(struct decoder_compiler *compiler, const struct expr *expr, struct condition *out)
{
    *out = (struct condition){.kind = kind_of(expr, compiler->arena), .field = UINT32_MAX, .expr = expr};
    if (out->kind == CONDITION_ALL || out->kind == CONDITION_ANY || out->kind == CONDITION_NOT)
        return compile_parts(compiler, expr, out);
    if (out->kind == CONDITION_ASK && !spreads_null(expr))
        return 0;
    if (out->kind == CONDITION_EQUAL || out->kind == CONDITION_NOT_EQUAL)
        out->text = value_slice(expr->args[1]->constant);
    out->field = fields_number(compiler->fields, expr->args[0]->field);
    return out->field == UINT32_MAX ? err_set(compiler->err, ERR_LIMIT, "too many or too long field names") : 0;
}

uint32_t condition_needs(const struct condition *condition)
{
    uint32_t field = condition->kind == CONDITION_MISSING ? UINT32_MAX : condition->field;
    for (uint32_t i = 0; condition->kind == CONDITION_ALL && i < condition->part_count && field == UINT32_MAX; i++)
        field = condition_needs(&condition->parts[i]);
    return field;
}
