/* Prometheus' remote write, 1.0 and 2.0: /api/v1/write, and /api/v1/push as Mimir has it. A sender sends again after
 * 429 and 5xx, and never after another 4xx, so these are for bodies that would be damaged the next time, too. Source:
 * Prometheus Remote-Write 1.0 and 2.0 specifications. */
#include "base/limits.h"
#include "collect/http/dialect.h"
#include "collect/http/remote_write_parse.h"
#include "net/inflate.h"

static void reply_text(struct ingest_call *call, int status, const char *text, struct slice headers)
{
    http_reply(call->request, status, "text/plain; charset=utf-8", headers, arena_printf(call->arena, "%s\n", text));
}

static void refuse(struct ingest_call *call, enum ingest_refusal why, const char *text, int retry_s)
{
    reply_text(call, ingest_status(why), text, ingest_retry_header(call, retry_s));
}

/* What 2.0 wants to know was written; senders of 1.0 pass it over. */
static void reply_written(struct ingest_call *call)
{
    const struct remote_write_counts *counts = call->state;
    struct slice headers = arena_printf(call->arena,
                                        "X-Prometheus-Remote-Write-Samples-Written: %u\r\n"
                                        "X-Prometheus-Remote-Write-Histograms-Written: %u\r\n"
                                        "X-Prometheus-Remote-Write-Exemplars-Written: %u\r\n",
                                        counts->samples, counts->histograms, counts->exemplars);
    http_reply(call->request, 204, "text/plain; charset=utf-8", headers, SLICE(""));
}

static void answer(struct ingest_call *call, const struct sink_ack *ack)
{
    (void)ack;
    reply_written(call);
}

static void take_message(struct ingest_call *call, bool version_2, struct slice message)
{
    struct remote_write_counts *counts = call->state;
    struct buffer records;
    struct err err;
    err_clear(&err);
    buffer_init(&records, JOURNAL_RECORD_BYTES_MAX - MIB);
    if (remote_write_parse(version_2, message, &records, counts, &err) == 0) {
        if (counts->events)
            ingest_take(call, buffer_slice(&records), counts->events, answer);
        else
            reply_written(call);
    } else if (err.code == ERR_NOMEM) {
        ingest_refuse(call, INGEST_BUSY, NULL);
    } else if (err.code == ERR_LIMIT) {
        ingest_refuse(call, INGEST_TOO_LARGE, err.text);
    } else {
        reply_text(call, 400, err.text, SLICE_NONE);
    }
    buffer_close(&records);
}

/* The body is unpacked where the header says that it is packed; snappy is what there must be when it says nothing. */
static void take_packed(struct ingest_call *call, bool version_2)
{
    struct buffer plain;
    struct err err;
    if (http_header(call->request, "content-encoding").len) {
        take_message(call, version_2, http_body(call->request));
        return;
    }
    buffer_init(&plain, HTTP_BODY_BYTES_MAX + 64 * KIB);
    if (inflate_body(INFLATE_SNAPPY, http_body(call->request), HTTP_BODY_BYTES_MAX, HTTP_INFLATE_RATIO_MAX, &plain,
                     &err) == 0)
        take_message(call, version_2, buffer_slice(&plain));
    else if (err.code == ERR_NOMEM)
        ingest_refuse(call, INGEST_BUSY, NULL);
    else
        reply_text(call, err.code == ERR_LIMIT ? 413 : 400, err.text, SLICE_NONE);
    buffer_close(&plain);
}

static void take_write(struct ingest_call *call)
{
    struct slice type = http_header(call->request, "content-type"), proto = SLICE_NONE;
    slice_cut(type, ';', &type, &proto);
    bool version_2 = slice_find(proto, SLICE("io.prometheus.write.v2.Request")) >= 0;
    bool version_1 =
        slice_find(proto, SLICE("proto=")) < 0 || slice_find(proto, SLICE("prometheus.WriteRequest")) >= 0;
    call->state = arena_calloc(call->arena, sizeof(struct remote_write_counts));
    if (!call->state)
        ingest_refuse(call, INGEST_BUSY, NULL);
    else if ((type.len && !slice_is_nocase(slice_trim(type), "application/x-protobuf")) || !(version_1 || version_2))
        reply_text(call, 415,
                   "the Content-Type of remote write is application/x-protobuf, with proto=prometheus.WriteRequest "
                   "or proto=io.prometheus.write.v2.Request",
                   SLICE_NONE);
    else
        take_packed(call, version_2);
}

static const struct dialect_route routes[] = {
    {HTTP_METHOD_POST, "/api/v1/write", take_write, false},
    {HTTP_METHOD_POST, "/api/v1/push", take_write, false},
};

const struct dialect dialect_prometheus = {
    .name = "prometheus",
    .summary = "Prometheus remote write, 1.0 and 2.0",
    .routes = routes,
    .route_count = ARRAY_COUNT(routes),
    .refuse = refuse,
};
