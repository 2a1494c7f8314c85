#pragma once
/*
 * respond/wake/waking_plan: who is responsible when, who is woken how, as people write it down (YAML; docs/waking.md shows
 * all of it). Names are those people sign in with; their numbers and addresses are not in here (wake/roster.h).
 *
 * Ownership  Everything lives in the arena. Threads: immutable.
 * Limits     PLAN_*; a plan that is over one is refused with its line.
 * Errors     -1; the sentence begins with the line.
 */
#include "base/limits.h"
#include "base/zone.h"
#include "event/finding.h"
#include "table/calendar.h"

struct plan_hours { /* of a day, local; from = to: all of it; to may be the next morning */
    int from_minute, to_minute;
    unsigned weekdays;   /* bit 0 = Sunday: days on which it begins */
    bool without_holidays;
};

/* People who take turns, counted from start; before it the rotation covers nothing. */
struct plan_rotation {
    const struct slice *people;
    size_t count;
    int64_t every_days;      /* local days of one turn */
    int64_t turns_per_day;   /* more than 1 only when every_days is 1: turns of some hours */
    struct time_parts start; /* local; the first person's turn begins */
    const struct zone *zone;
    bool has_hours;
    struct plan_hours hours; /* only then; the turns go on meanwhile */
};

struct plan_schedule {
    struct slice name;
    const struct plan_rotation *rotations; /* whoever of the first that covers the moment has it */
    size_t count;
};

struct plan_step {
    int64_t at_ns;              /* since the round began */
    const struct slice *whom;   /* names of schedules or of people; "everyone": all people of the plan */
    size_t whom_count;
    const struct slice *by;     /* names of notifiers, all at once; none: the person's first contact, the others when it fails */
    size_t by_count;
};

struct plan_policy {
    struct slice name;
    const struct plan_step *steps;
    size_t count;
    int64_t again_after_ns;      /* after the last step, a new round */
    int64_t rounds;              /* 0: until somebody answers */
    int64_t unanswered_after_ns; /* 0: nothing happens by itself */
    bool tighten_gate;           /* then */
    struct slice playbook;       /* then; or none */
};

struct plan_route { /* the first that fits counts */
    enum severity least;
    struct slice rule;   /* name or catalogue id of the finding's rule; none: any */
    const struct plan_policy *policy; /* NULL: nobody is woken */
};

struct plan {
    struct slice text;  /* as it was written */
    const struct zone *zone;
    const struct calendar *holidays; /* NULL: none */
    const struct slice *people;
    size_t person_count;
    const struct plan_schedule *schedules;
    size_t schedule_count;
    const struct plan_policy *policies;
    size_t policy_count;
    const struct plan_route *routes;
    size_t route_count;
    bool has_quiet;
    struct plan_hours quiet;       /* pages below critical wait until it ends; in zone */
    struct plan_hours night;       /* of the budget */
    int64_t pages_per_night, pages_per_week; /* of one person; 0: no bound */
    bool has_drill;
    struct plan_hours drill;       /* begins at a random quiet minute within */
    const struct plan_policy *drill_policy;
};

/* calendars may be NULL: a plan that names holidays is then refused. */
MUST_USE int plan_parse(struct slice text, const struct calendars *calendars, struct arena *arena,
                        const struct plan **out, struct err *err);

const struct plan_schedule *plan_schedule_find(const struct plan *plan, struct slice name); /* or NULL */
const struct plan_policy *plan_policy_find(const struct plan *plan, struct slice name);     /* or NULL */
bool plan_has_person(const struct plan *plan, struct slice name);
/* How an incident of that severity, with that rule behind it, wakes people; NULL: not at all. */
const struct plan_policy *plan_route(const struct plan *plan, enum severity severity, struct slice rule);

/* Whether the moment is within; *changes_ns is the next moment at which that changes, or a month later. */
bool plan_within(const struct plan_hours *hours, const struct zone *zone, const struct calendar *holidays, int64_t now_ns,
                 int64_t *changes_ns);
/* When the hours that the moment is within began; 0: it is within none. */
int64_t plan_began(const struct plan_hours *hours, const struct zone *zone, const struct calendar *holidays, int64_t now_ns);
/* An instant of so many minutes after a local midnight (days since 1970). */
int64_t plan_local(const struct zone *zone, int64_t day, int64_t minute);
