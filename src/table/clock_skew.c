#include "table/clock_skew.h"

#include "base/time.h"

#include <stdlib.h>

#define WINDOW_NS (2 * NS_PER_MINUTE)
#define ZONE_STEP_NS (15 * NS_PER_MINUTE)
#define ZONE_MOST_NS (14 * NS_PER_HOUR)
#define ZONE_REST_NS (2 * NS_PER_MINUTE)
#define AHEAD_MOST_NS (2 * NS_PER_DAY) /* what is further away is history, not a clock */

void clock_skew_take(struct clock_skew *skew, int64_t event_ns, int64_t received_ns)
{
    int64_t ahead;
    if (__builtin_sub_overflow(event_ns, received_ns, &ahead) || ahead > AHEAD_MOST_NS || ahead < -AHEAD_MOST_NS)
        return;
    if (skew->now_events && received_ns - skew->begin_ns >= WINDOW_NS) {
        skew->ahead_ns[skew->windows++ % CLOCK_SKEW_WINDOWS] = skew->now_ahead_ns;
        skew->now_events = 0;
    }
    if (!skew->now_events)
        skew->begin_ns = received_ns;
    if (!skew->now_events || ahead > skew->now_ahead_ns)
        skew->now_ahead_ns = ahead;
    skew->now_events++;
    skew->events += skew->events < UINT32_MAX;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The nearest multiple of a zone's step, if it is near enough. */
static int64_t zone_near(int64_t ahead_ns)
{
    int64_t half = ahead_ns < 0 ? -ZONE_STEP_NS / 2 : ZONE_STEP_NS / 2;
    int64_t zone_ns = (ahead_ns + half) / ZONE_STEP_NS * ZONE_STEP_NS;
    bool fits = llabs(zone_ns) <= ZONE_MOST_NS && llabs(ahead_ns - zone_ns) <= ZONE_REST_NS;
    return fits ? zone_ns : 0;
}

struct clock_skew_found clock_skew_find(const struct clock_skew *skew)
{
    int64_t sorted[CLOCK_SKEW_WINDOWS + 1];
    size_t count = skew->windows < CLOCK_SKEW_WINDOWS ? skew->windows : CLOCK_SKEW_WINDOWS;
    if (skew->events < CLOCK_SKEW_EVENTS_MIN)
        return (struct clock_skew_found){0};
    for (size_t i = 0; i < count; i++)
        sorted[i] = skew->ahead_ns[i];
    if (skew->now_events)
        sorted[count++] = skew->now_ahead_ns;
    qsort(sorted, count, sizeof(*sorted), by_size);
    int64_t ahead_ns = sorted[count / 2], zone_ns = zone_near(ahead_ns);
    return (struct clock_skew_found){.known = true, .zone_ns = zone_ns, .skew_ns = ahead_ns - zone_ns};
}

/* ---- keeping ---- */

void clock_skew_save(const struct clock_skew *skew, struct buffer *to)
{
    buffer_put_varint(to, skew->windows);
    for (size_t i = 0; i < CLOCK_SKEW_WINDOWS && i < skew->windows; i++)
        buffer_put_le64(to, (uint64_t)skew->ahead_ns[i]);
    buffer_put_le64(to, (uint64_t)skew->begin_ns);
    buffer_put_le64(to, (uint64_t)skew->now_ahead_ns);
    buffer_put_varint(to, skew->now_events);
    buffer_put_varint(to, skew->events);
}

static bool take_ahead(struct slice *from, int64_t *out)
{
    uint64_t bits;
    if (!slice_take_le64(from, &bits))
        return false;
    *out = (int64_t)bits;
    return *out >= -AHEAD_MOST_NS && *out <= AHEAD_MOST_NS;
}

bool clock_skew_load(struct clock_skew *skew, struct slice *from)
{
    uint64_t windows, begin, now_events, events;
    *skew = (struct clock_skew){0};
    if (!slice_take_varint(from, &windows) || windows > UINT32_MAX)
        return false;
    for (size_t i = 0; i < CLOCK_SKEW_WINDOWS && i < windows; i++)
        if (!take_ahead(from, &skew->ahead_ns[i]))
            return false;
    if (!slice_take_le64(from, &begin) || begin > INT64_MAX || !take_ahead(from, &skew->now_ahead_ns) ||
        !slice_take_varint(from, &now_events) || now_events > UINT32_MAX || !slice_take_varint(from, &events) ||
        events > UINT32_MAX)
        return false;
    skew->windows = (uint32_t)windows;
    skew->begin_ns = (int64_t)begin;
    skew->now_events = (uint32_t)now_events;
    skew->events = (uint32_t)events;
    return true;
}
