/* Sums of numbers. */
#include "search/stats/state_total.h"

#include <math.h>

static void add_i64(struct total *t, int64_t n)
{
    if (__builtin_add_overflow(t->small, n, &t->small)) {
        t->small = (int64_t)((uint64_t)t->small - (uint64_t)n);
        decimal_sum_add(&t->exact, decimal_from_i64(n));
    }
}

static void add_other(struct total *t, struct value v)
{
    int128 room;
    struct value n;
    if (!stat_number(v, &room, &n))
        return;
    t->count++;
    if (n.type == VALUE_F64) {
        t->inexact += n.f64;
        t->doubles = true;
    } else if (n.type == VALUE_DECIMAL) {
        decimal_sum_add(&t->exact, value_get_decimal(n));
    } else {
        add_i64(t, n.i64);
    }
}

void total_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    struct total *t = state;
    (void)scope;
    (void)time_ns;
    if (v.type != VALUE_I64) {
        add_other(t, v);
        return;
    }
    t->count++;
    add_i64(t, v.i64);
}

static bool is_small(const struct total *t)
{
    const uint64_t *word = t->exact.word;
    return !(word[0] | word[1] | word[2] | word[3] | t->exact.scale);
}

void total_merge(struct stat_scope *scope, void *state, const void *part)
{
    (void)scope;
    struct total *t = state;
    const struct total *p = part;
    if (!is_small(p))
        decimal_sum_merge(&t->exact, &p->exact);
    add_i64(t, p->small);
    t->inexact += p->inexact;
    t->count += p->count;
    t->doubles |= p->doubles;
}

bool total_take_away(void *state, const void *part)
{
    struct total *t = state;
    const struct total *p = part;
    int64_t left;
    if (t->doubles || p->doubles || !is_small(t) || !is_small(p) ||
        __builtin_sub_overflow(t->small, p->small, &left))
        return false;
    t->small = left;
    t->count -= p->count;
    return true;
}

static bool total_exact(const struct total *t, struct decimal *out)
{
    if (is_small(t)) {
        *out = decimal_from_i64(t->small);
        return true;
    }
    struct decimal_sum sum = t->exact;
    decimal_sum_add(&sum, decimal_from_i64(t->small));
    return decimal_sum_total(&sum, out);
}

double total_f64(const struct total *t)
{
    struct decimal d;
    if (is_small(t))
        return (double)t->small + t->inexact;
    return (total_exact(t, &d) ? decimal_to_f64(d) : NAN) + t->inexact;
}

void total_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct total *t = state;
    struct decimal d;
    int64_t n;
    if (!t->count)
        return;
    if (t->doubles) {
        stat_give_number(scope, total_f64(t), out);
    } else if (total_exact(t, &d)) {
        bool whole = d.scale == 0 && decimal_to_i64(d, &n);
        struct value v = whole ? value_i64(n) : value_decimal(d, scope->arena);
        scope->exhausted |= v.type == VALUE_NULL;
        stat_give(scope, v, out);
    }
}
