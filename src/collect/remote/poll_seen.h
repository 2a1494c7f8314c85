#pragma once
/*
 * collect/poll_seen: ids of records that were taken, so that those which an API gives again are told.
 *
 * An id is remembered as 62 bits of a keyed hash (SipHash-2-4; nobody outside can make two fall together) and for how many
 * rounds it was not seen. One that was not seen for POLL_SEEN_ROUNDS whole rounds is forgotten: the time that is asked
 * for has gone past it.
 *
 * Ownership  Owns its memory until poll_seen_close(). Zeroed memory is no valid start: poll_seen_init().
 * Threads    One.
 * Limits     POLL_IDS_MAX: then the oldest are forgotten and counted; a record of them that comes again is taken again.
 */
#include "base/arena.h"
#include "base/buffer.h"

enum { POLL_SEEN_ROUNDS = 2, POLL_SEEN_KEY_BYTES = 16 };

struct poll_seen {
    unsigned char key[POLL_SEEN_KEY_BYTES];
    uint64_t *ids;   /* in the order in which they came; the low two bits are rounds since it was seen */
    size_t count, size;
    uint32_t *table; /* 1 + place in ids, 0 free; open addressing */
    size_t table_size;
    uint64_t forgotten; /* for lack of room */
};

void poll_seen_init(struct poll_seen *seen);
void poll_seen_close(struct poll_seen *seen);

uint64_t poll_seen_hash(const struct poll_seen *seen, struct slice id);
/* Whether it was seen; then it is of this round again. */
bool poll_seen_has(struct poll_seen *seen, uint64_t hash);
/* False when memory is out. */
MUST_USE bool poll_seen_add(struct poll_seen *seen, uint64_t hash);
/* A whole round has ended. */
void poll_seen_turn(struct poll_seen *seen);

void poll_seen_save(const struct poll_seen *seen, struct buffer *to);
/* False: damaged, or memory is out; it is empty then. */
MUST_USE bool poll_seen_load(struct poll_seen *seen, struct slice *from);
