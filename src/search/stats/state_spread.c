/* How far numbers are spread. */
#include "search/stats/state_spread.h"

#include <math.h>

void spread_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
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

void spread_give(struct stat_scope *scope, const struct spread *s, bool sample, bool root,
                 struct value_list *out)
{
    if (!s->count)
        return;
    double below = sample ? (double)s->count - 1 : (double)s->count;
    double var = below > 0 ? s->squares / below : 0;
    stat_give_number(scope, root ? sqrt(var) : var, out);
}
