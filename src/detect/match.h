#pragma once
/*
 * detect/match: which rows of a batch match which rules, without what came before:
 * log sources, selections and conditions of all active rules at once. What depends
 * on other events (where, correlations, absence) is detect/detector's.
 *
 * Threads  One at a time; any number of matchers over one rule set.
 */
#include "detect/rule.h"

struct matcher;

struct match_hit {
    uint32_t row;
    uint32_t rule; /* index in the set */
};

/* By row, then by rule; nothing twice. */
struct match_hits {
    struct match_hit *list;
    size_t count, size;
};

/* Borrows the rules. */
MUST_USE int matcher_new(const struct rule_set *rules, struct matcher **out, struct err *err);
void matcher_free(struct matcher *matcher); /* NULL is fine */

/* The hits live in scope->scratch. batch_finish() has been called. */
MUST_USE int matcher_run(struct matcher *matcher, struct expr_scope *scope, const struct batch *batch,
                         struct match_hits *out, struct err *err);
