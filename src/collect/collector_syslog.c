#include "collect/collector_syslog.h"

#include "base/limits.h"
#include "base/mem.h"
#include "collect/syslog_frame.h"

#include <stdatomic.h>

enum { IDLE_MS = 15 * 60 * 1000, UDP_GATHER_BYTES = 256 * 1024, PEER_MAX = 64 };
#define GATHER_BYTES_MAX (8 * MIB)

struct collector_syslog {
    struct collector_syslog_config config;
    struct net_listener *listener;
    struct net_udp *udp;
    /* UDP: one delivery gathers what one sender sent in a row */
    struct buffer records;
    uint32_t count;
    char peer[PEER_MAX];
    atomic_ulong received, dropped, bad_counts;
};

/* One TCP sender. */
struct sender {
    struct collector_syslog *collector;
    struct net_conn *conn;
    struct syslog_frames frames;
    struct buffer records;
    uint32_t count;
};

static struct delivery make_delivery(const struct collector_syslog *collector,
                                     struct slice records, uint32_t count, struct slice peer,
                                     struct slice identity)
{
    const struct collector_syslog_config *config = &collector->config;
    return (struct delivery){
        .origin = {.source = SLICE("syslog"), .stream = config->stream, .dataset = config->dataset,
                   .peer = peer, .identity = identity, .zone = config->zone},
        .received_ns = clock_wall_ns(config->sink->clock),
        .framing = FRAMING_RECORDS,
        .event_count = count,
        .body = records,
    };
}

/* ---- TCP ---- */

static void on_frame(void *context, struct slice frame, bool part)
{
    struct sender *sender = context;
    delivery_put_record(&sender->records, frame, part ? SLICE("part=1") : SLICE(""));
    sender->count++;
}

static void flush_sender(struct sender *sender)
{
    struct collector_syslog *collector = sender->collector;
    if (sender->count == 0)
        return;
    struct delivery delivery =
        make_delivery(collector, buffer_slice(&sender->records), sender->count,
                      net_conn_peer(sender->conn), net_conn_identity(sender->conn));
    if (sink_take(collector->config.sink, &delivery, NULL, NULL, NULL) < 0) {
        net_conn_pause(sender->conn); /* no room in the journal: on_tick tries again */
        return;
    }
    atomic_fetch_add(&collector->received, sender->count);
    buffer_clear(&sender->records);
    sender->count = 0;
    net_conn_resume(sender->conn);
}

static void *on_open(void *context, struct net_conn *conn)
{
    struct sender *sender = mem_calloc(1, sizeof(*sender));
    if (!sender)
        return NULL;
    sender->collector = context;
    sender->conn = conn;
    syslog_frames_init(&sender->frames);
    buffer_init(&sender->records, GATHER_BYTES_MAX);
    return sender;
}

static void on_data(void *state, struct net_conn *conn, struct slice bytes)
{
    struct sender *sender = state;
    uint64_t bad = sender->frames.bad_counts;
    int result = syslog_frames_feed(&sender->frames, bytes, on_frame, sender);
    atomic_fetch_add(&sender->collector->bad_counts, sender->frames.bad_counts - bad);
    flush_sender(sender);
    if (result < 0 || buffer_failed(&sender->records))
        net_conn_close(conn); /* memory is out: the sender keeps what it has not sent */
}

static void on_close(void *state, struct net_conn *conn)
{
    (void)conn;
    struct sender *sender = state;
    syslog_frames_finish(&sender->frames, on_frame, sender);
    flush_sender(sender);
    atomic_fetch_add(&sender->collector->dropped, sender->count);
    syslog_frames_close(&sender->frames);
    buffer_close(&sender->records);
    mem_free(sender);
}

/* A paused sender tries again. */
static void on_tick(void *state, struct net_conn *conn)
{
    (void)conn;
    flush_sender(state);
}

/* ---- UDP ---- */

static void flush_udp(void *context)
{
    struct collector_syslog *collector = context;
    if (collector->count == 0)
        return;
    struct delivery delivery = make_delivery(collector, buffer_slice(&collector->records),
                                             collector->count, slice_text(collector->peer),
                                             SLICE_NONE);
    if (sink_take(collector->config.sink, &delivery, NULL, NULL, NULL) < 0)
        atomic_fetch_add(&collector->dropped, collector->count);
    else
        atomic_fetch_add(&collector->received, collector->count);
    buffer_clear(&collector->records);
    collector->count = 0;
}

static void on_datagram(void *context, struct slice bytes, struct slice peer)
{
    struct collector_syslog *collector = context;
    if (!slice_is(peer, collector->peer) || collector->records.len > UDP_GATHER_BYTES)
        flush_udp(collector);
    while (bytes.len && strchr("\n\r", bytes.ptr[bytes.len - 1]))
        bytes.len--;
    if (bytes.len == 0)
        return;
    if (collector->count == 0 && peer.len < PEER_MAX) {
        memcpy(collector->peer, peer.ptr, peer.len);
        collector->peer[peer.len] = '\0';
    }
    delivery_put_record(&collector->records, bytes, SLICE(""));
    collector->count++;
}

/* ---- both ---- */

static int listen_tcp(struct net_loop *loop, struct collector_syslog *collector, struct err *err)
{
    const struct collector_syslog_config *config = &collector->config;
    struct net_listen_options options = {
        .address = config->address,
        .port = config->port,
        .tls = config->tls,
        .idle_ms = IDLE_MS,
        .handler = {on_open, on_data, on_close, on_tick, NULL},
        .context = collector,
    };
    return net_listen(loop, &options, &collector->listener, err);
}

static int listen_udp(struct net_loop *loop, struct collector_syslog *collector, struct err *err)
{
    struct net_udp_options options = {
        .address = collector->config.address,
        .port = net_listener_port(collector->listener),
        .datagram = on_datagram,
        .idle = flush_udp,
        .context = collector,
    };
    return net_listen_udp(loop, &options, &collector->udp, err);
}

int collector_syslog_open(struct net_loop *loop, const struct collector_syslog_config *config,
                          struct collector_syslog **out, struct err *err)
{
    *out = NULL;
    struct collector_syslog *collector = mem_calloc(1, sizeof(*collector));
    if (!collector)
        return err_nomem(err);
    collector->config = *config;
    buffer_init(&collector->records, GATHER_BYTES_MAX);
    if (listen_tcp(loop, collector, err) < 0) {
        collector_syslog_free(collector);
        return -1;
    }
    *out = collector; /* from here on the loop knows it: freed after the loop */
    if (config->udp && listen_udp(loop, collector, err) < 0)
        return -1;
    return 0;
}

uint16_t collector_syslog_port(const struct collector_syslog *collector)
{
    return net_listener_port(collector->listener);
}

struct syslog_counts collector_syslog_counts(const struct collector_syslog *collector)
{
    return (struct syslog_counts){
        .received = atomic_load(&collector->received),
        .dropped = atomic_load(&collector->dropped),
        .kernel_drops = collector->udp ? net_udp_kernel_drops(collector->udp) : 0,
        .bad_counts = atomic_load(&collector->bad_counts),
    };
}

void collector_syslog_free(struct collector_syslog *collector)
{
    if (!collector)
        return;
    buffer_close(&collector->records);
    mem_free(collector);
}
