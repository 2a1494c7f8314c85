#include "collect/gathering.h"

#include "base/limits.h"
#include "base/mem.h"

#include <assert.h>
#include <stdatomic.h>

enum { PEER_ROOM = 64 };
#define IDLE_ROOM (64 * KIB) /* what a sender that is quiet may keep */
#define FULL_LEAST (4 * KIB) /* of one sender, when all together have used up their room */

struct load {
    struct buffer records;
    uint32_t count;
};

struct gathering {
    struct gatherings *pool;
    struct gathering *prev, *next;
    struct load gathered, flying; /* flying.count > 0: not known to be durable */
    bool under_way;               /* flying is with the sink */
    bool closed;
    bool was_full;
    bool landed_well;             /* the sink's answer */
    uint64_t put, stored;
    const struct gathering_events *events;
    void *context;
    char *identity;
    char peer[PEER_ROOM];
};

struct gatherings {
    const struct collector_host *host;
    const struct collector_settings *settings;
    struct net_timer *retry;
    bool cannot_wait;
    struct gathering *first;
    size_t held; /* bytes of all, gathered and flying */
    atomic_ulong dropped;
};

/* ---- one load to the sink ---- */

static struct delivery delivery_of(const struct gathering *gathering, const struct load *load)
{
    const struct gatherings *pool = gathering->pool;
    struct delivery delivery = collector_delivery(pool->host, pool->settings);
    delivery.origin.peer = slice_text(gathering->peer);
    delivery.origin.identity = slice_text(gathering->identity);
    delivery.event_count = load->count;
    delivery.cannot_wait = pool->cannot_wait;
    delivery.body = buffer_slice(&load->records);
    return delivery;
}

static void landed(void *context);

/* On the sink's thread. */
static void on_stored(void *context, const struct sink_ack *ack)
{
    struct gathering *gathering = context;
    gathering->landed_well = ack->result != SINK_FAILED;
    if (net_loop_post(gathering->pool->host->loop, landed, gathering))
        return;
    gathering->under_way = false; /* the loop has ended: gatherings_finish() goes on with it */
    if (gathering->landed_well)
        gathering->flying.count = 0;
}

static void send_flying(struct gathering *gathering)
{
    struct gatherings *pool = gathering->pool;
    struct delivery delivery = delivery_of(gathering, &gathering->flying);
    gathering->under_way = true;
    if (sink_take(pool->host->sink, &delivery, on_stored, gathering, NULL) == 0)
        return;
    gathering->under_way = false;
    if (!net_timer_is_set(pool->retry))
        net_timer_start(pool->retry, GATHERING_RETRY_MS, 0);
}

/* Empty; a sender that paused for longer than a delivery takes gives its room back. */
static void forget(struct load *load)
{
    if (load->records.size > IDLE_ROOM) {
        buffer_close(&load->records);
        buffer_init(&load->records, JOURNAL_RECORD_BYTES_MAX);
    }
    buffer_clear(&load->records);
    load->count = 0;
}

static void fly(struct gathering *gathering)
{
    struct load flown = gathering->flying;
    gathering->flying = gathering->gathered;
    gathering->gathered = flown;
    send_flying(gathering);
}

static void release(struct gathering *gathering)
{
    if (gathering->prev)
        gathering->prev->next = gathering->next;
    else
        gathering->pool->first = gathering->next;
    if (gathering->next)
        gathering->next->prev = gathering->prev;
    buffer_close(&gathering->gathered.records);
    buffer_close(&gathering->flying.records);
    mem_free(gathering->identity);
    mem_free(gathering);
}

static void tell(struct gathering *gathering)
{
    const struct gathering_events *events = gathering->closed ? NULL : gathering->events;
    bool room = gathering->was_full && !gathering_is_full(gathering);
    if (events && events->stored)
        events->stored(gathering->context, gathering->stored);
    if (!room)
        return;
    gathering->was_full = false;
    if (events && events->room)
        events->room(gathering->context);
}

static void landed(void *context)
{
    struct gathering *gathering = context;
    gathering->under_way = false;
    if (!gathering->landed_well) {
        if (!net_timer_is_set(gathering->pool->retry))
            net_timer_start(gathering->pool->retry, GATHERING_RETRY_MS, 0);
        return;
    }
    gathering->stored += gathering->flying.count;
    gathering->flying.count = 0;
    gathering->pool->held -= gathering->flying.records.len;
    forget(&gathering->flying);
    gathering_flush(gathering);
    if (gathering->closed && gathering->flying.count == 0)
        release(gathering);
    else
        tell(gathering);
}

