#pragma once
/*
 * respond/wake/rota: who has a schedule at a moment: rotations, and what people arranged among themselves.
 *
 * Turns begin at the same local time all year: where clocks change, one turn is an hour longer or shorter. A handover
 * in an hour that is skipped happens where the clock jumps (zone_to_utc, fold 0).
 *
 * Threads  Pure functions of what they are given.
 */
#include "respond/wake/waking_plan.h"

/* From one moment to another somebody else has the schedule (a swap, a cover), or a person is away from all of them. */
struct stand_in {
    int64_t id;
    struct slice schedule; /* none: an absence, of all schedules */
    struct slice away;     /* whose turn it takes; none: whoever has it */
    struct slice instead;  /* none: of an absence, the next of the rotation */
    int64_t from_ns, to_ns;
    int64_t added_ns;      /* the latest of two that contradict each other counts */
};

struct rota_turn {
    struct slice person;      /* none: nobody has it */
    int64_t from_ns, to_ns;   /* of this turn as it stands, at least as far as it is looked at */
    const struct stand_in *by; /* that made it so; NULL: the rotation */
};

/* Who has it at that moment. to_ns is the next moment at which that may change. */
struct rota_turn rota_at(const struct plan *plan, const struct plan_schedule *schedule, const struct stand_in *stand_ins,
                         size_t count, int64_t now_ns);
