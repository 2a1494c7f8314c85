#include "collect/collector_http.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "collect/hec_parse.h"

#include <stdio.h>

struct collector_http {
    struct collector_http_config config;
    struct http_server *server;
};

enum hec_code {
    HEC_SUCCESS = 0,
    HEC_TOKEN_DISABLED = 1,
    HEC_TOKEN_REQUIRED = 2,
    HEC_AUTHORIZATION_INVALID = 3,
    HEC_TOKEN_INVALID = 4,
    HEC_SERVER_ERROR = 8,
    HEC_BUSY = 9,
    HEC_HEALTHY = 17,
};

static void reply(struct http_request *request, int status, int code, const char *text)
{
    struct slice body =
        arena_printf(http_arena(request), "{\"text\":\"%s\",\"code\":%d}", text, code);
    struct slice headers = status == 503 ? SLICE("Retry-After: 1\r\n") : SLICE_NONE;
    http_reply(request, status, "application/json", headers, body);
}

/* 503 whatever the reason (a full disk as well): it is what senders take for "again, later". */
static void reply_not_stored(struct http_request *request, const struct err *why)
{
    struct buffer body;
    struct json json;
    char detail[ERR_TEXT_SIZE + 128];
    snprintf(detail, sizeof(detail),
             "the events could not be made durable: %s; they are not kept, send them again later",
             why->text);
    buffer_init(&body, 64 * KIB);
    json_init(&json, &body);
    json_open(&json, '{');
    json_put_text(&json, "text", SLICE("Server is busy"));
    json_put_i64(&json, "code", HEC_BUSY);
    json_put_text(&json, "detail", slice_text(detail));
    json_close(&json, '}');
    http_reply(request, 503, "application/json", SLICE("Retry-After: 1\r\n"), buffer_slice(&body));
    buffer_close(&body);
}

static void reply_invalid(struct http_request *request, enum hec_problem problem,
                          uint32_t event_number, const struct err *err)
{
    static const char *const texts[] = {
        [HEC_NO_DATA] = "No data",
        [HEC_INVALID] = "Invalid data format",
        [HEC_EVENT_MISSING] = "Event field is required",
        [HEC_EVENT_BLANK] = "Event field cannot be blank",
    };
    struct slice body = arena_printf(
        http_arena(request),
        "{\"text\":\"%s\",\"code\":%d,\"invalid-event-number\":%u,\"detail\":\"%s\"}",
        texts[problem], (int)problem, event_number,
        problem == HEC_NO_DATA ? "the body holds no event" : err->text);
    http_reply(request, 400, "application/json", SLICE_NONE, body);
}

/* The token of "Splunk TOKEN", "Bearer TOKEN" or Basic with the token as password. */
static struct slice token_of(struct http_request *request)
{
    struct slice header = http_header(request, "authorization"), scheme, rest;
    if (!header.ptr || !slice_cut(header, ' ', &scheme, &rest))
        return header.ptr ? SLICE("") : SLICE_NONE;
    if (slice_is_nocase(scheme, "splunk") || slice_is_nocase(scheme, "bearer"))
        return slice_trim(rest);
    return SLICE("");
}

/* Runs on the sink's thread: the events are durable, or not. */
static void on_stored(void *context, const struct sink_ack *ack)
{
    struct http_request *request = context;
    switch (ack->result) {
    case SINK_STORED:
    case SINK_DUPLICATE:
        reply(request, 200, HEC_SUCCESS, "Success");
        return;
    case SINK_CONFLICT:
        http_reply_error(request, 409, "key_reused",
                         "this Idempotency-Key was used before with other content");
        return;
    case SINK_FAILED:
        reply_not_stored(request, ack->err);
        return;
    }
}

static struct slice batch_key(struct http_request *request, const struct ingest_grant *grant)
{
    struct slice key = http_header(request, "idempotency-key");
    if (!key.ptr)
        return SLICE_NONE;
    return arena_printf(http_arena(request), "%.*s/%.*s", SLICE_ARG(grant->id), SLICE_ARG(key));
}

