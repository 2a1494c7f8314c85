#pragma once
/* search/expr_map: a tree with some of its tests replaced; what does not change is shared. */
#include "expr/expr.h"

/* *out is test itself to leave it. */
typedef int (*expr_map_visit)(void *context, const struct expr *test, const struct expr **out,
                              struct err *err);
/* tree may be NULL (everything passes), then *out is, too. */
MUST_USE int expr_map_tests(struct arena *arena, const struct expr *tree, expr_map_visit visit,
                            void *context, const struct expr **out, struct err *err);
