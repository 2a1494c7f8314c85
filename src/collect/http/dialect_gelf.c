/* GELF over HTTP: POST /gelf, one message, or several behind each other. Over UDP and TCP: collector_gelf.c.
 * Source: Graylog, "GELF via HTTP" (202 without a body). */
#include "base/limits.h"
#include "collect/http/dialect.h"
#include "collect/http/ingest_text.h"

static void refuse(struct ingest_call *call, enum ingest_refusal why, const char *text, int retry_s)
{
    http_reply(call->request, ingest_status(why), "text/plain; charset=utf-8", ingest_retry_header(call, retry_s), slice_text(text));
}

static void answer(struct ingest_call *call, const struct sink_ack *ack)
{
    (void)ack;
    http_reply(call->request, 202, "text/plain; charset=utf-8", SLICE_NONE, SLICE(""));
}

static void take(struct ingest_call *call)
{
    struct buffer records;
    buffer_init(&records, JOURNAL_RECORD_BYTES_MAX);
    uint32_t count = ingest_text(INGEST_JSON, http_body(call->request), SLICE("sourcetype=gelf"), &records);
    if (buffer_failed(&records))
        ingest_refuse(call, INGEST_TOO_LARGE, NULL);
    else if (count == 0)
        http_reply(call->request, 400, "text/plain; charset=utf-8", SLICE_NONE, SLICE("the body holds no GELF message"));
    else
        ingest_take(call, buffer_slice(&records), count, answer);
    buffer_close(&records);
}

static const struct dialect_route routes[] = {
    {HTTP_METHOD_POST, "/gelf", take, false},
};

const struct dialect dialect_gelf = {
    .name = "gelf",
    .summary = "Graylog Extended Log Format over HTTP",
    .routes = routes,
    .route_count = ARRAY_COUNT(routes),
    .refuse = refuse,
};
