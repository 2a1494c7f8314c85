#pragma once
/*
 * schedule/scheduled_run: one run of a saved search for one due time: the search, what its rows become,
 * and what is to be recorded of it.
 *
 * now(), earliest and latest count from the due time, wherever they stand in the search, so that a late
 * run asks for the same span.
 *
 * Ownership  Texts and lists of the result live in the arena, which holds nothing else.
 * Threads    One a run.
 * Limits     SCHEDULE_TIME_MAX_S, SCHEDULE_MEMORY_MAX, SCHEDULE_ROWS_MAX: over one the run has failed or is
 *            incomplete, which is a finding of its own.
 */
#include "event/finding.h"
#include "know/know.h"
#include "schedule/planner.h"
#include "store/journal.h"
#include "store/store.h"

#include <stdatomic.h>

struct redecoder;
struct search_files;

struct scheduled_parts {
    struct store *store;
    struct journal *journal;
    struct database *database;
    const char *lookups;              /* folder of lookup tables */
    const struct search_files *files; /* that commands read; NULL: none */
    const struct redecoder *redecoder; /* NULL: none */
    const struct hin_clock *clock;
};

struct scheduled_run {
    struct schedule_run record;
    struct finding *findings; /* those of rows, then that of a failure */
    size_t finding_count;
    const struct schedule_quiet *quiet;
    size_t quiet_count;
};

/* doubt: why events may be missing, or ""; the run is incomplete then.
 * -1: it has not run (stopped, or memory or the database are out) and is due again. What is wrong with
 * the search itself is a run that failed: 0. */
MUST_USE int scheduled_run_do(const struct scheduled_parts *parts, const struct knowledge *knowledge,
                              const struct know_object *object,
                              const struct planner_job *job, struct slice doubt,
                              const atomic_bool *stop, struct arena *arena, struct scheduled_run *out, struct err *err);
