#include "search/spark.h"

#include <stdlib.h>

static int64_t bucket_of(const struct agg *agg, int64_t time_ns)
{
    static const struct span hour = {.kind = SPAN_TIME, .count = 1, .unit = TIME_UNIT_HOUR};
    int64_t start;
    const struct span *span = agg->spark_span.kind ? &agg->spark_span : &hour;
    return span_time_bucket(span, NULL, 0, time_ns, &start, NULL) ? start : 0;
}

static bool grow(struct stat_scope *scope, struct spark *spark, size_t size)
{
    uint32_t room = spark->room ? 2 * spark->room : 8;
    int64_t *starts = arena_array(scope->arena, room, sizeof(*starts));
    char *states = arena_array(scope->arena, room, size);
    if (!starts || !states) {
        scope->exhausted = true;
        return false;
    }
    if (spark->count) {
        memcpy(starts, spark->starts, spark->count * sizeof(*starts));
        memcpy(states, spark->states, spark->count * size);
    }
    spark->starts = starts;
    spark->states = states;
    spark->room = room;
    return true;
}

void spark_add(struct stat_scope *scope, struct spark *spark, const struct agg *agg, struct value v,
               int64_t time_ns)
{
    size_t size = (agg->stat->size + 15) & ~(size_t)15;
    if (time_ns == INT64_MIN)
        return;
    int64_t start = bucket_of(agg, time_ns);
    uint32_t at = spark->count;
    while (at > 0 && spark->starts[at - 1] != start)
        at--;
    if (at == 0) {
        if (spark->count == spark->room && !grow(scope, spark, size))
            return;
        spark->starts[spark->count] = start;
        at = ++spark->count;
    }
    agg->stat->add(scope, (char *)spark->states + (at - 1) * size, v, time_ns);
}

struct point {
    int64_t start;
    uint32_t at;
};

static int by_start(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

void spark_result(struct stat_scope *scope, const struct spark *spark, const struct agg *agg,
                  struct value_list *out)
{
    size_t size = (agg->stat->size + 15) & ~(size_t)15;
    struct point *points = arena_array(scope->arena, spark->count + 1U, sizeof(*points));
    struct value *values = arena_array(scope->arena, spark->count + 1U, sizeof(*values));
    if (!points || !values) {
        scope->exhausted = true;
        return;
    }
    for (uint32_t i = 0; i < spark->count; i++)
        points[i] = (struct point){spark->starts[i], i};
    qsort(points, spark->count, sizeof(*points), by_start);
    values[0] = value_string(SLICE("##__SPARKLINE__##"));
    for (uint32_t i = 0; i < spark->count; i++) {
        struct value_list one = {0};
        agg->stat->result(scope, (const char *)spark->states + points[i].at * size, &one);
        values[i + 1] = one.count ? one.values[0] : value_i64(0);
    }
    *out = (struct value_list){values, spark->count + 1};
}
