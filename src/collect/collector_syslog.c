/* Syslog over UDP (RFC 5426), TCP (RFC 6587, both framings) and TLS (RFC 5425).
 *
 * Syslog has no acknowledgement: a message counts as received when it is durable; what a connection had sent before a
 * crash and was not durable is the sender's to send again. RELP (collector_relp.c) has one. */
#include "base/limits.h"
#include "base/mem.h"
#include "collect/datagrams.h"
#include "collect/listening.h"
#include "collect/syslog_frame.h"
#include "net/conn.h"
#include "net/tls.h"

#include <stdatomic.h>

enum { IDLE_MS = 15 * 60 * 1000 };

struct collector_syslog {
    struct gatherings *pool;
    struct datagrams *datagrams;
    struct net_listener *listener;
    struct tls_context *tls;
    atomic_ulong bad_counts, open;
};

/* One TCP sender. */
struct sender {
    struct collector_syslog *collector;
    struct net_conn *conn;
    struct gathering *gathering;
    struct syslog_frames frames;
    bool no_memory;
};

/* ---- TCP ---- */

static void on_frame(void *context, struct slice frame, bool part)
{
    struct sender *sender = context;
    if (!gathering_put(sender->gathering, frame, part ? SLICE("part=1") : SLICE("")))
        sender->no_memory = true;
}

static void on_room(void *context)
{
    struct sender *sender = context;
    net_conn_resume(sender->conn);
}

static const struct gathering_events events = {.room = on_room};

static void *on_open(void *context, struct net_conn *conn)
{
    struct collector_syslog *collector = context;
    struct sender *sender = mem_calloc(1, sizeof(*sender));
    struct gathering *gathering =
        sender ? gathering_new(collector->pool, net_conn_peer(conn), &events, sender) : NULL;
    if (!gathering) {
        mem_free(sender);
        return NULL;
    }
    *sender = (struct sender){.collector = collector, .conn = conn, .gathering = gathering};
    syslog_frames_init(&sender->frames);
    atomic_fetch_add(&collector->open, 1);
    return sender;
}

static void on_data(void *state, struct net_conn *conn, struct slice bytes)
{
    struct sender *sender = state;
    uint64_t bad = sender->frames.bad_counts;
    sender->no_memory |= !gathering_identify(sender->gathering, net_conn_identity(conn));
    int result = syslog_frames_feed(&sender->frames, bytes, on_frame, sender);
    atomic_fetch_add(&sender->collector->bad_counts, sender->frames.bad_counts - bad);
    gathering_flush(sender->gathering);
    if (gathering_is_full(sender->gathering))
        net_conn_pause(conn);
    if (result < 0 || sender->no_memory)
        net_conn_close(conn); /* the sender keeps what it has not sent */
}

static void on_close(void *state, struct net_conn *conn)
{
    (void)conn;
    struct sender *sender = state;
    syslog_frames_finish(&sender->frames, on_frame, sender);
    syslog_frames_close(&sender->frames);
    gathering_close(sender->gathering);
    atomic_fetch_sub(&sender->collector->open, 1);
    mem_free(sender);
}

static int listen_tcp(const struct collector_host *host, const struct collector_settings *settings,
                      struct collector_syslog *collector, struct err *err)
{
    struct net_listen_options options = {
        .address = settings_string(settings, "address"),
        .port = (uint16_t)settings_number(settings, "port"),
        .tls = collector->tls,
        .idle_ms = IDLE_MS,
        .handler = {on_open, on_data, on_close, NULL, NULL},
        .context = collector,
    };
    if (!(collector->pool = gatherings_new(host, settings, false, err)))
        return -1;
    return net_listen(host->loop, &options, &collector->listener, err);
}

/* ---- UDP ---- */

static bool on_datagram(void *context, struct gathering *gathering, struct slice bytes)
{
    (void)context;
    while (bytes.len && strchr("\n\r", bytes.ptr[bytes.len - 1]))
        bytes.len--;
    return bytes.len == 0 || gathering_put(gathering, bytes, SLICE(""));
}

static int listen_udp(const struct collector_host *host, const struct collector_settings *settings,
                      struct collector_syslog *collector, struct err *err)
{
    struct datagrams_config config = {
        .host = host, .settings = settings, .datagram = on_datagram, .context = collector,
        .port = collector->listener ? net_listener_port(collector->listener) : (uint16_t)settings_number(settings, "port")};
    return datagrams_open(&config, &collector->datagrams, err);
}

/* ---- the kind ---- */

static const char *const transports[] = {"udp", "tcp", "tls", NULL};

static const struct collector_option options[] = {
    LISTENING_OPTIONS("5514"),
    {"transport", SETTING_CHOICES, "[udp, tcp]", .choices = transports, .summary = "how it comes; tls stands alone, on a port of its own"},
    LISTENING_TLS_OPTIONS,
};

static int syslog_check(const struct collector_settings *settings, struct err *err)
{
    size_t count;
    settings_list(settings, "transport", &count);
    bool tls = settings_has(settings, "transport", "tls");
    if (count == 0 || (tls && count > 1))
        return err_set(err, ERR_CONFIG, "%.*s: transport is udp, tcp, both of them, or tls alone (another collector with "
                       "another port takes the rest)", SLICE_ARG(settings->name));
    if (tls)
        return listening_check_tls(settings, err);
    if (settings_text(settings, "certificate").ptr || settings_text(settings, "client_ca").ptr)
        return err_set(err, ERR_CONFIG, "%.*s: certificates are for transport: tls", SLICE_ARG(settings->name));
    return listening_check_plain(settings, err);
}

static void syslog_finish(void *self)
{
    struct collector_syslog *collector = self;
    datagrams_finish(collector->datagrams);
    gatherings_finish(collector->pool);
}

static void syslog_free(void *self)
{
    struct collector_syslog *collector = self;
    datagrams_free(collector->datagrams);
    gatherings_free(collector->pool);
    tls_context_free(collector->tls);
    mem_free(collector);
}

static int syslog_open(const struct collector_host *host, const struct collector_settings *settings, void **out,
                       struct err *err)
{
    struct collector_syslog *collector = mem_calloc(1, sizeof(*collector));
    bool tls = settings_has(settings, "transport", "tls"), tcp = tls || settings_has(settings, "transport", "tcp");
    *out = collector;
    if (!collector)
        return err_nomem(err);
    if (tls && listening_tls(host, settings, &collector->tls, err) < 0)
        return -1;
    if (tcp && listen_tcp(host, settings, collector, err) < 0)
        return -1;
    return settings_has(settings, "transport", "udp") ? listen_udp(host, settings, collector, err) : 0;
}

static void syslog_count(void *self, struct collector_counts *out)
{
    const struct collector_syslog *collector = self;
    if (collector->pool)
        out->dropped_queue += gatherings_dropped(collector->pool);
    if (collector->datagrams)
        datagrams_count(collector->datagrams, out);
    out->open = atomic_load(&collector->open);
    out->port = collector->listener ? net_listener_port(collector->listener) : datagrams_port(collector->datagrams);
}

const struct collector_kind collector_syslog = {
    .name = "syslog",
    .summary = "syslog over UDP, TCP and TLS, RFC 3164 and RFC 5424",
    .details = "TCP takes both framings of RFC 6587, line by line and counted octets, also mixed. A message of more than 1 MiB comes "
               "in linked parts. While the disk has no room, TCP and TLS senders wait; datagrams that find no room are counted by "
               "place (`hinomi ledger`).",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = syslog_check,
    .open = syslog_open,
    .finish = syslog_finish,
    .free = syslog_free,
    .counts = syslog_count,
    .listens = true,
};
