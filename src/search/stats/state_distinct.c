/* Different values, by hash. */
#include "search/stats/state_distinct.h"

#include "search/group.h"

static bool distinct_put(struct distinct *set, uint64_t hash)
{
    uint32_t mask = set->size - 1, at = (uint32_t)hash & mask;
    while (set->slots[at]) {
        if (set->slots[at] == hash)
            return false;
        at = (at + 1) & mask;
    }
    set->slots[at] = hash;
    return true;
}

enum { FAST_UNTIL = 1 << 20 };

static void distinct_grow(struct stat_scope *scope, struct distinct *set)
{
    struct distinct old = *set;
    set->size = !old.size ? 8 : old.size < FAST_UNTIL ? 4 * old.size : 2 * old.size;
    set->slots = arena_array(scope->arena, set->size, sizeof(*set->slots));
    if (!set->slots) {
        *set = old;
        scope->exhausted = true;
        return;
    }
    for (uint32_t i = 0; i < old.size; i++)
        if (old.slots[i])
            distinct_put(set, old.slots[i]);
    arena_give_back(scope->arena, old.slots);
}

void distinct_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    struct distinct *set = state;
    (void)time_ns;
    if (2 * (set->count + 1) > set->size)
        distinct_grow(scope, set);
    uint64_t hash = value_hash(v);
    if (!scope->exhausted)
        set->count += distinct_put(set, hash ? hash : 1);
}

void stat_prefetch(const struct stat *stat, const void *state, struct value v)
{
    const struct distinct *set = state;
    if (stat->add == distinct_add && set->size)
        __builtin_prefetch(&set->slots[(uint32_t)value_hash(v) & (set->size - 1)]);
}

void distinct_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    stat_give(scope, value_i64(((const struct distinct *)state)->count), out);
}
