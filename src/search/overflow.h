#pragma once
/*
 * search/overflow: statistics of more groups than memory has room for.
 *
 *   groups known when memory is short ──► go on in memory
 *   rows of other groups              ──► the temporary file, sorted by group
 *                                         at the end: one group after the other
 *
 * Rows of a group keep their order, so first(), last() and list() are as they would be; rows with
 * several values in a by-field count in each group.
 *
 * Ownership  The aggregator is the caller's; everything else draws from the search's budget.
 */
#include "search/aggregate.h"
#include "search/sorter.h"

struct overflow {
    struct aggregator *a; /* of the groups that were known */
    struct sorter rows;   /* of the others */
    struct sort_keys keys;
};

/* Whether one block may bring more groups than memory has room for. */
bool overflow_is_possible(const struct aggregator *a);
/* Whether it is time to, for an aggregator whose arena only it uses. */
bool overflow_is_near(const struct aggregator *a);
MUST_USE int overflow_init(struct overflow *overflow, struct aggregator *a, struct err *err);
MUST_USE int overflow_add(struct overflow *overflow, struct frame *frame, struct err *err);
/* The rows of all groups in order of key. The aggregator's groups are gone afterwards: its arena is
 * reset. */
MUST_USE int overflow_each(struct overflow *overflow, aggregator_give give, void *context,
                           struct err *err);
/* The order of groups as that of rows: each field by value, then as written. */
MUST_USE int overflow_keys(struct sort_keys *keys, const struct slice *fields, size_t count,
                           struct arena *arena);
