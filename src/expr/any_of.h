#pragma once
/*
 * expr/any_of: one test for many values of a field (TEST_ANY_OF), asked by a hash instead of one after the other:
 *
 *   a equal "x" OR a equal "y" OR ... (a thousand times)        a any of {x, y, ...}
 *
 * It holds for a value exactly where one of the TEST_EQUAL with TEST_NUMERIC would.
 *
 * Ownership  Lives in the arena that it is made in.
 * Threads    Read-only once it is made.
 */
#include "expr/expr.h"

struct any_of;

/* NULL when memory is out. count is what is added at most. flags: TEST_CASED. */
MUST_USE struct any_of *any_of_new(struct arena *arena, size_t count, unsigned flags);
MUST_USE int any_of_add(struct any_of *set, struct arena *arena, struct slice text);
/* The test; values can be added until it is asked for the first time. */
MUST_USE struct expr *any_of_expr(struct any_of *set, struct arena *arena, struct slice field);

bool any_of_has(const struct any_of *set, struct value v, struct expr_scope *scope);
/* How many values, all of them, and those that are no numbers: folded unless TEST_CASED. */
size_t any_of_count(const struct any_of *set);
const struct slice *any_of_texts(const struct any_of *set, size_t *count);

/* ORs of at least ANY_OF_FROM equal tests on one field become one test; *out may be tree itself. -1: memory. */
enum { ANY_OF_FROM = 17 };
MUST_USE int any_of_gather(struct arena *arena, const struct expr *tree, const struct expr **out);
