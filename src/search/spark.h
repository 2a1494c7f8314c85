#pragma once
/* search/spark: sparkline(agg(f), span): the aggregate of each bucket of time, in one cell. */
#include "search/aggregate.h"

enum { SPARK_BUCKETS_MAX = 100 };

struct spark {
    int64_t *starts;
    void *states; /* parallel */
    uint32_t count, room;
};

void spark_add(struct stat_scope *scope, struct spark *spark, const struct agg *agg, struct value v,
               int64_t time_ns);
/* "##__SPARKLINE__##" and a number a bucket, as tables of that language have it. */
void spark_result(struct stat_scope *scope, const struct spark *spark, const struct agg *agg,
                  struct value_list *out);
