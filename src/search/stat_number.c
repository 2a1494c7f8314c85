/* Sums and spreads of numbers. Sums are exact as long as no double takes part. */
#include "search/stat.h"

#include <math.h>

struct total {
    int64_t small; /* added to exact when it would overflow */
    struct decimal_sum exact;
    double inexact;
    uint64_t count;
    bool doubles;
};

static void total_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    struct total *t = state;
    int128 room;
    struct value n;
    (void)scope;
    (void)time_ns;
    if (!stat_number(v, &room, &n))
        return;
    t->count++;
    if (n.type == VALUE_F64) {
        t->inexact += n.f64;
        t->doubles = true;
    } else if (n.type == VALUE_DECIMAL) {
        decimal_sum_add(&t->exact, value_get_decimal(n));
    } else if (__builtin_add_overflow(t->small, n.i64, &t->small)) {
        t->small = (int64_t)((uint64_t)t->small - (uint64_t)n.i64);
        decimal_sum_add(&t->exact, decimal_from_i64(n.i64));
    }
}

static bool total_exact(const struct total *t, struct decimal *out)
{
    struct decimal_sum sum = t->exact;
    decimal_sum_add(&sum, decimal_from_i64(t->small));
    return decimal_sum_total(&sum, out);
}

static double total_f64(const struct total *t)
{
    struct decimal d;
    return (total_exact(t, &d) ? decimal_to_f64(d) : NAN) + t->inexact;
}

static void sum_result(struct stat_scope *scope, const void *state, struct value_list *out)
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

static void avg_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct total *t = state;
    if (t->count)
        stat_give_number(scope, total_f64(t) / (double)t->count, out);
}

const struct stat stat_sum = {"sum",     0,         "sum(f), exact", 0, sizeof(struct total),
                              total_add, sum_result};
const struct stat stat_avg = {"avg",     "mean",    "avg(f)", 0, sizeof(struct total),
                              total_add, avg_result};
const struct stat stat_per_second = {
    "per_second", 0,         "sum(f) a second of the bucket", 0, sizeof(struct total),
    total_add,    sum_result};
const struct stat stat_per_minute = {
    "per_minute", 0,         "sum(f) a minute of the bucket", 0, sizeof(struct total),
    total_add,    sum_result};
const struct stat stat_per_hour = {
    "per_hour", 0, "sum(f) an hour of the bucket", 0, sizeof(struct total), total_add, sum_result};
const struct stat stat_per_day = {
    "per_day", 0, "sum(f) a day of the bucket", 0, sizeof(struct total), total_add, sum_result};

/* Welford: no loss when the mean is large and the spread small. */
struct spread {
    uint64_t count;
    double mean, squares, sum_of_squares;
};

static void spread_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    struct spread *s = state;
    int128 room;
    struct value number;
    (void)scope;
    (void)time_ns;
    if (!stat_number(v, &room, &number))
        return;
    double n = value_to_f64(number), off = n - s->mean;
    s->count++;
    s->mean += off / (double)s->count;
    s->squares += off * (n - s->mean);
    s->sum_of_squares += n * n;
}

static void give_spread(struct stat_scope *scope, const struct spread *s, bool sample, bool root,
                        struct value_list *out)
{
    if (!s->count)
        return;
    double below = sample ? (double)s->count - 1 : (double)s->count;
    double var = below > 0 ? s->squares / below : 0;
    stat_give_number(scope, root ? sqrt(var) : var, out);
}

static void stdev_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    give_spread(scope, state, true, true, out);
}

static void stdevp_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    give_spread(scope, state, false, true, out);
}

static void var_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    give_spread(scope, state, true, false, out);
}

static void varp_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    give_spread(scope, state, false, false, out);
}

static void sumsq_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct spread *s = state;
    if (s->count)
        stat_give_number(scope, s->sum_of_squares, out);
}

const struct stat stat_stdev = {
    "stdev", 0, "stdev(f): of a sample", 0, sizeof(struct spread), spread_add, stdev_result};
const struct stat stat_stdevp = {
    "stdevp", 0, "stdevp(f): of a population", 0, sizeof(struct spread), spread_add, stdevp_result};
const struct stat stat_var = {
    "var", 0, "var(f): of a sample", 0, sizeof(struct spread), spread_add, var_result};
const struct stat stat_varp = {
    "varp", 0, "varp(f): of a population", 0, sizeof(struct spread), spread_add, varp_result};
const struct stat stat_sumsq = {
    "sumsq", 0, "sumsq(f): sum of squares", 0, sizeof(struct spread), spread_add, sumsq_result};
