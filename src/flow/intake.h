#pragma once
/*
 * flow/intake: the way from the collectors to the journal, by which no sender can starve another.
 *
 *   take ─► room? ─► journal ─► pipeline
 *              └no─► lane of the sender ─┐  lanes take turns (deficit round robin: Shreedhar, Varghese 1995)
 *                    lane of another  ───┴► journal, as the pipeline goes on
 *
 * The journal may be ahead of the pipeline by what that walks through in INTAKE_AHEAD_MS; so what arrives from a quiet
 * sender is stored and looked at soon, however much waits of a noisy one. While the pipeline stands still for the
 * disk's sake, or reads the past after a start, nobody waits for it. A sender is its input, identity and address.
 *
 * Ownership  Deliveries that wait are copied.
 * Threads    intake_take() any; done() as in collect/sink.h. One thread of its own.
 * Limits     INTAKE_BYTES_MAX waits at most; of it one sender may have as much as is free, so there is always room for
 *            others. What cannot be asked to wait (delivery.cannot_wait) goes past the pipeline's pace when
 *            INTAKE_DATAGRAM_BYTES of it wait.
 * Errors     ERR_LIMIT at once, or SINK_FAILED after INTAKE_WAIT_MS: there was no room; nothing was kept.
 */
#include "collect/sink.h"
#include "flow/pipeline.h"

struct intake;

struct intake_config {
    struct journal *journal;
    struct pipeline *pipeline;
    uint64_t caught_up_at; /* journal position: until the pipeline is there, the past is read and nobody waits */
    const struct hin_clock *clock;
};

struct intake_counts {
    uint64_t waited, refused, late; /* deliveries that waited, found no room, or waited too long */
    uint64_t waiting_bytes;
};

MUST_USE int intake_start(const struct intake_config *config, struct intake **out, struct err *err);
MUST_USE int intake_take(struct intake *intake, const struct delivery *delivery, sink_done done, void *context,
                         struct err *err);
struct intake_counts intake_counts(struct intake *intake);
/* Gives everything that waits to the journal, then ends. NULL is fine. */
void intake_stop(struct intake *intake);
