#pragma once
/*
 * flow/rule_reports: what the ledger says of each rule at one moment, for whoever looks while the rules run on.
 *
 * Ownership  The last rule_reports_release() frees it, with its hold of the rules.
 * Threads    Read-only; hold and release from any thread.
 */
#include "detect/rule_ledger.h"
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
struct rule_reports *rule_reports_hold(struct rule_reports *reports); /* returns it */
void rule_reports_release(struct rule_reports *reports);              /* NULL is fine */
