#pragma once
/*
 * detect/coverage: which rules can see anything at all: for each log source, which of the fields that its rules
 * ask for its events have ever had. A rule whose condition cannot hold whatever the fields that were seen
 * say is blind.
 *
 * Looked at in a part of the events (all of the first COVERAGE_ROWS_FIRST, then COVERAGE_ROWS of every
 * COVERAGE_EVERY-th batch): what a source has it has in most of its events. Which log sources an event is of the
 * matcher has found out.
 *
 * Threads  One at a time. Ownership  Borrows the rules and the matcher.
 */
#include "detect/match.h"

struct coverage;

enum coverage_state {
    COVERAGE_UNKNOWN, /* too few events of its log source were looked at */
    COVERAGE_SEES,
    COVERAGE_NO_FIELDS, /* its events come, and lack what the rule needs */
    COVERAGE_NO_EVENTS, /* none of its log source was looked at */
};

/* matcher NULL: no batches will come. */
MUST_USE int coverage_new(const struct rule_set *rules, const struct matcher *matcher, struct coverage **out,
                          struct err *err);
void coverage_free(struct coverage *coverage); /* NULL is fine */

/* The matcher has just run over the batch; its scratch is used, too. */
MUST_USE int coverage_batch(struct coverage *coverage, struct arena *scratch, const struct batch *batch,
                            struct err *err);

/* With NO_FIELDS the columns that were never seen, in the arena: at most COVERAGE_MISSING_MAX are named. */
enum { COVERAGE_MISSING_MAX = 8 };
enum coverage_state coverage_of(const struct coverage *coverage, const struct rule *rule, struct arena *arena,
                                struct slice *missing);

void coverage_save(const struct coverage *coverage, struct buffer *to);
/* Log sources are matched by what they say; of one that changed nothing is taken. */
MUST_USE int coverage_load(struct coverage *coverage, struct slice bytes, struct err *err);
