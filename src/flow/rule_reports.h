#pragma once
/*
 * flow/rule_reports: what the ledger says of each rule at one moment, for whoever looks while the rules run on.
 *
 * Ownership  The last rule_reports_release() frees it, with its hold of the rules.
 * Threads    Read-only; hold and release from any thread.
 */
#include "detect/detector.h"
#include "flow/rulebook.h"

struct rule_report {
    struct rule_tally tally;
    struct slice blind; /* why it sees nothing; none: it may */
};

struct rule_reports {
    struct rulebook *book;
    struct rule_report *list; /* by rule index */
    struct arena *arena;
    atomic_uint holders;
};

/* NULL when memory is out. now_ns: event time. */
MUST_USE struct rule_reports *rule_reports_new(struct rulebook *book, const struct rule_ledger *ledger,
                                               int64_t now_ns);
/* What rules have forgotten that they should remember, as far as it was told. */
struct rule_reports_forgotten {
    uint64_t dropped, evicted, state_evicted;
};
enum { RULE_REPORTS_TEXT_SIZE = 256 };
/* A sentence when it is more, or, of what does not fit, twice as much. */
bool rule_reports_forgotten(const struct detector *detector, struct rule_reports_forgotten *told,
                            char text[RULE_REPORTS_TEXT_SIZE]);

struct rule_reports *rule_reports_hold(struct rule_reports *reports); /* returns it */
void rule_reports_release(struct rule_reports *reports);              /* NULL is fine */
