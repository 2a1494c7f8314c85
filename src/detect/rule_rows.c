#include "detect/rule_rows.h"

#include "detect/correlation_rule.h"
#include "detect/explain.h"
#include "event/schema.h"

/* Of more rules than these every row is taken: to ask for their conditions, and even for their log sources alone,
 * costs more than the rows that it leaves out. */
enum { CONDITIONS_MAX = 64 };

struct rows {
    struct arena *arena;
    const struct expr **list;
    size_t count;
    struct map columns;
    bool all_columns, reads_state, failed;
};

/* ---- columns ---- */

static void want(void *context, struct slice name)
{
    struct rows *rows = context;
    rows->failed |= map_put(&rows->columns, name, rows) < 0;
}

static void want_all_of(struct rows *rows, const struct expr *expr)
{
    if (!expr)
        return;
    expr_fields(expr, want, rows, &rows->all_columns);
    rows->reads_state |= expr_calls(expr, "state");
}

static void want_of_correlation(struct rows *rows, const struct correlation *correlation)
{
    size_t fields = correlation->group_count + correlation->value_count;
    for (size_t i = 0; i < correlation->part_count; i++)
        for (size_t s = 0; s < correlation->parts[i].source_count; s++) {
            const struct correlation_source *source = &correlation->parts[i].sources[s];
            for (size_t c = 0; c < source->base->variant_count * fields; c++)
                for (size_t n = 0; n < source->columns[c].count; n++)
                    want(rows, source->columns[c].names[n]);
        }
    want_all_of(rows, correlation->of);
}

static void want_of_rule(struct rows *rows, const struct rule *rule)
{
    for (size_t i = 0; i < rule->variant_count; i++) {
        want_all_of(rows, rule->variants[i].guard);
        want_all_of(rows, rule->variants[i].condition);
    }
    want_all_of(rows, rule->where);
    want_all_of(rows, rule->partner);
    want_all_of(rows, rule->key);
    want_all_of(rows, rule->partner_key);
    want_all_of(rows, rule->new_of);
    for (size_t i = 0; i < rule->new_key_count; i++)
        want_all_of(rows, rule->new_keys[i].expr);
    if (rule->correlation)
        want_of_correlation(rows, rule->correlation);
    explain_columns(rule, want, rows);
}

static int list_columns(struct rows *rows, struct rule_rows *out)
{
    size_t at = 0;
    const struct map_entry *entry;
    if (rows->all_columns)
        return 0;
    struct slice *columns = arena_array(rows->arena, rows->columns.count, sizeof(*columns));
    if (!columns)
        return -1;
    out->columns = columns;
    while ((entry = map_next(&rows->columns, &at)))
        columns[out->column_count++] = entry->key;
    return 0;
}

/* ---- rows ---- */

static void add(struct rows *rows, const struct expr *expr)
{
    rows->failed |= !expr;
    for (size_t i = 0; i < rows->count; i++)
        if (rows->list[i] == expr)
            return;
    if (expr)
        rows->list[rows->count++] = expr;
}

static void add_rule(struct rows *rows, const struct rule *rule)
{
    for (size_t i = 0; i < rule->variant_count; i++) {
        const struct rule_variant *variant = &rule->variants[i];
        add(rows, variant->guard ? expr_and(rows->arena, variant->guard, variant->condition)
                                 : variant->condition);
    }
    if (rule->partner)
        add(rows, rule->partner);
}

/* What the tables of state() are to remember. */
static void add_state(struct rows *rows, const struct state_definitions *state)
{
    const struct expr *remembered = NULL;
    rows->failed |= state_wanted(state, rows->arena, &remembered) < 0;
    if (remembered)
        add(rows, remembered);
    state_columns(state, want, rows, &rows->all_columns);
}

int rule_rows_wanted(const struct rule_set *set, const struct state_definitions *state,
                     struct arena *arena, struct rule_rows *out, struct err *err)
{
    size_t active = 0, most = 2;
    *out = (struct rule_rows){0};
    for (size_t i = 0; i < set->count; i++) {
        active += set->rules[i]->status == RULE_ACTIVE;
        most += set->rules[i]->variant_count + 1;
    }
    struct rows rows = {.arena = arena, .list = arena_array(arena, most, sizeof(*rows.list))};
    if (!rows.list)
        return err_nomem(err);
    map_init(&rows.columns, arena);
    want(&rows, FIELD_TIMESTAMP);
    want(&rows, FIELD_SEQ);
    want(&rows, FIELD_EVENT_ID);
    for (size_t i = 0; i < set->count; i++)
        if (set->rules[i]->status == RULE_ACTIVE) {
            add_rule(&rows, set->rules[i]);
            want_of_rule(&rows, set->rules[i]);
        }
    if (state && rows.reads_state)
        add_state(&rows, state);
    if (rows.failed || list_columns(&rows, out) < 0)
        return err_nomem(err);
    if (active > CONDITIONS_MAX || rows.count == 0)
        return 0;
    out->filter = rows.count == 1 ? rows.list[0] : expr_list(arena, EXPR_OR, rows.list, rows.count);
    return out->filter ? 0 : err_nomem(err);
}
