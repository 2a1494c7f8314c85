#pragma once
/*
 * decode/stamp_zone: which zone stamps are in that name none. Decoding an event a second time in another zone tells
 * whether its stamp has one; how far it is from when the event was written tells which it may be.
 *
 * Threads  Any.
 */
#include "event/batch.h"

/* The zone of the second time; the first is UTC. */
#define STAMP_OTHER_ZONE SLICE("+09:00")

enum stamp_zone { STAMP_NONE, STAMP_WITH_ZONE, STAMP_WITHOUT_ZONE };
/* The same event, decoded in UTC and in STAMP_OTHER_ZONE. */
enum stamp_zone stamp_zone_of(const struct event_row *utc, const struct event_row *other);

/* Whether a stamp taken as UTC that is so far ahead of when the event was written is the time of a zone: within two
 * minutes of a quarter of an hour, and no more than zones are. Then *offset_s is how far that zone is ahead of UTC. */
bool stamp_zone_offset(int64_t ahead_ns, int32_t *offset_s);
