#pragma once
/*
 * decode/decode: deliveries become batches of events with fields.
 *
 * Nothing is refused and nothing is lost: what no decoder takes stays raw
 * (tag _not_understood, message = text), what a decoder cannot finish keeps the
 * fields won so far (EVENT_DECODE_ERROR, error.message). event.original is
 * always byte for byte what was delivered.
 *
 * The result depends on the delivery alone (journal: CONTRACTS 1, 2), not on how
 * batches are cut nor on what came before.
 *
 * Ownership  A batch borrows nothing from the delivery; raw bytes and origins are copied into it,
 *            unless decode_borrow() says that deliveries last.
 * Threads    A decode belongs to one thread; the decoders are shared and read-only.
 * Limits     BATCH_ROWS_MAX, BATCH_BYTES_MAX, BATCH_ARENA_MAX: one delivery may need several
 * batches.
 */
#include "base/err.h"
#include "decode/recognition.h"
#include "event/batch.h"
#include "event/delivery.h"

struct decode;

MUST_USE struct decode *decode_new(const struct decoders *decoders); /* NULL when memory is out */
void decode_free(struct decode *decode);                             /* NULL is fine */
/* From now on every delivery outlives the batches made of it, and so do the decoders: raw bytes and the
 * decoders' own texts are borrowed, not copied. */
void decode_borrow(struct decode *decode);

/* From now on what the steps do to each event is told in to, which outlives the decode: an event's text ends
 * with a NUL. For people; slow. -1 when memory is out. */
struct buffer;
MUST_USE int decode_explain(struct decode *decode, struct buffer *to);

/* How far the stamps of a host's events (none: "") are ahead of the true time in the deliveries that follow: @timestamp is
 * the true one, the sender's own goes to hinomi.sent_time. NULL, as at first: they are taken as they are. */
typedef int64_t (*decode_ahead)(void *context, struct slice host);
void decode_clock_ahead(struct decode *decode, decode_ahead ahead, void *context);

/* Where in a delivery we are; zeroed at its start. */
struct decode_place {
    size_t at;
    uint32_t index;      /* events before it */
    struct slice header; /* the hint of that name, which holds for the events behind it, too */
};

/* Adds events to the batch, which may have some already. 1: the batch is full and the delivery has
 * more; finish it and call again with a fresh one. 0: the delivery is done, the batch may take
 * more. -1: memory is out, or (ERR_CORRUPT) the delivery's records are damaged from here on. */
MUST_USE int decode_delivery(struct decode *decode, const struct delivery *delivery,
                             struct decode_place *place, struct batch *batch, struct err *err);

/* The same walk, but nothing is looked into: each event is kept raw with EVENT_QUARANTINED, the tag
 * _quarantined and why as error.message. Where the delivery's records are damaged, the rest of its
 * bytes is one event. */
MUST_USE int decode_quarantine(struct decode *decode, const struct delivery *delivery,
                               struct decode_place *place, struct batch *batch, struct slice why,
                               struct err *err);

/* Before the batch is handed on: declared types, then batch_finish(). */
MUST_USE int decode_finish(struct batch *batch, struct err *err);

/* Decoders that would take an event with these bytes, the one that does first; up to max of them. */
uint32_t decode_rank(struct decode *decode, struct slice raw, struct slice source, const struct decoder **out,
                     uint32_t max);

/* The decoder that nearly takes a text with these bytes (decode/recognition.h). inner: it stood within another one. */
struct nearly decode_nearest(struct decode *decode, struct slice text, bool inner);

struct decode_counts {
    uint64_t events;
    uint64_t not_understood;
    uint64_t errors; /* decoders that stopped half way */
    uint64_t quarantined;
};
const struct decode_counts *decode_counts(const struct decode *decode);
