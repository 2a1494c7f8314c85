#pragma once
/*
 * collect/collector_syslog: syslog over TCP (RFC 6587, both framings), TLS
 * (RFC 5425) and UDP (RFC 5426). Messages are gathered into deliveries; a full
 * journal stops reading on TCP (back-pressure) and counts drops on UDP.
 *
 * syslog has no acknowledgement: a message counts as received when it is
 * durable; what a connection had sent before a crash and was not durable is the
 * sender's to send again.
 * Threads  Runs on its loop.
 */
#include "collect/sink.h"
#include "net/conn.h"

struct collector_syslog_config {
    const char *address;
    uint16_t port;           /* TCP and UDP */
    bool udp;
    struct tls_context *tls; /* TCP only */
    struct slice stream, dataset, zone; /* must live as long as the collector */
    const struct sink *sink;
};

struct collector_syslog;

struct syslog_counts {
    uint64_t received; /* messages given to the sink */
    uint64_t dropped;  /* messages the sink had no room for: UDP, or a TCP sender that went away */
    uint64_t kernel_drops;
    uint64_t bad_counts; /* octet counts that were none; the bytes were kept as lines */
};

MUST_USE int collector_syslog_open(struct net_loop *loop,
                                   const struct collector_syslog_config *config,
                                   struct collector_syslog **out, struct err *err);
uint16_t collector_syslog_port(const struct collector_syslog *collector);
struct syslog_counts collector_syslog_counts(const struct collector_syslog *collector);
/* After the loop has stopped. */
void collector_syslog_free(struct collector_syslog *collector);
