#include "detect/guard_leaf.h"

/* Functions whose value depends on their arguments only. */
static bool is_steady_function(const struct expr_function *function)
{
    static const char *const names[] = {"lower", "upper", "isnull", "isnotnull", "coalesce", "like", "match",
                                        "len", "substr", "trim", "ltrim", "rtrim", "replace", "if", "case",
                                        "in", "cidrmatch", "tonumber", "tostring", "split", "mvindex", "mvcount"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (slice_is(slice_text(names[i]), function->name))
            return true;
    return false;
}

static bool is_steady(const struct expr *expr)
{
    if (expr->kind == EXPR_KEYWORD || (expr->kind == EXPR_CALL && !is_steady_function(expr->function)))
        return false;
    for (size_t i = 0; i < expr->arg_count; i++)
        if (!is_steady(expr->args[i]))
            return false;
    return true;
}

static bool is_call(const struct expr *expr, const char *name)
{
    return expr->kind == EXPR_CALL && slice_is(slice_text(name), expr->function->name);
}

static bool asks_presence(const struct expr *expr)
{
    return (is_call(expr, "isnull") || is_call(expr, "isnotnull")) && expr->args[0]->kind == EXPR_FIELD;
}

static bool is_inner(const struct expr *expr)
{
    return expr->kind == EXPR_AND || expr->kind == EXPR_OR;
}

static uint32_t count_leaves(const struct expr *expr)
{
    uint32_t count = !is_inner(expr);
    for (size_t i = 0; is_inner(expr) && i < expr->arg_count; i++)
        count += count_leaves(expr->args[i]);
    return count;
}

/* ---- columns ---- */

struct only_name {
    struct slice name;
    bool several;
};

static void see_name(void *context, struct slice name)
{
    struct only_name *only = context;
    only->several |= only->name.ptr && !slice_equal(only->name, name);
    only->name = name;
}

/* The one column that decides about the leaf, or none. */
static struct slice column_of(const struct expr *leaf)
{
    struct only_name only = {SLICE_NONE, false};
    bool all = false;
    expr_fields(leaf, see_name, &only, &all);
    return all || only.several || !is_steady(leaf) ? SLICE_NONE : only.name;
}

static uint32_t find_column(struct guard_leaves *leaves, struct slice name)
{
    uint32_t at = 0;
    while (at < leaves->column_count &&
           (name.ptr == NULL ? leaves->columns[at].name.ptr != NULL
                             : !leaves->columns[at].name.ptr || !slice_equal(leaves->columns[at].name, name)))
        at++;
    if (at == leaves->column_count)
        leaves->columns[leaves->column_count++] =
            (struct guard_column){.name = name, .presence = true, .dear_bit = name.ptr ? 0 : 1};
    return at;
}

static int add_leaves(struct guard_leaves *leaves, const struct expr *expr, struct arena *arena)
{
    for (size_t i = 0; is_inner(expr) && i < expr->arg_count; i++)
        if (add_leaves(leaves, expr->args[i], arena) < 0)
            return -1;
    if (is_inner(expr))
        return 0;
    struct slice key = arena_copy(arena, slice_of(&expr, sizeof(expr)));
    void **slot = key.ptr ? map_slot(&leaves->by_expr, key) : NULL;
    if (!slot)
        return -1;
    if (*slot)
        return 0;
    uint32_t number = find_column(leaves, column_of(expr));
    struct guard_column *column = &leaves->columns[number];
    column->leaf_count++;
    column->presence = column->presence && asks_presence(expr);
    if (expr_calls(expr, "match") || expr_calls(expr, "replace"))
        column->dear_bit = 1;
    leaves->list[leaves->count++] = (struct guard_leaf){expr, number};
    *slot = (void *)(uintptr_t)leaves->count; /* NOLINT: a number */
    return 0;
}

/* Each column its leaves; those that are dear a bit each, the last one for all that are left. */
static int fill_columns(struct guard_leaves *leaves, struct arena *arena)
{
    uint32_t dear = 0;
    for (uint32_t i = 0; i < leaves->column_count; i++) {
        struct guard_column *column = &leaves->columns[i];
        column->leaves = arena_array(arena, column->leaf_count + 1UL, sizeof(uint32_t));
        if (!column->leaves)
            return -1;
        column->leaf_count = 0;
        if (column->dear_bit)
            column->dear_bit = UINT64_C(1) << (dear < DEAR_COLUMNS_MAX ? dear++ : DEAR_COLUMNS_MAX - 1);
    }
    for (uint32_t i = 0; i < leaves->count; i++) {
        struct guard_column *column = &leaves->columns[leaves->list[i].column];
        column->leaves[column->leaf_count++] = i;
        if (!column->dear_bit)
            bits_set(leaves->cheap, i);
    }
    return 0;
}

/* What they say of an event without fields. */
static int ask_absent(struct guard_leaves *leaves, struct err *err)
{
    struct batch *batch = batch_new(MIB);
    struct arena *scratch = arena_new(16 * MIB);
    struct expr_scope scope = {.scratch = scratch};
    int result = batch && scratch && batch_add_row(batch) ? 0 : err_nomem(err);
    for (uint32_t i = 0; result == 0 && i < leaves->count; i++) {
        uint64_t holds[2] = {0};
        result = expr_filter(leaves->list[i].expr, &scope, batch, NULL, holds, err);
        if (result == 0 && bits_get(holds, 0))
            bits_set(leaves->absent, i);
    }
    arena_free(scratch);
    batch_free(batch);
    return result;
}

int guard_leaves_make(struct guard_leaves *leaves, const struct expr *const *guards, uint32_t count,
                      struct arena *arena, struct err *err)
{
    size_t total = 0;
    *leaves = (struct guard_leaves){0};
    map_init(&leaves->by_expr, arena);
    for (uint32_t i = 0; i < count; i++)
        total += count_leaves(guards[i]);
    leaves->list = arena_array(arena, total + 1, sizeof(*leaves->list));
    leaves->columns = arena_array(arena, total + 1, sizeof(*leaves->columns));
    leaves->absent = arena_calloc(arena, bits_words(total) * 8 + 8);
    leaves->cheap = arena_calloc(arena, bits_words(total) * 8 + 8);
    if (!leaves->list || !leaves->columns || !leaves->absent || !leaves->cheap)
        return err_nomem(err);
    for (uint32_t i = 0; i < count; i++)
        if (add_leaves(leaves, guards[i], arena) < 0)
            return err_nomem(err);
    return fill_columns(leaves, arena) < 0 ? err_nomem(err) : ask_absent(leaves, err);
}

/* ---- a guard ---- */

static enum truth leaf_holds(struct guard_asked *asked, const struct expr *leaf)
{
    const struct guard_leaves *leaves = asked->leaves;
    uint32_t number = (uint32_t)(uintptr_t)map_find(&leaves->by_expr, slice_of(&leaf, sizeof(leaf))) - 1;
    if (bits_get(asked->known, number))
        return bits_get(asked->bits, number) ? TRUTH_TRUE : TRUTH_FALSE;
    asked->needs |= leaves->columns[leaves->list[number].column].dear_bit;
    return TRUTH_NULL;
}

enum truth guard_holds(struct guard_asked *asked, const struct expr *guard)
{
    if (!is_inner(guard))
        return leaf_holds(asked, guard);
    enum truth settles = guard->kind == EXPR_AND ? TRUTH_FALSE : TRUTH_TRUE;
    enum truth result = guard->kind == EXPR_AND ? TRUTH_TRUE : TRUTH_FALSE;
    uint64_t before = asked->needs;
    for (size_t i = 0; i < guard->arg_count; i++) {
        enum truth one = guard_holds(asked, guard->args[i]);
        if (one == settles) {
            asked->needs = before;
            return settles;
        }
        if (one == TRUTH_NULL)
            result = TRUTH_NULL;
    }
    if (result != TRUTH_NULL)
        asked->needs = before;
    return result;
}
