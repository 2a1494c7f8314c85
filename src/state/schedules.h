#pragma once
/*
 * state/schedules: searches that run by themselves: where each stands, what its runs came to, and what is
 * quiet for a while. What they mean is src/schedule's business.
 *
 *   until_ns ──────► all due times up to here are accounted for: ran, late, incomplete, failed or missed
 *
 * A run, the step of until_ns, the counts and what becomes quiet are one transaction: after a crash a due
 * time is either accounted for or is due again.
 *
 * Threads  Any.
 * Limits   SCHEDULE_RUNS_KEPT runs of each are kept; the counts cover all.
 */
#include "base/clock.h"
#include "state/database.h"

struct schedule {
    int64_t id;
    struct slice search; /* name of the saved search */
    struct slice scope;  /* whose own it is; "" when all have it */
    struct slice plan;   /* base/due.h */
    struct slice owner;  /* with whose rights it runs */
    struct slice state;  /* "on", "off", "stopped", "removed" */
    struct slice reason; /* why it is not on, or "" */
    int64_t until_ns, changed_ns;
    int64_t wanted_ns;      /* somebody asked for a run; 0: nobody */
    struct slice wanted_by; /* or none */
    int64_t ran, late, incomplete, failed, missed, by_hand, findings, suppressed;
};

enum schedule_outcome { SCHEDULE_RAN, SCHEDULE_LATE, SCHEDULE_INCOMPLETE, SCHEDULE_FAILED, SCHEDULE_MISSED };
const char *schedule_outcome_name(enum schedule_outcome outcome); /* "ran" ... */

struct schedule_run {
    int64_t due_ns, last_due_ns; /* equal, but when several were missed */
    int64_t due_count;
    enum schedule_outcome outcome;
    struct slice by_hand; /* who asked for it; none: it was due */
    int64_t started_ns, ended_ns; /* 0 when it did not run */
    int64_t rows, findings, suppressed;
    struct slice message; /* what went wrong or should be known, or "" */
};

struct schedule_quiet {
    struct slice key;
    int64_t until_ns;
};

typedef void (*schedule_visit)(void *context, const struct schedule *schedule);
/* By name. Texts live in the arena; the database's lock is held: no other call into it. */
MUST_USE int schedules_list(struct database *database, struct arena *arena, schedule_visit visit,
                            void *context, struct err *err);
/* A new one (id 0: it gets one), or plan, owner, state, reason and until_ns of an old one; changed_ns
 * becomes now. Runs that seem to be of times after until_ns (the clock went back) are forgotten. */
MUST_USE int schedules_put(struct database *database, const struct hin_clock *clock,
                           struct schedule *schedule, struct err *err);
/* ERR_CONFLICT when that due time has its run already. until_ns moves to last_due_ns unless by_hand. */
MUST_USE int schedules_record(struct database *database, int64_t id, const struct schedule_run *run,
                              const struct schedule_quiet *quiet, size_t quiet_count, struct err *err);
/* Until when the key is quiet; 0: it is not. */
MUST_USE int schedules_quiet_until(struct database *database, int64_t id, struct slice key, int64_t *out,
                                   struct err *err);
/* A run on request, at wanted_ns. ERR_NOT_FOUND, ERR_CONFLICT: it is not on, or one is wanted already. */
MUST_USE int schedules_want(struct database *database, int64_t id, int64_t wanted_ns, struct slice by,
                            struct err *err);

typedef void (*schedule_run_visit)(void *context, const struct schedule_run *run);
/* Newest first; as for the list. */
MUST_USE int schedules_runs(struct database *database, int64_t id, int64_t limit, struct arena *arena,
                            schedule_run_visit visit, void *context, struct err *err);
