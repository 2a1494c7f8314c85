#pragma once
/*
 * store/journal_keys: batch ids seen, with a hash of their bytes: a ring of the
 * newest keys_max with a hash index. The oldest are forgotten first.
 *
 * Threads  One at a time (the journal's lock).
 */
#include "base/buffer.h"
#include "base/err.h"
#include "base/hash.h"

struct journal_key {
    struct hash128 key;  /* of source, identity and Idempotency-Key */
    struct hash128 body;
    uint64_t first_seq;
    uint64_t position;
};

struct journal_keys {
    struct journal_key *ring; /* grows up to keys_max */
    uint32_t *index;          /* ring slot + 1; 0 free; open addressing */
    uint32_t ring_size, index_size;
    uint32_t keys_max;
    uint64_t added, dropped;  /* the ring holds numbers dropped .. added - 1 */
};

void journal_keys_init(struct journal_keys *keys, uint32_t keys_max);
void journal_keys_close(struct journal_keys *keys);

/* NULL when unknown. */
struct journal_key *journal_keys_find(struct journal_keys *keys, struct hash128 key);
/* The key must be unknown. Forgets the oldest when full. */
MUST_USE int journal_keys_add(struct journal_keys *keys, const struct journal_key *entry,
                              struct err *err);
/* Takes the newest back, until added is what it was. */
void journal_keys_undo(struct journal_keys *keys, uint64_t added);

void journal_keys_save(const struct journal_keys *keys, struct buffer *to);
MUST_USE int journal_keys_load(struct journal_keys *keys, struct slice *from, struct err *err);
