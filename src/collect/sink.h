#pragma once
/*
 * collect/sink: where collectors give what they received. The program behind it
 * is the journal; collectors know only this.
 *
 * Threads  take() from any thread; done() is called once, from any thread, soon
 *          or before take() returns, and must not block.
 */
#include "base/clock.h"
#include "base/err.h"
#include "event/delivery.h"

enum sink_result {
    SINK_STORED,    /* durable: acknowledge */
    SINK_DUPLICATE, /* the same key and bytes were stored before: acknowledge, nothing is doubled */
    SINK_CONFLICT,  /* the same key with other bytes: refuse */
    SINK_FAILED,    /* not durable: do not acknowledge */
};

struct sink_ack {
    enum sink_result result;
    uint64_t first_seq;
    const struct err *err; /* with SINK_FAILED; only during the call */
};

typedef void (*sink_done)(void *context, const struct sink_ack *ack);

struct sink {
    /* Copies the delivery. -1 when it is refused at once (ERR_LIMIT: no room now, try again);
     * then done is not called. done may be NULL for input that is not acknowledged. */
    int (*take)(void *context, const struct delivery *delivery, sink_done done, void *done_context,
                struct err *err);
    void *context;
    const struct hin_clock *clock; /* for received_ns */
};

static inline int sink_take(const struct sink *sink, const struct delivery *delivery,
                            sink_done done, void *done_context, struct err *err)
{
    return sink->take(sink->context, delivery, done, done_context, err);
}
