#pragma once
/*
 * detect/rule_ledger: the books of each rule: what it was offered, what came of it, and whether it can see
 * anything. Begins when the rule is first enabled, survives restarts as a part of the detector's snapshot, and
 * begins anew when the rule detects something else.
 *
 * A log source has a pace: after three times the longest pause that is usual for it, within RULE_SOURCE_SILENT_SECONDS and
 * _MINUTES, it is silent and its rules are blind.
 *
 *   offered = events stored of its log sources since it was enabled     (hinomi rules ledger --verify)
 *
 * Threads  One at a time.
 */
#include "detect/coverage.h"
#include "detect/match.h"
#include "detect/operator.h"

#define RULE_TIME_NEVER INT64_MIN

struct rule_tally {
    uint64_t since_seq; /* hinomi.seq of the first event after it was enabled; 0: none came yet */
    int64_t since_ns;   /* when that was received */
    uint64_t offered, evaluated, matched, errors, cost_ns; /* struct matcher_counts */
    uint64_t findings;
    int64_t last_offered_ns, last_matched_ns; /* event times, about; RULE_TIME_NEVER */
    uint64_t pauses;   /* between events of its log source, as fine as rule_ledger_get() is called */
    int64_t pause_ns;  /* the longest that is usual: it is forgotten by half a day, and longer ones count as silence */
    struct operator_stats memory;             /* what it remembers and forgot, by now */
};

struct rule_ledger;

/* Borrows all of them. matcher NULL: only to look at a snapshot. */
MUST_USE int rule_ledger_new(const struct rule_set *rules, const struct matcher *matcher,
                             struct rule_ledger **out, struct err *err);
void rule_ledger_free(struct rule_ledger *ledger); /* NULL is fine */

/* As coverage_batch(). */
MUST_USE int rule_ledger_batch(struct rule_ledger *ledger, struct arena *scratch, const struct batch *batch,
                               const struct match_hits *hits, struct err *err);
/* What the matcher counts between the two is no offer: history that rules learn from. */
void rule_ledger_pause(struct rule_ledger *ledger);
void rule_ledger_resume(struct rule_ledger *ledger);
void rule_ledger_found(struct rule_ledger *ledger, const struct rule *rule);

/* What the rule holds by now; the counts in it are sums already. */
void rule_ledger_remembers(struct rule_ledger *ledger, const struct rule *rule, const struct operator_stats *memory);

/* last_offered_ns is found by comparing with the call before: it is as fine as the calls are frequent. */
struct rule_tally rule_ledger_get(const struct rule_ledger *ledger, const struct rule *rule);
/* hinomi.seq of the last event that the tallies count. */
uint64_t rule_ledger_seq(const struct rule_ledger *ledger);

/* Why the rule sees nothing, in the arena; SLICE_NONE when it may. now_ns: event time. */
struct slice rule_ledger_blind(const struct rule_ledger *ledger, const struct rule *rule, int64_t now_ns,
                               struct arena *arena);

void rule_ledger_save(const struct rule_ledger *ledger, struct buffer *to);
MUST_USE int rule_ledger_load(struct rule_ledger *ledger, struct slice bytes, struct err *err);
