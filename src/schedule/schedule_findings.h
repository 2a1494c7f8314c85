#pragma once
/*
 * schedule/schedule_findings: findings about scheduled searches, and those that their rows become.
 *
 * The id of a finding comes from the search, the time it was due and the group, so that a run that is
 * done again after a crash raises the same ones.
 *
 * Ownership  Texts and lists live in the arena.
 * Errors     -1: memory is out.
 */
#include "know/know.h"
#include "search/run.h"
#include "state/schedules.h"

struct schedule_subject {
    struct slice search, scope; /* as in struct schedule */
    int64_t due_ns;
};

/* What went wrong with the search itself: kind "failed", "missed", "stopped". */
MUST_USE int schedule_finding_system(const struct schedule_subject *subject, const char *kind,
                                     struct slice en, struct slice ja, int64_t raised_ns,
                                     struct arena *arena, struct finding *out, struct err *err);

/* Rows to findings. */
struct schedule_rows {
    const struct know_schedule *schedule;
    struct schedule_subject subject;
    int64_t from_ns, to_ns, raised_ns;
    struct arena *arena;
    /* Until when a key is quiet, 0 when it is not; asked when the schedule suppresses. */
    int (*quiet_until)(void *context, struct slice key, int64_t *out, struct err *err);
    void *context;
    /* set by schedule_rows_read */
    struct finding *findings;
    size_t finding_count;
    struct schedule_quiet *quiet;
    size_t quiet_count;
    int64_t suppressed;
    uint64_t groups_seen; /* that should have become findings; more than findings + suppressed: cut */
    struct slice cut;     /* a sentence about what a bound kept out, or none */
};
MUST_USE int schedule_rows_read(struct schedule_rows *rows, const struct search_result *result,
                                struct err *err);
