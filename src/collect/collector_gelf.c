/* GELF over UDP (chunks, gzip, zlib) and TCP (NUL or LF behind a message). Over HTTP: dialect_gelf.c.
 *
 * GELF has no acknowledgement; what is true of collector_syslog.c is true here. */
#include "base/clock.h"
#include "base/mem.h"
#include "collect/datagrams.h"
#include "collect/gelf_chunk.h"
#include "collect/gelf_frame.h"
#include "collect/listening.h"
#include "net/conn.h"
#include "net/loop.h"
#include "net/tls.h"

#include <stdatomic.h>

enum { IDLE_MS = 15 * 60 * 1000, EXPIRE_MS = 1000 };

struct collector_gelf {
    const struct collector_host *host;
    struct gatherings *pool;
    struct datagrams *datagrams;
    struct gelf_chunks *chunks;
    struct net_timer *expire;
    struct net_listener *listener;
    struct tls_context *tls;
    atomic_ulong lost; /* messages of which chunks did not come */
    atomic_ulong open;
};

/* One TCP sender. */
struct sender {
    struct collector_gelf *collector;
    struct net_conn *conn;
    struct gathering *gathering;
    struct gelf_frames frames;
    bool no_memory;
};

/* ---- TCP ---- */

static void on_frame(void *context, struct slice frame, bool part)
{
    struct sender *sender = context;
    if (!gathering_put(sender->gathering, frame, part ? SLICE("sourcetype=gelf\x1fpart=1") : SLICE("sourcetype=gelf")))
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
    struct collector_gelf *collector = context;
    struct sender *sender = mem_calloc(1, sizeof(*sender));
    struct gathering *gathering = sender ? gathering_new(collector->pool, net_conn_peer(conn), &events, sender) : NULL;
    if (!gathering) {
        mem_free(sender);
        return NULL;
    }
    *sender = (struct sender){.collector = collector, .conn = conn, .gathering = gathering};
    gelf_frames_init(&sender->frames);
    atomic_fetch_add(&collector->open, 1);
    return sender;
}

static void on_data(void *state, struct net_conn *conn, struct slice bytes)
{
    struct sender *sender = state;
    sender->no_memory |= !gathering_identify(sender->gathering, net_conn_identity(conn));
    int result = gelf_frames_feed(&sender->frames, bytes, on_frame, sender);
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
    gelf_frames_finish(&sender->frames, on_frame, sender);
    gelf_frames_close(&sender->frames);
    gathering_close(sender->gathering);
    atomic_fetch_sub(&sender->collector->open, 1);
    mem_free(sender);
}

static int listen_tcp(const struct collector_settings *settings, struct collector_gelf *collector, struct err *err)
{
    struct net_listen_options options = {
        .address = settings_string(settings, "address"),
        .port = (uint16_t)settings_number(settings, "port"),
        .tls = collector->tls,
        .idle_ms = IDLE_MS,
        .handler = {on_open, on_data, on_close, NULL, NULL},
        .context = collector,
    };
    if (!(collector->pool = gatherings_new(collector->host, settings, false, err)))
        return -1;
    return net_listen(collector->host->loop, &options, &collector->listener, err);
}

/* ---- UDP ---- */

static bool on_datagram(void *context, struct gathering *gathering, struct slice bytes)
{
    struct collector_gelf *collector = context;
    struct slice message;
    int64_t now_ns = clock_mono_ns(collector->host->sink->clock);
    enum gelf_datagram result = gelf_chunks_take(collector->chunks, bytes, gathering_peer(gathering), now_ns, &message);
    atomic_store(&collector->lost, gelf_chunks_lost(collector->chunks));
    if (result != GELF_MESSAGE)
        return result == GELF_WAITS;
    while (message.len && (message.ptr[message.len - 1] == '\n' || message.ptr[message.len - 1] == '\0'))
        message.len--;
    return message.len == 0 || gathering_put(gathering, message, SLICE("sourcetype=gelf"));
}

