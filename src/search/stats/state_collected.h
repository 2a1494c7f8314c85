#pragma once
/* search/stats/state_collected: all values, or all numbers; list, median, perc ... */
#include "search/stat.h"

struct collected {
    struct value *values;
    uint32_t count, room;
};

/* v as it is: it must stay. */
static inline void collect(struct stat_scope *scope, struct collected *c, struct value v)
{
    if (c->count == c->room) {
        uint32_t room = c->room ? 2 * c->room : 4;
        void *values = arena_grow(scope->arena, c->values, c->count * sizeof(struct value),
                                  room * sizeof(struct value));
        scope->exhausted |= !values;
        if (!values)
            return;
        c->values = values;
        c->room = room;
    }
    c->values[c->count++] = v;
}

/* stat.prefetch */
void collected_prefetch(const void *state);
/* Numbers only. */
void collect_number(struct stat_scope *scope, void *state, struct value v, int64_t time_ns);
/* stat.merge, where the order of values does not show. */
void collected_merge(struct stat_scope *scope, void *state, const void *part);
/* The nearest rank: percent of the numbers are less. */
void collected_rank(struct stat_scope *scope, const struct collected *c, double percent,
                    struct value_list *out);
/* The rank that the function's name says: perc95. */
void collected_percent(struct stat_scope *scope, const void *state, struct value_list *out);