static void deliver(struct collector_http *collector, struct http_request *request,
                    const struct ingest_grant *grant, struct slice records, uint32_t count)
{
    struct delivery delivery = {
        .origin = {.source = SLICE("hec"), .stream = grant->stream, .dataset = grant->dataset,
                   .peer = http_peer(request), .identity = grant->id, .zone = grant->zone},
        .received_ns = clock_wall_ns(collector->config.sink->clock),
        .key = batch_key(request, grant),
        .framing = FRAMING_RECORDS,
        .event_count = count,
        .body = records,
    };
    struct err err;
    if (delivery.key.len > IDEMPOTENCY_KEY_BYTES_MAX) {
        http_reply_error(request, 400, "bad_key", "an Idempotency-Key has at most %d bytes",
                         IDEMPOTENCY_KEY_BYTES_MAX);
        return;
    }
    if (sink_take(collector->config.sink, &delivery, on_stored, request, &err) < 0) {
        if (err.code == ERR_LIMIT || err.code == ERR_NOMEM)
            reply(request, 503, HEC_BUSY, "Server is busy");
        else
            reply_not_stored(request, &err);
    }
}

static void take_body(struct collector_http *collector, struct http_request *request, bool raw,
                      const struct ingest_grant *grant)
{
    struct hec_defaults defaults = {
        .host = http_param(request, "host"),
        .source = http_param(request, "source"),
        .sourcetype = http_param(request, "sourcetype"),
        .index = http_param(request, "index"),
    };
    struct buffer records;
    uint32_t count;
    struct err err;
    err_clear(&err);
    buffer_init(&records, JOURNAL_RECORD_BYTES_MAX);
    enum hec_problem problem =
        raw ? hec_parse_raw(http_body(request), &defaults, &records, &count)
            : hec_parse(http_body(request), &defaults, &records, &count, &err);
    if (problem != HEC_OK)
        reply_invalid(request, problem, count, &err);
    else if (buffer_failed(&records))
        http_reply_error(request, 413, "too_large",
                         "the body is too large; send it in smaller pieces");
    else
        deliver(collector, request, grant, buffer_slice(&records), count);
    buffer_close(&records);
}

static void take_events(struct collector_http *collector, struct http_request *request, bool raw)
{
    struct ingest_grant grant = {0};
    struct slice token = token_of(request);
    if (http_method(request) != HTTP_METHOD_POST) {
        http_reply_error(request, 405, "method_not_allowed", "send events with POST");
        return;
    }
    if (!token.ptr) {
        reply(request, 401, HEC_TOKEN_REQUIRED, "Token is required");
        return;
    }
    if (token.len == 0) {
        reply(request, 401, HEC_AUTHORIZATION_INVALID, "Invalid authorization");
        return;
    }
    switch (collector->config.authorise(collector->config.context, token, http_peer(request),
                                        http_arena(request), &grant)) {
    case AUTHORISE_UNKNOWN:
        reply(request, 403, HEC_TOKEN_INVALID, "Invalid token");
        return;
    case AUTHORISE_DISABLED:
        reply(request, 403, HEC_TOKEN_DISABLED, "Token disabled");
        return;
    case AUTHORISE_OK:
        take_body(collector, request, raw, &grant);
        return;
    }
}

static void handle(void *context, struct http_request *request)
{
    struct collector_http *collector = context;
    struct slice path = http_path(request);
    if (slice_is(path, "/services/collector/health") ||
        slice_is(path, "/services/collector/health/1.0"))
        reply(request, 200, HEC_HEALTHY, "HEC is healthy");
    else if (slice_is(path, "/services/collector") || slice_is(path, "/services/collector/event") ||
             slice_is(path, "/services/collector/event/1.0"))
        take_events(collector, request, false);
    else if (slice_is(path, "/services/collector/raw") ||
             slice_is(path, "/services/collector/raw/1.0"))
        take_events(collector, request, true);
    else
        http_reply_error(request, 404, "not_found",
                         "this port takes events at /services/collector; the console and the API "
                         "are on another port");
}

int collector_http_open(struct net_loop *loop, const struct collector_http_config *config,
                        struct collector_http **out, struct err *err)
{
    struct collector_http *collector = mem_calloc(1, sizeof(*collector));
    *out = NULL;
    if (!collector)
        return err_nomem(err);
    collector->config = *config;
    struct http_options options = {.address = config->address, .port = config->port,
                                   .tls = config->tls, .handle = handle, .context = collector};
    if (http_listen(loop, &options, &collector->server, err) < 0) {
        mem_free(collector);
        return -1;
    }
    *out = collector;
    return 0;
}

uint16_t collector_http_port(const struct collector_http *collector)
{
    return http_port(collector->server);
}

void collector_http_free(struct collector_http *collector)
{
    if (!collector)
        return;
    http_free(collector->server);
    mem_free(collector);
}
