#pragma once
/*
 * flow/warm_up: rules that must know what is usual before they can tell what is not (new, usual) learn it from what
 * is stored, when they are enabled: as far back as the longest of them wants.
 *
 *   store ──history──► a detector of these rules alone, which gives no findings ──memory──► the one that runs
 *
 * Threads  The pipeline's; events wait in the journal meanwhile.
 * Errors   -1: memory, or the store cannot be read; the rules then begin with nothing, as they would have.
 */
#include "detect/detector.h"
#include "flow/rulebook.h"
#include "store/store.h"

struct warm_up_stats {
    size_t rules;      /* that learned; 0: none wanted to */
    uint64_t events;
    int64_t from_ns;
};

/* now_ns: event time. cancel may be NULL. */
MUST_USE int warm_up(struct detector *detector, const struct rulebook *book, struct store *store, int64_t now_ns,
                     const atomic_bool *cancel, struct warm_up_stats *stats, struct err *err);
