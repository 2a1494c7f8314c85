#pragma once
/*
 * base/zone: IANA time zones, read from the system's TZif files (RFC 8536),
 * with the rule in their footer for times behind the last transition.
 *
 * Ownership  Zones are read once and live as long as the process.
 * Threads    Any; a zone never changes, finding one takes a short lock.
 * Limits     ZONE_FILE_BYTES_MAX a file, ZONES_MAX different names.
 * Errors     NULL: no such zone, or its file is damaged.
 *
 * A NULL zone means UTC everywhere.
 */
#include "base/slice.h"
#include "base/time.h"

enum { ZONE_FILE_BYTES_MAX = 256 * 1024, ZONES_MAX = 2048 };

struct zone;

/* "Asia/Tokyo"; also "UTC", "Z", "local" (the machine's) and fixed offsets "+09:00", "-0330", "+9",
 * "GMT+9", "UTC-03:30" (east is plus). */
const struct zone *zone_find(struct slice name);
struct slice zone_name(const struct zone *zone);

struct zone_local {
    int32_t offset_s; /* east of Greenwich */
    bool dst;
    struct slice abbreviation; /* "JST"; of fixed offsets "+09:00" */
};
struct zone_local zone_at(const struct zone *zone, int64_t utc_ns);
/* Seconds east of Greenwich at that instant. */
int32_t zone_offset(const struct zone *zone, int64_t utc_ns);

/* The calendar there. */
void zone_split(const struct zone *zone, int64_t utc_ns, struct time_parts *parts);

/* Local time to an instant. A local time that happens twice is the first one with fold 0 and the
 * second with fold 1; one that is skipped is counted with the offset before (fold 0) or after the
 * change. False when a part is out of range. */
bool zone_to_utc(const struct zone *zone, const struct time_parts *local, int fold,
                 int64_t *utc_ns);

/* "+09:00", "+0900", "+09", "-3:30", "+09:00:30": seconds east; the whole text. */
bool zone_parse_offset(struct slice text, int32_t *offset_s);

/* For fuzzing and tests: a zone from the bytes of a TZif file; free it with zone_free(). */
struct zone *zone_from_bytes(struct slice tzif);
void zone_free(struct zone *zone);
