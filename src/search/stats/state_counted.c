/* Different values, each with how often it came. */
#include "search/stats/state_counted.h"

void counted_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    struct counted *c = state;
    (void)time_ns;
    uint32_t id = intern_value(&c->values, scope->arena, v);
    if (id == GROUP_NONE) {
        scope->exhausted = true;
        return;
    }
    if (id >= c->room) {
        uint32_t room = c->room ? 2 * c->room : 8;
        uint64_t *counts = arena_array(scope->arena, room, sizeof(*counts));
        scope->exhausted |= !counts;
        if (!counts)
            return;
        if (c->room)
            memcpy(counts, c->counts, c->room * sizeof(*counts));
        c->counts = counts;
        c->room = room;
    }
    c->counts[id]++;
}

void counted_merge(struct stat_scope *scope, void *state, const void *part)
{
    struct counted *c = state;
    const struct counted *p = part;
    if (!c->values.count) {
        *c = *p;
        return;
    }
    for (uint32_t i = 0; i < p->values.count; i++)
        counted_add(scope, c, p->values.values[i], INT64_MIN);
}
