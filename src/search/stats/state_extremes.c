/* The least and the greatest value. */
#include "search/stats/state_extremes.h"

static bool text_before(struct value a, struct value b)
{
    char x[VALUE_TEXT_SIZE], y[VALUE_TEXT_SIZE];
    return slice_compare(value_text_small(a, x), value_text_small(b, y)) < 0;
}

static void text_extreme(struct stat_scope *scope, struct extremes *e, struct value v)
{
    if (!e->texts || text_before(v, e->text_least))
        stat_keep_over(scope, &e->text_least, v);
    if (!e->texts || text_before(e->text_greatest, v))
        stat_keep_over(scope, &e->text_greatest, v);
    e->texts = true;
}

void extremes_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    struct extremes *e = state;
    int128 room;
    struct value n;
    (void)time_ns;
    bool number = stat_number(v, &room, &n);
    if (number && (!e->numbers || value_compare_numbers(n, e->least) < 0))
        e->least = stat_keep(scope, n);
    if (number && (!e->numbers || value_compare_numbers(n, e->greatest) > 0))
        e->greatest = stat_keep(scope, n);
    if (!number && !e->texts && e->numbers) {
        text_extreme(scope, e, e->least);
        text_extreme(scope, e, e->greatest);
    }
    e->numbers |= number;
    if (!number || e->texts)
        text_extreme(scope, e, v);
}
