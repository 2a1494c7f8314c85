#pragma once
/*
 * schedule/planner: which scheduled search is due, and the account of every due time.
 *
 *   definitions ─┐                          ┌─ planner_take: the oldest due time of all, one a search
 *   owners ──────┼─► planner_sync ─► state ─┤
 *   state.db ────┘       (every second)     └─ planner_done: it is recorded, or due again
 *
 * What was due while the program did not run is taken one after the other, oldest first; what is older than
 * catch_up, or was due while the search was stopped or meant something else, is recorded as missed with its
 * number, in state.db, in the audit trail and as a finding.
 *
 * Ownership  Texts of a job belong to the planner until planner_done().
 * Threads    One at a time.
 * Limits     SCHEDULES_MAX; definitions over it are said and do not run.
 */
#include "know/know.h"
#include "state/schedules.h"

struct planner;

struct planner_config {
    struct database *database;
    const struct hin_clock *clock;
    /* A finding about a search; 0: it is safe. */
    int (*raise)(void *context, const struct finding *finding, struct err *err);
    void (*note)(void *context, const char *text); /* a sentence for people */
    void *context;
};

/* Reads what state.db has. */
MUST_USE int planner_open(const struct planner_config *config, struct planner **out, struct err *err);
void planner_close(struct planner *planner); /* NULL is fine */

/* Definitions and owners as they are now, and what can be caught up no more. */
MUST_USE int planner_sync(struct planner *planner, const struct knowledge *set, struct err *err);

struct planner_job {
    struct schedule schedule; /* as it stands */
    int64_t due_ns;
    struct slice by_hand; /* who asked for it; none: it is due */
    int tries;            /* that were not recorded, since the program began */
};
/* False: nothing is due, or what is runs already. */
bool planner_take(struct planner *planner, struct planner_job *out);
/* When something is due, at the earliest, but for what waits to be tried again; INT64_MAX: nothing is. */
int64_t planner_next_ns(const struct planner *planner);
/* recorded: schedules_record() has it; otherwise it is due again after a second. */
void planner_done(struct planner *planner, const struct planner_job *job, bool recorded);

/* A run on request; ERR_NOT_FOUND, ERR_CONFLICT. */
MUST_USE int planner_want(struct planner *planner, int64_t id, struct slice by, struct err *err);

/* The definition of a scheduled search, in the set as it is; NULL when it is gone. scope: whose own it is. */
const struct know_object *planner_find(const struct knowledge *set, struct slice search,
                                       struct slice scope);
