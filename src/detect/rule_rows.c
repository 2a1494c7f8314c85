#include "detect/rule_rows.h"

/* Of more rules than these only the log sources are asked for: their conditions would cost more than the
 * rows they leave out. */
enum { CONDITIONS_MAX = 64 };

struct rows {
    struct arena *arena;
    const struct expr **list;
    size_t count;
    bool all, failed;
};

static void add(struct rows *rows, const struct expr *expr)
{
    rows->failed |= !expr;
    for (size_t i = 0; i < rows->count; i++)
        if (rows->list[i] == expr)
            return;
    if (expr)
        rows->list[rows->count++] = expr;
}

static void add_rule(struct rows *rows, const struct rule *rule, bool conditions)
{
    for (size_t i = 0; i < rule->variant_count; i++) {
        const struct rule_variant *variant = &rule->variants[i];
        if (conditions)
            add(rows, variant->guard ? expr_and(rows->arena, variant->guard, variant->condition)
                                     : variant->condition);
        else if (variant->guard)
            add(rows, variant->guard);
        else
            rows->all = true;
    }
    if (rule->partner)
        add(rows, rule->partner);
}

int rule_rows_wanted(const struct rule_set *set, const struct state_definitions *state,
                     struct arena *arena, const struct expr **out, struct err *err)
{
    size_t active = 0, most = 2;
    *out = NULL;
    for (size_t i = 0; i < set->count; i++) {
        active += set->rules[i]->status == RULE_ACTIVE;
        most += set->rules[i]->variant_count + 1;
    }
    struct rows rows = {.arena = arena, .list = arena_array(arena, most, sizeof(*rows.list))};
    const struct expr *remembered = NULL;
    if (!rows.list || (state && state_wanted(state, arena, &remembered) < 0))
        return err_nomem(err);
    for (size_t i = 0; i < set->count; i++)
        if (set->rules[i]->status == RULE_ACTIVE)
            add_rule(&rows, set->rules[i], active <= CONDITIONS_MAX);
    if (remembered)
        add(&rows, remembered);
    if (rows.failed)
        return err_nomem(err);
    if (rows.all)
        return 0;
    *out = rows.count == 1 ? rows.list[0] : expr_list(arena, EXPR_OR, rows.list, rows.count);
    return *out ? 0 : err_nomem(err);
}
