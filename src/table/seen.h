#pragma once
/*
 * table/seen: which keys were seen, since when and how often: ten million of them in a few hundred megabytes.
 *
 * A key is kept as a hash of 64 bits, 16 bytes a key at most two thirds full: two keys are taken for one with a chance of
 * 1 in 1.8e12 for a new key among ten million. Times are kept to the minute.
 *
 * Threads  One at a time.
 * Limits   keys_max; beyond, the tenth that was not seen for longest is forgotten, counted.
 */
#include "base/buffer.h"
#include "base/err.h"

struct seen;

struct seen_key {
    uint64_t hash;
    uint32_t first_min, last_min; /* minutes since 1970 */
};

MUST_USE struct seen *seen_new(size_t keys_max);
void seen_free(struct seen *seen);

/* What was known of the key before this, zero when nothing; then it is noted. A time before the first moves the first.
 * -1 when memory is out. */
MUST_USE int seen_note(struct seen *seen, struct slice key, int64_t time_ns, struct seen_key *before);
/* Keys last seen before a time are forgotten. */
void seen_forget_before(struct seen *seen, int64_t time_ns);

struct seen_stats {
    uint64_t keys, bytes, evicted;
};
struct seen_stats seen_stats(const struct seen *seen);

void seen_save(const struct seen *seen, struct buffer *to);
MUST_USE int seen_load(struct seen *seen, struct slice *from, struct err *err);
