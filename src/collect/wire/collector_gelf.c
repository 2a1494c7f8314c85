/* GELF over UDP (chunks, gzip, zlib) and TCP (NUL or LF behind a message). Over HTTP: dialect_gelf.c.
 *
 * GELF has no acknowledgement; what is true of collector_syslog.c is true here. */
#include "base/clock.h"
#include "base/mem.h"
#include "collect/wire/gelf_chunk.h"
#include "collect/wire/gelf_frame.h"
#include "collect/wire/receiver.h"
#include "net/loop.h"

#include <stdatomic.h>

enum { EXPIRE_MS = 1000 };

struct collector_gelf {
    const struct collector_host *host;
    struct receiver *receiver;
    struct gelf_chunks *chunks;
    struct net_timer *expire;
    atomic_ulong lost; /* messages of which chunks did not come */
};

/* ---- TCP ---- */

RECEIVER_CUTTER(gelf);

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

static int start_chunks(struct collector_gelf *collector, struct err *err)
{
    collector->chunks = gelf_chunks_new();
    collector->expire = net_timer_new(collector->host->loop, expire_chunks, collector);
    if (!collector->chunks || !collector->expire)
        return err_nomem(err);
    return net_loop_post(collector->host->loop, start_expiring, collector) ? 0 : err_set(err, ERR_CLOSED, "the event loop is stopping");
}

/* ---- the kind ---- */

static const struct collector_option options[] = {RECEIVER_OPTIONS("12201", "[udp, tcp]")};

/* Chunks that wait are of messages that were never whole. */
static void gelf_finish(void *self)
{
    struct collector_gelf *collector = self;
    gelf_chunks_expire(collector->chunks, INT64_MAX);
    atomic_store(&collector->lost, gelf_chunks_lost(collector->chunks));
    receiver_finish(collector->receiver);
}

static void gelf_free(void *self)
{
    struct collector_gelf *collector = self;
    receiver_free(collector->receiver);
    gelf_chunks_free(collector->chunks);
    mem_free(collector);
}

static int gelf_open(const struct collector_host *host, const struct collector_settings *settings, void **out, struct err *err)
{
    struct collector_gelf *collector = mem_calloc(1, sizeof(*collector));
    struct receiver_config config = {host, settings, &cutter, SLICE("sourcetype=gelf"), on_datagram, collector};
    *out = collector;
    if (!collector)
        return err_nomem(err);
    collector->host = host;
    return start_chunks(collector, err) < 0 ? -1 : receiver_open(&config, &collector->receiver, err);
}

static void gelf_count(void *self, struct collector_counts *out)
{
    const struct collector_gelf *collector = self;
    receiver_count(collector->receiver, out);
    out->dropped_parse += atomic_load(&collector->lost);
}

const struct collector_kind collector_gelf = {
    .name = "gelf",
    .summary = "Graylog Extended Log Format over UDP, TCP and TLS",
    .details = "Datagrams may be chunked and packed (gzip, zlib); chunks that do not all come within 5 seconds are counted as dropped "
               "in parsing. Over TCP messages end with NUL or with a line's end. GELF over HTTP goes to the ingest port, `/gelf`.",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = receiver_check,
    .open = gelf_open,
    .finish = gelf_finish,
    .free = gelf_free,
    .counts = gelf_count,
    .listens = true,
};
