#pragma once
/*
 * detect/predicate: the different tests of all rules. A test of a column stands here once, however many
 * rules ask it, and is known by its number.
 *
 * Ownership  Lives in the arena it is made in and borrows the expressions.
 * Threads    One builds; then read-only.
 */
#include "base/map.h"
#include "expr/expr.h"

#define PREDICATE_NONE UINT32_MAX
enum { COLUMN_KEYWORDS = 0 };

enum predicate_mode {
    PREDICATE_FOUND,   /* an index over the column's tests finds it: not found is false */
    PREDICATE_SUSPECT, /* the same, but what is found must be asked: a literal it requires was there */
    PREDICATE_ASKED,   /* must be asked of every value */
    PREDICATE_ROW,     /* must be asked of the row: other columns have a say in it */
};

struct predicate {
    const struct expr *leaf;
    uint32_t column;
    enum predicate_mode mode;
    struct slice key; /* SUSPECT: the literal, folded; FOUND by a literal: the test's text */
    float chance;     /* how often it is true, about: what candidates are chosen by */
};

struct predicates {
    struct arena *arena, *building;
    struct map by_test; /* while building */
    struct map by_column; /* name to number */
    struct slice *columns; /* names; number 0 is what keywords look into */
    uint32_t column_count, column_size;
    struct predicate *list;
    uint32_t count, size;
    struct buffer *room; /* while building */
};

/* What is needed to build only lives in building and room. */
MUST_USE int predicates_init(struct predicates *all, struct arena *arena, struct arena *building,
                             struct buffer *room);
/* The number of a leaf; PREDICATE_NONE when memory is out. Any leaf that is not TEST or KEYWORD is
 * asked of the row; TEST_NULL is not for here: it is the opposite of TEST_EXISTS. */
uint32_t predicates_add(struct predicates *all, const struct expr *leaf);
/* That the column has a value. */
uint32_t predicates_add_exists(struct predicates *all, struct slice column);
/* A literal of fewer bytes is not searched for any more: the predicate is asked, by value or by row. */
void predicate_leave(struct predicate *predicate, size_t bytes_min);
/* PREDICATE_NONE when no test has the column. */
uint32_t predicates_column(const struct predicates *all, struct slice name);
