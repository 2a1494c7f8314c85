/* The first and the last value by time. */
#include "search/stats/state_times.h"

void times_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    struct times *t = state;
    if (time_ns == INT64_MIN)
        return;
    if (!t->some || time_ns < t->first_ns) {
        stat_keep_over(scope, &t->first, v);
        t->first_ns = time_ns;
    }
    if (!t->some || time_ns >= t->last_ns) {
        stat_keep_over(scope, &t->last, v);
        t->last_ns = time_ns;
    }
    t->some = true;
}

void times_give(struct stat_scope *scope, int64_t time_ns, struct value_list *out)
{
    struct value seconds;
    if (value_to_number(value_time(time_ns), scope->arena, &seconds))
        stat_give(scope, seconds, out);
    else
        scope->exhausted = true;
}
