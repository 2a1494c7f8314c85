#pragma once
/*
 * detect/plan: what a matcher does for every row, worked out once from all rules.
 *
 *   rules ── conditions ── nodes over predicates, shared     which row matches
 *                 └─────── the predicates of which one must be true, the rarest there are
 *
 * A condition is asked only of rows where one of its chosen predicates is true; a condition that may hold
 * without any ("not a") is asked of every row of its log source.
 *
 * Ownership  One arena; borrows the rules.
 * Threads    Read-only once made.
 * Errors     -1 when memory or MATCH_PLAN_BYTES_MAX is out.
 */
#include "detect/column_tests.h"
#include "detect/route.h"
#include "detect/rule.h"

/* A part of a condition: a node's or a predicate's number and what it is. */
typedef uint32_t part;
enum { PART_LEAF = 1, PART_NOT = 2, PART_SHIFT = 2 };
#define PART_NONE UINT32_MAX

struct plan_node {
    uint32_t first, count; /* in plan->parts; cheap ones first */
    bool any;              /* OR, else AND */
    bool three;            /* something in it may be NULL */
    bool shared;           /* stands in several places */
    bool keywords;
    float chance, chance_not;
};

struct plan_variant {
    uint32_t rule;
    uint32_t guard; /* PART_NONE: every row */
    part condition;
    bool always;    /* no predicate must be true */
    bool keywords;
};

/* Lists of numbers, one behind the other. */
struct number_lists {
    uint32_t *start; /* of each list; one more at the end */
    uint32_t *numbers;
};

struct plan {
    struct arena *arena;
    struct predicates predicates;
    struct column_tests **tests; /* by column */
    struct column_tests *printed_keywords; /* of values that are no STRING */
    struct plan_node *nodes;
    uint32_t node_count, node_size;
    part *parts;
    uint32_t part_count, part_size;
    const struct expr **guards;
    uint32_t guard_count;
    struct plan_variant *variants;
    uint32_t variant_count;
    uint32_t *rule_start; /* the first variant of each rule; one more at the end */
    struct number_lists chosen;     /* predicates of a variant */
    struct number_lists candidates; /* variants of a predicate */
    uint32_t hits_max, literals_max; /* of a column */
};

/* What rows of a route are asked. */
struct route_plan {
    uint32_t *always; /* variants */
    uint32_t always_count;
    uint32_t *columns; /* in which predicates are chosen */
    uint32_t column_count;
    bool keywords;
    bool any; /* some variant is of the route */
};

MUST_USE int plan_new(const struct rule_set *rules, struct plan **out, struct err *err);
void plan_free(struct plan *plan); /* NULL is fine */

static inline bool plan_routed(const struct plan_variant *variant, const struct route *route)
{
    return variant->guard == PART_NONE || bits_get(route->guards, variant->guard);
}

static inline uint32_t plan_variants_of(const struct plan *plan, uint32_t rule, uint32_t *first)
{
    *first = plan->rule_start[rule];
    return plan->rule_start[rule + 1] - *first;
}

/* A route_attach; context is the plan. */
MUST_USE int plan_attach(void *context, struct route *route, struct arena *arena);
