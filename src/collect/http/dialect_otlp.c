/* The OpenTelemetry Protocol over HTTP: /v1/logs, /v1/metrics and /v1/traces, also below the paths that Loki and
 * Prometheus have for it. The answer is in the request's encoding: an empty response (everything was taken; nothing
 * is refused singly, so there is no partial success), or a google.rpc.Status. 429 and 503 are to be sent again.
 * Source: OpenTelemetry, "OTLP Specification 1.x", section OTLP/HTTP. */
#include "base/json.h"
#include "base/limits.h"
#include "collect/http/dialect.h"
#include "collect/http/otlp_parse.h"

static const char json_type[] = "application/json", protobuf_type[] = "application/x-protobuf";

static bool is_type(struct ingest_call *call, const char *type)
{
    struct slice header = http_header(call->request, "content-type"), rest;
    slice_cut(header, ';', &header, &rest);
    return slice_is_nocase(slice_trim(header), type);
}

/* google.rpc.Code */
static int code_of(int status)
{
    switch (status) {
    case 401:
        return 16; /* UNAUTHENTICATED */
    case 403:
        return 7; /* PERMISSION_DENIED */
    case 405:
        return 12; /* UNIMPLEMENTED */
    case 409:
        return 6; /* ALREADY_EXISTS */
    case 413:
    case 429:
        return 8; /* RESOURCE_EXHAUSTED */
    case 503:
        return 14; /* UNAVAILABLE */
    default:
        return 3; /* INVALID_ARGUMENT */
    }
}

static void reply_status(struct ingest_call *call, int status, const char *text, struct slice headers)
{
    bool protobuf = is_type(call, protobuf_type);
    struct buffer body;
    struct json json;
    buffer_init(&body, 64 * KIB);
    if (protobuf) { /* code = 1, message = 2 */
        buffer_put_varint(&body, 1 << 3);
        buffer_put_varint(&body, (uint64_t)code_of(status));
        buffer_put_varint(&body, 2 << 3 | 2);
        buffer_put_block(&body, slice_text(text));
    } else {
        json_init(&json, &body);
        json_open(&json, '{');
        json_put_i64(&json, "code", code_of(status));
        json_put_text(&json, "message", slice_text(text));
        json_close(&json, '}');
    }
    http_reply(call->request, status, protobuf ? protobuf_type : json_type, headers, buffer_slice(&body));
    buffer_close(&body);
}

static void refuse(struct ingest_call *call, enum ingest_refusal why, const char *text, int retry_s)
{
    reply_status(call, ingest_status(why), text, ingest_retry_header(call, retry_s));
}

static void reply_taken(struct ingest_call *call)
{
    bool json = is_type(call, json_type);
    http_reply(call->request, 200, json ? json_type : protobuf_type, SLICE_NONE, json ? SLICE("{}") : SLICE(""));
}

static void answer(struct ingest_call *call, const struct sink_ack *ack)
{
    (void)ack;
    reply_taken(call);
}

static void take(struct ingest_call *call, enum otlp_signal signal)
{
    bool json = is_type(call, json_type);
    struct buffer records;
    uint32_t count;
    struct err err;
    if (!json && !is_type(call, protobuf_type)) {
        reply_status(call, 415, "the Content-Type of OTLP is application/x-protobuf or application/json", SLICE_NONE);
        return;
    }
    err_clear(&err);
    buffer_init(&records, JOURNAL_RECORD_BYTES_MAX - MIB);
    if (otlp_parse(signal, json, http_body(call->request), &records, &count, &err) == 0) {
        if (count)
            ingest_take(call, buffer_slice(&records), count, answer);
        else
            reply_taken(call);
    } else if (err.code == ERR_NOMEM) {
        ingest_refuse(call, INGEST_BUSY, NULL);
    } else if (err.code == ERR_LIMIT) {
        ingest_refuse(call, INGEST_TOO_LARGE, err.text);
    } else {
        reply_status(call, 400, err.text, SLICE_NONE);
    }
    buffer_close(&records);
}

static void take_logs(struct ingest_call *call)
{
    take(call, OTLP_LOGS);
}

static void take_metrics(struct ingest_call *call)
{
    take(call, OTLP_METRICS);
}

static void take_traces(struct ingest_call *call)
{
    take(call, OTLP_TRACES);
}

static const struct dialect_route routes[] = {
    {HTTP_METHOD_POST, "/v1/logs", take_logs, false},
    {HTTP_METHOD_POST, "/v1/metrics", take_metrics, false},
    {HTTP_METHOD_POST, "/v1/traces", take_traces, false},
    {HTTP_METHOD_POST, "/otlp/v1/logs", take_logs, false},
    {HTTP_METHOD_POST, "/api/v1/otlp/v1/metrics", take_metrics, false},
};

const struct dialect dialect_otlp = {
    .name = "otlp",
    .summary = "OpenTelemetry Protocol: logs, metrics and spans, protobuf and JSON",
    .routes = routes,
    .route_count = ARRAY_COUNT(routes),
    .refuse = refuse,
};
