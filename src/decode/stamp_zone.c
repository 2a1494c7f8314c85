#include "decode/stamp_zone.h"

#include "base/time.h"

#include <stdlib.h>

enum { OTHER_ZONE_S = 9 * 3600 };
#define SAME_MOMENT_NS (2 * NS_PER_MINUTE)

enum stamp_zone stamp_zone_of(const struct event_row *utc, const struct event_row *other)
{
    if (utc->flags & EVENT_TIME_GUESSED)
        return STAMP_NONE;
    return utc->time_ns - other->time_ns == OTHER_ZONE_S * NS_PER_SECOND ? STAMP_WITHOUT_ZONE : STAMP_WITH_ZONE;
}

bool stamp_zone_offset(int64_t ahead_ns, int32_t *offset_s)
{
    int64_t quarter = 15 * NS_PER_MINUTE;
    int64_t rounded = (ahead_ns + (ahead_ns < 0 ? -quarter : quarter) / 2) / quarter * quarter;
    *offset_s = (int32_t)(rounded / NS_PER_SECOND);
    return llabs(ahead_ns - rounded) <= SAME_MOMENT_NS && llabs(rounded) <= 14 * NS_PER_HOUR;
}
