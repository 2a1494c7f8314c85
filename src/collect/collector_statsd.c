/* StatsD over UDP and TCP: a metric a line, several in one datagram; also DogStatsD's events and service checks.
 * Nothing is added up here: each line is an event, and content/decoders/metrics.yaml says what it means. Source:
 * etsy/statsd, docs/metric_types.md; Datadog, "DogStatsD datagram format and shell usage" (1.0 to 1.3). */
#include "base/limits.h"
#include "base/mem.h"
#include "collect/datagrams.h"
#include "collect/listening.h"
#include "net/conn.h"

#include <stdatomic.h>

enum { IDLE_MS = 15 * 60 * 1000 };

struct collector_statsd {
    struct gatherings *pool;
    struct datagrams *datagrams;
    struct net_listener *listener;
    struct slice hints; /* who decodes the lines, unless the configuration says who does */
    atomic_ulong open;
};

/* One TCP sender. */
struct sender {
    struct collector_statsd *collector;
    struct net_conn *conn;
    struct gathering *gathering;
    struct buffer pending; /* a line without its end */
    bool part;             /* its beginning has been given */
};

/* False when memory is out. part: a piece of a line that is over EVENT_BYTES_MAX. */
static bool put_line(const struct collector_statsd *collector, struct gathering *gathering, struct slice line,
                     bool part)
{
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line.len == 0 || gathering_put(gathering, line, part ? SLICE("part=1") : collector->hints);
}

/* ---- TCP ---- */

static bool take_lines(struct sender *sender)
{
    struct slice text = buffer_slice(&sender->pending);
    ptrdiff_t end;
    bool ok = true;
    while (ok && (end = slice_find_char(text, '\n')) >= 0) {
        ok = put_line(sender->collector, sender->gathering, slice_sub(text, 0, (size_t)end), sender->part);
        sender->part = false;
        text = slice_from(text, (size_t)end + 1);
    }
    if (ok && text.len >= EVENT_BYTES_MAX) {
        ok = put_line(sender->collector, sender->gathering, text, true);
        sender->part = true;
        text.len = 0;
    }
    buffer_consume(&sender->pending, sender->pending.len - text.len);
    return ok && !buffer_failed(&sender->pending);
}

static void on_room(void *context)
{
    struct sender *sender = context;
    net_conn_resume(sender->conn);
}

static const struct gathering_events events = {.room = on_room};

static void *on_open(void *context, struct net_conn *conn)
{
    struct collector_statsd *collector = context;
    struct sender *sender = mem_calloc(1, sizeof(*sender));
    struct gathering *gathering =
        sender ? gathering_new(collector->pool, net_conn_peer(conn), &events, sender) : NULL;
    if (!gathering) {
        mem_free(sender);
        return NULL;
    }
    *sender = (struct sender){.collector = collector, .conn = conn, .gathering = gathering};
    buffer_init(&sender->pending, 2 * EVENT_BYTES_MAX);
    atomic_fetch_add(&collector->open, 1);
    return sender;
}

static void on_data(void *state, struct net_conn *conn, struct slice bytes)
{
    struct sender *sender = state;
    buffer_put(&sender->pending, bytes);
    bool ok = take_lines(sender);
    gathering_flush(sender->gathering);
    if (gathering_is_full(sender->gathering))
        net_conn_pause(conn);
    if (!ok)
        net_conn_close(conn); /* the sender keeps what it has not sent */
}

static void on_close(void *state, struct net_conn *conn)
{
    (void)conn;
    struct sender *sender = state;
    if (!put_line(sender->collector, sender->gathering, buffer_slice(&sender->pending), sender->part))
        gatherings_drop(sender->collector->pool, 1);
    gathering_close(sender->gathering);
    buffer_close(&sender->pending);
    atomic_fetch_sub(&sender->collector->open, 1);
    mem_free(sender);
}

static int listen_tcp(const struct collector_host *host, const struct collector_settings *settings,
                      struct collector_statsd *collector, struct err *err)
{
    struct net_listen_options options = {
        .address = settings_string(settings, "address"),
        .port = (uint16_t)settings_number(settings, "port"),
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
    const struct collector_statsd *collector = context;
    struct slice line;
    bool ok = true;
    while (ok && slice_next_line(&bytes, &line))
        ok = put_line(collector, gathering, line, false);
    return ok;
}

static int listen_udp(const struct collector_host *host, const struct collector_settings *settings,
                      struct collector_statsd *collector, struct err *err)
{
    struct datagrams_config config = {.host = host,
                                      .settings = settings,
                                      .datagram = on_datagram,
                                      .context = collector,
                                      .port = collector->listener ? net_listener_port(collector->listener)
                                                                  : (uint16_t)settings_number(settings, "port")};
    return datagrams_open(&config, &collector->datagrams, err);
}

/* ---- the kind ---- */

static const char *const transports[] = {"udp", "tcp", NULL};

static const struct collector_option options[] = {
    LISTENING_OPTIONS("8125"),
    {"transport", SETTING_CHOICES, "[udp]", .choices = transports,
     .summary = "how it comes; with both, they share the port's number"},
};

static int statsd_check(const struct collector_settings *settings, struct err *err)
{
    size_t count;
    settings_list(settings, "transport", &count);
    if (count == 0)
        return err_set(err, ERR_CONFIG, "%.*s: transport is udp, tcp or both of them", SLICE_ARG(settings->name));
    return listening_check_plain(settings, err);
}

static void statsd_finish(void *self)
{
    struct collector_statsd *collector = self;
    datagrams_finish(collector->datagrams);
    gatherings_finish(collector->pool);
}

static void statsd_free(void *self)
{
    struct collector_statsd *collector = self;
    datagrams_free(collector->datagrams);
    gatherings_free(collector->pool);
    mem_free(collector);
}

static int statsd_open(const struct collector_host *host, const struct collector_settings *settings, void **out,
                       struct err *err)
{
    struct collector_statsd *collector = mem_calloc(1, sizeof(*collector));
    *out = collector;
    if (!collector)
        return err_nomem(err);
    collector->hints = settings->dataset.len ? SLICE("") : SLICE("decoder=statsd");
    if (settings_has(settings, "transport", "tcp") && listen_tcp(host, settings, collector, err) < 0)
        return -1;
    return settings_has(settings, "transport", "udp") ? listen_udp(host, settings, collector, err) : 0;
}

static void statsd_count(void *self, struct collector_counts *out)
{
    const struct collector_statsd *collector = self;
    if (collector->pool)
        out->dropped_queue += gatherings_dropped(collector->pool);
    if (collector->datagrams)
        datagrams_count(collector->datagrams, out);
    out->open = atomic_load(&collector->open);
    out->port = collector->listener ? net_listener_port(collector->listener) : datagrams_port(collector->datagrams);
}

const struct collector_kind collector_statsd = {
    .name = "statsd",
    .summary = "StatsD and DogStatsD metrics, events and service checks, over UDP and TCP",
    .details = "An event for each line; nothing is added up, and a sample rate is kept beside the value. A line that "
               "is no metric is "
               "kept as it came, with the tag `_decode_error`.",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = statsd_check,
    .open = statsd_open,
    .finish = statsd_finish,
    .free = statsd_free,
    .counts = statsd_count,
    .listens = true,
};
