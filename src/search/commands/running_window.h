#pragma once
/*
 * search/commands/running_window: the last so many rows of streamstats as what each brought, so that
 * a window moves on by merging one row and taking one away. Sums of whole numbers and counts are
 * moved; where doubles or decimals leave a trace the window is merged anew, which is what the values
 * would be if only its rows had been seen.
 *
 * Memory  window * part size bytes in the run's arena, taken as rows come.
 */
#include "search/aggregate.h"

struct running_window {
    struct aggregator *a;
    uint64_t window;
    size_t part_size;
    char *parts;      /* a ring */
    uint32_t *groups; /* of the rows in it */
    uint64_t room, first, count;
    bool anew; /* something left a trace: groups are merged anew from now on */
};

void running_window_init(struct running_window *w, struct aggregator *a, uint64_t window);
/* The row of the frame that aggregator_begin() was given enters, and the oldest leaves. */
MUST_USE int running_window_add(struct running_window *w, uint32_t row, uint32_t group,
                                struct err *err);
/* The group's states are those of its rows in the window. */
MUST_USE int running_window_fill(struct running_window *w, uint32_t group, struct err *err);
void running_window_clear(struct running_window *w);
