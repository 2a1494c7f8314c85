/* Conditions are evaluated column by column for the whole batch, those of a log source only where it
 * has rows. */
#include "detect/match.h"

#include "base/mem.h"

#include <stdlib.h>

#define PLAN_BYTES_MAX (256 * MIB)

/* A log source condition that several rules share. */
struct guard {
    const struct expr *when;
    uint64_t *rows; /* of the current batch */
    bool any;
};

struct active_variant {
    const struct rule *rule;
    const struct rule_variant *variant;
    struct guard *guard; /* NULL: every event */
};

struct matcher {
    struct arena *plan; /* guards and variants */
    struct guard *guards;
    size_t guard_count;
    struct active_variant *variants;
    size_t variant_count;
};

/* ---- plan ---- */

static struct guard *guard_of(struct matcher *matcher, const struct expr *when)
{
    if (!when)
        return NULL;
    for (size_t i = 0; i < matcher->guard_count; i++)
        if (matcher->guards[i].when == when)
            return &matcher->guards[i];
    struct guard *guard = &matcher->guards[matcher->guard_count++];
    guard->when = when;
    return guard;
}

static int make_plan(struct matcher *matcher, const struct rule_set *rules, struct err *err)
{
    size_t total = 0;
    for (size_t i = 0; i < rules->count; i++)
        total += rules->rules[i]->variant_count;
    matcher->plan = arena_new(PLAN_BYTES_MAX);
    if (!matcher->plan)
        return err_nomem(err);
    matcher->guards = arena_array(matcher->plan, total + 1, sizeof(*matcher->guards));
    matcher->variants = arena_array(matcher->plan, total + 1, sizeof(*matcher->variants));
    if (!matcher->guards || !matcher->variants)
        return err_nomem(err);
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = rules->rules[i];
        for (size_t v = 0; rule->status == RULE_ACTIVE && v < rule->variant_count; v++)
            matcher->variants[matcher->variant_count++] = (struct active_variant){
                rule, &rule->variants[v], guard_of(matcher, rule->variants[v].guard)};
    }
    return 0;
}

int matcher_new(const struct rule_set *rules, struct matcher **out, struct err *err)
{
    *out = NULL;
    struct matcher *matcher = mem_calloc(1, sizeof(*matcher));
    if (!matcher)
        return err_nomem(err);
    if (make_plan(matcher, rules, err) < 0) {
        matcher_free(matcher);
        return -1;
    }
    *out = matcher;
    return 0;
}

void matcher_free(struct matcher *matcher)
{
    if (!matcher)
        return;
    arena_free(matcher->plan);
    mem_free(matcher);
}

/* ---- a batch ---- */

static uint64_t *no_rows(struct expr_scope *scope, const struct batch *batch)
{
    return arena_calloc(scope->scratch, bits_words(batch->row_count) * 8 + 8);
}

static int filter_guards(struct matcher *matcher, struct expr_scope *scope, const struct batch *batch,
                         struct err *err)
{
    for (size_t i = 0; i < matcher->guard_count; i++) {
        struct guard *guard = &matcher->guards[i];
        guard->rows = no_rows(scope, batch);
        if (!guard->rows)
            return err_nomem(err);
        if (expr_filter(guard->when, scope, batch, NULL, guard->rows, err) < 0)
            return -1;
        guard->any = bits_any(guard->rows, batch->row_count);
    }
    return 0;
}

static int add_hits(struct expr_scope *scope, struct match_hits *hits, const uint64_t *rows,
                    uint32_t row_count, uint32_t rule, struct err *err)
{
    for (size_t row = bits_next(rows, row_count, 0); row < row_count;
         row = bits_next(rows, row_count, row + 1)) {
        if (hits->count == hits->size) {
            size_t size = hits->size ? hits->size * 2 : 256;
            hits->list = arena_grow(scope->scratch, hits->list, hits->count * sizeof(*hits->list),
                                    size * sizeof(*hits->list));
            if (!hits->list)
                return err_nomem(err);
            hits->size = size;
        }
        hits->list[hits->count++] = (struct match_hit){(uint32_t)row, rule};
    }
    return 0;
}

static int by_row_and_rule(const void *a, const void *b)
{
    const struct match_hit *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return (x->rule > y->rule) - (x->rule < y->rule);
}

/* Several variants of a rule may match the same row. */
static void drop_doubles(struct match_hits *hits)
{
    size_t kept = 0;
    for (size_t i = 0; i < hits->count; i++)
        if (kept == 0 || by_row_and_rule(&hits->list[kept - 1], &hits->list[i]) != 0)
            hits->list[kept++] = hits->list[i];
    hits->count = kept;
}

int matcher_run(struct matcher *matcher, struct expr_scope *scope, const struct batch *batch,
                struct match_hits *out, struct err *err)
{
    *out = (struct match_hits){0};
    uint64_t *rows = no_rows(scope, batch);
    if (!rows)
        return err_nomem(err);
    if (filter_guards(matcher, scope, batch, err) < 0)
        return -1;
    for (size_t i = 0; i < matcher->variant_count; i++) {
        const struct active_variant *active = &matcher->variants[i];
        if (active->guard && !active->guard->any)
            continue;
        if (expr_filter(active->variant->condition, scope, batch,
                        active->guard ? active->guard->rows : NULL, rows, err) < 0 ||
            add_hits(scope, out, rows, batch->row_count, active->rule->index, err) < 0)
            return -1;
    }
    if (out->count)
        qsort(out->list, out->count, sizeof(*out->list), by_row_and_rule);
    drop_doubles(out);
    return 0;
}
