#pragma once
/*
 * detect/match: which rows of a batch match which rules, without what came before:
 * log sources, selections and conditions of all active rules at once. What depends
 * on other events (where, correlations, absence) is detect/detector's.
 *
 * The rows are those that expr_filter of the log source and of the condition give; how they are found is in
 * detect/plan and docs/decisions/matching-plan.md.
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

/* The number of a log source's condition; MATCHER_NO_GUARD for NULL and for one that no active rule has. */
#define MATCHER_NO_GUARD UINT32_MAX
uint32_t matcher_guard(const struct matcher *matcher, const struct expr *guard);
/* Whether it holds for a row of the batch of the last matcher_run(), as long as that scratch is not reset. */
bool matcher_guard_holds(const struct matcher *matcher, uint32_t guard, uint32_t row);

/* What happened to one rule since the matcher was made. */
struct matcher_counts {
    uint64_t offered;   /* rows that its log source selects */
    uint64_t evaluated; /* of them: its condition was evaluated, since a predicate that it needs was true; of the
                         * others it is known to be false */
    uint64_t matched;   /* of them: true */
    uint64_t errors;    /* of those evaluated: a regular expression hit its limit and counted as no match */
    uint64_t cost_ns;   /* of evaluating, projected from every 64th row; what all rules share (log sources, predicates)
                         * is in no rule's cost */
};
struct matcher_counts matcher_counts(const struct matcher *matcher, uint32_t rule);

/* What the shared parts did. */
struct matcher_stats {
    uint32_t predicates, variants, columns, guards;
    uint64_t values, values_known; /* asked of all tests of their column; of them remembered from before */
    size_t plan_bytes, memo_bytes;
};
struct matcher_stats matcher_stats(const struct matcher *matcher);
