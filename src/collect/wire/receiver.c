#include "collect/wire/receiver.h"

#include "base/limits.h"
#include "base/mem.h"
#include "net/conn.h"
#include "net/tls.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>

enum { IDLE_MS = 15 * 60 * 1000 };
#define SPILL_LEAST (64 * KIB) /* less of one sender is left alone */

struct receiver {
    struct receiver_config config;
    struct slice part_hints;
    char part_room[128];
    struct gatherings *pool;
    struct datagrams *datagrams;
    struct net_listener *listener; /* the loop's */
    struct tls_context *tls;
    uint16_t port;
    size_t pending; /* bytes that unfinished messages take up */
    atomic_ulong open;
};

/* One TCP sender; its cutter's state follows. */
struct sender {
    struct receiver *receiver;
    struct net_conn *conn;
    struct gathering *gathering;
    bool no_memory;
    max_align_t frames[];
};

static void on_frame(void *context, struct slice frame, bool part)
{
    struct sender *sender = context;
    const struct receiver *receiver = sender->receiver;
    if (!gathering_put(sender->gathering, frame, part ? receiver->part_hints : receiver->config.hints))
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
    struct receiver *receiver = context;
    const struct receiver_cutter *cutter = receiver->config.cutter;
    struct sender *sender = mem_calloc(1, sizeof(*sender) + cutter->size);
    struct gathering *gathering = sender ? gathering_new(receiver->pool, net_conn_peer(conn), &events, sender) : NULL;
    if (!gathering) {
        mem_free(sender);
        return NULL;
    }
    sender->receiver = receiver;
    sender->conn = conn;
    sender->gathering = gathering;
    cutter->init(sender->frames);
    atomic_fetch_add(&receiver->open, 1);
    return sender;
}

/* What is left takes no more room than it needs. */
static void shrink(struct buffer *pending)
{
    struct buffer fresh;
    buffer_init(&fresh, pending->max);
    buffer_put(&fresh, buffer_slice(pending));
    if (buffer_failed(&fresh)) {
        buffer_close(&fresh);
        return;
    }
    buffer_close(pending);
    *pending = fresh;
}

/* Many senders with a long message each must not take up all memory. */
static void bound_pending(struct sender *sender, size_t before)
{
    struct receiver *receiver = sender->receiver;
    struct buffer *pending = (struct buffer *)sender->frames;
    size_t size = pending->size;
    receiver->pending += size - before;
    if (size < SPILL_LEAST || receiver->pending < RECEIVER_PENDING_MAX / 2)
        return;
    if (pending->len >= SPILL_LEAST && receiver->pending >= RECEIVER_PENDING_MAX)
        receiver->config.cutter->spill(sender->frames, on_frame, sender);
    if (pending->len < SPILL_LEAST / 2)
        shrink(pending);
    receiver->pending -= size - pending->size;
}

static void on_data(void *state, struct net_conn *conn, struct slice bytes)
{
    struct sender *sender = state;
    const struct receiver_cutter *cutter = sender->receiver->config.cutter;
    size_t before = ((struct buffer *)sender->frames)->size;
    sender->no_memory |= !gathering_identify(sender->gathering, net_conn_identity(conn));
    int result = cutter->feed(sender->frames, bytes, on_frame, sender);
    bound_pending(sender, before);
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
    const struct receiver_cutter *cutter = sender->receiver->config.cutter;
    bool had_memory = !sender->no_memory;
    sender->receiver->pending -= ((struct buffer *)sender->frames)->size;
    cutter->finish(sender->frames, on_frame, sender);
    cutter->close(sender->frames);
    if (had_memory && sender->no_memory)
        gatherings_drop(sender->receiver->pool, 1);
    gathering_close(sender->gathering);
    atomic_fetch_sub(&sender->receiver->open, 1);
    mem_free(sender);
}

static int listen_tcp(struct receiver *receiver, struct err *err)
{
    const struct receiver_config *config = &receiver->config;
    struct net_listen_options options = {
        .address = settings_string(config->settings, "address"),
        .port = (uint16_t)settings_number(config->settings, "port"),
        .tls = receiver->tls,
        .idle_ms = IDLE_MS,
        .handler = {on_open, on_data, on_close, NULL, NULL},
        .context = receiver,
    };
    if (!(receiver->pool = gatherings_new(config->host, config->settings, false, err)) ||
        net_listen(config->host->loop, &options, &receiver->listener, err) < 0)
        return -1;
    receiver->port = net_listener_port(receiver->listener);
    return 0;
}

static int listen_udp(struct receiver *receiver, struct err *err)
{
    const struct receiver_config *config = &receiver->config;
    struct datagrams_config options = {
        .host = config->host, .settings = config->settings, .datagram = config->datagram, .context = config->context,
        .port = receiver->listener ? receiver->port : (uint16_t)settings_number(config->settings, "port")};
    if (datagrams_open(&options, &receiver->datagrams, err) < 0)
        return -1;
    receiver->port = datagrams_port(receiver->datagrams);
    return 0;
}

const char *const receiver_transports[] = {"udp", "tcp", "tls", NULL};

int receiver_check(const struct collector_settings *settings, struct err *err)
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

int receiver_open(const struct receiver_config *config, struct receiver **out, struct err *err)
{
    struct receiver *receiver = mem_calloc(1, sizeof(*receiver));
    const struct collector_settings *settings = config->settings;
    *out = receiver;
    if (!receiver)
        return err_nomem(err);
    bool tls = settings_has(settings, "transport", "tls"), tcp = tls || settings_has(settings, "transport", "tcp");
    assert(config->hints.len < sizeof(receiver->part_room) - 16);
    receiver->config = *config;
    int len = snprintf(receiver->part_room, sizeof(receiver->part_room), "%.*s%spart=1", SLICE_ARG(config->hints),
                       config->hints.len ? "\x1f" : "");
    receiver->part_hints = slice_of(receiver->part_room, (size_t)len);
    if (tls && listening_tls(config->host, settings, &receiver->tls, err) < 0)
        return -1;
    if (tcp && listen_tcp(receiver, err) < 0)
        return -1;
    return settings_has(settings, "transport", "udp") ? listen_udp(receiver, err) : 0;
}

void receiver_finish(struct receiver *receiver)
{
    datagrams_finish(receiver->datagrams);
    gatherings_finish(receiver->pool);
}

void receiver_free(struct receiver *receiver)
{
    if (!receiver)
        return;
    datagrams_free(receiver->datagrams);
    gatherings_free(receiver->pool);
    tls_context_free(receiver->tls);
    mem_free(receiver);
}

void receiver_count(const struct receiver *receiver, struct collector_counts *out)
{
    if (receiver->pool)
        out->dropped_queue += gatherings_dropped(receiver->pool);
    if (receiver->datagrams)
        datagrams_count(receiver->datagrams, out);
    out->open = atomic_load(&receiver->open);
    out->port = receiver->port;
}
