#include "detect/wave.h"

#include "base/mem.h"
#include "event/finding.h"

#include <stdlib.h>

#define COPIES_BYTES_MAX (256 * MIB)

struct list {
    struct wave_hit *hits;
    size_t count, size;
};

struct waves {
    struct list coming, taken;
    struct arena *copies; /* of findings */
};

struct waves *waves_new(void)
{
    struct waves *waves = mem_calloc(1, sizeof(*waves));
    if (!waves)
        return NULL;
    waves->copies = arena_new(COPIES_BYTES_MAX);
    if (waves->copies)
        return waves;
    waves_free(waves);
    return NULL;
}

void waves_free(struct waves *waves)
{
    if (!waves)
        return;
    mem_free(waves->coming.hits);
    mem_free(waves->taken.hits);
    arena_free(waves->copies);
    mem_free(waves);
}

static struct wave_hit *add(struct list *list)
{
    if (list->count == list->size) {
        size_t size = list->size ? list->size * 2 : 16;
        struct wave_hit *hits = mem_realloc(list->hits, size * sizeof(*hits));
        if (!hits)
            return NULL;
        list->hits = hits;
        list->size = size;
    }
    return &list->hits[list->count++];
}

int waves_put(struct waves *waves, uint32_t to, const struct hit *hit)
{
    struct wave_hit *place = add(&waves->coming);
    struct finding *copy = place && hit->finding ? arena_calloc(waves->copies, sizeof(*copy)) : NULL;
    if (!place || (hit->finding && (!copy || !finding_copy(hit->finding, waves->copies, copy))))
        return -1;
    *place = (struct wave_hit){.hit = *hit, .to = to, .order = (uint32_t)waves->coming.count};
    place->hit.finding = copy;
    return 0;
}

static int by_time_and_part(const void *a, const void *b)
{
    const struct wave_hit *x = a, *y = b;
    if (x->hit.time_ns != y->hit.time_ns)
        return x->hit.time_ns < y->hit.time_ns ? -1 : 1;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    if (x->hit.part != y->hit.part)
        return x->hit.part > y->hit.part ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

const struct wave_hit *waves_take(struct waves *waves, size_t *count)
{
    struct list taken = waves->coming;
    waves->coming = waves->taken;
    waves->coming.count = 0;
    waves->taken = taken;
    *count = taken.count;
    if (taken.count == 0) {
        arena_reset(waves->copies);
        return NULL;
    }
    if (taken.count > 1)
        qsort(taken.hits, taken.count, sizeof(*taken.hits), by_time_and_part);
    return taken.hits;
}
