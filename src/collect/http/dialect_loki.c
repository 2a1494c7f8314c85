/* Grafana Loki's push: /loki/api/v1/push, and /api/prom/push as it was called before. 204 when the lines are durable.
 * Source: Grafana Loki, "Loki HTTP API", ingest logs. */
#include "base/limits.h"
#include "collect/http/dialect.h"
#include "collect/http/loki_parse.h"
#include "net/inflate.h"

static void reply_text(struct ingest_call *call, int status, const char *text, struct slice headers)
{
    http_reply(call->request, status, "text/plain; charset=utf-8", headers, arena_printf(call->arena, "%s\n", text));
}

static void refuse(struct ingest_call *call, enum ingest_refusal why, const char *text, int retry_s)
{
    reply_text(call, ingest_status(why), text, ingest_retry_header(call, retry_s));
}

static void reply_taken(struct ingest_call *call)
{
    http_reply(call->request, 204, "text/plain; charset=utf-8", SLICE_NONE, SLICE(""));
}

static void answer(struct ingest_call *call, const struct sink_ack *ack)
{
    (void)ack;
    reply_taken(call);
}

static void refuse_body(struct ingest_call *call, const struct err *err)
{
    if (err->code == ERR_NOMEM)
        ingest_refuse(call, INGEST_BUSY, NULL);
    else if (err->code == ERR_LIMIT)
        ingest_refuse(call, INGEST_TOO_LARGE, err->text);
    else
        reply_text(call, 400, err->text, SLICE_NONE);
}

static void take_message(struct ingest_call *call, bool json, struct slice message)
{
    struct buffer records;
    uint32_t count;
    struct err err;
    err_clear(&err);
    buffer_init(&records, JOURNAL_RECORD_BYTES_MAX - MIB);
    if (loki_parse(json, message, &records, &count, &err) < 0)
        refuse_body(call, &err);
    else if (count)
        ingest_take(call, buffer_slice(&records), count, answer);
    else
        reply_taken(call);
    buffer_close(&records);
}

/* JSON, or protobuf in a snappy block, which no header has to tell. */
static void take_push(struct ingest_call *call)
{
    struct slice type = http_header(call->request, "content-type"), body = http_body(call->request), rest;
    struct buffer plain;
    struct err err;
    slice_cut(type, ';', &type, &rest);
    bool json = type.len ? slice_is_nocase(slice_trim(type), "application/json") : body.len && body.ptr[0] == '{';
    if (json || slice_is_nocase(http_header(call->request, "content-encoding"), "snappy")) {
        take_message(call, json, body);
        return;
    }
    buffer_init(&plain, HTTP_BODY_BYTES_MAX + 64 * KIB);
    err_clear(&err);
    if (inflate_body(INFLATE_SNAPPY, body, HTTP_BODY_BYTES_MAX, HTTP_INFLATE_RATIO_MAX, &plain, &err) == 0)
        take_message(call, false, buffer_slice(&plain));
    else
        refuse_body(call, &err);
    buffer_close(&plain);
}

static const struct dialect_route routes[] = {
    {HTTP_METHOD_POST, "/loki/api/v1/push", take_push, false},
    {HTTP_METHOD_POST, "/api/prom/push", take_push, false},
};

const struct dialect dialect_loki = {
    .name = "loki",
    .summary = "Grafana Loki push, JSON and protobuf",
    .routes = routes,
    .route_count = ARRAY_COUNT(routes),
    .refuse = refuse,
};
