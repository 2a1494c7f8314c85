#pragma once
/* A detector_found that counts; context is the uint64_t. */
#include "detect/detector.h"

static inline int bench_count_finding(void *context, const struct finding *finding, const struct rule *rule,
                                      const struct batch *batch, uint32_t row, struct err *err)
{
    uint64_t *count = context;
    (void)finding, (void)rule, (void)batch, (void)row, (void)err;
    ++*count;
    return 0;
}
