#pragma once
/*
 * detect/wave: hits on their way to the correlations that name their rules, in waves: first what events are, then what
 * correlations found in it, then what others found in that. So nothing depends on the order of rules in their files.
 *
 * Within a wave: by time; of one time and one receiver, the rule that it names last comes first, so that one event
 * alone is no sequence.
 *
 * Threads  One at a time.
 */
#include "detect/operator.h"

struct waves;

MUST_USE struct waves *waves_new(void);
void waves_free(struct waves *waves); /* NULL is fine */

/* The finding of the hit is copied; its row must live until the wave is taken. -1 when memory is out. */
MUST_USE int waves_put(struct waves *waves, uint32_t to, const struct hit *hit);

struct wave_hit {
    struct hit hit;
    uint32_t to, order;
};
/* What was put since the last call, sorted; NULL: nothing, and the copies are let go. Lives until the next call. */
const struct wave_hit *waves_take(struct waves *waves, size_t *count);
