#pragma once
/*
 * net/wire: a connection to somebody else for protocols that are spoken here: syslog, IMAP. Blocks.
 *
 *   tls://host:port    TLS, certificate verified (imaps is the same)
 *   tcp://host:port    plain (imap is the same), with allow_private only
 *   udp://host:port    each send is a datagram, with allow_private only
 *
 * Policy     As net/target: resolved once, addresses checked, nothing else connected to. Ports as the caller's rule says.
 * Ownership  Until wire_close().
 * Threads    One at a time.
 * Limits     The request's time, counted over all of the conversation.
 * Errors     ERR_IO: it broke off or the time is over; ERR_CLOSED: the other side has ended it.
 */
#include "net/http_client.h"

enum { WIRE_TIMEOUT_MS = 8000 };

struct wire_request {
    struct slice url;
    const uint16_t *ports; /* ends with 0; without allow_private only these */
    const char *ca_file;   /* PEM; NULL: the system's */
    int64_t timeout_ms;    /* 0: WIRE_TIMEOUT_MS */
    bool allow_private;
};

struct wire {
    int (*send)(struct wire *wire, struct slice bytes, struct err *err);
    /* Some bytes, at least one, appended; waits for them. */
    int (*receive)(struct wire *wire, struct buffer *to, struct err *err);
    void (*close)(struct wire *wire);
};

MUST_USE int wire_open(const struct hin_net *net, const struct wire_request *request, struct wire **out, struct err *err);
MUST_USE int wire_send(struct wire *wire, struct slice bytes, struct err *err); /* all of it */
MUST_USE int wire_receive(struct wire *wire, struct buffer *to, struct err *err);
void wire_close(struct wire *wire); /* NULL is fine */

MUST_USE int wire_check(const struct wire_request *request, struct err *err);
int wire_real(const struct hin_net *net, const struct wire_request *request, struct wire **out, struct err *err);
