#include "collect/wire/datagrams.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/conn.h"

#include <stdatomic.h>

/* Datagrams of so long go together; a group commit of the journal takes longer. */
enum { TOGETHER_MS = 2 };

struct datagrams {
    struct datagrams_config config;
    struct net_udp *udp; /* the loop's */
    uint16_t port;
    struct net_timer *flush;
    struct gatherings *pool;
    struct gathering *senders[DATAGRAM_PEERS_MAX]; /* by hash of the peer; one that is in the way is closed */
    bool waiting;                                  /* something was put since the last flush */
    atomic_ulong kernel, parse;
};

static void flush_all(void *context)
{
    struct datagrams *datagrams = context;
    datagrams->waiting = false;
    for (size_t i = 0; i < DATAGRAM_PEERS_MAX; i++)
        if (datagrams->senders[i])
            gathering_flush(datagrams->senders[i]);
}

static struct gathering *sender_of(struct datagrams *datagrams, struct slice peer)
{
    struct gathering **slot = &datagrams->senders[hash_bytes(peer) % DATAGRAM_PEERS_MAX];
    if (*slot && slice_equal(gathering_peer(*slot), peer))
        return *slot;
    if (*slot)
        gathering_close(*slot);
    *slot = gathering_new(datagrams->pool, peer, NULL, NULL);
    return *slot;
}

static void on_datagram(void *context, struct slice bytes, struct slice peer)
{
    struct datagrams *datagrams = context;
    struct gathering *sender = sender_of(datagrams, peer);
    if (!sender || gathering_is_full(sender)) {
        gatherings_drop(datagrams->pool, 1);
        return;
    }
    if (!datagrams->config.datagram(datagrams->config.context, sender, bytes))
        atomic_fetch_add(&datagrams->parse, 1);
    if (gathering_is_full(sender))
        gathering_flush(sender);
    if (!datagrams->waiting)
        net_timer_start(datagrams->flush, TOGETHER_MS, 0);
    datagrams->waiting = true;
}

static void on_drops(void *context, uint64_t drops)
{
    struct datagrams *datagrams = context;
    atomic_store(&datagrams->kernel, drops);
}

static int open_parts(struct datagrams *datagrams, struct err *err)
{
    const struct collector_host *host = datagrams->config.host;
    struct net_udp_options options = {.address = settings_string(datagrams->config.settings, "address"),
                                      .port = datagrams->config.port,
                                      .datagram = on_datagram,
                                      .dropped = on_drops,
                                      .context = datagrams};
    if (!(datagrams->pool = gatherings_new(host, datagrams->config.settings, true, err)))
        return -1;
    datagrams->flush = net_timer_new(host->loop, flush_all, datagrams);
    if (!datagrams->flush)
        return err_nomem(err);
    if (net_listen_udp(host->loop, &options, &datagrams->udp, err) < 0)
        return -1;
    datagrams->port = net_udp_port(datagrams->udp);
    return 0;
}

int datagrams_open(const struct datagrams_config *config, struct datagrams **out, struct err *err)
{
    struct datagrams *datagrams = mem_calloc(1, sizeof(*datagrams));
    *out = datagrams;
    if (!datagrams)
        return err_nomem(err);
    datagrams->config = *config;
    return open_parts(datagrams, err);
}

uint16_t datagrams_port(const struct datagrams *datagrams)
{
    return datagrams->port;
}

void datagrams_count(const struct datagrams *datagrams, struct collector_counts *out)
{
    out->dropped_kernel += atomic_load(&datagrams->kernel);
    out->dropped_queue += gatherings_dropped(datagrams->pool);
    out->dropped_parse += atomic_load(&datagrams->parse);
}

void datagrams_finish(struct datagrams *datagrams)
{
    if (datagrams)
        gatherings_finish(datagrams->pool);
}

void datagrams_free(struct datagrams *datagrams)
{
    if (!datagrams)
        return;
    gatherings_free(datagrams->pool);
    mem_free(datagrams);
}