static void expire_chunks(void *context)
{
    struct collector_gelf *collector = context;
    gelf_chunks_expire(collector->chunks, clock_mono_ns(collector->host->sink->clock));
    atomic_store(&collector->lost, gelf_chunks_lost(collector->chunks));
}

static void start_expiring(void *context)
{
    struct collector_gelf *collector = context;
    net_timer_start(collector->expire, EXPIRE_MS, EXPIRE_MS);
}

static int listen_udp(const struct collector_settings *settings, struct collector_gelf *collector, struct err *err)
{
    struct datagrams_config config = {
        .host = collector->host, .settings = settings, .datagram = on_datagram, .context = collector,
        .port = collector->listener ? net_listener_port(collector->listener) : (uint16_t)settings_number(settings, "port")};
    collector->chunks = gelf_chunks_new();
    collector->expire = net_timer_new(collector->host->loop, expire_chunks, collector);
    if (!collector->chunks || !collector->expire)
        return err_nomem(err);
    if (!net_loop_post(collector->host->loop, start_expiring, collector))
        return err_set(err, ERR_CLOSED, "the event loop is stopping");
    return datagrams_open(&config, &collector->datagrams, err);
}

/* ---- the kind ---- */

static const char *const transports[] = {"udp", "tcp", "tls", NULL};

static const struct collector_option options[] = {
    LISTENING_OPTIONS("12201"),
    {"transport", SETTING_CHOICES, "[udp, tcp]", .choices = transports, .summary = "how it comes; tls stands alone, on a port of its own"},
    LISTENING_TLS_OPTIONS,
};

static int gelf_check(const struct collector_settings *settings, struct err *err)
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

/* Chunks that wait are of messages that were never whole. */
static void gelf_finish(void *self)
{
    struct collector_gelf *collector = self;
    if (collector->chunks) {
        gelf_chunks_expire(collector->chunks, INT64_MAX);
        atomic_store(&collector->lost, gelf_chunks_lost(collector->chunks));
    }
    datagrams_finish(collector->datagrams);
    gatherings_finish(collector->pool);
}

static void gelf_free(void *self)
{
    struct collector_gelf *collector = self;
    datagrams_free(collector->datagrams);
    gelf_chunks_free(collector->chunks);
    gatherings_free(collector->pool);
    tls_context_free(collector->tls);
    mem_free(collector);
}

static int gelf_open(const struct collector_host *host, const struct collector_settings *settings, void **out, struct err *err)
{
    struct collector_gelf *collector = mem_calloc(1, sizeof(*collector));
    bool tls = settings_has(settings, "transport", "tls"), tcp = tls || settings_has(settings, "transport", "tcp");
    *out = collector;
    if (!collector)
        return err_nomem(err);
    collector->host = host;
    if (tls && listening_tls(host, settings, &collector->tls, err) < 0)
        return -1;
    if (tcp && listen_tcp(settings, collector, err) < 0)
        return -1;
    return settings_has(settings, "transport", "udp") ? listen_udp(settings, collector, err) : 0;
}

static void gelf_count(void *self, struct collector_counts *out)
{
    const struct collector_gelf *collector = self;
    if (collector->pool)
        out->dropped_queue += gatherings_dropped(collector->pool);
    if (collector->datagrams)
        datagrams_count(collector->datagrams, out);
    out->dropped_parse += atomic_load(&collector->lost);
    out->open = atomic_load(&collector->open);
    out->port = collector->listener ? net_listener_port(collector->listener) : datagrams_port(collector->datagrams);
}

const struct collector_kind collector_gelf = {
    .name = "gelf",
    .summary = "Graylog Extended Log Format over UDP, TCP and TLS",
    .details = "Datagrams may be chunked and packed (gzip, zlib); chunks that do not all come within 5 seconds are counted as dropped "
               "in parsing. Over TCP messages end with NUL or with a line's end. GELF over HTTP goes to the ingest port, `/gelf`.",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = gelf_check,
    .open = gelf_open,
    .finish = gelf_finish,
    .free = gelf_free,
    .counts = gelf_count,
    .listens = true,
};
