#pragma once
/*
 * search/stat: the functions of stats, chart, timechart ...: one descriptor each, in
 * stats/stat_X.c, listed in stats.def; a state that several use is in stats/state_X.c.
 *
 * A state is size bytes, cleared at first, one a group. Values come one by one: numbers, text or
 * addresses, never NULL; times are numbers of seconds.
 */
#include "base/arena.h"
#include "event/value.h"
#include "expr/expr.h"

struct stat_scope {
    struct arena *arena; /* what states hold */
    double percent;      /* of perc95 */
    bool exhausted;      /* memory was out */
};

enum {
    STAT_ROWS = 1 << 0,    /* without a field it counts rows */
    STAT_PERCENT = 1 << 1, /* a number follows the name: perc95 */
    STAT_ZERO = 1 << 2,    /* nothing seen gives 0, not NULL */
    STAT_ONCE = 1 << 3,    /* a value that comes again changes nothing */
    STAT_NUMBERS = 1 << 4, /* it is about numbers: stats allnum=t */
    STAT_TIMES = 1 << 5,   /* add() looks at the time of the row */
    STAT_SUMS = 1 << 6,    /* doubles are added up: their order shows in the last digits */
};

struct stat {
    const char *name;
    const char *alias; /* or NULL */
    const char *summary;
    const char *syntax; /* "dc(field)" */
    const char *notes;  /* what is not as habit expects: a sentence a line; NULL: nothing */
    unsigned flags;
    size_t size;
    void (*add)(struct stat_scope *scope, void *state, struct value v, int64_t time_ns);
    /* Asks for the memory behind the state that adding to it will touch; NULL: there is none. */
    void (*prefetch)(const void *state);
    /* What another state has seen, before this one or after it: the result is the same (but see STAT_SUMS);
     * NULL: not possible. What the other one holds may be this one's from now on. And back: false when it
     * cannot be taken away without a trace (a sum of doubles); then the state is as it was. */
    void (*merge)(struct stat_scope *scope, void *state, const void *part);
    bool (*take_away)(void *state, const void *part);
    /* The answer, in the scope's arena; nothing for NULL. */
    void (*result)(struct stat_scope *scope, const void *state, struct value_list *out);
};

/* Asks for the memory that adding the value will touch, some values before it is added. */
void stat_prefetch(const struct stat *stat, const void *state, struct value v);

/* By name or alias, any case; perc95 sets *percent. NULL: then *nearest is the most similar. */
const struct stat *stat_find(struct slice name, double *percent, const char **nearest);
const struct stat *stat_at(size_t index);

/* For results. */
void stat_give(struct stat_scope *scope, struct value v, struct value_list *out);
void stat_give_number(struct stat_scope *scope, double n, struct value_list *out);
/* A deep copy; exhausted is set when memory is out. */
struct value stat_keep(struct stat_scope *scope, struct value v);
/* The same into a place that was cleared or holds what was kept before, whose memory it uses again
 * where it can: what is given as a result must be copied. to->flags is log2 of a text's room. */
void stat_keep_text_over(struct stat_scope *scope, struct value *to, struct value v);
static inline void stat_keep_over(struct stat_scope *scope, struct value *to, struct value v)
{
    if (v.type == VALUE_I64 || v.type == VALUE_F64)
        *to = v;
    else if (v.type == VALUE_STRING)
        stat_keep_text_over(scope, to, v);
    else
        *to = stat_keep(scope, v);
}

/* The number that v stands for, without an arena: room holds a decimal's digits. */
bool stat_number(struct value v, int128 *room, struct value *out);
/* Of numbers that are equal (1 and 1.0) which one is shown, whatever the order they came in: the whole one, else
 * the first one by text. Less than 0: a. */
int stat_tie(struct value a, struct value b);

#define STAT(name) extern const struct stat stat_##name;
#include "search/stats.def"
#undef STAT
