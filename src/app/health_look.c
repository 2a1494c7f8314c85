#include "app/health_look.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/limits.h"
#include "respond/respond.h"

enum { STEP_NS = 2000000000, NOTICES_EVERY = 8 /* looks: it asks the database */ };

/* The wall clock against the one that never goes back; a machine that slept is no step of ours, but as doubtful. */
static bool is_stepped(struct health_look *look)
{
    int64_t wall = clock_wall_ns(look->clock), mono = clock_mono_ns(look->clock);
    int64_t apart = (wall - look->wall_ns) - (mono - look->mono_ns);
    if (look->wall_ns && (apart > STEP_NS || apart < -STEP_NS)) {
        look->stepped = true;
        look->stepped_ns = mono;
    }
    look->wall_ns = wall;
    look->mono_ns = mono;
    if (look->stepped && mono - look->stepped_ns > HEALTH_CLOCK_S * NS_PER_SECOND)
        look->stepped = false;
    return look->stepped;
}

static bool is_full(const struct health_look *look)
{
    struct io_space space;
    return look->io->space(look->io->context, look->dir, &space) == 0 && space.free < HEALTH_DISK_FREE;
}

static unsigned people(struct health_look *look)
{
    if (look->looks++ % NOTICES_EVERY == 0) {
        look->waits = respond_notice_waits_ns(look->respond) > HEALTH_NOTICE_S * NS_PER_SECOND;
        look->wakes_nobody = respond_wakes_nobody(look->respond);
        look->people = respond_people_reachable(look->respond);
    }
    return (look->waits ? HEALTH_NOTICES : 0u) | (look->wakes_nobody ? HEALTH_WAKING : 0u);
}

unsigned health_look(struct health_look *look)
{
    return (is_stepped(look) ? HEALTH_CLOCK : 0u) | (is_full(look) ? HEALTH_DISK : 0u) | people(look);
}
