#pragma once
/*
 * detect/route: which log sources a row belongs to. The conditions of log sources (guards) are ANDs and ORs of
 * leaves, most of which read one column: what all leaves of a column say of a value is found out once for each
 * different value, with expr_filter. A row is led by its columns from state to state:
 *
 *   start --winlog.channel "Security"--> 17 --winlog.event_id 4688--> 31: these guards hold
 *
 * Leaves that are dear (regular expressions), read several columns, or depend on more than the row (now())
 * are asked only of rows whose state leaves a guard open, batch by batch.
 *
 * Ownership  Borrows the guards; routes live until routes_trim() or routes_free().
 * Threads    One.
 * Limits     MATCH_ROUTES_MAX, MATCH_ROUTE_BYTES_MAX: then everything is learnt anew.
 */
#include "expr/expr.h"

struct route_plan;

/* Rows of the same log sources. */
struct route {
    uint64_t *guards; /* a bit for each that holds */
    uint64_t rows;    /* that were told to be of it */
    struct route_plan *plan; /* the caller's */
};

struct routes;

/* Called for each new route: makes route->plan in the arena. */
typedef int (*route_attach)(void *context, struct route *route, struct arena *arena);
struct routes_options {
    const struct expr *const *guards;
    uint32_t guard_count;
    route_attach attach;
    void *context;
};
MUST_USE int routes_new(const struct routes_options *options, struct routes **out, struct err *err);
void routes_free(struct routes *routes); /* NULL is fine */

/* Whether routes_trim() would forget all routes: their counts are to be taken before. */
bool routes_full(const struct routes *routes);
void routes_trim(struct routes *routes);
/* All that are known, in the order they were met. */
struct route *const *routes_list(const struct routes *routes, uint32_t *count);

/* of_row[row] for each row of the batch. -1 when memory is out; then routes_full() is true. */
MUST_USE int routes_run(struct routes *routes, struct expr_scope *scope, const struct batch *batch,
                        struct route **of_row, struct err *err);
