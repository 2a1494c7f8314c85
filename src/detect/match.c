#include "detect/match.h"

#include "base/clock.h"
#include "base/mem.h"
#include "detect/match_row.h"

#include <stdlib.h>

enum { COST_EVERY = 64 }; /* rows; of one the time is taken */

struct matcher {
    const struct rule_set *rules;
    struct plan *plan;
    struct routes *routes;
    struct row_match row; /* the row that is looked at */
    struct matcher_counts *counts; /* by rule; offered without what the routes still hold */
    struct match_hit *hits;
    size_t hit_count, hit_size;
    uint64_t rows;
    struct route **row_routes; /* of the last batch, in its scratch */
};

/* ---- making ---- */

static int make_parts(struct matcher *matcher, const struct rule_set *rules, struct err *err)
{
    matcher->counts = mem_calloc(rules->count + 1, sizeof(*matcher->counts));
    if (!matcher->counts)
        return err_nomem(err);
    if (plan_new(rules, &matcher->plan, err) < 0)
        return -1;
    struct routes_options options = {matcher->plan->guards, matcher->plan->guard_count, plan_attach,
                                     matcher->plan};
    if (routes_new(&options, &matcher->routes, err) < 0)
        return -1;
    return row_match_init(&matcher->row, matcher->plan, (uint32_t)rules->count) < 0 ? err_nomem(err) : 0;
}

