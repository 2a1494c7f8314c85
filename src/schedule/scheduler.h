#pragma once
/*
 * schedule/scheduler: runs scheduled searches (docs/schedules.md).
 *
 *   planner ─► queue ─► SCHEDULE_RUNNING_MAX runners ─► findings to the journal ─► incidents ─► state.db
 *
 * A run is recorded when its findings are in the journal and filed; a crash before means that the due time
 * is run again, and its findings have the ids they had.
 *
 * Ownership  scheduler_start to scheduler_stop; what the configuration points at outlives it.
 * Threads    One that plans, SCHEDULE_RUNNING_MAX that run; the functions here from any.
 */
#include "schedule/scheduled_run.h"

struct scheduler;

struct scheduler_config {
    struct scheduled_parts parts;
    /* The newest definitions; know_release() gives them back. */
    struct knowledge *(*knowledge)(void *context);
    /* Waits until everything that was acknowledged can be found. False: it cannot, or *stop came. */
    bool (*settle)(void *context, const atomic_bool *stop);
    /* Makes incidents of findings. False: *stop came before all were filed. */
    bool (*file)(void *context, const struct finding *findings, size_t count, const atomic_bool *stop);
    void (*note)(void *context, const char *text); /* a sentence for people */
    void *context;
};

MUST_USE int scheduler_start(const struct scheduler_config *config, struct scheduler **out,
                             struct err *err);
/* Runs that are under way end without a result and are due again at the next start. NULL is fine. */
void scheduler_stop(struct scheduler *scheduler);

/* A run now, beside the schedule, by whom. ERR_NOT_FOUND, ERR_CONFLICT. */
MUST_USE int scheduler_run_now(struct scheduler *scheduler, int64_t id, struct slice by, struct err *err);
