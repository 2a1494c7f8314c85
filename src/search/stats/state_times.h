#pragma once
/* search/stats/state_times: the values with the least and the greatest _time; earliest, latest,
 * rate ... */
#include "search/stat.h"

struct times {
    struct value first, last;
    int64_t first_ns, last_ns;
    bool some;
};

void times_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns);
/* A time as seconds. */
void times_give(struct stat_scope *scope, int64_t time_ns, struct value_list *out);