int matcher_new(const struct rule_set *rules, struct matcher **out, struct err *err)
{
    *out = NULL;
    struct matcher *matcher = mem_calloc(1, sizeof(*matcher));
    if (!matcher)
        return err_nomem(err);
    matcher->rules = rules;
    if (make_parts(matcher, rules, err) < 0) {
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
    row_match_close(&matcher->row);
    routes_free(matcher->routes);
    plan_free(matcher->plan);
    mem_free(matcher->counts);
    mem_free(matcher->hits);
    mem_free(matcher);
}

/* ---- log sources ---- */

uint32_t matcher_guard(const struct matcher *matcher, const struct expr *guard)
{
    for (uint32_t i = 0; guard && i < matcher->plan->guard_count; i++)
        if (matcher->plan->guards[i] == guard)
            return i;
    return MATCHER_NO_GUARD;
}

bool matcher_guard_holds(const struct matcher *matcher, uint32_t guard, uint32_t row)
{
    return bits_get(matcher->row_routes[row]->guards, guard);
}

/* ---- counts ---- */

/* Rows of the route are offered to the rule if any of its variants is of it. */
static uint64_t offered_now(const struct matcher *matcher, uint32_t rule)
{
    uint32_t route_count, first, count = plan_variants_of(matcher->plan, rule, &first);
    struct route *const *routes = routes_list(matcher->routes, &route_count);
    uint64_t rows = 0;
    for (uint32_t r = 0; r < route_count; r++)
        for (uint32_t i = first; i < first + count; i++)
            if (plan_routed(&matcher->plan->variants[i], routes[r])) {
                rows += routes[r]->rows;
                break;
            }
    return rows;
}

struct matcher_counts matcher_counts(const struct matcher *matcher, uint32_t rule)
{
    struct matcher_counts counts = matcher->counts[rule];
    counts.offered += offered_now(matcher, rule);
    return counts;
}

struct matcher_stats matcher_stats(const struct matcher *matcher)
{
    struct memo_stats memo = value_memo_stats(matcher->row.memo);
    const struct plan *plan = matcher->plan;
    return (struct matcher_stats){
        .predicates = plan->predicates.count,
        .variants = plan->variant_count,
        .columns = plan->predicates.column_count,
        .guards = plan->guard_count,
        .values = memo.asked,
        .values_known = memo.known,
        .plan_bytes = arena_used(plan->arena),
        .memo_bytes = memo.bytes,
    };
}

/* Forgets what has become too much; routes take what they counted with them. */
static void trim(struct matcher *matcher)
{
    if (value_memo_full(matcher->row.memo))
        value_memo_forget(matcher->row.memo);
    if (!routes_full(matcher->routes))
        return;
    for (size_t i = 0; i < matcher->rules->count; i++)
        matcher->counts[i].offered += offered_now(matcher, (uint32_t)i);
    routes_trim(matcher->routes);
}

/* ---- a row ---- */

static int add_hit(struct matcher *matcher, uint32_t row, uint32_t rule)
{
    if (matcher->hit_count == matcher->hit_size) {
        size_t size = matcher->hit_size ? 2 * matcher->hit_size : 256;
        struct match_hit *hits = mem_realloc(matcher->hits, size * sizeof(*hits));
        if (!hits)
            return -1;
        matcher->hits = hits;
        matcher->hit_size = size;
    }
    matcher->hits[matcher->hit_count++] = (struct match_hit){row, rule};
    return 0;
}

static int try_variant(struct matcher *matcher, uint32_t number, bool take_time)
{
    struct row_match *row = &matcher->row;
    const struct plan_variant *variant = &matcher->plan->variants[number];
    struct matcher_counts *counts = &matcher->counts[variant->rule];
    if (row_match_has(row, variant->rule))
        return 0; /* by another variant */
    bool matches;
    int64_t start_ns = take_time ? clock_mono_ns(clock_real()) : 0;
    int result = row_match_try(row, variant, &matches);
    if (take_time)
        counts->cost_ns += COST_EVERY * (uint64_t)(clock_mono_ns(clock_real()) - start_ns);
    counts->evaluated += row_match_first_try(row, variant->rule);
    if (result == 0 && row_match_limit(row))
        counts->errors++;
    if (result < 0 || !matches)
        return result;
    counts->matched++;
    row_match_set(row, variant->rule);
    return add_hit(matcher, row->number, variant->rule);
}

static int by_rule(const void *a, const void *b)
{
    const struct match_hit *x = a, *y = b;
    return (x->rule > y->rule) - (x->rule < y->rule);
}

static int match_row(struct matcher *matcher, uint32_t number, const struct route *route)
{
    struct row_match *row = &matcher->row;
    size_t first = matcher->hit_count;
    bool take_time = ++matcher->rows % COST_EVERY == 0;
    if (!route->plan->any)
        return 0;
    struct arena_mark mark = arena_mark(row->work.scope->scratch);
    int result = row_match_begin(row, number, route);
    for (uint32_t i = 0; result == 0 && i < row->candidate_count; i++)
        result = try_variant(matcher, row->candidates[i], take_time);
    arena_rewind(row->work.scope->scratch, &mark);
    if (matcher->hit_count > first + 1)
        qsort(matcher->hits + first, matcher->hit_count - first, sizeof(*matcher->hits), by_rule);
    return result;
}

/* ---- a batch ---- */

static int give_hits(struct matcher *matcher, struct arena *scratch, struct match_hits *out)
{
    size_t count = matcher->hit_count;
    out->list = arena_array(scratch, count + 1, sizeof(*out->list));
    if (!out->list)
        return -1;
    if (count)
        memcpy(out->list, matcher->hits, count * sizeof(*out->list));
    out->count = out->size = count;
    return 0;
}

int matcher_run(struct matcher *matcher, struct expr_scope *scope, const struct batch *batch,
                struct match_hits *out, struct err *err)
{
    *out = (struct match_hits){0};
    struct route **routes = arena_array(scope->scratch, batch->row_count + 1UL, sizeof(*routes));
    if (!routes)
        return err_nomem(err);
    trim(matcher);
    matcher->row_routes = routes;
    matcher->hit_count = 0;
    if (routes_run(matcher->routes, scope, batch, routes, err) < 0)
        return -1;
    int result = row_match_batch(&matcher->row, scope, batch, routes);
    for (uint32_t row = 0; result == 0 && row < batch->row_count; row++)
        result = match_row(matcher, row, routes[row]);
    if (result == 0)
        result = give_hits(matcher, scope->scratch, out);
    if (scope->stopped)
        return err_set(err, ERR_CANCELLED, "the work was cancelled");
    return result < 0 ? err_nomem(err) : 0;
}
