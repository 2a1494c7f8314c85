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

/* True while the set is a list of few; then the hash is in it. */
static bool add_to_few(struct stat_scope *scope, struct distinct *set, uint64_t hash)
{
    if (set->size)
        return false;
    for (uint32_t i = 0; i < set->count; i++)
        if (set->few[i] == hash)
            return true;
    if (set->count < DISTINCT_FEW) {
        set->few[set->count++] = hash;
        return true;
    }
    distinct_grow(scope, set);
    for (uint32_t i = 0; set->size && i < DISTINCT_FEW; i++)
        distinct_put(set, set->few[i]);
    return false;
}

uint64_t distinct_hash(struct value v)
{
    uint64_t hash = value_hash(v);
    return hash ? hash : 1;
}

void distinct_add_hash(struct stat_scope *scope, void *state, uint64_t hash)
{
    struct distinct *set = state;
    if (add_to_few(scope, set, hash))
        return;
    if (2 * (set->count + 1) > set->size)
        distinct_grow(scope, set);
    if (!scope->exhausted)
        set->count += distinct_put(set, hash);
}

void distinct_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    (void)time_ns;
    distinct_add_hash(scope, state, distinct_hash(v));
}

void distinct_merge(struct stat_scope *scope, void *state, const void *part)
{
    struct distinct *set = state;
    const struct distinct *p = part;
    if (!set->count) {
        *set = *p;
        return;
    }
    for (uint32_t i = 0; !p->size && i < p->count; i++)
        distinct_add_hash(scope, set, p->few[i]);
    for (uint32_t i = 0; i < p->size; i++)
        if (p->slots[i])
            distinct_add_hash(scope, set, p->slots[i]);
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
