#pragma once
/*
 * collect/collector_http: the HTTP ingest port (:7180). Speaks Splunk's HTTP
 * Event Collector: /services/collector[/event[/1.0]], /raw[/1.0], /health[/1.0].
 *
 * 200 is answered only when the events are durable. A 4xx or 503 means that nothing of
 * the request was kept: the sender still holds it (503, also for a full disk: send it again). Idempotency-Key names a
 * batch: the same key and bytes again are acknowledged and not doubled, other
 * bytes are 409.
 * Threads  Runs on its loop; the reply is sent from the sink's thread.
 * Source   Splunk, "HTTP Event Collector REST API endpoints" (codes 0..18).
 */
#include "collect/sink.h"
#include "net/http.h"

/* What a token may do; filled by authorise. Slices live in the request's arena. */
struct ingest_grant {
    struct slice id;      /* the token's public part, stored with each event */
    struct slice stream;  /* hinomi.stream of what it delivers */
    struct slice dataset; /* decoder, or none */
    struct slice zone;    /* IANA zone of stamps without one, or none */
};

enum authorise_result { AUTHORISE_OK, AUTHORISE_UNKNOWN, AUTHORISE_DISABLED };

struct collector_http_config {
    const char *address;
    uint16_t port;
    struct tls_context *tls;
    const struct sink *sink;
    /* Must not block for long; called on the loop's thread. */
    enum authorise_result (*authorise)(void *context, struct slice token, struct slice peer,
                                       struct arena *arena, struct ingest_grant *out);
    void *context;
};

struct collector_http;

MUST_USE int collector_http_open(struct net_loop *loop, const struct collector_http_config *config,
                                 struct collector_http **out, struct err *err);
uint16_t collector_http_port(const struct collector_http *collector);
/* After the loop has stopped and no done() can come any more. */
void collector_http_free(struct collector_http *collector);
