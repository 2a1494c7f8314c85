#pragma once
/* search/stats/state_counted: different values and how often each came; values and mode. */
#include "search/group.h"
#include "search/stat.h"

/* Different values, each with how often it came. */
struct counted {
    struct intern values;
    uint64_t *counts;
    uint32_t room;
};

void counted_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns);
/* stat.merge, of the values alone. */
void counted_merge(struct stat_scope *scope, void *state, const void *part);