static void on_retry(void *context)
{
    struct gatherings *pool = context;
    for (struct gathering *at = pool->first; at; at = at->next)
        if (at->flying.count && !at->under_way)
            send_flying(at);
}

/* ---- what collectors call ---- */

struct gatherings *gatherings_new(const struct collector_host *host, const struct collector_settings *settings,
                                  bool cannot_wait, struct err *err)
{
    struct gatherings *pool = mem_calloc(1, sizeof(*pool));
    if (pool) {
        pool->host = host;
        pool->settings = settings;
        pool->cannot_wait = cannot_wait;
        pool->retry = net_timer_new(host->loop, on_retry, pool);
        if (pool->retry)
            return pool;
    }
    mem_free(pool);
    err_nomem(err);
    return NULL;
}

static void last_try(struct gathering *gathering)
{
    struct load *loads[] = {&gathering->flying, &gathering->gathered};
    for (size_t i = 0; i < ARRAY_COUNT(loads); i++) {
        struct delivery delivery = delivery_of(gathering, loads[i]);
        if (loads[i]->count && sink_take(gathering->pool->host->sink, &delivery, NULL, NULL, NULL) < 0)
            gatherings_drop(gathering->pool, loads[i]->count);
    }
}

void gatherings_finish(struct gatherings *pool)
{
    while (pool && pool->first) {
        last_try(pool->first);
        release(pool->first);
    }
}

void gatherings_free(struct gatherings *pool)
{
    while (pool && pool->first)
        release(pool->first);
    mem_free(pool);
}

uint64_t gatherings_dropped(const struct gatherings *pool)
{
    return atomic_load(&pool->dropped);
}

void gatherings_drop(struct gatherings *pool, uint64_t events)
{
    atomic_fetch_add(&pool->dropped, events);
}

struct gathering *gathering_new(struct gatherings *pool, struct slice peer, const struct gathering_events *events,
                                void *context)
{
    struct gathering *gathering = mem_calloc(1, sizeof(*gathering));
    if (!gathering)
        return NULL;
    gathering->pool = pool;
    gathering->events = events;
    gathering->context = context;
    assert(peer.len < PEER_ROOM); /* an address with its port */
    memcpy(gathering->peer, peer.ptr, peer.len);
    buffer_init(&gathering->gathered.records, JOURNAL_RECORD_BYTES_MAX);
    buffer_init(&gathering->flying.records, JOURNAL_RECORD_BYTES_MAX);
    gathering->next = pool->first;
    if (gathering->next)
        gathering->next->prev = gathering;
    pool->first = gathering;
    return gathering;
}

bool gathering_identify(struct gathering *gathering, struct slice identity)
{
    if (identity.ptr && !gathering->identity)
        gathering->identity = mem_strdup(identity.ptr, identity.len);
    return !identity.ptr || gathering->identity;
}

bool gathering_put(struct gathering *gathering, struct slice raw, struct slice hints)
{
    struct load *load = &gathering->gathered;
    size_t before = load->records.len;
    delivery_put_record(&load->records, raw, hints);
    if (buffer_failed(&load->records)) {
        load->records.len = before;
        load->records.failed = false;
        return false;
    }
    load->count++;
    gathering->pool->held += load->records.len - before;
    gathering->put++;
    return true;
}

uint64_t gathering_mark(const struct gathering *gathering)
{
    return gathering->put;
}

bool gathering_is_full(const struct gathering *gathering)
{
    size_t own = gathering->gathered.records.len;
    return own >= GATHERING_BYTES_MAX || (own >= FULL_LEAST && gathering->pool->held >= GATHERINGS_BYTES_MAX);
}

void gathering_flush(struct gathering *gathering)
{
    if (gathering->gathered.count && gathering->flying.count == 0)
        fly(gathering);
    gathering->was_full = gathering_is_full(gathering) || gathering->was_full;
}

struct slice gathering_peer(const struct gathering *gathering)
{
    return slice_text(gathering->peer);
}

void gathering_close(struct gathering *gathering)
{
    gathering->closed = true;
    gathering_flush(gathering);
    if (gathering->gathered.count == 0 && gathering->flying.count == 0)
        release(gathering);
}
