#pragma once
/*
 * collect/gathering: events of one sender, put together into deliveries, for protocols whose senders hold nothing
 * back for us once it has left them.
 *
 *   put ─► [gathered] ─► sink ─► [flying] ─► stored: the next one
 *
 * A sender has one delivery under way, and that is kept until it is durable: a disk that refuses makes the sender
 * wait, and is tried again every GATHERING_RETRY_MS.
 *
 * Ownership  A pool belongs to its collector and outlives the loop (collector.h); gatherings belong to the pool, and
 *            stay there after gathering_close() until what they hold is durable.
 * Threads    The loop's; gatherings_finish() and _free() after it has ended; gatherings_dropped() any.
 * Limits     GATHERING_BYTES_MAX gathered for one sender: then gathering_is_full(), and room() tells when not any more.
 */
#include "collect/collector.h"

struct gatherings;
struct gathering;

struct gathering_events {
    void (*room)(void *context);                  /* it was full, and is not any more */
    void (*stored)(void *context, uint64_t mark); /* all that was put up to mark is durable */
};

/* cannot_wait: what the senders send while there is no room is lost (datagrams). */
MUST_USE struct gatherings *gatherings_new(const struct collector_host *host, const struct collector_settings *settings,
                                           bool cannot_wait, struct err *err);
/* The loop has ended and nothing is under way: what is left is given to the sink once more, else counted as dropped. */
void gatherings_finish(struct gatherings *pool); /* NULL is fine */
void gatherings_free(struct gatherings *pool);   /* NULL is fine */
uint64_t gatherings_dropped(const struct gatherings *pool);
/* Counts events that there was no room for. */
void gatherings_drop(struct gatherings *pool, uint64_t events);

/* peer is copied; events may be NULL, as may each of its functions. NULL: memory is out. */
MUST_USE struct gathering *gathering_new(struct gatherings *pool, struct slice peer,
                                         const struct gathering_events *events, void *context);
/* Who the sender has proven to be; known once the first bytes of a TLS connection come. Only the first one counts. False
 * when memory is out. */
MUST_USE bool gathering_identify(struct gathering *gathering, struct slice identity);
/* False when memory is out: the event was not taken. */
MUST_USE bool gathering_put(struct gathering *gathering, struct slice raw, struct slice hints);
uint64_t gathering_mark(const struct gathering *gathering); /* events put so far */
bool gathering_is_full(const struct gathering *gathering);
/* Hands over what was gathered, unless something is under way. */
void gathering_flush(struct gathering *gathering);
struct slice gathering_peer(const struct gathering *gathering);
/* Its events are not called any more. */
void gathering_close(struct gathering *gathering);
