#pragma once
/*
 * expr/chance: whether an expression can be TRUE at all, from what is known of the columns of some events: which they
 * never have, and of a few columns all values.
 *
 * In doubt it may be: only tests on columns, and AND, OR and NOT of them, are judged; of comparisons only that nothing
 * compares with a column that is never there.
 *
 * Threads  Any number, each with its own scope.
 */
#include "expr/expr.h"

enum chance { CHANCE_NEVER, CHANCE_MAYBE, CHANCE_ALWAYS };

struct chance_column {
    bool told;                 /* texts are all values that it ever has; else it may have any */
    bool always;               /* every event has one of them */
    const struct slice *texts;
    size_t count;              /* told and 0: it is never there */
};
typedef struct chance_column (*chance_look)(void *context, struct slice column);

/* expr NULL is ALWAYS. scope is for tests of values, and may be NULL where no column has any that is told. */
enum chance expr_chance(const struct expr *expr, chance_look look, void *context, struct expr_scope *scope);
