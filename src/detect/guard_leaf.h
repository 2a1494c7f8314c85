#pragma once
/*
 * detect/guard_leaf: the leaves of log source conditions, column by column, for detect/route.
 *
 * A leaf is whatever is no AND and no OR. As a filter takes it, it holds (TRUE) or does not (FALSE, NULL).
 * Ownership  Lives in the arena it is made in; borrows the guards.
 * Threads    Read-only once made.
 */
#include "base/map.h"
#include "expr/expr.h"
#include "expr/function.h"

enum { DEAR_COLUMNS_MAX = 64 };

struct guard_leaf {
    const struct expr *expr;
    uint32_t column;
};

struct guard_column {
    struct slice name;   /* none: leaves of several columns, or that depend on more */
    uint32_t *leaves;    /* numbers */
    uint32_t leaf_count;
    bool presence;       /* leaves only ask whether there is a value */
    uint64_t dear_bit;   /* 0, or this column's place among those to be asked only where it matters */
};

struct guard_leaves {
    struct guard_leaf *list;
    uint32_t count;
    struct map by_expr; /* numbers + 1 */
    struct guard_column *columns;
    uint32_t column_count;
    uint64_t *absent; /* leaves that hold in an event without fields */
    uint64_t *cheap;  /* leaves of columns that are not dear */
};

MUST_USE int guard_leaves_make(struct guard_leaves *leaves, const struct expr *const *guards, uint32_t count,
                               struct arena *arena, struct err *err);

struct guard_asked {
    const struct guard_leaves *leaves;
    const uint64_t *bits, *known;
    uint64_t needs; /* dear columns whose leaves would settle it */
};
/* TRUTH_NULL: what is known does not settle it. */
enum truth guard_holds(struct guard_asked *asked, const struct expr *guard);
