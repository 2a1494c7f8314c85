#include "search/expr_map.h"

int expr_map_tests(struct arena *arena, const struct expr *tree, expr_map_visit visit, void *context,
                   const struct expr **out, struct err *err)
{
    *out = tree;
    if (!tree)
        return 0;
    if (tree->kind == EXPR_TEST)
        return visit(context, tree, out, err);
    struct expr *copy = NULL;
    for (size_t i = 0; i < tree->arg_count; i++) {
        const struct expr *one;
        if (expr_map_tests(arena, tree->args[i], visit, context, &one, err) < 0)
            return -1;
        if (one == tree->args[i])
            continue;
        if (!copy) {
            copy = expr_list(arena, tree->kind, tree->args, tree->arg_count);
            if (!copy)
                return err_nomem(err);
            copy->op = tree->op;
            copy->function = tree->function;
            copy->prepared = tree->prepared;
            copy->start = tree->start;
            copy->end = tree->end;
            *out = copy;
        }
        copy->args[i] = one;
    }
    return 0;
}
