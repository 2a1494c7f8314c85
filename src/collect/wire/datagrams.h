#pragma once
/*
 * collect/datagrams: a UDP socket whose senders' datagrams become deliveries, one sender a delivery. Nobody can be asked
 * to wait: what the kernel, or the sink for longer than GATHERING_BYTES_MAX of a sender, has no room for is counted.
 *
 * Ownership  Ends with its loop; then datagrams_free().
 * Threads    datagrams_counts() any; the rest as collector.h's open and free.
 */
#include "collect/gathering.h"

struct datagrams;

struct datagrams_config {
    const struct collector_host *host;
    const struct collector_settings *settings; /* with LISTENING_OPTIONS (collect/wire/listening.h) */
    uint16_t port;
    /* Puts what the datagram holds: gathering_put(), none, once or several times. False: it is nothing that could be
     * kept, and is counted as dropped in parsing. */
    bool (*datagram)(void *context, struct gathering *gathering, struct slice bytes);
    void *context;
};

MUST_USE int datagrams_open(const struct datagrams_config *config, struct datagrams **out, struct err *err);
uint16_t datagrams_port(const struct datagrams *datagrams);
/* Adds to the three kinds of drops. */
void datagrams_count(const struct datagrams *datagrams, struct collector_counts *out);
void datagrams_finish(struct datagrams *datagrams); /* as gatherings_finish() */
void datagrams_free(struct datagrams *datagrams); /* NULL is fine */
