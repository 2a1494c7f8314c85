#pragma once
/*
 * detect/detector: every rule of a set on every event of a batch, in arrival
 * order, with what the rules remember.
 *
 * Findings are given to a callback in the order of the events. What they point
 * to lives until the callback returns (finding_copy keeps it).
 * Threads    One at a time.
 * Snapshots  detector_save and detector_load keep state, pending absences and heard sources, so
 *            that a restart continues at the journal position the snapshot was taken at.
 * Determinism  The findings do not depend on how the events were cut into batches.
 */
#include "detect/operator.h"
#include "detect/rule_ledger.h"
#include "table/state.h"

struct detector;

/* row is UINT32_MAX when no event of this batch completed it (absence, silence). */
typedef int (*detector_found)(void *context, const struct finding *finding, const struct rule *rule,
                              const struct batch *batch, uint32_t row, struct err *err);

struct detector_options {
    const struct rule_set *rules;
    const struct state_definitions *state; /* NULL: none */
    detector_found found;
    void *context;
    size_t bytes_max; /* of all correlations and absences; 0: CORRELATIONS_BYTES_MAX */
};

MUST_USE int detector_new(const struct detector_options *options, struct detector **out,
                          struct err *err);
void detector_free(struct detector *detector);

/* batch_finish() has been called. */
MUST_USE int detector_run(struct detector *detector, struct batch *batch, struct err *err);
/* As detector_run, without findings: for history that was there before a rule, so that it knows what is usual. */
MUST_USE int detector_learn(struct detector *detector, struct batch *batch, struct err *err);
/* How far back, in ns, a rule that learns wants to read what is stored, because it remembers nothing yet; 0: not at
 * all. */
int64_t detector_wants_history(const struct detector *detector, const struct rule *rule);
/* What the rules of a detector with the same rules in the same places have learned, for those that want history. */
MUST_USE int detector_take_over(struct detector *detector, const struct detector *pupil, struct err *err);
/* The live clock, or the end of a file (INT64_MAX for "nothing will come any more" is not for
 * silence): absences whose grace has passed are raised, silent sources are noticed. */
MUST_USE int detector_tick(struct detector *detector, int64_t now_ns, struct err *err);

/* Nothing will come any more (the end of the files): windows that are open are judged as they stand. */
MUST_USE int detector_finish(struct detector *detector, struct err *err);

struct detector_stats {
    uint64_t events, findings, regex_limits;
    uint64_t rules_active, rules_inactive, rules_refused;
    uint64_t states_dropped; /* rules that had changed since a snapshot: what they remembered is gone */
    struct slice state_full; /* the state table that let most keys go because it was full; SLICE_NONE: none did */
    uint64_t state_evicted;  /* keys of it */
    struct operator_stats operators;
    int64_t watermark_ns; /* the newest event time seen */
};
struct detector_stats detector_stats(const struct detector *detector);
/* What happened in matching (matcher_stats). */
const struct matcher *detector_matcher(const struct detector *detector);
const struct rule_ledger *detector_ledger(const struct detector *detector);

void detector_save(const struct detector *detector, struct buffer *to);
MUST_USE int detector_load(struct detector *detector, struct slice bytes, struct err *err);
/* What the rules of risk know, for others to look at: for each its name (a block), then as risk_save() writes it (a block). */
void detector_save_risks(const struct detector *detector, struct buffer *to);
/* The part of a snapshot that is table/state's (state_load), for others who remember the same; none
 * when it is damaged. */
struct slice detector_snapshot_state(struct slice bytes);
/* The part that is rule_ledger's (rule_ledger_load); none when it is damaged or has none. */
struct slice detector_snapshot_ledger(struct slice bytes);
/* The time of the newest event that it has seen; INT64_MIN when it is damaged. */
int64_t detector_snapshot_time(struct slice bytes);
