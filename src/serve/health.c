#include "serve/health.h"

#include "base/clock.h"
#include "base/limits.h"

#include <stddef.h>

void health_set(struct health *health, unsigned problems, int64_t mono_ns)
{
    atomic_store(&health->problems, problems);
    atomic_store(&health->looked_ns, mono_ns ? mono_ns : 1);
}

unsigned health_get(struct health *health, int64_t mono_ns)
{
    int64_t looked_ns = atomic_load(&health->looked_ns);
    bool stuck = looked_ns && mono_ns - looked_ns > HEALTH_LOOK_S * NS_PER_SECOND;
    return atomic_load(&health->problems) | (stuck ? HEALTH_STUCK : 0);
}

const char *health_name(unsigned n)
{
    static const char *const names[] = {"pipeline", "journal", "disk", "memory", "behind", "gate", "clock", "notices", "waking", "stuck"};
    return n < sizeof(names) / sizeof(names[0]) ? names[n] : NULL;
}
