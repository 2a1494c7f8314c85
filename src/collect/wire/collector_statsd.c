/* StatsD over UDP and TCP: a metric a line, several in one datagram; also DogStatsD's events and service checks.
 * Nothing is added up here: each line is an event, and content/decoders/metrics.yaml says what it means. Source:
 * etsy/statsd, docs/metric_types.md; Datadog, "DogStatsD datagram format and shell usage" (1.0 to 1.3). */
#include "base/limits.h"
#include "base/mem.h"
#include "collect/wire/receiver.h"

struct collector_statsd {
    struct receiver *receiver;
    struct slice hints; /* who decodes the lines, unless the configuration says who does */
};

/* ---- TCP ---- */

struct line_frames {
    struct buffer pending; /* a line without its end */
    bool part;             /* its beginning has been given */
};

static void give(struct line_frames *frames, struct slice line, bool part, receiver_visit visit, void *context)
{
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (line.len)
        visit(context, line, part);
    frames->part = false;
}

static void frames_init(void *state)
{
    struct line_frames *frames = state;
    buffer_init(&frames->pending, 2 * EVENT_BYTES_MAX);
}

static void frames_close(void *state)
{
    struct line_frames *frames = state;
    buffer_close(&frames->pending);
}

/* A line that is over EVENT_BYTES_MAX comes in parts. */
static int frames_feed(void *state, struct slice bytes, receiver_visit visit, void *context)
{
    struct line_frames *frames = state;
    ptrdiff_t end;
    buffer_put(&frames->pending, bytes);
    if (buffer_failed(&frames->pending))
        return -1;
    struct slice text = buffer_slice(&frames->pending);
    while ((end = slice_find_char(text, '\n')) >= 0) {
        give(frames, slice_sub(text, 0, (size_t)end), frames->part, visit, context);
        text = slice_from(text, (size_t)end + 1);
    }
    if (text.len >= EVENT_BYTES_MAX) {
        give(frames, text, true, visit, context);
        frames->part = true;
        text.len = 0;
    }
    buffer_consume(&frames->pending, frames->pending.len - text.len);
    return 0;
}

static void frames_finish(void *state, receiver_visit visit, void *context)
{
    struct line_frames *frames = state;
    give(frames, buffer_slice(&frames->pending), frames->part, visit, context);
}

static void frames_spill(void *state, receiver_visit visit, void *context)
{
    struct line_frames *frames = state;
    if (!frames->pending.len)
        return;
    give(frames, buffer_slice(&frames->pending), true, visit, context);
    frames->part = true;
    buffer_clear(&frames->pending);
}

static const struct receiver_cutter cutter = {sizeof(struct line_frames), frames_init, frames_close, frames_feed,
                                              frames_finish, frames_spill};

/* ---- UDP ---- */

static bool on_datagram(void *context, struct gathering *gathering, struct slice bytes)
{
    const struct collector_statsd *collector = context;
    struct slice line;
    bool ok = true;
    while (ok && slice_next_line(&bytes, &line))
        ok = line.len == 0 || gathering_put(gathering, line, collector->hints);
    return ok;
}

/* ---- the kind ---- */

static const struct collector_option options[] = {RECEIVER_OPTIONS("8125", "[udp]")};

static void statsd_finish(void *self)
{
    struct collector_statsd *collector = self;
    receiver_finish(collector->receiver);
}

static void statsd_free(void *self)
{
    struct collector_statsd *collector = self;
    receiver_free(collector->receiver);
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
    struct receiver_config config = {host, settings, &cutter, collector->hints, on_datagram, collector};
    return receiver_open(&config, &collector->receiver, err);
}

static void statsd_count(void *self, struct collector_counts *out)
{
    const struct collector_statsd *collector = self;
    receiver_count(collector->receiver, out);
}

const struct collector_kind collector_statsd = {
    .name = "statsd",
    .summary = "StatsD and DogStatsD metrics, events and service checks, over UDP, TCP and TLS",
    .details = "An event for each line; nothing is added up, and a sample rate is kept beside the value. A line that "
               "is no metric is "
               "kept as it came, with the tag `_decode_error`.",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = receiver_check,
    .open = statsd_open,
    .finish = statsd_finish,
    .free = statsd_free,
    .counts = statsd_count,
    .listens = true,
};
