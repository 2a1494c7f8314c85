#pragma once
/*
 * search/commands/join_sorted: join of more rows than memory has room for.
 *
 *   their rows, ours with numbers ──► by key, theirs first ──► pairs ──► by our numbers
 *
 * Memory holds their rows of one key, as far as there is room for them.
 *
 * Ownership  All of it draws from the search's budget and goes with the search at the latest.
 */
#include "search/commands/met_rows.h"
#include "search/sorter.h"

struct join_sorted {
    struct run *run;
    const struct met_rule *rule;
    struct sorter both, pairs;
    struct batch *names; /* no rows: our columns in the order they came */
    uint64_t rows;       /* of ours, so far */
};

/* Their rows are in theirs, which is closed. */
MUST_USE int join_sorted_init(struct join_sorted *join, struct run *run, const struct met_rule *rule,
                              struct sorter *theirs, struct err *err);
MUST_USE int join_sorted_add(struct join_sorted *join, const struct frame *frame, struct err *err);
/* The pairs to the stages behind op; no row can be added afterwards. */
MUST_USE int join_sorted_emit(struct join_sorted *join, struct stage *op, struct err *err);
