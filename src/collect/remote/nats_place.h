#pragma once
/*
 * collect/nats_place: which messages of a JetStream stream are stored: all up to the floor, and ranges above it.
 *
 *   floor          first..last     first..last
 *   ─────┤          ├────┤          ├───┤        numbers of the stream
 *
 * Between ranges are messages that were sent to us and got lost on the way; the server sends them again after its
 * ack_wait, perhaps long after later ones were stored.
 *
 * Ownership  Owns its memory until nats_place_close(). Zeroed memory is a valid start.
 * Threads    One.
 * Limits     NATS_RANGES_MAX.
 */
#include "base/buffer.h"
#include "base/err.h"

struct nats_range {
    uint64_t first, last;
};

struct nats_place {
    int64_t created_ns; /* of the stream: another one's numbers mean nothing */
    uint64_t floor;
    uint64_t stream, consumer; /* both numbers of the last message */
    struct nats_range *ranges; /* in order, none touches another */
    size_t count, size;
};

void nats_place_close(struct nats_place *place);
bool nats_place_has(const struct nats_place *place, uint64_t number);
/* first..last are stored: what is between is not for us. False: memory or room is out, nothing has changed. */
MUST_USE bool nats_place_add(struct nats_place *place, uint64_t first, uint64_t last);
/* All up to number was acknowledged, so is stored. */
void nats_place_raise(struct nats_place *place, uint64_t number);

void nats_place_save(const struct nats_place *place, struct buffer *to);
/* -1: it is none; the place is empty. */
MUST_USE int nats_place_load(struct nats_place *place, struct slice bytes, struct err *err);
